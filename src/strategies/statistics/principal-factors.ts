import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { at } from "../columns.ts";

export interface PrincipalFactors {
	/** Variance shares of all components, largest first; they sum to 1. */
	shares: number[];
	/** Unit eigenvectors of the kept components, in their order; the entry of largest size is positive. */
	vectors: Float64Array[];
}

export interface FactorLimits {
	/** Components are kept until they explain this share of the variance ... */
	varianceShare: number;
	/** ... but no more than this many. */
	factorsMax: number;
}

/**
 * Principal components of a correlation matrix (size n x n, row by row, symmetric). Eigenvectors have no
 * sign of their own; it is fixed here so that nothing depends on the solver.
 */
export function principalFactors(correlation: Float64Array, n: number, limits: FactorLimits): PrincipalFactors {
	const matrix = Matrix.from1DArray(n, n, correlation);
	const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
	const trace = realEigenvalues.reduce((sum, value) => sum + value, 0);
	// Symmetric input comes out in ascending order.
	const shares = realEigenvalues.map((value) => value / trace).reverse();
	const vectors: Float64Array[] = [];
	let explained = 0;
	for (let k = 0; k < Math.min(n, limits.factorsMax) && explained < limits.varianceShare; k++) {
		explained += shares[k] ?? 0;
		vectors.push(signed(Float64Array.from(eigenvectorMatrix.getColumn(n - 1 - k))));
	}
	return { shares, vectors };
}

function signed(vector: Float64Array): Float64Array {
	let largest = 0;
	for (let i = 0; i < vector.length; i++) if (Math.abs(at(vector, i)) > Math.abs(largest)) largest = at(vector, i);
	return largest < 0 ? vector.map((value) => -value) : vector;
}
