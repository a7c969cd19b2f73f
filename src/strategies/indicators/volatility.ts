import { at, type Column, unknownColumn } from "../columns.ts";
import { normalisedMean } from "./averages.ts";

/** ln(close/close before); NaN for the first bar. */
export function logReturns(close: Column): Column {
	const result = unknownColumn(close.length);
	for (let i = 1; i < close.length; i++) result[i] = Math.log(at(close, i) / at(close, i - 1));
	return result;
}

/**
 * Ex-ante volatility per bar after Moskowitz, Ooi and Pedersen (2012): square root of the exponentially
 * weighted mean of squared log returns, not centred, weights normalised, centre of mass in bars.
 */
export function exAnteVolatility(close: Column, centreOfMassBars: number): Column {
	const squares = logReturns(close)
		.subarray(1)
		.map((value) => value * value);
	const variance = normalisedMean(squares, 1 / (1 + centreOfMassBars));
	const result = unknownColumn(close.length);
	for (let i = 1; i < close.length; i++) result[i] = Math.sqrt(at(variance, i - 1));
	return result;
}

/** Sample standard deviation of the last `bars` log returns, the daily sigma of the cost model. */
export function recentVolatility(close: Column, bars: number): number {
	const returns = logReturns(close).subarray(Math.max(1, close.length - bars));
	if (returns.length < 2) return Number.NaN;
	let mean = 0;
	for (const value of returns) mean += value / returns.length;
	let squares = 0;
	for (const value of returns) squares += (value - mean) ** 2;
	return Math.sqrt(squares / (returns.length - 1));
}
