import type { Clock } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { appendSeries } from "./append-series.ts";
import type { CandleOptions, FundingSeries, Market, MarketData, ReadOptions, Series, Timeframe } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";
import {
	begunAt,
	closedAt,
	coveredBy,
	LIVE_SLICE_MS,
	type MovingKind,
	PAST_AFTER_MS,
	PAST_SLICE_MS,
	recheckAfter,
	SHARED_FOR_MS,
	SOURCE_AHEAD_MS_MAX,
	servesFor,
	settledBy,
	WHOLE_EVERY_MS,
} from "./live-rules.ts";
import { fundingUpTo, newestBars, seriesUpTo } from "./series.ts";
import { createSharedReads, type Datum, type SharedStats } from "./shared-reads.ts";
import type { SharedAnswers } from "./sharing.ts";
import { cutTape } from "./tape-reading.ts";

export interface SharedCacheDeps {
	answers: SharedAnswers;
	clock: Clock;
	entropy: Entropy;
	leaseMs?: number;
}

export type SharedMarketData = MarketData & { sharedStats(): SharedStats };

/** Discovery gives a source 15 s; its last good markets must be at hand before that. */
const MARKETS_LIMIT_MS = 12_000;
/** A long history is many pages, which may wait for the next minute's budget; each request has a limit of its own. */
const READ_LIMIT_MS = 90_000;
const HOUR_MS = TIMEFRAME_MS["1h"];
const DAY_MS = TIMEFRAME_MS["1d"];
/** Bars and settlements: as long as the last good ones may be shown. */
const HISTORY_KEPT_MS = 3 * DAY_MS;
const MOVING_KEPT_MS = HOUR_MS;

/** A series with the moment of the source's clock at which it was last read whole. */
type KeptSeries = Series & { whole_at_ms: number };

/**
 * A live market whose answers all processes share through a store: each datum is fetched once per source, symbol,
 * timeframe and closed bar for all scans of all users on all workers, of a history only what is new. Answers that move
 * between bars serve for a short time (SHARED_FOR_MS). When the source fails, the last good answer is given and said to
 * be stale. Beneath the cache of the process, which spares the store a look for each read.
 */
export function withSharedCache(market: MarketData, deps: SharedCacheDeps): SharedMarketData {
	const reads = createSharedReads({ source: market.source.name, ...deps });
	const most_ms = () => market.now() + SOURCE_AHEAD_MS_MAX;

	/** Something that moves all the time: the newest serves, the past is kept apart. */
	const moving = <T>(
		kind: MovingKind,
		name: string,
		options: ReadOptions,
		read: (options: ReadOptions) => Promise<T>,
		more: Partial<Datum<T>> = {},
	): Promise<T> => {
		const { as_of_ms } = options;
		const past = as_of_ms < market.now() - PAST_AFTER_MS;
		const datum: Datum<T> = {
			kind,
			name: past ? `${kind}:${name}:${Math.floor(as_of_ms / PAST_SLICE_MS)}` : `${kind}:${name}`,
			need_ms: past ? 0 : as_of_ms - SHARED_FOR_MS[kind],
			limit_ms: READ_LIMIT_MS,
			kept_ms: Math.max(MOVING_KEPT_MS, SHARED_FOR_MS[kind]),
			read: (signal) => read({ ...plain(options), signal }),
			// Beyond the instants that it covers it serves whoever begins soon after this asker did, so that scans that begin
			// together share it on either side of a slice, and whatever lies beneath it is no older than it is said to be.
			covers() {
				if (past) return { covers_ms: as_of_ms, claims_ms: as_of_ms, recheck_ms: 0 };
				const nowMs = deps.clock.now();
				const recheck_ms = SHARED_FOR_MS[kind] - (nowMs - begunAt(nowMs, options.begun_ms));
				// Whatever instant it was asked for: the source's clock may have been ahead.
				const believed_ms = servesFor(kind);
				return { covers_ms: as_of_ms, claims_ms: as_of_ms + LIVE_SLICE_MS, recheck_ms, believed_ms };
			},
			most_ms,
			...more,
		};
		return reads.read(datum, options);
	};

	const candles = async (symbol: string, timeframe: Timeframe, options: CandleOptions): Promise<Series> => {
		const { limit, since_ms: _, ...read } = options;
		const stepMs = TIMEFRAME_MS[timeframe];
		const need_ms = closedAt(stepMs, read.as_of_ms);
		const datum: Datum<KeptSeries> = {
			kind: "candles",
			name: `candles:${named(symbol, read)}:${timeframe}`,
			need_ms,
			limit_ms: READ_LIMIT_MS,
			kept_ms: HISTORY_KEPT_MS + stepMs,
			read: (signal, known) => readSeries(market, symbol, timeframe, { ...plain(read), signal }, known),
			covers: (series) => coverageOf(series, coveredBy(series), need_ms),
			most_ms,
		};
		const { whole_at_ms: _whole, ...series } = await reads.read(datum, read);
		return newestBars(seriesUpTo({ ...series, duplicates: 0 }, series, read.as_of_ms), limit);
	};

	return {
		source: market.source,
		now: (agoMs) => market.now(agoMs),
		venues: () => market.venues(),
		markets: (venue, options) =>
			moving("markets", venue, options, (read) => market.markets(venue, read), {
				limit_ms: MARKETS_LIMIT_MS,
				kept_ms: DAY_MS,
				aged: agedMarkets,
			}),
		candles,
		async tickers(symbols, options) {
			// Whoever asks for the same symbols in another order asks for the same.
			const sorted = [...new Set(symbols)].sort();
			const found = await moving("tickers", JSON.stringify(sorted), options, (read) => market.tickers(sorted, read));
			const bySymbol = new Map(found.map((ticker) => [ticker.symbol, ticker]));
			return symbols.flatMap((symbol) => bySymbol.get(symbol) ?? []);
		},
		async funding(symbol, options) {
			const need_ms = closedAt(HOUR_MS, options.as_of_ms);
			const datum: Datum<Awaited<ReturnType<MarketData["funding"]>>> = {
				kind: "funding",
				name: `funding:${named(symbol, options)}`,
				need_ms,
				limit_ms: READ_LIMIT_MS,
				kept_ms: HISTORY_KEPT_MS,
				read: (signal) => market.funding(symbol, { ...plain(options), signal }),
				covers: (series) =>
					series
						? coverageOf(series, settledBy(series), need_ms)
						: { covers_ms: need_ms, claims_ms: need_ms, recheck_ms: 0 },
				most_ms,
			};
			const series = await reads.read(datum, options);
			return series && fundingUpTo(series, series, series.interval_hours, options.as_of_ms);
		},
		orderBook: (symbol, options) =>
			moving("book", named(symbol, options), options, (read) => market.orderBook(symbol, read)),
		openInterest: (symbol, options) =>
			moving("interest", named(symbol, options), options, (read) => market.openInterest(symbol, read)),
		async trades(symbol, options) {
			const { since_ms, as_of_ms, ...read } = options;
			// Scans ask for a window of one length: the tapes that they share are told apart by it.
			const windowMs = as_of_ms - since_ms;
			const tape = await moving("trades", `${named(symbol, options)}:${windowMs}`, { ...read, as_of_ms }, (asked) =>
				market.trades(symbol, { ...asked, since_ms }),
			);
			return tape && (tape.as_of_ms > as_of_ms ? cutTape(tape, since_ms, as_of_ms) : tape);
		},
		optionChain: (base, options) => moving("chain", base, options, (read) => market.optionChain(base, read)),
		volatilityHistory: (base, options) =>
			moving("volatility", base, options, (read) => market.volatilityHistory(base, read)),
		check: (signal) => market.check(signal),
		close: () => market.close(),
		sharedStats: () => reads.stats(),
	};
}

/** One symbol of several venues is a datum of each. */
const named = (symbol: string, { venue }: ReadOptions): string => (venue === undefined ? symbol : `${symbol}@${venue}`);

/** A history that lacks something covers what it has, and is asked for again. */
function coverageOf(
	history: Series | FundingSeries,
	hasMs: number,
	needMs: number,
): ReturnType<Datum<unknown>["covers"]> {
	const recheck_ms = recheckAfter(history);
	return { covers_ms: recheck_ms === null ? needMs : hasMs, claims_ms: needMs, recheck_ms: recheck_ms ?? 0 };
}

/** What an adapter needs to know; marks are this cache's own. */
const plain = ({ onStale: _, ...options }: ReadOptions): ReadOptions => options;

/** Markets of an hour ago are data of an hour ago. */
const agedMarkets = (markets: Market[], ageMs: number): Market[] =>
	markets.map((market) => ({
		...market,
		data_age_ms: market.data_age_ms === null ? null : market.data_age_ms + ageMs,
	}));

/** The series up to now: a known one is continued where source and history allow, else it is read whole. */
async function readSeries(
	market: Pick<MarketData, "candles">,
	symbol: string,
	timeframe: Timeframe,
	options: ReadOptions,
	known: KeptSeries | null,
): Promise<KeptSeries> {
	const { as_of_ms } = options;
	if (known && known.length > 0 && as_of_ms - known.whole_at_ms < WHOLE_EVERY_MS / 2) {
		const since_ms = known.open_time[known.length - 1] as number;
		const joined = appendSeries(known, await market.candles(symbol, timeframe, { ...options, since_ms }));
		if (joined) return { ...joined, whole_at_ms: known.whole_at_ms };
	}
	const whole = await market.candles(symbol, timeframe, options);
	// A source that has lost its newest bars for a while does not make us forget them.
	const better = known && coveredBy(known) > coveredBy(whole) ? { ...known, as_of_ms } : whole;
	return { ...better, whole_at_ms: as_of_ms };
}
