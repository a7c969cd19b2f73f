/**
 * Identity of columns by content. Hashing a history costs as much as reading it, so it is done once, where
 * a source's answer enters the program, and every later question is a lookup.
 */
type Column = Float64Array | Int8Array;

/** Digests of columns that were sealed. A column that nobody holds any more takes its digest with it. */
const sealed = new WeakMap<Column, string>();

/**
 * Two FNV-like lanes over the raw words, 64 bits together, far cheaper than a cryptographic hash. One
 * changed bit changes both lanes' ends with the chance of a collision of one in 2^64.
 */
export function columnDigest(column: Column): string {
	return sealed.get(column) ?? hashColumn(column);
}

function hashColumn(column: Column): string {
	const { buffer, byteOffset, byteLength } = column;
	const words =
		column instanceof Float64Array
			? new Uint32Array(buffer, byteOffset, byteLength / 4)
			: new Uint8Array(buffer, byteOffset, byteLength);
	let [a, b] = [0x811c9dc5, 0x9e3779b9];
	// An index is several times faster here than an iterator, and this loop is all that hashing costs.
	for (let i = 0; i < words.length; i++) {
		const word = words[i] as number;
		a = Math.imul(a ^ word, 0x01000193);
		b = Math.imul(b ^ (word >>> 15) ^ (word << 17), 0x85ebca6b);
	}
	return `${(a >>> 0).toString(36)}.${(b >>> 0).toString(36)}`;
}

/**
 * Declares that the columns of an answer never change from here on, and digests them. Shared columns are
 * digested once however many views of one instant are made of them. A source that revises its history
 * must answer with new columns, as every adapter does; their digest differs where a bar differs.
 */
export function sealColumns(answer: object): void {
	for (const member of Object.values(answer)) {
		if (!(member instanceof Float64Array || member instanceof Int8Array) || sealed.has(member)) continue;
		sealed.set(member, hashColumn(member));
	}
}

/** Whether all of these columns were sealed, so that their digests are lookups. */
export const areSealed = (columns: readonly Column[]): boolean => columns.every((column) => sealed.has(column));
