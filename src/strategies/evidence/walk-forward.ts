import { type FundingSeries, type Series, TIMEFRAME_MS } from "../../market/contract.ts";
import { at } from "../columns.ts";
import { type FundingLedger, fundingLedger } from "../funding-charge.ts";
import type { Replayable, ReplayRule } from "../rule.ts";
import { resolveTrade, simulate, tradeOf } from "../simulator.ts";
import type { PlaceboPool } from "./placebo.ts";
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
}

/**
 * Replays a rule over a universe (STRATEGIES 5.4 step 1). The embargo of one horizon keeps trades that
 * stopped out early from standing in for those that are still open.
 */
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
		const reading = rule.read(series);
		const embargoMs = options.asOfMs - (rule.horizonBars + 1) * TIMEFRAME_MS[series.timeframe];
		const settled = options.funding?.get(series.symbol);
		const ledger = settled ? fundingLedger(series, settled) : undefined;
		const simulation = simulate(series, reading.plan, options.cost, ledger);
		result.gapsThroughStop += simulation.gapsThroughStop;
		let entries = 0;
		for (const trade of simulation.trades) {
			if (trade.signalTime > embargoMs) continue;
			entries++;
			if (trade.funding !== null) {
				result.funding.trades++;
				result.funding.paid += trade.funding;
			}
			result.trades.push({
				symbol: series.symbol,
				signalTime: trade.signalTime,
				exitTime: trade.exitTime,
				net: trade.net,
				r: trade.r,
				holdBars: trade.holdBars,
			});
		}
		if (entries === 0 || options.placebo === false) continue;
		const outcomes = placeboOutcomes(series, reading, options.cost, embargoMs, ledger);
		result.placebo.push({ outcomes, entries });
	}
	return result;
}

/** The bars that had closed by then: the series itself where no later one is in it. */
function knownBy(series: Series, asOfMs: number): Series {
	const step = TIMEFRAME_MS[series.timeframe];
	let length = series.length;
	while (length > 0 && at(series.open_time, length - 1) + step > asOfMs) length--;
	if (length === series.length) return series;
	const cut = (column: Float64Array) => column.subarray(0, length);
	return {
		...series,
		length,
		open_time: cut(series.open_time),
		open: cut(series.open),
		high: cut(series.high),
		low: cut(series.low),
		close: cut(series.close),
		volume: cut(series.volume),
		quote_volume: cut(series.quote_volume),
	};
}

/** Net outcome of the rule's exits from every admissible bar whose horizon is complete. */
function placeboOutcomes(
	series: Series,
	reading: Replayable,
	cost: number,
	embargoMs: number,
	ledger: FundingLedger | undefined,
): Float64Array {
	const outcomes = new Float64Array(series.length);
	let count = 0;
	for (let t = 0; t < series.length && at(series.open_time, t) <= embargoMs; t++) {
		if (!reading.admissible(t)) continue;
		const outcome = resolveTrade(series, reading.plan, t);
		if (outcome.kind !== "resolved") continue;
		outcomes[count++] = tradeOf(series, t, outcome, cost, ledger).net;
	}
	return outcomes.slice(0, count);
}
