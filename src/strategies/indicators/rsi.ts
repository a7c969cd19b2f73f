import { at, type Column, type Known, unknownColumn } from "../columns.ts";
import { WilderMean } from "./averages.ts";

/** Wilder's RSI, 0..100, with the means of gains and losses behind it. */
export interface RsiColumns {
	rsi: Column;
	gains: Column;
	losses: Column;
}

/** Wilder's RSI, 0..100, first value at index `period`. A series that never fell is 100. */
export const wilderRsi = (close: Column, period: number): Column => wilderRsiColumns(close, period).rsi;

/** The same with its means, from which it can go on. */
export function wilderRsiColumns(close: Column, period: number, known?: { gains: Known; losses: Known }): RsiColumns {
	const [rsi, gains, losses] = [close, close, close].map(({ length }) => unknownColumn(length)) as [
		Column,
		Column,
		Column,
	];
	const up = new WilderMean(period, known?.gains);
	const down = new WilderMean(period, known?.losses);
	if (known) {
		gains[known.gains.bar] = known.gains.value;
		losses[known.losses.bar] = known.losses.value;
	}
	for (let i = (known?.gains.bar ?? 0) + 1; i < close.length; i++) {
		const move = at(close, i) - at(close, i - 1);
		const gain = up.update(move > 0 ? move : 0, false);
		const loss = down.update(move > 0 ? 0 : at(close, i - 1) - at(close, i), false);
		if (gain === null || loss === null) continue;
		gains[i] = gain;
		losses[i] = loss;
		rsi[i] = loss === 0 ? 100 : 100 - 100 / (gain / loss + 1);
	}
	return { rsi, gains, losses };
}
