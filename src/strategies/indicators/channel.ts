import { DonchianChannels } from "trading-signals";
import { at, type Column, unknownColumn } from "../columns.ts";
import { simpleMean } from "./averages.ts";

/** Highest value of the `period` bars BEFORE each bar (Donchian without the current bar). */
export const highestBefore = (values: Column, period: number): Column => edgeBefore(values, period, "upper");

/** Lowest value of the `period` bars BEFORE each bar. */
export const lowestBefore = (values: Column, period: number): Column => edgeBefore(values, period, "lower");

function edgeBefore(values: Column, period: number, edge: "upper" | "lower"): Column {
	const channel = new DonchianChannels(period);
	return before(values.map((value) => channel.update({ high: value, low: value }, false)?.[edge] ?? Number.NaN));
}

/** Mean of the `period` values before each bar. */
export const meanBefore = (values: Column, period: number): Column => before(simpleMean(values, period));

/** What each bar would have been told by the bar before it. */
function before(column: Column): Column {
	const result = unknownColumn(column.length);
	for (let i = 1; i < column.length; i++) result[i] = at(column, i - 1);
	return result;
}
