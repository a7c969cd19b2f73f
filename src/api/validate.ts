import type { ZodType } from "zod";
import { type ProblemField, validationFailed } from "../errors.ts";

/** More problems of one request than this are not worth a client's reading. */
const PROBLEMS_MAX = 50;

interface Part {
	name: "params" | "query" | "body";
	schema: ZodType | undefined;
	value: unknown;
}

/** Parsed parts by name; a part without a schema is passed as `{}`. Throws validation_failed naming every problem. */
export function validate(parts: readonly Part[]): Record<Part["name"], unknown> {
	const parsed: Record<Part["name"], unknown> = { params: {}, query: {}, body: {} };
	const problems: ProblemField[] = [];
	for (const { name, schema, value } of parts) {
		if (!schema) continue;
		const result = schema.safeParse(value);
		if (result.success) parsed[name] = result.data;
		else
			for (const issue of result.error.issues)
				problems.push({ path: [name, ...issue.path].map(String).join("."), message: issue.message });
	}
	if (problems.length > 0) throw validationFailed(problems.slice(0, PROBLEMS_MAX));
	return parsed;
}
