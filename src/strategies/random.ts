/**
 * Repeatable random numbers for bootstrap and placebo. A seed is derived from the input it belongs to,
 * so the same market gives the same figures on every process.
 */

/** FNV-1a over UTF-16 units, 32 bits. */
export function hashText(text: string, start = 0x811c9dc5): number {
	let hash = start >>> 0;
	for (let i = 0; i < text.length; i++) {
		hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
	}
	return hash;
}

/** mulberry32 (T. Ettinger): uniform in [0, 1), period 2^32, for simulations only, never for secrets. */
export function createRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
	};
}
