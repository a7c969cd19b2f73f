import { at } from "../columns.ts";
import { LeadingEigen } from "./leading-eigen.ts";

export interface PrincipalFactors {
	/** Variance shares of the kept components, largest first. */
	shares: number[];
	/** Their unit eigenvectors in the same order; the entry of largest size is positive. */
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
	const components = new LeadingEigen(correlation, n);
	const shares: number[] = [];
	const vectors: Float64Array[] = [];
	let explained = 0;
	while (vectors.length < Math.min(n, limits.factorsMax) && explained < limits.varianceShare) {
		const { value, vector } = components.next();
		// The diagonal is 1 throughout, so the eigenvalues sum to n.
		shares.push(value / n);
		vectors.push(signed(vector));
		explained += value / n;
	}
	return { shares, vectors };
}

function signed(vector: Float64Array): Float64Array {
	let largest = 0;
	for (let i = 0; i < vector.length; i++) if (Math.abs(at(vector, i)) > Math.abs(largest)) largest = at(vector, i);
	if (largest < 0) for (let i = 0; i < vector.length; i++) vector[i] = -at(vector, i);
	return vector;
}
