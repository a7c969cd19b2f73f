import { at, type Column } from "../columns.ts";
import { meanOf, quantileOf, shortfallOf } from "../evidence/trades.ts";
import { varianceOf } from "./covariance.ts";

/** Normal quantile at 5 %. */
const Z_05 = -1.6448536269514722;

/** Daily returns of a book with fixed exposures: sum of weight x return. Simple returns, fractions of equity. */
export function bookReturns(weights: readonly number[], returns: readonly Column[]): Column {
	const periods = returns[0]?.length ?? 0;
	const result = new Float64Array(periods);
	returns.forEach((column, i) => {
		for (let t = 0; t < periods; t++) result[t] = at(result, t) + (weights[i] ?? 0) * at(column, t);
	});
	return result;
}

/** Historical value at risk and expected shortfall (95 %), as losses >= 0 where money is lost. */
export function historicalTail(returns: Column): { var95: number; cvar95: number } {
	const sorted = returns.slice().sort();
	return { var95: -quantileOf(sorted, 0.05), cvar95: -shortfallOf(sorted) };
}

/** Overlapping sums over `days`: returns of longer holding with exposures kept fixed. */
export function overlapping(returns: Column, days: number): Column {
	const result = new Float64Array(Math.max(0, returns.length - days + 1));
	for (let t = 0; t < result.length; t++) for (let d = 0; d < days; d++) result[t] = at(result, t) + at(returns, t + d);
	return result;
}

/** Value at risk (95 %) with the Cornish-Fisher expansion for skew and excess kurtosis. */
export function cornishFisherVar(returns: Column): number {
	const mean = meanOf(returns);
	const deviation = Math.sqrt(varianceOf(returns));
	if (!(deviation > 0)) return 0;
	const moment = (power: number) => meanOf(returns.map((value) => ((value - mean) / deviation) ** power));
	const skew = moment(3);
	const excess = moment(4) - 3;
	const z = Z_05;
	const adjusted =
		z + ((z ** 2 - 1) * skew) / 6 + ((z ** 3 - 3 * z) * excess) / 24 - ((2 * z ** 3 - 5 * z) * skew ** 2) / 36;
	return -(mean + deviation * adjusted);
}

/** Largest fall from a peak as a share of the peak; `equity` positive. */
export function maxDrawdown(equity: Column): number {
	let peak = Number.NEGATIVE_INFINITY;
	let worst = 0;
	for (const value of equity) {
		peak = Math.max(peak, value);
		worst = Math.max(worst, 1 - value / peak);
	}
	return worst;
}

/**
 * Equity the present quantities would have had, in units of today's equity: 1 + sum w (P_t/P_now - 1).
 * A book that would have been wiped out counts as a fall of 100 %.
 */
export function equityPath(weights: readonly number[], prices: readonly Column[]): Column {
	const periods = prices[0]?.length ?? 0;
	const path = new Float64Array(periods).fill(1);
	prices.forEach((column, i) => {
		const now = at(column, periods - 1);
		for (let t = 0; t < periods; t++) path[t] = at(path, t) + (weights[i] ?? 0) * (at(column, t) / now - 1);
	});
	return path.map((value) => Math.max(0, value));
}

/** 1 / sum of squared shares of gross exposure; 0 for an empty book. */
export function effectiveNumber(weights: readonly number[]): number {
	const gross = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
	if (gross === 0) return 0;
	return 1 / weights.reduce((sum, weight) => sum + (weight / gross) ** 2, 0);
}

/** w' (M w): the variance of a book, `marginal` its M w. */
export const varianceWith = (weights: readonly number[], marginal: readonly number[]): number =>
	marginal.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0);

/** Share of the book's variance per position: w_i (M w)_i / w' (M w) with `marginal` M w; they sum to 1. */
export function riskShares(weights: readonly number[], marginal: readonly number[]): number[] {
	const variance = varianceWith(weights, marginal);
	return weights.map((weight, i) => (variance > 0 ? (weight * (marginal[i] ?? 0)) / variance : 0));
}

/** Variance of the book if every correlation of two different assets were `correlation`. */
export function stressedVariance(
	weights: readonly number[],
	variances: readonly number[],
	correlation: number,
): number {
	let [alone, together] = [0, 0];
	weights.forEach((weight, i) => {
		const variance = variances[i] ?? 0;
		alone += weight ** 2 * variance;
		together += weight * Math.sqrt(variance);
	});
	return (1 - correlation) * alone + correlation * together ** 2;
}
