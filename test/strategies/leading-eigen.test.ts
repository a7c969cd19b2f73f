import fc from "fast-check";
import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { at } from "../../src/strategies/columns.ts";
import { LeadingEigen } from "../../src/strategies/statistics/leading-eigen.ts";
import { dot } from "../../src/strategies/statistics/least-squares.ts";
import { RollingCovariance } from "../../src/strategies/statistics/rolling-covariance.ts";
import { gaussian } from "../support/synthetic-market.ts";

const test = suite("leading eigenvectors");
const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);

/** A correlation matrix of `n` assets over `rows` bars with `factors` common ones. */
function correlationOf(n: number, rows: number, factors: number, normal: () => number): Float64Array {
	const common = Array.from({ length: factors }, () => Array.from({ length: rows }, normal));
	const columns = Array.from({ length: n }, () => {
		const loadings = common.map(() => normal());
		return Float64Array.from({ length: rows }, (_, t) =>
			loadings.reduce((sum, loading, k) => sum + loading * (common[k]?.[t] ?? 0), normal()),
		);
	});
	return new RollingCovariance(columns, rows, 0).standardised().correlation;
}

test("leading eigenvectors are those of the full decomposition", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 2, max: 40 }),
			fc.integer({ min: 0, max: 3 }),
			fc.integer({ min: 1, max: 1_000_000 }),
			(n, factors, seed) => {
				const correlation = correlationOf(n, 80, factors, gaussian(seed));
				const full = new EigenvalueDecomposition(Matrix.from1DArray(n, n, correlation), { assumeSymmetric: true });
				const components = new LeadingEigen(correlation, n);
				for (let k = 0; k < Math.min(n, 4); k++) {
					const { value, vector } = components.next();
					const exactOf = (rank: number) => full.realEigenvalues[n - 1 - rank] ?? Number.NaN;
					near(value, exactOf(k), 1e-12 * n, "eigenvalue");
					// Where two eigenvalues all but meet, neither solver knows the vectors to the last digits.
					const gap = Math.min(k > 0 ? exactOf(k - 1) - value : n, k < n - 1 ? value - exactOf(k + 1) : n);
					const other = Float64Array.from(full.eigenvectorMatrix.getColumn(n - 1 - k));
					const sign = Math.sign(dot(vector, other));
					vector.forEach((entry, i) => {
						near(entry, sign * at(other, i), 1e-12 * Math.max(1, n / gap), "entry");
					});
				}
			},
		),
		{ numRuns: 200, seed: 5 },
	);
});

test("equal eigenvalues get vectors at right angles; a matrix in blocks and a single asset are no exception", () => {
	const identity = Float64Array.from({ length: 25 }, (_, i) => (i % 6 === 0 ? 1 : 0));
	const blocks = Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : [1, 4, 11, 14].includes(i) ? 0.5 : 0));
	for (const [matrix, n, values] of [
		[identity, 5, [1, 1, 1]],
		[blocks, 4, [1.5, 1.5, 0.5, 0.5]],
		[Float64Array.of(1), 1, [1]],
		[new Float64Array(9).fill(1), 3, [3, 0, 0]],
	] as const) {
		const components = new LeadingEigen(matrix, n);
		const vectors = values.map((expected) => {
			const { value, vector } = components.next();
			near(value, expected, 1e-14 * n, "eigenvalue");
			vector.forEach((entry, i) => {
				near(dot(matrix.subarray(i * n, (i + 1) * n), vector), value * entry, 1e-13, "residual");
			});
			return vector;
		});
		vectors.forEach((a, i) => {
			vectors.forEach((b, j) => {
				near(dot(a, b), i === j ? 1 : 0, 1e-13, "right angles");
			});
		});
	}
});

test.run();
