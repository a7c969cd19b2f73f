import { RSI } from "trading-signals";
import { at, type Column, unknownColumn } from "../columns.ts";

/** Wilder's RSI, 0..100, first value at index `period`. A series that never fell is 100. */
export function wilderRsi(close: Column, period: number): Column {
	const result = unknownColumn(close.length);
	const indicator = new RSI(period);
	for (let i = 0; i < close.length; i++) result[i] = indicator.update(at(close, i), false) ?? Number.NaN;
	return result;
}
