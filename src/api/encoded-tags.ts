import type { Context, Next } from "koa";

/** Encodings that the compressor may choose. */
const ENCODED_TAG = /-(zstd|br|gzip|deflate)"/g;

/** A header of tags as the resource itself knows them, whichever encoding the caller holds. */
export const resourceTags = (header: string): string => header.replace(ENCODED_TAG, '"');

const isStrong = (tag: string): boolean => tag.startsWith('"');

/** The tag of an encoded answer: strong ones name one sequence of bytes. */
export const encodedTag = (tag: string, encoding: string): string =>
	isStrong(tag) ? `${tag.slice(0, -1)}-${encoding}"` : tag;

/** The tag of a 304: of the encoding that the caller asked about, where it named one. */
export function heldTag(asked: string, tag: string): string {
	if (!isStrong(tag)) return tag;
	return (asked.match(/"[^"]*"/g) ?? []).find((held) => resourceTags(held) === tag) ?? tag;
}

/**
 * A strong validator promises equal bytes, so each content encoding gets a tag of its own: `"v7"` becomes
 * `"v7-gzip"`. Weak ones promise equal meaning and stay. What a caller sends back is taken for the resource's
 * own tag again, so nobody further in knows of encodings. Stands outside of the compressor.
 */
export async function encodedTags(ctx: Context, next: Next): Promise<void> {
	const asked = ctx.get("If-None-Match");
	for (const name of ["if-none-match", "if-match"] as const) {
		const held = ctx.req.headers[name];
		if (held !== undefined) ctx.req.headers[name] = resourceTags(held);
	}
	await next();
	// Absent headers are undefined here, whatever the types say.
	const tag = String(ctx.response.get("ETag") ?? "");
	if (!isStrong(tag)) return;
	const encoding = ctx.response.get("Content-Encoding");
	if (ctx.status === 304) ctx.set("ETag", heldTag(asked, tag));
	else if (encoding) ctx.set("ETag", encodedTag(tag, encoding));
}
