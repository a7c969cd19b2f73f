/** A run of neighbours that share one fitted value. */
export interface IsotonicBlock {
	/** First and last index of the values, inclusive. */
	from: number;
	to: number;
	value: number;
	weight: number;
}

/**
 * Isotonic regression by pool adjacent violators (Ayer et al. 1955; Barlow et al. 1972): the nondecreasing
 * sequence closest to `values` in weighted squares, as blocks of equal fit in ascending order. Weights
 * default to 1. Throws RangeError for a weight that is not positive.
 */
export function isotonicBlocks(values: readonly number[], weights?: readonly number[]): IsotonicBlock[] {
	const blocks: IsotonicBlock[] = [];
	values.forEach((value, i) => {
		const weight = weights?.[i] ?? 1;
		if (!(weight > 0)) throw new RangeError(`weight ${i} must be positive, got ${weight}`);
		let block: IsotonicBlock = { from: i, to: i, value, weight };
		for (let before = blocks.at(-1); before && before.value >= block.value; before = blocks.at(-1)) {
			blocks.pop();
			block = pooled(before, block);
		}
		blocks.push(block);
	});
	return blocks;
}

function pooled(a: IsotonicBlock, b: IsotonicBlock): IsotonicBlock {
	const weight = a.weight + b.weight;
	return { from: a.from, to: b.to, value: (a.weight * a.value + b.weight * b.value) / weight, weight };
}

/** The fitted value at each index. */
export const isotonicFit = (values: readonly number[], weights?: readonly number[]): number[] =>
	isotonicBlocks(values, weights).flatMap(({ from, to, value }) => Array<number>(to - from + 1).fill(value));
