import type { Market, MarketData, ReadOptions, Timeframe } from "../../src/market/contract.ts";
import { MarketError, TIMEFRAME_MS } from "../../src/market/contract.ts";
import { openGate, type SourceGate } from "../../src/market/gate.ts";
import { createBarColumns, createFundingColumns, fundingUpTo, seriesUpTo } from "../../src/market/series.ts";
import { fakeMarketEntry } from "./fake-market.ts";

/** Weights as Binance's spot and USD-M exchanges publish them (per request, May 2026). */
export const PUBLISHED_WEIGHTS = {
	markets: 60,
	candles: 2,
	tickers: 80,
	funding: 1,
	orderBook: 5,
	openInterest: 1,
} as const;
type Method = keyof typeof PUBLISHED_WEIGHTS;

/** An exchange as it sees itself: one for all processes that call it. */
export interface LiveExchange {
	nowMs: number;
	symbols: readonly string[];
	/** Of each answer, ms of the real clock. */
	latencyMs: number;
	/** `method key` of each request, in order. */
	calls: string[];
	/** Bars that were sent in all. */
	barsSent: number;
	/** Bars that the exchange knows of each symbol. */
	bars: number;
	/** Every call ends with it while it is set. */
	failure: MarketError | null;
	/** The newest bars are not published yet. */
	lateBars: number;
	/** A price that the exchange revised. */
	revised: { open_time: number; close: number } | null;
}

export const createLiveExchange = (given: Partial<LiveExchange> = {}): LiveExchange => ({
	nowMs: Date.UTC(2026, 2, 19, 19),
	symbols: ["A/USDT", "B/USDT:USDT"],
	latencyMs: 5,
	calls: [],
	barsSent: 0,
	bars: 300,
	failure: null,
	lateBars: 0,
	revised: null,
	...given,
});

/** One process's view of the exchange. A `dead` process never hears an answer again. */
export interface LiveSource extends MarketData {
	die(): void;
}

export function createLiveSource(exchange: LiveExchange, gate: SourceGate = openGate): LiveSource {
	let dead = false;
	const request = async <T>(method: Method, key: string, { signal }: Pick<ReadOptions, "signal">, answer: () => T) => {
		const call = { source: "live", endpoint: `/${method}` };
		await gate.take({ ...call, weight: PUBLISHED_WEIGHTS[method], signal });
		exchange.calls.push(`${method} ${key}`);
		await new Promise((resolve) => setTimeout(resolve, exchange.latencyMs));
		if (dead) await new Promise(() => undefined);
		signal.throwIfAborted();
		if (exchange.failure) {
			gate.report(call, { kind: "failed" });
			throw exchange.failure;
		}
		gate.report(call, { kind: "ok", used_weight: null });
		return answer();
	};
	const known = (symbol: string): void => {
		if (!exchange.symbols.includes(symbol)) throw new MarketError("bad_symbol", `no market '${symbol}'`, false);
	};
	const price = (symbol: string, timeMs: number): number =>
		Math.round(10_000 * (100 + symbol.length + 10 * Math.sin(timeMs / 4e7))) / 10_000;
	const bars = (symbol: string, timeframe: Timeframe, sinceMs: number) => {
		const step = TIMEFRAME_MS[timeframe];
		const end = Math.floor(exchange.nowMs / step) * step - exchange.lateBars * step;
		const first = Math.max(end - exchange.bars * step, Math.ceil(sinceMs / step) * step);
		const columns = createBarColumns(Math.max(0, (end - first) / step));
		for (let i = 0; i < columns.length; i++) {
			const time = first + i * step;
			const close = exchange.revised?.open_time === time ? exchange.revised.close : price(symbol, time);
			columns.open_time[i] = time;
			for (const name of ["open", "high", "low", "close"] as const) columns[name][i] = close;
			columns.volume[i] = 1000;
			columns.quote_volume[i] = 1000 * close;
		}
		exchange.barsSent += columns.length;
		return columns;
	};
	return {
		source: { kind: "live", name: "ccxt:live" },
		now: () => exchange.nowMs,
		venues: () => ["live"],
		markets: (venue, options) =>
			request("markets", venue, options, (): Market[] => exchange.symbols.map((symbol) => fakeMarketEntry({ symbol }))),
		candles: (symbol, timeframe, options) =>
			request("candles", `${symbol} ${timeframe}`, options, () => {
				known(symbol);
				const columns = bars(symbol, timeframe, options.since_ms ?? 0);
				const identity = { symbol, venue: "live", market: "spot" as const, timeframe };
				return seriesUpTo(columns, identity, options.as_of_ms, options.limit);
			}),
		tickers: (symbols, options) =>
			request("tickers", symbols.join(","), options, () =>
				symbols.map((symbol) => {
					const last = price(symbol, exchange.nowMs);
					return { symbol, last, bid: last, ask: last, quote_volume_24h: 1e6, at_ms: exchange.nowMs };
				}),
			),
		funding: (symbol, options) =>
			request("funding", symbol, options, () => {
				known(symbol);
				if (!symbol.includes(":")) return null;
				const columns = createFundingColumns(30);
				const end = Math.floor(exchange.nowMs / 28_800_000) * 28_800_000;
				for (let i = 0; i < 30; i++) columns.funding_time[i] = end - (29 - i) * 28_800_000;
				columns.rate_e8.fill(10_000);
				return fundingUpTo(columns, { symbol, venue: "live" }, 8, options.as_of_ms);
			}),
		orderBook: (symbol, options) =>
			request("orderBook", symbol, options, () => {
				known(symbol);
				const last = price(symbol, exchange.nowMs);
				return { symbol, bids: [[last * 0.999, 10]], asks: [[last * 1.001, 10]], at_ms: exchange.nowMs };
			}),
		openInterest: (symbol, options) =>
			request("openInterest", `${symbol} ${Math.floor(options.as_of_ms / 60_000)}`, options, () => ({
				symbol,
				value_usd: options.as_of_ms,
				quantity_base: null,
				at_ms: options.as_of_ms,
			})),
		trades: async () => null,
		optionChain: async () => null,
		volatilityHistory: async () => null,
		check: async () => ({ ok: exchange.failure === null, error: exchange.failure?.message ?? null }),
		close: async () => undefined,
		die: () => {
			dead = true;
		},
	};
}
