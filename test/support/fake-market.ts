import type {
	FundingSeries,
	Market,
	MarketData,
	MarketType,
	OpenInterest,
	OrderBook,
	ReadOptions,
	Series,
	Ticker,
	Timeframe,
} from "../../src/market/contract.ts";
import { MarketError, TIMEFRAME_MS } from "../../src/market/contract.ts";
import { buildFundingColumns, fundingIntervalHours } from "../../src/market/funding.ts";
import type { BarColumns } from "../../src/market/series.ts";
import { createBarColumns, fundingUpTo, seriesUpTo } from "../../src/market/series.ts";

export type FakeMethod = "markets" | "candles" | "tickers" | "funding" | "orderBook" | "openInterest" | "check";

export interface FakeCall {
	method: FakeMethod;
	/** Venue, symbol, or `symbol timeframe`. */
	key: string;
	as_of_ms: number | null;
}

export interface FakeMarketOptions {
	nowMs: number;
	/** Markets by venue; default: one venue `fake` with a market for each given series. */
	markets?: Record<string, Market[]>;
	series?: Series[];
	funding?: FundingSeries[];
	books?: OrderBook[];
	openInterest?: OpenInterest[];
	tickers?: Ticker[];
}

/** An in-memory MarketData with hooks. A hook's key matches exactly; without a key it fits all. */
export interface FakeMarket extends MarketData {
	readonly calls: FakeCall[];
	count(method: FakeMethod, key?: string): number;
	/** Calls that have not settled. */
	readonly pending: number;
	/** From now on such calls never answer but end with their signal. */
	hang(method: FakeMethod, key?: string): void;
	/** From now on such calls never answer, whatever their signal does. */
	hangDeaf(method: FakeMethod, key?: string): void;
	fail(method: FakeMethod, error: Error, key?: string): void;
	/** Such calls wait until `release` is called. */
	hold(method: FakeMethod, key?: string): { release(): void };
	heal(): void;
	setNow(nowMs: number): void;
	readonly closed: boolean;
}

interface Hook {
	method: FakeMethod;
	key: string | undefined;
	behave(signal: AbortSignal): Promise<void>;
}

const whenAborted = (signal: AbortSignal): Promise<void> =>
	new Promise((_, reject) => {
		if (signal.aborted) return reject(signal.reason);
		signal.addEventListener("abort", () => reject(signal.reason), { once: true });
	});

export function createFakeMarket(options: FakeMarketOptions): FakeMarket {
	const hooks: Hook[] = [];
	const calls: FakeCall[] = [];
	let nowMs = options.nowMs;
	let pending = 0;
	let closed = false;
	const series = options.series ?? [];
	const markets = options.markets ?? {
		fake: series.map((entry) => fakeMarketEntry({ symbol: entry.symbol, venue: entry.venue })),
	};
	const symbols = new Set([
		...Object.values(markets)
			.flat()
			.map((entry) => entry.symbol),
		...series.map((entry) => entry.symbol),
	]);

	const call = async <T>(
		method: FakeMethod,
		key: string,
		signal: AbortSignal,
		asOfMs: number | null,
		answer: () => T,
	): Promise<T> => {
		calls.push({ method, key, as_of_ms: asOfMs });
		signal.throwIfAborted();
		pending++;
		try {
			// The newest hook decides.
			const hook = hooks.findLast((entry) => entry.method === method && (entry.key === undefined || entry.key === key));
			await hook?.behave(signal);
			return answer();
		} finally {
			pending--;
		}
	};
	const need = (symbol: string) => {
		if (!symbols.has(symbol)) throw new MarketError("bad_symbol", `no market '${symbol}'`, false);
	};
	const add = (method: FakeMethod, key: string | undefined, behave: Hook["behave"]) => {
		hooks.push({ method, key, behave });
	};
	const bySymbol = <T extends { symbol: string }>(list: readonly T[] | undefined, symbol: string): T | null => {
		need(symbol);
		return list?.find((entry) => entry.symbol === symbol) ?? null;
	};
	const visible = <T extends { at_ms: number }>(entry: T | null, read: ReadOptions): T | null =>
		entry && entry.at_ms <= read.as_of_ms ? entry : null;

	return {
		source: { kind: "simulated", name: "fake" },
		now: () => nowMs,
		venues: () => Object.keys(markets),
		markets: (venue, read) =>
			call("markets", venue, read.signal, read.as_of_ms, () => (markets[venue] ?? []).map((entry) => ({ ...entry }))),
		candles: (symbol, timeframe, read) =>
			call("candles", `${symbol} ${timeframe}`, read.signal, read.as_of_ms, () => {
				need(symbol);
				const found = series.find((entry) => entry.symbol === symbol && entry.timeframe === timeframe);
				if (!found) throw new MarketError("not_supported", `no ${timeframe} candles of ${symbol}`, false);
				const { venue, market } = found;
				return seriesUpTo({ ...found, duplicates: 0 }, { symbol, venue, market, timeframe }, read.as_of_ms, read.limit);
			}),
		tickers: (wanted, read) =>
			call("tickers", wanted.join(","), read.signal, read.as_of_ms, () =>
				wanted.map((symbol) => visible(bySymbol(options.tickers, symbol), read)).filter((entry) => entry !== null),
			),
		funding: (symbol, read) =>
			call("funding", symbol, read.signal, read.as_of_ms, () => {
				const found = bySymbol(options.funding, symbol);
				return found && fundingUpTo(found, found, found.interval_hours, read.as_of_ms);
			}),
		orderBook: (symbol, read) =>
			call("orderBook", symbol, read.signal, read.as_of_ms, () => visible(bySymbol(options.books, symbol), read)),
		trades: async () => null,
		optionChain: async () => null,
		volatilityHistory: async () => null,
		openInterest: (symbol, read) =>
			call("openInterest", symbol, read.signal, read.as_of_ms, () =>
				visible(bySymbol(options.openInterest, symbol), read),
			),
		check: (signal) => call("check", "", signal, null, () => ({ ok: true, error: null })),
		close: async () => {
			closed = true;
		},
		calls,
		count: (method, key) =>
			calls.filter((entry) => entry.method === method && (key === undefined || entry.key === key)).length,
		get pending() {
			return pending;
		},
		get closed() {
			return closed;
		},
		hang: (method, key) => add(method, key, whenAborted),
		hangDeaf: (method, key) => add(method, key, () => new Promise(() => undefined)),
		fail: (method, error, key) => add(method, key, () => Promise.reject(error)),
		hold(method, key) {
			let release: () => void = () => undefined;
			const gate = new Promise<void>((resolve) => {
				release = resolve;
			});
			add(method, key, (signal) => Promise.race([gate, whenAborted(signal)]));
			return { release: () => release() };
		},
		heal: () => {
			hooks.length = 0;
		},
		setNow: (value) => {
			nowMs = value;
		},
	};
}

/** A market with harmless defaults; symbol `BASE/QUOTE` is spot, `BASE/QUOTE:SETTLE` a perp. */
export function fakeMarketEntry(given: Partial<Market> & { symbol: string }): Market {
	const [pair = "", settle] = given.symbol.split(":");
	const [base = "", quote = ""] = pair.split("/");
	const type: MarketType = settle === undefined ? "spot" : "perp";
	return {
		id: `${base}${quote}`,
		venue: "fake",
		type,
		base,
		quote,
		maker_fee: type === "spot" ? 0.001 : 0.0002,
		taker_fee: type === "spot" ? 0.001 : 0.0005,
		min_notional: null,
		quantity_step: null,
		price_tick: null,
		volume_usd_24h: 1_000_000,
		data_age_ms: 0,
		tags: [],
		funding_interval_hours: type === "perp" ? 8 : null,
		open_interest_usd: null,
		open_interest_at_ms: null,
		...given,
	};
}

export interface FakeBar {
	open?: number;
	high?: number;
	low?: number;
	close: number;
	volume?: number;
	/** Left out: the bar follows the one before; given: how many steps after it. */
	steps?: number;
}

/** Bars as columns; a bar without open opens at the close before. */
export function fakeBars(bars: readonly FakeBar[], startMs: number, stepMs: number): BarColumns {
	const columns = createBarColumns(bars.length);
	let time = startMs - stepMs;
	for (const [i, bar] of bars.entries()) {
		time += stepMs * (bar.steps ?? 1);
		const open = bar.open ?? (i > 0 ? (columns.close[i - 1] as number) : bar.close);
		columns.open_time[i] = time;
		columns.open[i] = open;
		columns.high[i] = bar.high ?? Math.max(open, bar.close);
		columns.low[i] = bar.low ?? Math.min(open, bar.close);
		columns.close[i] = bar.close;
		columns.volume[i] = bar.volume ?? 1000;
		columns.quote_volume[i] = (columns.volume[i] as number) * bar.close;
	}
	return columns;
}

/** A series whose newest bar has just closed at `asOfMs`. */
export function fakeSeries(given: {
	symbol: string;
	bars: readonly FakeBar[];
	asOfMs: number;
	timeframe?: Timeframe;
	venue?: string;
}): Series {
	const timeframe = given.timeframe ?? "1d";
	const stepMs = TIMEFRAME_MS[timeframe];
	const startMs =
		Math.floor(given.asOfMs / stepMs) * stepMs - given.bars.reduce((sum, bar) => sum + (bar.steps ?? 1), 0) * stepMs;
	const market: MarketType = given.symbol.includes(":") ? "perp" : "spot";
	const identity = { symbol: given.symbol, venue: given.venue ?? "fake", market, timeframe };
	return seriesUpTo(fakeBars(given.bars, startMs, stepMs), identity, given.asOfMs);
}

/** Settlements every `intervalHours`, the newest at or before `asOfMs`; rates in fractions of notional. */
export function fakeFunding(given: {
	symbol: string;
	rates: readonly number[];
	intervalHours: number;
	asOfMs: number;
	venue?: string;
}): FundingSeries {
	const stepMs = given.intervalHours * 3_600_000;
	const newest = Math.floor(given.asOfMs / stepMs) * stepMs;
	const settlements = given.rates.map((rate, i) => ({ time: newest - (given.rates.length - 1 - i) * stepMs, rate }));
	const columns = buildFundingColumns(settlements);
	const interval = fundingIntervalHours(columns, given.asOfMs) ?? given.intervalHours;
	return fundingUpTo(columns, { symbol: given.symbol, venue: given.venue ?? "fake" }, interval, given.asOfMs);
}
