/** Seeded randomness of a simulation: the only source of chance, so that a seed tells a whole history. */
export interface Dice {
	/** 0 <= x < 1 */
	next(): number;
	/** Whole number in 0..below-1. */
	below(below: number): number;
	/** Real number in from..to. */
	between(from: number, to: number): number;
	chance(probability: number): boolean;
	pick<T>(items: readonly T[]): T;
	/** Lower-case hex digits. */
	hex(digits: number): string;
	/** Independent dice of the same seed: what one part rolls does not shift what another part rolls. */
	fork(name: string): Dice;
}

function hashOf(text: string, seed: number): number {
	let hash = seed ^ 0x811c9dc5;
	for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
	return hash >>> 0;
}

/** mulberry32 by Tommy Ettinger (public domain): 32 bits of state, equidistributed, enough for choices. */
export function diceOf(seed: number): Dice {
	let state = seed >>> 0;
	const next = (): number => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
	};
	const below = (limit: number) => Math.floor(next() * limit);
	return {
		next,
		below,
		between: (from, to) => from + next() * (to - from),
		chance: (probability) => next() < probability,
		pick(items) {
			const item = items[below(items.length)];
			if (item === undefined) throw new Error("nothing to pick from");
			return item;
		},
		hex: (digits) => Array.from({ length: digits }, () => below(16).toString(16)).join(""),
		fork: (name) => diceOf(hashOf(name, seed)),
	};
}
