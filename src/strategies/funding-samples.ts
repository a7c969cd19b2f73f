import type { FundingSeries } from "../market/contract.ts";
import { at } from "./columns.ts";
import {
	E8,
	exceedsThreshold,
	HOUR_MS,
	isPersistent,
	newestSettlement,
	PAST_UNITS,
	pastWindow,
	settledBetween,
} from "./funding-rates.ts";

const DAY_MS = 24 * HOUR_MS;
export const HORIZON_DAYS = 7;
/** 8-hour units of the horizon. */
export const HORIZON_UNITS = HORIZON_DAYS * 3;
const PAST_DAYS = 3;

/** One day of one perp: the 3-day mean before it and what the next 7 days paid. Fractions per 8 h. */
export interface FundingSample {
	symbol: string;
	timeMs: number;
	past: number;
	forward: number;
	/** The live signal held on that day (positive side). */
	signal: boolean;
}

/** Lower bounds of |past| in basis points per 8 hours. */
export const BUCKETS_BPS = [0, 1, 2, 3, 5] as const;
export const bucketOf = (past: number): number => {
	const bps = Math.abs(past) * 10_000;
	return BUCKETS_BPS.reduce<number>((found, from, i) => (bps > from ? i : found), 0);
};

/** One sample a day at 00:00 UTC with three full days before and seven after, all settled by `asOfMs`. */
export function samplesOf(funding: FundingSeries, asOfMs = Number.POSITIVE_INFINITY): FundingSample[] {
	const samples: FundingSample[] = [];
	const newestMs = newestSettlement(funding, asOfMs);
	if (newestMs === null) return samples;
	const first = Math.ceil(at(funding.funding_time, 0) / DAY_MS) * DAY_MS + PAST_DAYS * DAY_MS;
	for (let timeMs = first; ; timeMs += DAY_MS) {
		const endMs = timeMs + HORIZON_DAYS * DAY_MS;
		const forward = endMs > newestMs ? null : settledBetween(funding, timeMs, endMs);
		if (forward === null) return samples;
		const window = pastWindow(funding, timeMs);
		// Holes in a record are not days without funding.
		const complete =
			window.newestMs > timeMs - 8 * HOUR_MS &&
			window.settlements >= PAST_UNITS &&
			forward.settlements >= HORIZON_UNITS;
		if (!complete) continue;
		samples.push({
			symbol: funding.symbol,
			timeMs,
			past: window.sumE8 / PAST_UNITS / E8,
			forward: forward.sumE8 / HORIZON_UNITS / E8,
			signal: window.sumE8 > 0 && exceedsThreshold(window.sumE8) && isPersistent(window),
		});
	}
}
