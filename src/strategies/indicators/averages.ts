import { at, type Column, type Known, unknownColumn } from "../columns.ts";

/** Simple mean of the last `period` values; NaN before. A running sum, re-summed so that errors cannot grow. */
export function simpleMean(values: Column, period: number): Column {
	const result = unknownColumn(values.length);
	for (let end = period - 1; end < values.length; end++) {
		let sum = 0;
		for (let i = end - period + 1; i <= end; i++) sum += at(values, i);
		result[end] = sum / period;
	}
	return result;
}

/** Population standard deviation (divides by n) of the last `period` values, as Bollinger uses it. */
export function populationDeviation(values: Column, period: number, mean = simpleMean(values, period)): Column {
	const result = unknownColumn(values.length);
	for (let end = period - 1; end < values.length; end++) {
		const centre = at(mean, end);
		let squares = 0;
		for (let i = end - period + 1; i <= end; i++) squares += (at(values, i) - centre) ** 2;
		result[end] = Math.sqrt(squares / period);
	}
	return result;
}

/**
 * Exponential mean with alpha 2/(n+1), seeded with the simple mean of the first n (TA-Lib, TTR), or going on
 * from a known one.
 */
export function exponentialMean(values: Column, period: number, known?: Known): Column {
	const result = unknownColumn(values.length);
	if (values.length < period && !known) return result;
	const alpha = 2 / (period + 1);
	let mean = known?.value ?? 0;
	if (!known) for (let i = 0; i < period; i++) mean += at(values, i) / period;
	const first = known?.bar ?? period - 1;
	result[first] = mean;
	for (let i = first + 1; i < values.length; i++) {
		mean += alpha * (at(values, i) - mean);
		result[i] = mean;
	}
	return result;
}

/** sum(w_i x_i)/sum(w_i) with w = (1-alpha)^age over all values so far: no seed, defined from the first. */
export function normalisedMean(values: Column, alpha: number): Column {
	const { weighted, weights } = normalisedSums(values, alpha, 0);
	const result = unknownColumn(values.length);
	for (let i = 0; i < values.length; i++) result[i] = at(weighted, i) / at(weights, i);
	return result;
}

/** The two sums whose ratio is the normalised mean, from bar `first` on or going on from known ones. */
export function normalisedSums(
	values: Column,
	alpha: number,
	first: number,
	known?: { weighted: Known; weights: Known },
): { weighted: Column; weights: Column } {
	const [sums, counts] = [unknownColumn(values.length), unknownColumn(values.length)];
	let weighted = known?.weighted.value ?? 0;
	let weights = known?.weights.value ?? 0;
	if (known) {
		sums[known.weighted.bar] = weighted;
		counts[known.weights.bar] = weights;
	}
	for (let i = known ? known.weighted.bar + 1 : first; i < values.length; i++) {
		weighted = at(values, i) + (1 - alpha) * weighted;
		weights = 1 + (1 - alpha) * weights;
		sums[i] = weighted;
		counts[i] = weights;
	}
	return { weighted: sums, weights: counts };
}
