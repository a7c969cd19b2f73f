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

/** A symmetric matrix that is never written out: of n assets it would have the square of n entries. */
export interface Covariance {
	/** Its diagonal. */
	variances: readonly number[];
	/** (M v)_i */
	times(vector: readonly number[]): number[];
}

/**
 * Correlations shrunk to the identity after Ledoit and Wolf (2004), on standardised returns: 1 on the diagonal,
 * (1 - intensity) s_ij beside it, s_ij the mean over T periods of x_ti x_tj. `columns`: one column of equal length per
 * asset. With X'X / T for the sample, the sum of s_ij^2 is that of the squared products of any two *periods* over
 * T^2, and the sum over t of (x_ti x_tj - s_ij)^2 is that of |x_t|^4 less T s_ij^2: linear in assets.
 */
export function shrunkCorrelation(columns: readonly Column[]): { intensity: number } & Pick<Covariance, "times"> {
	const n = columns.length;
	const rows = standardisedRows(columns);
	const periods = rows.length;
	const own = columns.map(() => 0);
	let entries = 0;
	let fourth = 0;
	for (const [t, row] of rows.entries()) {
		for (let u = 0; u < t; u++) entries += 2 * dot(row, rows[u] as Column) ** 2;
		const size = dot(row, row);
		entries += size * size;
		fourth += size * size;
		for (let i = 0; i < n; i++) own[i] = (own[i] as number) + at(row, i) ** 2 / periods;
	}
	entries /= periods ** 2;
	const distance = entries - 2 * own.reduce((sum, value) => sum + value, 0) + n;
	const noise = Math.max(0, fourth - periods * entries);
	const intensity = distance > 0 ? Math.min(1, noise / periods ** 2 / distance) : 1;
	return {
		intensity,
		times(vector) {
			const weights = Float64Array.from(vector);
			const sums = new Float64Array(n);
			for (const row of rows) {
				const day = dot(row, weights) / periods;
				for (let i = 0; i < n; i++) sums[i] = at(sums, i) + day * at(row, i);
			}
			return own.map((s, i) => (1 - intensity) * at(sums, i) + (1 - (1 - intensity) * s) * at(weights, i));
		},
	};
}

/** Standardised returns by period; 0 for an asset that does not move. */
function standardisedRows(columns: readonly Column[]): Column[] {
	const periods = columns[0]?.length ?? 0;
	const rows = Array.from({ length: periods }, () => new Float64Array(columns.length));
	columns.forEach((column, i) => {
		const mean = meanOf(column);
		const deviation = Math.sqrt(varianceOf(column));
		for (let t = 0; t < periods; t++) (rows[t] as Column)[i] = deviation > 0 ? (at(column, t) - mean) / deviation : 0;
	});
	return rows;
}

function dot(a: Column, b: Column): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
	return sum;
}

/** Daily covariance: deviations of EWMA 0.94 around shrunk correlations. */
export function riskCovariance(columns: readonly Column[]): Covariance {
	const variances = columns.map((column) => ewmaVariance(column));
	const deviations = variances.map(Math.sqrt);
	const scaled = (vector: readonly number[]) => vector.map((value, i) => value * (deviations[i] ?? 0));
	const correlation = shrunkCorrelation(columns);
	return { variances, times: (vector) => scaled(correlation.times(scaled(vector))) };
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
