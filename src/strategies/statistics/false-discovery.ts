/**
 * Benjamini and Hochberg (1995): which of `p` are discoveries at a false discovery rate of `q`. With the
 * p-values in ascending order, the largest k with p(k) <= k*q/m and all before it; NaN is never one.
 */
export function discoveries(p: readonly number[], q: number): boolean[] {
	const ascending = p.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
	const threshold = discoveryThreshold(ascending, q, p.length);
	return p.map((value) => value <= threshold);
}

/** p of the better of two tests of one hypothesis, whatever they have to do with each other (Bonferroni). */
export const betterOfTwo = (p: number): number => Math.min(1, 2 * p);

/** The largest discovered p, or -1 without one; `ascending` sorted, `tests` counts all that were made. */
function discoveryThreshold(ascending: readonly number[], q: number, tests: number): number {
	let threshold = -1;
	ascending.forEach((value, i) => {
		if (value <= ((i + 1) * q) / tests) threshold = value;
	});
	return threshold;
}
