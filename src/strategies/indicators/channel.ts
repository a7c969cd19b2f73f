import { at, type Column, unknownColumn } from "../columns.ts";

/** Highest value of the `period` bars BEFORE each bar (Donchian without the current bar). */
export function highestBefore(values: Column, period: number): Column {
	return extremeBefore(values, period, Math.max);
}

/** Lowest value of the `period` bars BEFORE each bar. */
export function lowestBefore(values: Column, period: number): Column {
	return extremeBefore(values, period, Math.min);
}

function extremeBefore(values: Column, period: number, pick: (a: number, b: number) => number): Column {
	const result = unknownColumn(values.length);
	for (let i = period; i < values.length; i++) {
		let extreme = at(values, i - 1);
		for (let j = i - period; j < i - 1; j++) extreme = pick(extreme, at(values, j));
		result[i] = extreme;
	}
	return result;
}

/** Mean of the `period` values before each bar. */
export function meanBefore(values: Column, period: number): Column {
	const result = unknownColumn(values.length);
	for (let i = period; i < values.length; i++) {
		let sum = 0;
		for (let j = i - period; j < i; j++) sum += at(values, j);
		result[i] = sum / period;
	}
	return result;
}
