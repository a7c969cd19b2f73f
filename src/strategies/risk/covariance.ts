import { at, type Column } from "../columns.ts";
import { meanOf } from "../evidence/trades.ts";

/** RiskMetrics decay of daily variances. */
const LAMBDA = 0.94;

/** Exponentially weighted daily variance, weights normalised, newest return last, not centred. */
export function ewmaVariance(returns: Column, lambda = LAMBDA): number {
	let weighted = 0;
	let weights = 0;
	for (const value of returns) {
		weighted = value * value + lambda * weighted;
		weights = 1 + lambda * weights;
	}
	return weighted / weights;
}

/** Sample covariance over variance: least-squares slope of y on x. 0 where x does not move. */
export function slopeOf(y: Column, x: Column): number {
	const [my, mx] = [meanOf(y), meanOf(x)];
	let xy = 0;
	let xx = 0;
	for (let i = 0; i < x.length; i++) {
		xy += (at(x, i) - mx) * (at(y, i) - my);
		xx += (at(x, i) - mx) ** 2;
	}
	return xx > 0 ? xy / xx : 0;
}

/** Population variance. */
export function varianceOf(values: Column): number {
	const mean = meanOf(values);
	let sum = 0;
	for (const value of values) sum += (value - mean) ** 2;
	return sum / values.length;
}

/** Squared correlation of y and x; 0 where either does not move. */
export function rSquared(y: Column, x: Column): number {
	const [vy, vx] = [varianceOf(y), varianceOf(x)];
	return vy > 0 && vx > 0 ? (slopeOf(y, x) ** 2 * vx) / vy : 0;
}

/**
 * Correlations shrunk to the identity after Ledoit and Wolf (2004), on standardised returns.
 * `columns`: one column of equal length per asset. Returns the matrix by rows and the intensity 0..1.
 */
export function shrunkCorrelation(columns: readonly Column[]): { matrix: number[][]; intensity: number } {
	const n = columns.length;
	const periods = columns[0]?.length ?? 0;
	const standard = columns.map((column) => {
		const mean = meanOf(column);
		const deviation = Math.sqrt(varianceOf(column));
		return column.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
	});
	const sample = standard.map((a) => standard.map((b) => dot(a, b) / periods));
	let distance = 0;
	let noise = 0;
	for (let i = 0; i < n; i++) {
		for (let j = 0; j < n; j++) {
			const s = sample[i]?.[j] ?? 0;
			distance += (s - (i === j ? 1 : 0)) ** 2;
			const [a, b] = [standard[i], standard[j]];
			if (!a || !b) continue;
			for (let t = 0; t < periods; t++) noise += (at(a, t) * at(b, t) - s) ** 2;
		}
	}
	const intensity = distance > 0 ? Math.min(1, noise / periods ** 2 / distance) : 1;
	const matrix = sample.map((row, i) => row.map((s, j) => (i === j ? 1 : (1 - intensity) * s)));
	return { matrix, intensity };
}

function dot(a: Column, b: Column): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += at(a, i) * at(b, i);
	return sum;
}

/** Daily covariance: deviations of EWMA 0.94 around shrunk correlations. */
export function riskCovariance(
	columns: readonly Column[],
	correlation = shrunkCorrelation(columns).matrix,
): number[][] {
	const deviations = columns.map((column) => Math.sqrt(ewmaVariance(column)));
	return correlation.map((row, i) => row.map((c, j) => c * (deviations[i] ?? 0) * (deviations[j] ?? 0)));
}

/** (M v)_i */
export const times = (matrix: readonly number[][], vector: readonly number[]): number[] =>
	matrix.map((row) => {
		let sum = 0;
		for (let j = 0; j < row.length; j++) sum += (row[j] as number) * (vector[j] ?? 0);
		return sum;
	});

/** v' M v */
export const quadratic = (matrix: readonly number[][], vector: readonly number[]): number =>
	times(matrix, vector).reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0);
