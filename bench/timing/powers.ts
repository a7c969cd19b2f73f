/** Powers of growth: 1 is linear, 2 quadratic. */

/** Above 1 by so much still counts as linear: what the fit of a straight line with a rounded share of rows may give. */
export const TOLERANCE = 0.05;

/** One figure over sizes, ascending. */
export interface Growth {
	sizes: readonly number[];
	/** The least of all runs of a size. */
	values: number[];
	/** Slope of the logarithm over that of the size. */
	power: number;
	/** The same of what is added from size to size, so that nothing constant hides in it; NaN where nothing is. */
	added: number;
	/** Half the width of the 95 % interval of the power, from that of each run; 0 for what does not vary. */
	spread: number;
}

export const meanOf = (values: readonly number[]): number =>
	values.reduce((sum, value) => sum + value, 0) / values.length;

export function medianOf(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Least-squares slope of log(value) on log(size): the power with which a value grows. */
export function exponentOf(sizes: readonly number[], values: readonly number[]): number {
	const x = sizes.map(Math.log);
	const y = values.map((value) => Math.log(Math.max(value, 1e-3)));
	const [mx, my] = [meanOf(x), meanOf(y)];
	const xy = x.reduce((sum, value, i) => sum + (value - mx) * ((y[i] ?? 0) - my), 0);
	const xx = x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
	return xy / xx;
}

/** Index of the first size from `least` on; 0 where that leaves fewer than two. */
function firstFitted(least: number, sizes: readonly number[]): number {
	const first = sizes.findIndex((size) => size >= least);
	return first < 0 || sizes.length - first < 2 ? 0 : first;
}

/** The power over the sizes from `least` on; over all of them where that leaves fewer than two. */
export function exponentFrom(least: number, sizes: readonly number[], values: readonly number[]): number {
	const from = firstFitted(least, sizes);
	return exponentOf(sizes.slice(from), values.slice(from));
}

/** Less than this share of the whole is no growth whose power could be told. */
const ADDED_SHARE_MIN = 0.02;

/**
 * The power of the increments over the sizes that they start from, from `least` on: a + b n gives 1 whatever a is,
 * below or above 0. NaN with fewer than two increments, or where some are next to nothing.
 */
export function addedExponent(least: number, sizes: readonly number[], values: readonly number[]): number {
	const from = firstFitted(least, sizes);
	const [of, at] = [values.slice(from), sizes.slice(from, -1)];
	const added = at.map((_, i) => (of[i + 1] ?? 0) - (of[i] ?? 0));
	const told = added.every((value, i) => value > ADDED_SHARE_MIN * (of[i + 1] ?? 0));
	// Per unit of size, so that sizes need not double.
	const slopes = added.map((value, i) => value / ((sizes[from + i + 1] ?? 0) - (at[i] ?? 0)));
	return told && added.length >= 2 ? 1 + exponentOf(at, slopes) : Number.NaN;
}

/** Student's t for 95 % by degrees of freedom, from 1. */
const T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365];

/**
 * Growth of what was measured several times at each size: `runs` by run, each a value a size. Other work makes a
 * time longer and never shorter, so the least of a size counts; how far that can be trusted the runs tell.
 */
export function growthOf(
	sizes: readonly number[],
	runs: readonly (readonly number[])[],
	/** Below this size there is no record: such sizes are told, and powers are fitted from it on. */
	fittedFrom: number,
	choose: (values: readonly number[]) => number = (values) => Math.min(...values),
): Growth {
	const values = sizes.map((_, i) => choose(runs.map((run) => run[i] ?? Number.NaN)));
	const powers = runs.map((run) => exponentFrom(fittedFrom, sizes, run));
	const centre = meanOf(powers);
	const variance = powers.reduce((sum, power) => sum + (power - centre) ** 2, 0) / (powers.length - 1);
	const t = T95[Math.min(powers.length - 1, T95.length) - 1];
	return {
		sizes,
		values,
		power: exponentFrom(fittedFrom, sizes, values),
		added: addedExponent(fittedFrom, sizes, values),
		spread: t === undefined ? 0 : t * Math.sqrt(variance / powers.length),
	};
}

/**
 * No faster than linear: the power less its spread, or that of what is added, is at most 1.05. The second speaks
 * where a figure begins below a straight line through nothing: bars before the first trade cost nothing.
 */
export const isLinear = ({ power, added, spread }: Growth): boolean =>
	power - spread <= 1 + TOLERANCE || added <= 1 + TOLERANCE;
