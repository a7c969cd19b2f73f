import { type FundingSeries, type Series, TIMEFRAME_MS } from "../../market/contract.ts";
import { at } from "../columns.ts";
import { sliceOf } from "../history.ts";
import type { ReplayRule } from "../rule.ts";
import type { PlaceboPool } from "./placebo.ts";
import { replaySeries } from "./series-replay.ts";
import type { ResolvedTrade } from "./trades.ts";

export interface WalkForward {
	trades: ResolvedTrade[];
	placebo: PlaceboPool[];
	/** Series that were long enough to take part. */
	universeSize: number;
	gapsThroughStop: number;
	/** Trades that settled funding was charged to, and what they paid in sum (fractions of notional). */
	funding: { trades: number; paid: number };
}

export interface WalkForwardOptions {
	/** Round trip as a fraction of notional. */
	cost: number;
	/** Series with fewer bars take no part. */
	barsMin: number;
	/** Trades count only if their whole horizon had passed by then (embargo at the boundary), epoch ms. */
	asOfMs: number;
	/** false: leave the placebo out, for a rule whose mean may well be a loss; default true. */
	placebo?: boolean;
	/** Settled funding by symbol: trades within a history pay it; those outside are left as they are. */
	funding?: ReadonlyMap<string, FundingSeries>;
	/** Replay only what no earlier walk of this thread has settled, and keep it; default false. The result is the same. */
	kept?: boolean;
}

/** Replays a rule over a universe: all its trades, whatever came of them, and what random entries would have earned. */
export function walkForward(rule: ReplayRule, universe: readonly Series[], options: WalkForwardOptions): WalkForward {
	const result: WalkForward = {
		trades: [],
		placebo: [],
		universeSize: 0,
		gapsThroughStop: 0,
		funding: { trades: 0, paid: 0 },
	};
	const ordered = [...universe].sort((a, b) =>
		a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : a.venue < b.venue ? -1 : 1,
	);
	for (const whole of ordered) {
		const series = knownBy(whole, options.asOfMs);
		if (series.length < options.barsMin) continue;
		result.universeSize++;
		const replay = replaySeries(rule, series, {
			cost: options.cost,
			asOfMs: options.asOfMs,
			placebo: options.placebo !== false,
			funding: options.funding?.get(series.symbol),
			kept: options.kept === true,
		});
		result.gapsThroughStop += replay.gapsThroughStop;
		for (const { trade, funding } of replay.trades) {
			result.trades.push(trade);
			if (funding === null) continue;
			result.funding.trades++;
			result.funding.paid += funding;
		}
		if (replay.trades.length === 0 || options.placebo === false) continue;
		result.placebo.push({ outcomes: replay.outcomes, entries: replay.trades.length });
	}
	return result;
}

/** The bars that had closed by then: the series itself where no later one is in it. */
function knownBy(series: Series, asOfMs: number): Series {
	const step = TIMEFRAME_MS[series.timeframe];
	let length = series.length;
	while (length > 0 && at(series.open_time, length - 1) + step > asOfMs) length--;
	return sliceOf(series, 0, length);
}
