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

const STEP = 0x6d2b79f5;

/** The number of a state of mulberry32 (T. Ettinger), uniform in [0, 1). */
function uniform(state: number): number {
	let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
	mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
	return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}

/** mulberry32: uniform in [0, 1), period 2^32, for simulations only, never for secrets. */
export function createRandom(seed: number): () => number {
	// An array of one, because a captured number beyond 31 bits would be a new heap object at every draw.
	const state = Int32Array.of(seed);
	return () => {
		state[0] = ((state[0] as number) + STEP) | 0;
		return uniform(state[0] as number);
	};
}

/** Sums of values drawn with replacement, from the same numbers in the same order as createRandom gives them. */
export class DrawnSums {
	#state: number;

	constructor(seed: number) {
		this.#state = seed | 0;
	}

	/** `start` plus `count` values drawn from `values`, which must not be empty. */
	add(start: number, values: Float64Array, count: number): number {
		const size = values.length;
		// Local for the loop: records draw tens of millions of values, and a field costs more than the draw.
		let [state, sum] = [this.#state, start];
		for (let i = 0; i < count; i++) {
			state = (state + STEP) | 0;
			sum += values[Math.floor(uniform(state) * size)] as number;
		}
		this.#state = state;
		return sum;
	}
}
