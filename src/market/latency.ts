import type { Clock } from "../clock.ts";
import { onAbort } from "./abortable.ts";
import type { MarketData } from "./contract.ts";

/**
 * The same market, each reading call answered `latencyMs` later on `clock` (MARKET_LATENCY_MS), so that
 * scans can be watched and disturbed. An abort ends the wait at once with the signal's reason.
 * Throws RangeError for a negative or non-finite latency.
 */
export function withLatency(market: MarketData, latencyMs: number, clock: Clock): MarketData {
	if (!Number.isFinite(latencyMs) || latencyMs < 0) {
		throw new RangeError(`market latency must be 0 or more milliseconds, got ${latencyMs}`);
	}
	const late = <T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> =>
		new Promise((resolve, reject) => {
			if (signal.aborted) return reject(signal.reason);
			const timer = clock.setTimeout(() => {
				forget();
				call().then(resolve, reject);
			}, latencyMs);
			const forget = onAbort(signal, () => {
				clock.clearTimeout(timer);
				reject(signal.reason);
			});
		});
	return {
		source: market.source,
		now: (agoMs) => market.now(agoMs),
		venues: () => market.venues(),
		markets: (venue, options) => late(options.signal, () => market.markets(venue, options)),
		candles: (symbol, timeframe, options) => late(options.signal, () => market.candles(symbol, timeframe, options)),
		tickers: (symbols, options) => late(options.signal, () => market.tickers(symbols, options)),
		funding: (symbol, options) => late(options.signal, () => market.funding(symbol, options)),
		orderBook: (symbol, options) => late(options.signal, () => market.orderBook(symbol, options)),
		openInterest: (symbol, options) => late(options.signal, () => market.openInterest(symbol, options)),
		trades: (symbol, options) => late(options.signal, () => market.trades(symbol, options)),
		optionChain: (base, options) => late(options.signal, () => market.optionChain(base, options)),
		volatilityHistory: (base, options) => late(options.signal, () => market.volatilityHistory(base, options)),
		check: (signal) => late(signal, () => market.check(signal)),
		close: () => market.close(),
	};
}
