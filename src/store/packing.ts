import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Shorter texts are kept as they are: there is nothing to win. */
const PACKED_FROM_LENGTH = 400;
/** A window of 8 KiB and little memory: at these lengths as good as more, and many times as fast to set up. */
const PACKING = { level: 2, memLevel: 6, windowBits: 13 } as const;

/** JSON, deflated and in base64 where that is shorter; JSON begins with `[` or `{`, which base64 does not know. */
export function pack(json: string, fromLength = PACKED_FROM_LENGTH): string {
	if (json.length < fromLength) return json;
	return deflateRawSync(json, PACKING).toString("base64");
}

/** @throws Error when a text was not made by `pack` */
export const unpack = (text: string): string =>
	text.startsWith("[") || text.startsWith("{") ? text : inflateRawSync(Buffer.from(text, "base64")).toString();
