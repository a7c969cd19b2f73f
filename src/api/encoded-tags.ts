import type { Context, Next } from "koa";

/** Encodings that the compressor may choose. */
const ENCODED_TAG = /-(zstd|br|gzip|deflate)"/g;

/**
 * A strong validator promises equal bytes, so each content encoding gets a tag of its own: `"v7"` becomes
 * `"v7-gzip"`. Weak ones promise equal meaning and stay. What a caller sends back is taken for the resource's
 * own tag again, so nobody further in knows of encodings. Stands outside of the compressor.
 */
export async function encodedTags(ctx: Context, next: Next): Promise<void> {
	const asked = ctx.get("If-None-Match");
	for (const name of ["if-none-match", "if-match"] as const) {
		const held = ctx.req.headers[name];
		if (held !== undefined) ctx.req.headers[name] = held.replace(ENCODED_TAG, '"');
	}
	await next();
	// Absent headers are undefined here, whatever the types say.
	const tag = String(ctx.response.get("ETag") ?? "");
	if (!tag.startsWith('"')) return;
	if (ctx.status === 304) {
		const opaque = tag.slice(1, -1);
		const same = (asked.match(/"[^"]*"/g) ?? []).find((held) => held.replace(ENCODED_TAG, '"') === `"${opaque}"`);
		if (same) ctx.set("ETag", same);
		return;
	}
	const encoding = ctx.response.get("Content-Encoding");
	if (encoding) ctx.set("ETag", `${tag.slice(0, -1)}-${encoding}"`);
}
