import { getTrueRange } from "trading-signals";
import type { Series } from "../../market/contract.ts";
import { at, type Column, type Known, unknownColumn } from "../columns.ts";
import { WilderMean } from "./averages.ts";

type Candles = Pick<Series, "high" | "low" | "close">;

/** True range, price units. The first bar has no close before it: high - low. */
export const trueRange = ({ high, low, close }: Candles): Column =>
	close.map((value, i) => getTrueRange({ high: at(high, i), low: at(low, i), close: value }, close[i - 1]));

/**
 * Wilder's average true range as TA-Lib, TTR and Skender compute it: the mean of the first `period`
 * true ranges that have a close before them, then (ATR*(n-1)+TR)/n, the Turtles' N with 20. First value at index
 * `period`, or going on from a known one.
 */
export function wilderRange(candles: Candles, period: number, known?: Known): Column {
	const range = trueRange(candles);
	const mean = new WilderMean(period, known);
	const result = unknownColumn(range.length);
	if (known) result[known.bar] = known.value;
	for (let i = (known?.bar ?? 0) + 1; i < range.length; i++) result[i] = mean.update(at(range, i), false) ?? Number.NaN;
	return result;
}
