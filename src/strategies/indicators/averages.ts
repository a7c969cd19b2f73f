import { at, type Column, unknownColumn } from "../columns.ts";

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

/** Exponential mean with alpha 2/(n+1), seeded with the simple mean of the first n (TA-Lib, TTR). */
export function exponentialMean(values: Column, period: number): Column {
	const result = unknownColumn(values.length);
	if (values.length < period) return result;
	const alpha = 2 / (period + 1);
	let mean = 0;
	for (let i = 0; i < period; i++) mean += at(values, i) / period;
	result[period - 1] = mean;
	for (let i = period; i < values.length; i++) {
		mean += alpha * (at(values, i) - mean);
		result[i] = mean;
	}
	return result;
}

/** sum(w_i x_i)/sum(w_i) with w = (1-alpha)^age over all values so far: no seed, defined from the first. */
export function normalisedMean(values: Column, alpha: number): Column {
	const result = unknownColumn(values.length);
	let weighted = 0;
	let weights = 0;
	for (let i = 0; i < values.length; i++) {
		weighted = at(values, i) + (1 - alpha) * weighted;
		weights = 1 + (1 - alpha) * weights;
		result[i] = weighted / weights;
	}
	return result;
}
