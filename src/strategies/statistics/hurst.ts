import { at, type Column } from "../columns.ts";
import { leastSquares } from "./least-squares.ts";

/** Parts smaller than this have hardly a range of their own. */
const PART_MIN = 8;
const PARTS_MAX = 32;

export interface HurstExponent {
	/** Slope of log R/S on log n: above 0.5 even for independent returns, the more so the shorter the sample. */
	rescaledRange: number;
	/** The same after Anis and Lloyd's expectation for independent returns has been taken out: about 0.5 for those. */
	corrected: number;
}

/**
 * Hurst exponent by rescaled range (Hurst 1951) of returns cut into 1, 2, 4 .. 32 equal parts of at least
 * eight, the oldest left out where they do not divide; corrected after Anis and Lloyd (1976):
 * log(R/S - E(n) + sqrt(pi n / 2)). null for fewer than 16 returns or a part that does not move.
 */
export function hurstExponent(returns: Column): HurstExponent | null {
	const sizes: number[] = [];
	const ranges: number[] = [];
	for (let parts = 1; parts <= PARTS_MAX; parts *= 2) {
		const size = Math.floor(returns.length / parts);
		if (size < PART_MIN) break;
		sizes.push(size);
		ranges.push(meanRescaledRange(returns, size, parts));
	}
	if (sizes.length < 2 || !ranges.every(Number.isFinite)) return null;
	const logSizes = Float64Array.from(sizes, Math.log);
	const slope = (values: readonly number[]) =>
		at(leastSquares(Float64Array.from(values, Math.log), [logSizes], true).slopes, 0);
	const shifted = ranges.map((range, i) => {
		const size = sizes[i] ?? Number.NaN;
		return range - expectedRescaledRange(size) + Math.sqrt((Math.PI * size) / 2);
	});
	return {
		rescaledRange: slope(ranges),
		corrected: slope(shifted),
	};
}

function meanRescaledRange(returns: Column, size: number, parts: number): number {
	let sum = 0;
	for (let part = 0, from = returns.length - size * parts; part < parts; part++, from += size) {
		sum += rescaledRangeOf(returns.subarray(from, from + size));
	}
	return sum / parts;
}

/** Range of the cumulative deviations from the mean over the population deviation; NaN without deviation. */
function rescaledRangeOf(part: Column): number {
	const mean = part.reduce((sum, value) => sum + value, 0) / part.length;
	let [level, squares, high, low] = [0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
	for (let i = 0; i < part.length; i++) {
		const deviation = at(part, i) - mean;
		level += deviation;
		squares += deviation * deviation;
		high = Math.max(high, level);
		low = Math.min(low, level);
	}
	return squares > 0 ? (high - low) / Math.sqrt(squares / part.length) : Number.NaN;
}

/**
 * Mean R/S of n independent normal returns (Anis and Lloyd 1976): Gamma((n-1)/2) / (sqrt(pi) Gamma(n/2)) times
 * the sum of sqrt((n-i)/i) for i = 1..n-1.
 */
export function expectedRescaledRange(n: number): number {
	// g(n) = Gamma((n-1)/2)/Gamma(n/2) from g(2) = sqrt(pi) and g(n) g(n+1) = 2/(n-1): no gamma function needed.
	let gamma = Math.sqrt(Math.PI);
	for (let k = 2; k < n; k++) gamma = 2 / ((k - 1) * gamma);
	let sum = 0;
	for (let i = 1; i < n; i++) sum += Math.sqrt((n - i) / i);
	return (gamma / Math.sqrt(Math.PI)) * sum;
}
