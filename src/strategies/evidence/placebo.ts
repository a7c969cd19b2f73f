import { DrawnSums } from "../random.ts";

/** What random entries of one symbol could have earned, and how many the rule took there. */
export interface PlaceboPool {
	/** Net outcome of the same exits from every admissible bar, fractions. */
	outcomes: Float64Array;
	entries: number;
}

/**
 * Share of random entry sets (same count per symbol, same exits) whose mean is at least the observed
 * one: the rule significance test of jesse. null when there is nothing to draw from.
 */
export function placeboShare(
	pools: readonly PlaceboPool[],
	observedMean: number,
	seed: number,
	draws: number,
): number | null {
	const usable = pools.filter((pool) => pool.entries > 0 && pool.outcomes.length > 0);
	const entries = usable.reduce((sum, pool) => sum + pool.entries, 0);
	if (entries === 0) return null;
	const drawn = new DrawnSums(seed);
	let atLeast = 0;
	for (let draw = 0; draw < draws; draw++) {
		let sum = 0;
		for (const pool of usable) sum = drawn.add(sum, pool.outcomes, pool.entries);
		if (sum / entries >= observedMean) atLeast++;
	}
	return atLeast / draws;
}
