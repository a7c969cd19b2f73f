import { at, type Column } from "../columns.ts";
import { meanOf } from "../evidence/trades.ts";

/**
 * Covariance shrunk to the scaled identity after Ledoit and Wolf (2004, "A well-conditioned estimator"):
 * (1 - d) S + d m I with S over n observations, m the mean variance. `columns`: one column of simple
 * returns per asset, equal length. Returns the matrix by rows (per period) and the intensity d, 0..1.
 */
export function shrunkCovariance(columns: readonly Column[]): { matrix: number[][]; intensity: number } {
	const n = columns.length;
	const periods = columns[0]?.length ?? 0;
	const centred = columns.map((column) => {
		const mean = meanOf(column);
		return column.map((value) => value - mean);
	});
	const sample = columns.map(() => new Array<number>(n).fill(0));
	let fourth = 0;
	centred.forEach((a, i) => {
		for (let j = i; j < n; j++) {
			const b = centred[j] as Column;
			let sum = 0;
			let squares = 0;
			for (let t = 0; t < periods; t++) {
				const product = at(a, t) * at(b, t);
				sum += product;
				squares += product * product;
			}
			const value = sum / periods;
			(sample[i] as number[])[j] = value;
			(sample[j] as number[])[i] = value;
			// Sum over t of (x_i x_j - s_ij)^2 / T, twice for the mirrored entry.
			fourth += (i === j ? 1 : 2) * (squares / periods - value * value);
		}
	});
	const mean = sample.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) / n;
	let distance = 0;
	sample.forEach((row, i) => {
		row.forEach((value, j) => {
			distance += (value - (i === j ? mean : 0)) ** 2;
		});
	});
	const intensity = distance > 0 ? Math.min(1, fourth / periods / distance) : 1;
	const matrix = sample.map((row, i) =>
		row.map((value, j) => (1 - intensity) * value + (i === j ? intensity * mean : 0)),
	);
	return { matrix, intensity };
}
