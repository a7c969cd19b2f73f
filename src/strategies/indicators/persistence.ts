import { at, type Column } from "../columns.ts";

/** Least squares of dy on y(-1): dy = a + b*y(-1) (Chan 2013, chapter 2). NaN for a constant series. */
export function errorCorrection(values: Column): { a: number; b: number } {
	const n = values.length - 1;
	let sx = 0;
	let sy = 0;
	for (let i = 0; i < n; i++) {
		sx += at(values, i);
		sy += at(values, i + 1) - at(values, i);
	}
	let sxx = 0;
	let sxy = 0;
	for (let i = 0; i < n; i++) {
		const x = at(values, i) - sx / n;
		sxx += x * x;
		sxy += x * (at(values, i + 1) - at(values, i) - sy / n);
	}
	const b = sxy / sxx;
	return { a: sy / n - (b * sx) / n, b };
}

/** Bars until half a deviation is gone: ln(0.5)/ln(1+b). Infinity where the series does not revert. */
export function halfLifeOf(values: Column): number {
	const { b } = errorCorrection(values);
	return b < 0 && b > -1 ? Math.log(0.5) / Math.log(1 + b) : Number.POSITIVE_INFINITY;
}

/**
 * Overlapping unbiased variance ratio of Lo and MacKinlay (1988) over `q` steps: 1 for a random walk,
 * below 1 where moves are taken back. `values` are levels (log prices).
 */
export function varianceRatio(values: Column, q: number): number {
	const n = values.length - 1;
	const drift = (at(values, n) - at(values, 0)) / n;
	let one = 0;
	for (let i = 1; i <= n; i++) one += (at(values, i) - at(values, i - 1) - drift) ** 2;
	let many = 0;
	for (let i = q; i <= n; i++) many += (at(values, i) - at(values, i - q) - q * drift) ** 2;
	const m = q * (n - q + 1) * (1 - q / n);
	return many / m / (one / (n - 1));
}
