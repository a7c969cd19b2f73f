import type { Series } from "../../market/contract.ts";
import { at, type Column, type Known, unknownColumn } from "../columns.ts";

type Candles = Pick<Series, "high" | "low" | "close">;

/** True range, price units. The first bar has no close before it: high - low. */
export function trueRange({ high, low, close }: Candles): Column {
	const result = unknownColumn(close.length);
	for (let i = 0; i < close.length; i++) {
		const spread = at(high, i) - at(low, i);
		const before = at(close, i - 1);
		result[i] = i === 0 ? spread : Math.max(spread, Math.abs(at(high, i) - before), Math.abs(at(low, i) - before));
	}
	return result;
}

/** One step of Wilder's smoothing, the Turtles' N with 20: (mean*(n-1) + value)/n. */
export const wilderStep = (mean: number, value: number, period: number): number => mean + (value - mean) / period;

/**
 * Wilder's average true range as TA-Lib, TTR and Skender compute it: the mean of the first `period`
 * true ranges that have a close before them, then (ATR*(n-1)+TR)/n. First value at index `period`, or going
 * on from a known one.
 */
export function wilderRange(candles: Candles, period: number, known?: Known): Column {
	const range = trueRange(candles);
	const result = unknownColumn(range.length);
	if (range.length <= period && !known) return result;
	let mean = known?.value ?? 0;
	if (!known) for (let i = 1; i <= period; i++) mean += at(range, i) / period;
	const first = known?.bar ?? period;
	result[first] = mean;
	for (let i = first + 1; i < range.length; i++) {
		mean = wilderStep(mean, at(range, i), period);
		result[i] = mean;
	}
	return result;
}
