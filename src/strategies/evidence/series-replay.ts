import { type FundingSeries, type Series, TIMEFRAME_MS } from "../../market/contract.ts";
import { at } from "../columns.ts";
import { type FundingLedger, fundingLedger } from "../funding-charge.ts";
import { extendsFunding, extendsSeries } from "../history.ts";
import { readNewest, seriesKey } from "../newest-reading.ts";
import type { Replayable, ReplayRule } from "../rule.ts";
import { resolveTrade, simulate, tradeOf } from "../simulator.ts";
import { Memo } from "./memo.ts";
import type { ResolvedTrade } from "./trades.ts";

/** One counted trade and the funding in it: null where no history covers it. */
export interface CountedTrade {
	trade: ResolvedTrade;
	funding: number | null;
}

/** What a rule did on one series. */
export interface SeriesReplay {
	trades: CountedTrade[];
	gapsThroughStop: number;
	/** Net outcome of the rule's exits from every admissible bar whose horizon is complete. */
	outcomes: Float64Array;
}

export interface SeriesReplayOptions {
	cost: number;
	/** Trades count only if their whole horizon had passed by then, epoch ms. */
	asOfMs: number;
	placebo: boolean;
	funding: FundingSeries | undefined;
	/** Go on from what this thread knows of the series, and keep what it knows now. */
	kept: boolean;
}

/** The part of a replay that no later bar can change. */
interface Settled extends SeriesReplay {
	series: Series;
	funding: FundingSeries | undefined;
	asOfMs: number;
	/** Signals and placebo entries are searched from these bars on. */
	nextSignal: number;
	nextEntry: number;
}

/** A dozen rules over the series of a few universes; outcomes are eight bytes a bar. */
const ENTRIES_MAX = 2048;
const settledReplays = new Memo<Settled>(ENTRIES_MAX);

const NOTHING: Omit<Settled, "series" | "funding" | "asOfMs"> = {
	trades: [],
	gapsThroughStop: 0,
	outcomes: new Float64Array(),
	nextSignal: 0,
	nextEntry: 0,
};

/** Replays a rule over the bars of a series that had closed by `asOfMs`; what was settled before is not replayed again. */
export function replaySeries(rule: ReplayRule, series: Series, options: SeriesReplayOptions): SeriesReplay {
	if (!options.kept || rule.windowBars === undefined) {
		return advance(rule.horizonBars, series, { reading: rule.read(series), tail: series, offset: 0 }, NOTHING, options);
	}
	const key = [rule.name, options.cost, options.placebo, seriesKey(series)].join("#");
	const known = settledReplays.peek(key);
	const { asOfMs, funding } = options;
	const newest = readNewest(rule, series);
	const goesOn =
		known !== undefined &&
		known.asOfMs <= asOfMs &&
		extendsFunding(funding, known.funding) &&
		extendsSeries(series, known.series) &&
		newest.from <= Math.min(known.nextSignal, known.nextEntry);
	const whole = newest.offset === 0 && newest.from === 0;
	const result = goesOn
		? advance(rule.horizonBars, series, newest, known, options)
		: advance(
				rule.horizonBars,
				series,
				whole ? newest : { reading: rule.read(series), tail: series, offset: 0 },
				NOTHING,
				options,
			);
	settledReplays.set(key, result.settled);
	return result;
}

interface Part {
	reading: Replayable;
	tail: Series;
	offset: number;
}

function advance(
	horizonBars: number,
	series: Series,
	{ reading, tail, offset }: Part,
	known: Omit<Settled, "series" | "funding" | "asOfMs">,
	options: SeriesReplayOptions,
): SeriesReplay & { settled: Settled } {
	const { cost, asOfMs, funding } = options;
	const ledger = funding ? fundingLedger(tail, funding) : undefined;
	/** The embargo of one horizon keeps trades that stopped out early from standing in for those that are still open. */
	const embargoMs = asOfMs - (horizonBars + 1) * TIMEFRAME_MS[series.timeframe];
	const signals = newTrades(tail, reading, known.nextSignal - offset, { cost, embargoMs, ledger });
	const entries = options.placebo
		? newOutcomes(tail, reading, known.nextEntry - offset, { cost, embargoMs, ledger })
		: { outcomes: [], settled: 0, next: series.length - offset };
	const outcomes = new Float64Array(known.outcomes.length + entries.outcomes.length);
	outcomes.set(known.outcomes);
	outcomes.set(entries.outcomes, known.outcomes.length);
	return {
		trades: [...known.trades, ...signals.trades],
		gapsThroughStop: known.gapsThroughStop + signals.gapBars.length,
		outcomes,
		settled: {
			series,
			funding,
			asOfMs,
			trades: [...known.trades, ...signals.trades.slice(0, signals.settled)],
			gapsThroughStop: known.gapsThroughStop + signals.gapBars.filter((bar) => bar < signals.next).length,
			outcomes: outcomes.slice(0, known.outcomes.length + entries.settled),
			nextSignal: signals.next + offset,
			nextEntry: entries.next + offset,
		},
	};
}

interface Terms {
	cost: number;
	embargoMs: number;
	ledger: FundingLedger | undefined;
}

/** Whether an outcome stays what it is: funding that settles later may still be charged beyond the history. */
const isSettled = (entryIndex: number, exitIndex: number, ledger: FundingLedger | undefined): boolean =>
	!ledger || entryIndex < ledger.from || exitIndex <= ledger.to;

/** Trades signalled from a bar on; the first `settled` of them are final, and `next` is where to search on. */
function newTrades(series: Series, { plan }: Replayable, from: number, { cost, embargoMs, ledger }: Terms) {
	const { trades: found, gapBars, next: unsearched } = simulate(series, plan, cost, ledger, from);
	const trades: CountedTrade[] = [];
	let [settled, next] = [0, unsearched];
	let open = false;
	for (const { funding, signalIndex, exitIndex, signalTime, exitTime, net, r, holdBars } of found) {
		const counted = signalTime <= embargoMs;
		if (counted) {
			trades.push({ trade: { symbol: series.symbol, signalTime, exitTime, net, r, holdBars }, funding });
		}
		if (open) continue;
		open = !counted || !isSettled(exitIndex - holdBars + 1, exitIndex, ledger);
		if (open) next = signalIndex;
		else settled++;
	}
	return { trades, gapBars, settled, next };
}

/** The same for entries on every admissible bar. */
function newOutcomes(series: Series, reading: Replayable, from: number, { cost, embargoMs, ledger }: Terms) {
	const outcomes: number[] = [];
	let settled = 0;
	let next = -1;
	let t = from;
	for (; t < series.length && at(series.open_time, t) <= embargoMs; t++) {
		if (!reading.admissible(t)) continue;
		const outcome = resolveTrade(series, reading.plan, t);
		if (outcome.kind === "resolved") outcomes.push(tradeOf(series, t, outcome, cost, ledger).net);
		if (next >= 0) continue;
		const final =
			outcome.kind === "resolved"
				? isSettled(outcome.entryIndex, outcome.exitIndex, ledger)
				: outcome.kind !== "unresolved";
		if (!final) next = t;
		else settled = outcomes.length;
	}
	return { outcomes, settled, next: next >= 0 ? next : t };
}
