import { times } from "../risk/covariance.ts";

const SWEEPS_MAX = 500;
const TOLERANCE = 1e-11;

/** Weights in inverse proportion to deviations; an asset that does not move gets none. */
export function inverseVolatility(covariance: readonly number[][]): number[] {
	const inverse = covariance.map((row, i) => {
		const variance = row[i] ?? 0;
		return variance > 0 ? 1 / Math.sqrt(variance) : 0;
	});
	return normalised(inverse);
}

/**
 * Equal risk contributions: w_i (V w)_i the same for all i, weights positive, sum one (Maillard, Roncalli,
 * Teiletche 2010). Cyclical coordinate descent after Griveau-Billion, Richard and Roncalli (2013): each
 * step solves v_ii x^2 + b x - 1/n = 0 with b the covariance with the others. Two assets give inverse
 * deviations whatever their correlation.
 */
export function equalRisk(covariance: readonly number[][]): number[] {
	const n = covariance.length;
	const scale = covariance.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / n || 1;
	const weights = inverseVolatility(covariance).map((weight) => weight / Math.sqrt(scale));
	const product = Float64Array.from(times(covariance, weights));
	for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
		let moved = 0;
		for (let i = 0; i < n; i++) {
			const row = covariance[i] ?? [];
			const variance = row[i] ?? 0;
			if (!(variance > 0)) continue;
			const before = weights[i] ?? 0;
			const others = (product[i] ?? 0) - variance * before;
			const after = (-others + Math.sqrt(others * others + (4 * variance) / n)) / (2 * variance);
			// The row for the column: the matrix is symmetric, and what lies together is read many times faster.
			for (let j = 0; j < n; j++) product[j] = (product[j] as number) + (after - before) * (row[j] as number);
			weights[i] = after;
			moved = Math.max(moved, Math.abs(after / before - 1));
		}
		if (moved < TOLERANCE) break;
	}
	return normalised(weights);
}

/** Divided by their sum. */
export function normalised(weights: readonly number[]): number[] {
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	return weights.map((weight) => (total > 0 ? weight / total : 1 / weights.length));
}
