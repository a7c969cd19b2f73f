import type { Clock } from "../clock.ts";
import type { Market, MarketData, OpenInterest, OrderBook, ReadOptions, Ticker } from "./contract.ts";
import { MarketError, TIMEFRAME_MS } from "./contract.ts";
import { PERP_FEES, SPOT_FEES } from "./fees.ts";
import { fundingIntervalHours } from "./funding.ts";
import { withLatency } from "./latency.ts";
import { countUpTo, fundingUpTo, seriesUpTo } from "./series.ts";
import { simulateBook } from "./simulated-book.ts";
import type { SimulatedExchange, SimulatedMarket } from "./simulated-exchange.ts";
import { createSimulatedExchange, INTRADAY_DAYS } from "./simulated-exchange.ts";
import { takerPressure } from "./simulated-flow.ts";
import { createSimulatedOptions } from "./simulated-options.ts";
import { barsInParts } from "./simulated-parts.ts";
import { createDraws, hashKey } from "./simulated-random.ts";
import { simulateTrades } from "./simulated-trades.ts";
import { dayIndex, SIMULATION_START_MS } from "./simulated-world.ts";
import { tagsOf } from "./tags.ts";
import { createTurns } from "./turns.ts";

const MINUTE_MS = TIMEFRAME_MS["1m"];
const HOUR_MS = TIMEFRAME_MS["1h"];
const DAY_MS = TIMEFRAME_MS["1d"];
const OPEN_INTEREST_STEP_MS = TIMEFRAME_MS["4h"];
/** Open interest over a day's volume; BTC and ETH stood at 0.39 and 0.34 at the reference snapshot. */
const OPEN_INTEREST_SHARE = 0.38;
const MIN_NOTIONAL_USD = 5;

export const SIMULATED_SPOT_VENUE = "simulated_spot";
export const SIMULATED_PERP_VENUE = "simulated_perp";
const venueOf = (market: SimulatedMarket) => (market.type === "spot" ? SIMULATED_SPOT_VENUE : SIMULATED_PERP_VENUE);

export interface SimulatedOptions {
	/** Whole number, 0 .. 2^32 - 1. */
	seed: number;
	/** Where its clock stands still; null: it follows `clock`. */
	asOfMs: number | null;
	latencyMs: number;
	clock: Clock;
}

/**
 * A seeded exchange: prices, volumes, trades, funding, open interest and books are functions of the seed and
 * the instant, the same in every process and in whatever order they are asked for, and a closed bar
 * never changes. Bars of all timeframes add up to one another exactly. It opened on 2021-01-01; for an
 * earlier as_of it is empty. Throws RangeError for a seed out of range.
 */
export function createSimulatedMarketData(options: SimulatedOptions): MarketData {
	const { seed, asOfMs, clock } = options;
	if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
		throw new RangeError(`the seed must be a whole number from 0 to 4294967295, got ${seed}`);
	}
	const exchange = createSimulatedExchange(seed);
	const market = assemble(exchange, () => asOfMs ?? clock.now());
	return options.latencyMs > 0 ? withLatency(market, options.latencyMs, clock) : market;
}

function assemble(exchange: SimulatedExchange, now: () => number): MarketData {
	const bases = new Set(exchange.markets.map((market) => market.coin.base));
	const options = createSimulatedOptions(exchange, (symbol, atMs) => lastMinute(exchange, find(symbol), atMs));
	/** What takes a millisecond or more waits for a turn of its own; others run in between. */
	const turn = createTurns();
	const find = (symbol: string): SimulatedMarket => {
		const market = exchange.find(symbol);
		if (!market) throw new MarketError("bad_symbol", `the simulated exchange has no market '${symbol}'`, false);
		return market;
	};
	/** The future exists in this simulation; nobody may see it. */
	const pinned = <O extends ReadOptions>(read: O): O => {
		read.signal.throwIfAborted();
		return { ...read, as_of_ms: Math.min(read.as_of_ms, now()) };
	};

	return {
		source: { kind: "simulated", name: `simulated:${exchange.seed}` },
		now,
		venues: () => [SIMULATED_SPOT_VENUE, SIMULATED_PERP_VENUE],
		async markets(venue, read) {
			if (venue !== SIMULATED_SPOT_VENUE && venue !== SIMULATED_PERP_VENUE) {
				throw new MarketError("not_supported", `the simulated exchange has no venue '${venue}'`, false);
			}
			const { as_of_ms, signal } = pinned(read);
			const listed = exchange.markets.filter(
				(market) => venueOf(market) === venue && dayIndex(as_of_ms) >= market.firstDay,
			);
			const described: Market[] = [];
			for (const market of listed) {
				// The first description of a market makes its whole past.
				await turn(signal);
				described.push(describe(exchange, market, as_of_ms, bases));
			}
			return described;
		},
		async candles(symbol, timeframe, read) {
			const market = find(symbol);
			const { as_of_ms, limit, signal } = pinned(read);
			const stepMs = TIMEFRAME_MS[timeframe];
			const days = timeframe === "1d" ? Number.POSITIVE_INFINITY : INTRADAY_DAYS[timeframe];
			const wanted = limit === undefined ? Number.POSITIVE_INFINITY : (limit + 1) * stepMs;
			const from = Math.max(SIMULATION_START_MS, as_of_ms - Math.min(days * DAY_MS, wanted));
			const range = [from, Math.max(from, as_of_ms)] as const;
			const bars = await barsInParts(exchange, market, timeframe, range, () => turn(signal));
			return seriesUpTo(bars, { symbol, venue: venueOf(market), market: market.type, timeframe }, as_of_ms, limit);
		},
		async tickers(symbols, read) {
			const { as_of_ms } = pinned(read);
			return symbols.map((symbol) => ticker(exchange, find(symbol), as_of_ms)).filter((entry) => entry !== null);
		},
		async funding(symbol, read) {
			const market = find(symbol);
			const { as_of_ms, signal } = pinned(read);
			if (market.type === "spot" || as_of_ms < SIMULATION_START_MS) return null;
			await turn(signal);
			const columns = exchange.funding(market, as_of_ms);
			const interval = fundingIntervalHours(columns, as_of_ms);
			return interval === null ? null : fundingUpTo(columns, { symbol, venue: venueOf(market) }, interval, as_of_ms);
		},
		async orderBook(symbol, read) {
			const market = find(symbol);
			const { as_of_ms, signal } = pinned(read);
			await turn(signal);
			return book(exchange, market, as_of_ms);
		},
		async openInterest(symbol, read) {
			const market = find(symbol);
			const { as_of_ms, signal } = pinned(read);
			await turn(signal);
			return openInterest(exchange, market, as_of_ms);
		},
		async trades(symbol, read) {
			const market = find(symbol);
			const { as_of_ms, since_ms, signal } = pinned(read);
			return simulateTrades(exchange, market, { sinceMs: since_ms, asOfMs: as_of_ms, venue: venueOf(market) }, () =>
				turn(signal),
			);
		},
		async optionChain(base, read) {
			const { as_of_ms, signal } = pinned(read);
			await turn(signal);
			return options.chain(base, as_of_ms);
		},
		async volatilityHistory(base, read) {
			const { as_of_ms, signal } = pinned(read);
			await turn(signal);
			return options.volatility(base, as_of_ms);
		},
		async check(signal) {
			signal.throwIfAborted();
			return { ok: true, error: null };
		},
		close: async () => undefined,
	};
}

/** Exclusive end of the market's data, epoch ms. */
const endOf = (market: SimulatedMarket): number => SIMULATION_START_MS + market.endDay * DAY_MS;
const startOf = (market: SimulatedMarket): number => SIMULATION_START_MS + market.firstDay * DAY_MS;

/** Value traded over the newest 24 closed hours; null when the market has ended or is younger than that. */
function volume24h(exchange: SimulatedExchange, market: SimulatedMarket, asOfMs: number): number | null {
	const until = Math.floor(asOfMs / HOUR_MS) * HOUR_MS;
	if (until > endOf(market) || until - DAY_MS < startOf(market)) return null;
	const hours = exchange.bars(market, "1h", until - DAY_MS, until);
	const end = countUpTo(hours.open_time, hours.length, until - HOUR_MS);
	let sum = 0;
	for (let i = end - 24; i < end; i++) sum += hours.quote_volume[i] as number;
	return sum;
}

function describe(
	exchange: SimulatedExchange,
	market: SimulatedMarket,
	asOfMs: number,
	bases: ReadonlySet<string>,
): Market {
	const fees = market.type === "spot" ? SPOT_FEES : PERP_FEES;
	const interest = openInterest(exchange, market, asOfMs);
	const newestClose = Math.min(Math.floor(asOfMs / HOUR_MS) * HOUR_MS, endOf(market));
	return {
		symbol: market.symbol,
		id: market.id,
		venue: venueOf(market),
		type: market.type,
		base: market.coin.base,
		quote: "USDT",
		maker_fee: fees.maker,
		taker_fee: fees.taker,
		min_notional: MIN_NOTIONAL_USD,
		quantity_step: 10 ** -Math.max(0, Math.floor(Math.log10(market.coin.price)) + 2),
		price_tick: 1 / market.perUnit,
		volume_usd_24h: volume24h(exchange, market, asOfMs),
		data_age_ms: newestClose > startOf(market) ? asOfMs - newestClose : null,
		tags: tagsOf(market.coin.base, bases),
		funding_interval_hours: market.type === "perp" ? market.coin.funding_interval_hours : null,
		open_interest_usd: interest?.value_usd ?? null,
		open_interest_at_ms: interest?.at_ms ?? null,
	};
}

/** Close of the newest closed minute; null before the first and after the end. */
function lastMinute(
	exchange: SimulatedExchange,
	market: SimulatedMarket,
	asOfMs: number,
): { price: number; atMs: number } | null {
	const until = Math.floor(asOfMs / MINUTE_MS) * MINUTE_MS;
	if (until <= startOf(market) || until > endOf(market)) return null;
	const minutes = exchange.bars(market, "1m", until - MINUTE_MS, until);
	const end = countUpTo(minutes.open_time, minutes.length, until - MINUTE_MS);
	return end === 0 ? null : { price: minutes.close[end - 1] as number, atMs: until };
}

function book(exchange: SimulatedExchange, market: SimulatedMarket, asOfMs: number): OrderBook | null {
	const minute = lastMinute(exchange, market, asOfMs);
	if (minute === null) return null;
	return simulateBook({
		symbol: market.symbol,
		mid: minute.price,
		volumeUsd: market.coin.spot_volume + market.coin.perp_volume,
		perUnit: market.perUnit,
		pressure: takerPressure(exchange, market, minute.atMs - MINUTE_MS, minute.atMs)[0] ?? 0,
		key: hashKey(exchange.seed, `book:${market.symbol}`, minute.atMs / MINUTE_MS),
		atMs: minute.atMs,
	});
}

function ticker(exchange: SimulatedExchange, market: SimulatedMarket, asOfMs: number): Ticker | null {
	const minute = lastMinute(exchange, market, asOfMs);
	const quotes = book(exchange, market, asOfMs);
	if (minute === null) return null;
	return {
		symbol: market.symbol,
		last: minute.price,
		bid: quotes?.bids[0]?.[0] ?? null,
		ask: quotes?.asks[0]?.[0] ?? null,
		quote_volume_24h: volume24h(exchange, market, asOfMs),
		at_ms: minute.atMs,
	};
}

/** Measured every four hours; it follows the slow part of the volume of the day before. */
function openInterest(exchange: SimulatedExchange, market: SimulatedMarket, asOfMs: number): OpenInterest | null {
	const atMs = Math.floor(asOfMs / OPEN_INTEREST_STEP_MS) * OPEN_INTEREST_STEP_MS;
	const day = dayIndex(atMs) - 1;
	if (market.type === "spot" || day < market.firstDay || atMs >= endOf(market)) return null;
	const { bars, swing } = exchange.days(market, asOfMs);
	const noise = createDraws(hashKey(exchange.seed, `interest:${market.symbol}`, atMs / OPEN_INTEREST_STEP_MS)).normal();
	const value = market.usualVolume * OPEN_INTEREST_SHARE * Math.exp(0.6 * (swing[day] as number) + 0.02 * noise);
	return { symbol: market.symbol, value_usd: value, quantity_base: value / (bars.close[day] as number), at_ms: atMs };
}
