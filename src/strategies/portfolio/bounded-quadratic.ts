import { at, type Column } from "../columns.ts";
import { quadratic, times } from "../risk/covariance.ts";

/** Largest violation of the optimality conditions that is left, in units of the mean variance. */
const TOLERANCE = 1e-11;
const STEPS_MAX = 50_000;

/**
 * argmin 1/2 w' Q w - c' w over sum w = 1, 0 <= w <= cap: long-only weights, fractions of one.
 *
 * Coordinate pairs: weight is moved between the two assets whose gradients violate the optimality
 * conditions most, by the exact minimum along that line, cut at the bounds (working sets of two after
 * Platt 1998; Keerthi et al. 2001 for the choice of the pair). `Q` must be symmetric and positive semidefinite. A cap
 * below 1/n cannot be met: RangeError. `start` must be feasible; it saves steps and changes nothing else.
 */
export function boundedWeights(
	Q: readonly number[][],
	options: { c?: readonly number[]; cap?: number; start?: readonly number[] } = {},
): number[] {
	const n = Q.length;
	const cap = options.cap ?? 1;
	if (n === 0) return [];
	if (cap * n < 1 - 1e-12) throw new RangeError(`${n} weights of at most ${cap} do not sum to one`);
	const weights = Float64Array.from(options.start ?? Q.map(() => 1 / n));
	const gradient = Float64Array.from(times(Q, [...weights]), (value, i) => value - (options.c?.[i] ?? 0));
	const scale = Q.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / n || 1;
	for (let step = 0; step < STEPS_MAX; step++) {
		const pair = worstPair(weights, gradient, cap);
		if (!pair || pair.violation <= TOLERANCE * scale) break;
		const { up, down, violation } = pair;
		// Rows for columns: Q is symmetric, and what lies together is read many times faster.
		const [ofUp, ofDown] = [Q[up] ?? [], Q[down] ?? []];
		const curvature = (ofUp[up] ?? 0) + (ofDown[down] ?? 0) - 2 * (ofUp[down] ?? 0);
		const room = Math.min(cap - at(weights, up), at(weights, down));
		const move = curvature > 0 ? Math.min(room, violation / curvature) : room;
		weights[up] = at(weights, up) + move;
		// A weight that gives all it has is exactly nothing.
		weights[down] = move === room && room === weights[down] ? 0 : at(weights, down) - move;
		for (let i = 0; i < n; i++)
			gradient[i] = (gradient[i] as number) + move * ((ofUp[i] as number) - (ofDown[i] as number));
	}
	return [...weights];
}

/** Who should gain and who should lose weight; null when nothing can move. */
function worstPair(
	weights: Column,
	gradient: Column,
	cap: number,
): { up: number; down: number; violation: number } | null {
	let up = -1;
	let down = -1;
	let lowest = Number.POSITIVE_INFINITY;
	let highest = Number.NEGATIVE_INFINITY;
	for (let i = 0; i < weights.length; i++) {
		const weight = weights[i] as number;
		const slope = gradient[i] as number;
		if (weight < cap && slope < lowest) {
			lowest = slope;
			up = i;
		}
		if (weight > 0 && slope > highest) {
			highest = slope;
			down = i;
		}
	}
	return up < 0 || down < 0 ? null : { up, down, violation: highest - lowest };
}

/** Long-only weights of least variance, none above `cap`. */
export const minimumVariance = (covariance: readonly number[][], cap = 1, start?: readonly number[]): number[] =>
	boundedWeights(covariance, start ? { cap, start } : { cap });

/** Mean over deviation of a weighting; -Infinity where it has no variance. */
export function sharpeRatio(covariance: readonly number[][], means: readonly number[], weights: readonly number[]) {
	const variance = quadratic(covariance, weights);
	const mean = weights.reduce((sum, weight, i) => sum + weight * (means[i] ?? 0), 0);
	return variance > 0 ? mean / Math.sqrt(variance) : Number.NEGATIVE_INFINITY;
}

const STEPS_OF_AVERSION_MAX = 60;
/** Aversions between e^-10 and e^10 times that of the best asset alone are looked at. */
const LOG_RANGE = 10;

/**
 * Long-only weights of the largest mean/deviation, none above `cap`; null unless some mean is positive.
 *
 * They solve min 1/2 w'Vw - m'w / g for the risk aversion g at which m'w = g w'Vw, because a ratio of equal
 * degree leaves the budget without a price there; log g is found by regula falsi (Illinois).
 */
export function maximumSharpe(covariance: readonly number[][], means: readonly number[], cap = 1): number[] | null {
	if (!means.some((mean) => mean > 0)) return null;
	let weights = means.map(() => 1 / means.length);
	/** Above 0: too averse. In units of variance. */
	const excess = (logAversion: number): number => {
		const scaled = means.map((mean) => mean / Math.exp(logAversion));
		weights = boundedWeights(covariance, { c: scaled, cap, start: weights });
		return quadratic(covariance, weights) - weights.reduce((sum, weight, i) => sum + weight * (scaled[i] ?? 0), 0);
	};
	const variance = covariance.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / covariance.length;
	const middle = Math.log(Math.max(...means) / variance);
	let [low, high] = [middle, middle];
	let [below, above] = [excess(middle), 0];
	above = below;
	// With a cap every feasible mean may be negative: then no aversion is too small or too large.
	for (; below > 0 && low > middle - LOG_RANGE; below = excess(low)) [high, above, low] = [low, below, low - 1];
	for (; above < 0 && high < middle + LOG_RANGE; above = excess(high)) [low, below, high] = [high, above, high + 1];
	if (above < 0 || below > 0) return null;
	let side = 0;
	for (let step = 0; step < STEPS_OF_AVERSION_MAX && high - low > 1e-7; step++) {
		const centre = above > below ? (low * above - high * below) / (above - below) : (low + high) / 2;
		const found = excess(centre);
		if (Math.abs(found) <= 1e-10 * variance) break;
		if (found > 0) {
			[high, above] = [centre, found];
			if (side > 0) below /= 2;
			side = 1;
		} else {
			[low, below] = [centre, found];
			if (side < 0) above /= 2;
			side = -1;
		}
	}
	return weights;
}
