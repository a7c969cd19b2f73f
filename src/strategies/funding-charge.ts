import { type FundingSeries, type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { at, type Column } from "./columns.ts";
import { E8, HOUR_MS } from "./funding-rates.ts";
import type { Resolution } from "./simulator.ts";

/** Settled funding laid along the bars of one series, so that any holding time is one subtraction. */
export interface FundingLedger {
	/**
	 * Sum of all rates settled up to and including the open of bar i, fractions of notional; one entry more
	 * than bars: the last is the close of the newest bar.
	 */
	settled: Column;
	/** Bars from..to (inclusive) lie whole within the history; to < from: none. */
	from: number;
	to: number;
}

/** Lays the settlements of a perp along its bars. Bars outside the history are outside from..to. */
export function fundingLedger(series: Series, funding: FundingSeries): FundingLedger {
	const settled = new Float64Array(series.length + 1);
	const step = TIMEFRAME_MS[series.timeframe];
	const slackMs = funding.interval_hours * HOUR_MS;
	const oldest = at(funding.funding_time, 0) - slackMs;
	const newest = at(funding.funding_time, funding.length - 1) + slackMs;
	let sumE8 = 0;
	let next = 0;
	let from = series.length;
	let to = -1;
	for (let i = 0; i <= series.length; i++) {
		const openMs = i < series.length ? at(series.open_time, i) : at(series.open_time, i - 1) + step;
		while (next < funding.length && at(funding.funding_time, next) <= openMs) sumE8 += at(funding.rate_e8, next++);
		settled[i] = sumE8 / E8;
		if (i === series.length) break;
		if (openMs >= oldest) from = Math.min(from, i);
		if (openMs + step <= newest) to = i;
	}
	return { settled, from, to };
}

/**
 * Funding a trade paid, fraction of notional (negative: received): longs pay positive rates, shorts
 * receive them. Counted from after the entry bar's open; the hour of an exit within a bar is unknown, so
 * the settlements of that bar count only where they cost. null: the history does not cover the trade.
 */
export function fundingPaid(
	{ settled, from, to }: FundingLedger,
	{ side, entryIndex, exitIndex, exitReason }: Resolution,
): number | null {
	if (entryIndex < from || exitIndex > to) return null;
	const before = side * (at(settled, exitIndex) - at(settled, entryIndex));
	const within = side * (at(settled, exitIndex + 1) - at(settled, exitIndex));
	return before + (exitReason === "timeout" ? within : Math.max(0, within));
}
