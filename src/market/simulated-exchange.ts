import type { MarketType, Timeframe } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";
import type { BarColumns, FundingColumns } from "./series.ts";
import { createBarColumns, resampleBars, sliceBars } from "./series.ts";
import { bridgeExtremes, cutBars, roundToTick, ticksPerUnit, writeBar } from "./simulated-bars.ts";
import type { SimulatedCoin } from "./simulated-coins.ts";
import { SIMULATED_COINS } from "./simulated-coins.ts";
import { simulateFunding } from "./simulated-funding.ts";
import { createDraws, hashKey } from "./simulated-random.ts";
import type { DailyPath } from "./simulated-world.ts";
import { createSimulatedWorld, dayIndex, SIMULATION_START_MS } from "./simulated-world.ts";

const DAY_MS = TIMEFRAME_MS["1d"];

/** Days of history given out below a day, as venues do; daily bars reach back to the listing. */
export const INTRADAY_DAYS: Record<Exclude<Timeframe, "1d">, number> = {
	"4h": 800,
	"1h": 800,
	"15m": 30,
	"5m": 30,
	"1m": 7,
};

/** log volume = slow swings + reaction to the size of the move + attention that news draws for some days. */
const VOLUME = { phi: 0.9, swing: 0.3, reaction: 10, news: 0.85, newsDecay: 0.55 };
/** Basis at the end of a day; its change over 7 days has a standard deviation near the measured 6.1 bp. */
const BASIS = { phi: 0.4, vol: 0.00043 };

/** A market of the simulated exchange. `coin` explains its price. */
export interface SimulatedMarket {
	symbol: string;
	id: string;
	type: MarketType;
	coin: SimulatedCoin;
	/** Typical traded value a day, USD. */
	usualVolume: number;
	/** Ticks in one unit of price. */
	perUnit: number;
	/** First day and the day after the last, as day numbers of the simulation. */
	firstDay: number;
	endDay: number;
}

export interface DayBars {
	bars: BarColumns;
	/** Slow part of the log volume by day. */
	swing: Float64Array;
	path: DailyPath;
}

export interface SimulatedExchange {
	readonly seed: number;
	readonly markets: readonly SimulatedMarket[];
	find(symbol: string): SimulatedMarket | undefined;
	/** All days up to the one of `atMs` at least; the caller cuts. */
	days(market: SimulatedMarket, atMs: number): DayBars;
	/**
	 * Bars that cover [fromMs, untilMs) of one timeframe within the listing, whole days of them; the
	 * caller cuts at its as_of.
	 */
	bars(market: SimulatedMarket, timeframe: Timeframe, fromMs: number, untilMs: number): BarColumns;
	/** All settlements up to `atMs` at least, from the listing on. */
	funding(market: SimulatedMarket, atMs: number): FundingColumns;
}

/** The exchange as a function of its seed; what it has made is remembered, at most one history a market. */
export function createSimulatedExchange(seed: number): SimulatedExchange {
	const world = createSimulatedWorld(seed);
	const markets = SIMULATED_COINS.flatMap(marketsOf);
	const bySymbol = new Map(markets.map((market) => [market.symbol, market]));
	const daysOf = new Map<string, DayBars>();
	const fundingOf = new Map<string, { untilMs: number; columns: FundingColumns }>();

	const days = (market: SimulatedMarket, atMs: number): DayBars => {
		const path = world.path(market.coin.base, atMs);
		const known = daysOf.get(market.symbol);
		if (known?.path === path) return known;
		const made = makeDays(seed, market, path);
		daysOf.set(market.symbol, made);
		return made;
	};

	const bars = (market: SimulatedMarket, timeframe: Timeframe, fromMs: number, untilMs: number): BarColumns => {
		const whole = days(market, untilMs);
		const first = Math.max(market.firstDay, dayIndex(fromMs));
		const end = Math.max(first, Math.min(market.endDay, dayIndex(untilMs - 1) + 1));
		if (timeframe === "1d") return sliceBars(whole.bars, first, end);
		const finer = (source: BarColumns, stepFrom: Timeframe, stepTo: Timeframe, from: number, to: number) => {
			const parts = TIMEFRAME_MS[stepFrom] / TIMEFRAME_MS[stepTo];
			// The base names the inner path, so that spot and perp of a coin move together within the day.
			const keyOf = (openTime: number) => hashKey(seed, `${stepFrom}:${market.coin.base}`, openTime / 60_000);
			const sigmaOf = (i: number) => {
				const day = dayIndex(source.open_time[i] as number);
				return (whole.path.sigma[day] as number) * Math.sqrt(TIMEFRAME_MS[stepFrom] / DAY_MS);
			};
			return cutBars({ bars: source, sigmaOf, keyOf }, from, to, parts, TIMEFRAME_MS[stepTo], market.perUnit);
		};
		const hours = finer(whole.bars, "1d", "1h", first, end);
		if (timeframe === "1h") return hours;
		if (timeframe === "4h") return resampleBars(hours, TIMEFRAME_MS["1h"], TIMEFRAME_MS["4h"]);
		const fives = finer(hours, "1h", "5m", 0, hours.length);
		if (timeframe === "5m") return fives;
		if (timeframe === "15m") return resampleBars(fives, TIMEFRAME_MS["5m"], TIMEFRAME_MS["15m"]);
		return finer(fives, "5m", "1m", 0, fives.length);
	};

	return {
		seed,
		markets,
		find: (symbol) => bySymbol.get(symbol),
		days,
		bars,
		funding(market, atMs) {
			const known = fundingOf.get(market.symbol);
			if (known && known.untilMs >= atMs) return known.columns;
			const { path } = days(market, atMs);
			const untilMs = SIMULATION_START_MS + path.days * DAY_MS;
			const columns = withinListing(simulateFunding(seed, market.coin, untilMs), market);
			fundingOf.set(market.symbol, { untilMs, columns });
			return columns;
		},
	};
}

function marketsOf(coin: SimulatedCoin): SimulatedMarket[] {
	const pair = `${coin.base}/USDT`;
	const shared = {
		id: `${coin.base}USDT`,
		coin,
		perUnit: ticksPerUnit(coin.price),
		firstDay: coin.listed === null ? 0 : dayIndex(Date.parse(coin.listed)),
		endDay: coin.ended === null ? Number.POSITIVE_INFINITY : dayIndex(Date.parse(coin.ended)),
	};
	const markets: SimulatedMarket[] = [];
	if (coin.spot_volume > 0) markets.push({ ...shared, symbol: pair, type: "spot", usualVolume: coin.spot_volume });
	if (coin.perp_volume > 0)
		markets.push({ ...shared, symbol: `${pair}:USDT`, type: "perp", usualVolume: coin.perp_volume });
	return markets;
}

function makeDays(seed: number, market: SimulatedMarket, path: DailyPath): DayBars {
	const { coin, type, perUnit, usualVolume } = market;
	const bars = createBarColumns(path.days);
	const swing = new Float64Array(path.days);
	const draws = createDraws(hashKey(seed, `trading:${market.symbol}`));
	const shape = createDraws(hashKey(seed, `extremes:${coin.base}`));
	const swingShock = VOLUME.swing * Math.sqrt(1 - VOLUME.phi ** 2);
	let slow = VOLUME.swing * draws.normal();
	let attention = 0;
	let [basisBefore, basis] = [0, 0];
	let before = path.logStart;
	for (let day = 0; day < path.days; day++) {
		const sigma = path.sigma[day] as number;
		const now = path.logClose[day] as number;
		slow = VOLUME.phi * slow + swingShock * draws.normal();
		swing[day] = slow;
		attention = VOLUME.newsDecay * attention + VOLUME.news * (path.news[day] as number);
		basisBefore = basis;
		basis = type === "perp" ? BASIS.phi * basis + BASIS.vol * Math.sqrt(1 - BASIS.phi ** 2) * draws.normal() : 0;
		const extremes = bridgeExtremes(before, now, sigma, shape.uniform(), shape.uniform());
		const open = roundToTick(Math.exp(before) * (1 + basisBefore), perUnit);
		const close = roundToTick(Math.exp(now) * (1 + basis), perUnit);
		const high = Math.max(open, close, roundToTick(Math.exp(extremes.high) * (1 + basis), perUnit));
		const low = Math.min(open, close, roundToTick(Math.exp(extremes.low) * (1 + basis), perUnit));
		const reaction = Math.min(1.5, VOLUME.reaction * (Math.abs(now - before) - 0.8 * sigma));
		writeBar(
			bars,
			day,
			SIMULATION_START_MS + day * DAY_MS,
			[open, high, low, close],
			usualVolume * Math.exp(slow + reaction + attention),
		);
		before = now;
	}
	return { bars, swing, path };
}

function withinListing(columns: FundingColumns, market: SimulatedMarket): FundingColumns {
	const from = SIMULATION_START_MS + market.firstDay * DAY_MS;
	const until = SIMULATION_START_MS + market.endDay * DAY_MS;
	let start = 0;
	while (start < columns.length && (columns.funding_time[start] as number) <= from) start++;
	let end = start;
	while (end < columns.length && (columns.funding_time[end] as number) <= until) end++;
	return {
		length: end - start,
		funding_time: columns.funding_time.subarray(start, end),
		rate_e8: columns.rate_e8.subarray(start, end),
	};
}
