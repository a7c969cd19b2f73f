import { at, type Column, type Known, unknownColumn } from "../columns.ts";
import { normalisedSums } from "./averages.ts";

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
	return volatilityOfSums(squaredReturnSums(close, alphaOfCentre(centreOfMassBars)));
}

/** Weight of the newest value in an exponentially weighted mean with this centre of mass, bars. */
export const alphaOfCentre = (centreOfMassBars: number): number => 1 / (1 + centreOfMassBars);

/** The sums of weighted squared log returns and of weights, from which a volatility can go on. */
export function squaredReturnSums(
	close: Column,
	alpha: number,
	known?: { weighted: Known; weights: Known },
): { weighted: Column; weights: Column } {
	const squares = logReturns(close);
	for (let i = 0; i < squares.length; i++) squares[i] = at(squares, i) * at(squares, i);
	return normalisedSums(squares, alpha, 1, known);
}

/** Square root of their ratio: the exponentially weighted volatility per bar. */
export function volatilityOfSums({ weighted, weights }: { weighted: Column; weights: Column }): Column {
	const result = unknownColumn(weighted.length);
	for (let i = 0; i < result.length; i++) result[i] = Math.sqrt(at(weighted, i) / at(weights, i));
	return result;
}

/** Sample standard deviation of the last `bars` log returns, the daily sigma of the cost model. */
export function recentVolatility(close: Column, bars: number): number {
	// Only of the closes they are made of: this is asked of whole histories.
	const returns = logReturns(close.subarray(Math.max(0, close.length - bars - 1))).subarray(1);
	if (returns.length < 2) return Number.NaN;
	let mean = 0;
	for (const value of returns) mean += value / returns.length;
	let squares = 0;
	for (const value of returns) squares += (value - mean) ** 2;
	return Math.sqrt(squares / (returns.length - 1));
}
