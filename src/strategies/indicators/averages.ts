import { EMA, getAverage, getStandardDeviation, SMA, WSMA } from "trading-signals";
import { at, type Column, type Known, unknownColumn } from "../columns.ts";

/** The library's exponential mean, which begins with the first value, begun with a mean instead. */
class SeededMean extends EMA {
	constructor(period: number, mean: number) {
		super(period);
		this.result = mean;
	}
}

/** Wilder's smoothing of the library, which can go on from a mean that is known. */
export class WilderMean extends WSMA {
	constructor(period: number, known?: Known) {
		super(period);
		if (known) this.result = known.value;
	}
}

/** Simple mean of the last `period` values; NaN before. */
export function simpleMean(values: Column, period: number): Column {
	const mean = new SMA(period);
	return values.map((value) => mean.update(value, false) ?? Number.NaN);
}

/** Population standard deviation (divides by n) of the last `period` values, as Bollinger uses it. */
export function populationDeviation(values: Column, period: number, mean = simpleMean(values, period)): Column {
	const result = unknownColumn(values.length);
	const window = Array.from(values.subarray(0, period));
	for (let end = period - 1; end < values.length; end++) {
		if (end >= period) {
			window.shift();
			window.push(at(values, end));
		}
		result[end] = getStandardDeviation(window, at(mean, end));
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
	const { bar, value } = known ?? { bar: period - 1, value: getAverage(Array.from(values.subarray(0, period))) };
	const mean = new SeededMean(period, value);
	result[bar] = value;
	for (let i = bar + 1; i < values.length; i++) result[i] = mean.update(at(values, i), false);
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
