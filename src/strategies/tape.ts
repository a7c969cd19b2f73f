import type { Series, TradeTape } from "../market/contract.ts";
import { at } from "./columns.ts";

/** Whole days of trades that are asked for. */
export const TAPE_DAYS = 31;
/**
 * One window for all who read tapes, so that they share what was fetched; a minute more than whole days,
 * so that the last of them is complete whatever the second of the scan.
 */
export const TAPE_WINDOW_MS = TAPE_DAYS * 86_400_000 + 60_000;

/**
 * A tape in steps of equal length: what a maker who requotes once a step can know and what may fill
 * him. Step i is [start_ms + i step, next).
 */
export interface TapeSteps {
	startMs: number;
	stepMs: number;
	length: number;
	/** Mean of the newest buy's and the newest sell's price the latency before the step: takers pay around the mid. */
	mid: Float64Array;
	/** Dearest price a taker bought at within the step, NaN when none did. */
	highestBuy: Float64Array;
	/** Cheapest price a taker sold at within the step, NaN when none did. */
	lowestSell: Float64Array;
	/** Mean value of a trade over the tape, quote currency; NaN without one. */
	tradeValue: number;
}

/** The whole steps of [tape.since, asOfMs), in one pass. */
export function stepsOf(tape: TradeTape, asOfMs: number, stepMs: number, latencyMs: number): TapeSteps {
	const startMs = Math.ceil(tape.since_ms / stepMs) * stepMs;
	const length = Math.max(0, Math.floor((asOfMs - startMs) / stepMs));
	const column = () => new Float64Array(length).fill(Number.NaN);
	const [mid, highestBuy, lowestSell] = [column(), column(), column()];
	const { time, price, quantity, taker_side: side } = tape;
	let [buy, sell, value, next] = [Number.NaN, Number.NaN, 0, 0];
	for (let i = 0; i < tape.length; i++) {
		const sinceStart = at(time, i) - startMs;
		const step = Math.floor(sinceStart / stepMs);
		const paid = at(price, i);
		// What the maker has not seen by a step's start he does not know in it.
		for (; next < length && next * stepMs <= sinceStart + latencyMs; next++) mid[next] = (buy + sell) / 2;
		value += paid * at(quantity, i);
		const inside = step >= 0 && step < length;
		if (side[i] === 1) {
			buy = paid;
			if (inside && !(paid <= at(highestBuy, step))) highestBuy[step] = paid;
		} else {
			sell = paid;
			if (inside && !(paid >= at(lowestSell, step))) lowestSell[step] = paid;
		}
	}
	for (; next < length; next++) mid[next] = (buy + sell) / 2;
	const tradeValue = tape.length === 0 ? Number.NaN : value / tape.length;
	return { startMs, stepMs, length, mid, highestBuy, lowestSell, tradeValue };
}

/**
 * Takers' imbalance of each bar of a series and of the `bars - 1` before it: (bought - sold) over both, by
 * quantity, -1 .. 1; NaN where the tape does not cover them whole or nothing was traded.
 */
export function flowOf(series: Series, stepMs: number, tape: TradeTape, bars: number): Float64Array {
	const { length, open_time: opens } = series;
	const bought = new Float64Array(length);
	const sold = new Float64Array(length);
	let bar = 0;
	for (let i = 0; i < tape.length && bar < length; i++) {
		const when = at(tape.time, i);
		while (bar < length && when >= at(opens, bar) + stepMs) bar++;
		if (bar === length || when < at(opens, bar)) continue;
		const into = tape.taker_side[i] === 1 ? bought : sold;
		into[bar] = at(into, bar) + at(tape.quantity, i);
	}
	const flow = new Float64Array(length).fill(Number.NaN);
	for (let t = bars - 1; t < length; t++) {
		if (at(opens, t - bars + 1) < tape.since_ms) continue;
		let [up, down] = [0, 0];
		for (let j = t - bars + 1; j <= t; j++) {
			up += at(bought, j);
			down += at(sold, j);
		}
		flow[t] = (up - down) / (up + down);
	}
	return flow;
}
