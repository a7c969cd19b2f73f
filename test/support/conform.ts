import * as assert from "uvu/assert";
import type { ZodType } from "zod";

/** The body fits its schema, and the schema describes every key that the body has. */
export function conforms(schema: ZodType, body: unknown): void {
	const parsed = schema.safeParse(body);
	if (!parsed.success) throw new Error(`body breaks its schema: ${JSON.stringify(parsed.error.issues.slice(0, 3))}`);
	assert.equal(parsed.data, body);
}

/** Compact JSON is what printing its own parse gives; also proves that no key stands twice. */
export function isCompact(text: string): void {
	assert.is(JSON.stringify(JSON.parse(text)), text);
}

/** Every string that looks like a moment has milliseconds and Z. */
export function momentsHaveMilliseconds(text: string): void {
	for (const [moment] of text.matchAll(/"\d{4}-\d{2}-\d{2}T[^"]*"/g)) {
		assert.match(moment, /^"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z"$/);
	}
}
