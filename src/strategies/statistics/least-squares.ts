import { at, type Column } from "../columns.ts";

export interface Regression {
	/** null when fitted without a constant. */
	intercept: number | null;
	/** One per regressor, in their order. NaN where the regressors do not tell themselves apart. */
	slopes: Float64Array;
	residuals: Column;
	/** Sum of squared residuals over the degrees of freedom. */
	residualVariance: number;
	/** 1 - residual over total sum of squares (about the mean with a constant, else about 0). */
	r2: number;
}

/** Regressors prepared once for any number of responses. */
export interface Regressors {
	columns: readonly Column[];
	means: readonly number[];
	/** Inverse of their cross products, row by row. */
	inverse: Float64Array;
	constant: boolean;
	length: number;
}

/**
 * Centres the columns if there is a constant (Frisch-Waugh-Lovell: it is partialled out, which also
 * keeps price levels from spoiling the normal equations) and inverts their cross products by Cholesky.
 * Throws RangeError when columns differ in length.
 */
export function regressorsOf(given: readonly Column[], constant: boolean, length: number): Regressors {
	for (const column of given) {
		if (column.length !== length) throw new RangeError(`a regressor has ${column.length} values, not ${length}`);
	}
	const columns = constant ? given.map(centred) : given;
	const k = columns.length;
	const gram = new Float64Array(k * k);
	columns.forEach((column, i) => {
		for (let j = 0; j <= i; j++) gram[i * k + j] = dot(column, columns[j] ?? column);
	});
	return { columns, means: given.map(meanOf), inverse: inverseOf(gram, k), constant, length };
}

/**
 * Ordinary least squares of `y` on prepared regressors. `room`, if given, takes the residuals: fresh
 * arrays are what costs most in a walk. Throws RangeError for another length.
 */
export function regress(y: Column, prepared: Regressors, room?: Column): Regression {
	const { columns, means, inverse, constant, length } = prepared;
	if (y.length !== length) throw new RangeError(`y has ${y.length} values, the regressors ${length}`);
	const k = columns.length;
	// Centred columns are orthogonal to a constant, so y need not be centred for its moments.
	const slopes = new Float64Array(k);
	for (let j = 0; j < k; j++) {
		const moment = dot(columns[j] as Column, y);
		for (let i = 0; i < k; i++) slopes[i] = (slopes[i] as number) + (inverse[i * k + j] as number) * moment;
	}
	const mean = meanOf(y);
	const residuals = less(y, constant ? mean : 0, room);
	const total = dot(residuals, residuals);
	let intercept = mean;
	for (let i = 0; i < k; i++) {
		const [slope, column] = [slopes[i] as number, columns[i] as Column];
		intercept -= slope * (means[i] as number);
		for (let t = 0; t < length; t++) residuals[t] = (residuals[t] as number) - slope * (column[t] as number);
	}
	const squares = dot(residuals, residuals);
	return {
		intercept: constant ? intercept : null,
		slopes,
		residuals,
		residualVariance: squares / (length - k - (constant ? 1 : 0)),
		r2: 1 - squares / total,
	};
}

/** Standard error of the slope of regressor `i`. */
export const standardError = ({ residualVariance }: Regression, { inverse, columns }: Regressors, i: number): number =>
	Math.sqrt(residualVariance * at(inverse, i * columns.length + i));

/** Ordinary least squares of `y` on a few columns of the same length. */
export const leastSquares = (y: Column, regressors: readonly Column[], constant: boolean): Regression =>
	regress(y, regressorsOf(regressors, constant, y.length));

export function meanOf(values: Column): number {
	let sum = 0;
	for (let i = 0; i < values.length; i++) sum += values[i] as number;
	return sum / values.length;
}

const centred = (values: Column): Column => less(values, meanOf(values));

/** A loop, not `map`: typed arrays look up their species each time, and this runs a hundred thousand times. */
function less(values: Column, level: number, room?: Column): Column {
	const result = room ?? new Float64Array(values.length);
	for (let i = 0; i < values.length; i++) result[i] = (values[i] as number) - level;
	return result;
}

export function dot(a: Column, b: Column): number {
	let sum = 0;
	for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
	return sum;
}

/** Inverse of a symmetric positive definite matrix given by its lower triangle; NaN when it is singular. */
function inverseOf(gram: Float64Array, k: number): Float64Array {
	const factor = new Float64Array(k * k);
	for (let i = 0; i < k; i++) {
		for (let j = 0; j <= i; j++) {
			let rest = at(gram, i * k + j);
			for (let l = 0; l < j; l++) rest -= at(factor, i * k + l) * at(factor, j * k + l);
			const singular = i === j && !(rest > 1e-14 * at(gram, i * k + i));
			factor[i * k + j] = i === j ? Math.sqrt(singular ? Number.NaN : rest) : rest / at(factor, j * k + j);
		}
	}
	const inverse = new Float64Array(k * k);
	for (let c = 0; c < k; c++) {
		const solved = new Float64Array(k);
		for (let i = 0; i < k; i++) {
			let rest = i === c ? 1 : 0;
			for (let l = 0; l < i; l++) rest -= at(factor, i * k + l) * at(solved, l);
			solved[i] = rest / at(factor, i * k + i);
		}
		for (let i = k - 1; i >= 0; i--) {
			let rest = at(solved, i);
			for (let l = i + 1; l < k; l++) rest -= at(factor, l * k + i) * at(inverse, l * k + c);
			inverse[i * k + c] = rest / at(factor, i * k + i);
		}
	}
	return inverse;
}
