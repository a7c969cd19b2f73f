/** Rough size of an object that is no column: a market, a ticker, a book level. */
const OBJECT_BYTES = 320;

/** Rough size of an answer of the market in memory, bytes. */
export function bytesOf(value: unknown): number {
	if (value === null || typeof value !== "object") return OBJECT_BYTES;
	if (Array.isArray(value)) return OBJECT_BYTES * (1 + value.length);
	let bytes = OBJECT_BYTES;
	for (const member of Object.values(value)) {
		if (ArrayBuffer.isView(member)) bytes += member.byteLength;
		else if (Array.isArray(member)) bytes += member.length * OBJECT_BYTES;
	}
	return bytes;
}
