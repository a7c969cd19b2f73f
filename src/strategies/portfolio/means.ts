import { CholeskyDecomposition, Matrix } from "ml-matrix";
import type { Column } from "../columns.ts";
import { meanOf } from "../evidence/trades.ts";

/**
 * Mean returns drawn toward the mean of the minimum variance portfolio (Bayes-Stein after Jorion 1986):
 * m + (1 - k)(x - m) with k = (n + 2) / (n + 2 + T d' V^-1 d). Per period, in the units of `columns`;
 * null where the covariance cannot be inverted.
 */
export function shrunkMeans(
	columns: readonly Column[],
	covariance: readonly number[][],
): { means: number[]; intensity: number } | null {
	const n = columns.length;
	const periods = columns[0]?.length ?? 0;
	const factor = new CholeskyDecomposition(new Matrix(covariance.map((row) => [...row])));
	if (n === 0 || !factor.isPositiveDefinite()) return null;
	const solve = (vector: readonly number[]) => factor.solve(Matrix.columnVector([...vector])).to1DArray();
	const sample = columns.map(meanOf);
	const inverse = solve(sample.map(() => 1));
	const total = inverse.reduce((sum, value) => sum + value, 0);
	const anchor = sample.reduce((sum, mean, i) => sum + (mean * (inverse[i] ?? 0)) / total, 0);
	const deviations = sample.map((mean) => mean - anchor);
	const distance = solve(deviations).reduce((sum, value, i) => sum + value * (deviations[i] ?? 0), 0);
	const intensity = (n + 2) / (n + 2 + periods * distance);
	return { means: deviations.map((deviation) => anchor + (1 - intensity) * deviation), intensity };
}
