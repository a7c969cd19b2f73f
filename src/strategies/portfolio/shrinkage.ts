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
	const sizes = new Float64Array(periods);
	let entries = 0;
	const sums = new Float64Array(n);
	centred.forEach((a, i) => {
		for (let t = 0; t < periods; t++) sizes[t] = at(sizes, t) + at(a, t) ** 2;
		productsFrom(i, centred, sums);
		for (let j = i; j < n; j++) {
			const value = at(sums, j) / periods;
			(sample[i] as number[])[j] = value;
			(sample[j] as number[])[i] = value;
			entries += (i === j ? 1 : 2) * value * value;
		}
	});
	// The sum over all entries and over t of (x_i x_j - s_ij)^2 / T needs no pair: it is that of |x_t|^4 / T less s_ij^2.
	const fourth = Math.max(0, sizes.reduce((sum, size) => sum + size * size, 0) / periods - entries);
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

/**
 * Sums of products of column i with each from i on. Four at a time: a sum waits for its last addition, four sums do
 * not wait for one another.
 */
function productsFrom(i: number, columns: readonly Column[], sums: Float64Array): void {
	const a = columns[i] as Column;
	let j = i;
	for (; j + 3 < columns.length; j += 4) {
		const [b, c, d, e] = [columns[j], columns[j + 1], columns[j + 2], columns[j + 3]] as [
			Column,
			Column,
			Column,
			Column,
		];
		let [ab, ac, ad, ae] = [0, 0, 0, 0];
		for (let t = 0; t < a.length; t++) {
			const value = a[t] as number;
			ab += value * (b[t] as number);
			ac += value * (c[t] as number);
			ad += value * (d[t] as number);
			ae += value * (e[t] as number);
		}
		sums[j] = ab;
		sums[j + 1] = ac;
		sums[j + 2] = ad;
		sums[j + 3] = ae;
	}
	for (; j < columns.length; j++) {
		const b = columns[j] as Column;
		let sum = 0;
		for (let t = 0; t < a.length; t++) sum += (a[t] as number) * (b[t] as number);
		sums[j] = sum;
	}
}
