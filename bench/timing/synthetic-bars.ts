/** Histories of synthetic coins: bars that share a factor, and funding. */
import { type FundingSeries, type MarketType, type Series, TIMEFRAME_MS } from "../../src/market/contract.ts";
import type { DataNeeds } from "../../src/strategies/contract.ts";
import { createRandom } from "../../src/strategies/random.ts";

export const START_MS = Date.UTC(2018, 0, 1);
export const HOUR_MS = 3_600_000;
export const SETTLEMENT_HOURS = 8;

/** Coins of one block; a market is as many blocks as it needs. */
export const BLOCK = 25;
/** Part of a copy's own moves that is its own, so that no two coins move as one. */
const OWN_OF_COPY = 0.05;
/** Histories end together: a shorter one is the newest part of a longer one. */
const PATH_BARS = 4_000;
const PATHS_KEPT = 512;

const column = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * length));

function normals(seed: number): () => number {
	const random = createRandom(seed);
	return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface SyntheticSize {
	symbols: number;
	/** At most PATH_BARS. */
	bars: number;
	seed: number;
	/**
	 * Price of everything, a power of two: the same market in another unit, whose bars nothing remembers while every
	 * figure that matters stays as it was. What has no price (funding, volatility) differs by a trace.
	 */
	unit?: number;
	/**
	 * Every block of 25 coins is the first one again, with a twentieth of noise of its own, so that a market twice as
	 * large has the same signals, trades and rows a coin. false: every coin is its own, as what compares coins with
	 * one another needs it.
	 */
	alike?: boolean;
}

/** Open, high, low, close, volume of a coin at a price of about 100, oldest first. */
type Path = readonly [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];

const paths = new Map<string, Path>();

function pathOf(seed: number, index: number, alike: boolean, scale: number): Path {
	const key = [seed, index, alike, scale].join();
	const known = paths.get(key);
	if (known) return known;
	if (paths.size >= PATHS_KEPT) paths.clear();
	const path = pathFrom(seed, index, alike, scale);
	paths.set(key, path);
	return path;
}

/** A coin that shares a factor with all others, with trends and loud days, so that rules find signals. */
function pathFrom(seed: number, index: number, alike: boolean, scale: number): Path {
	const place = alike ? index % BLOCK : index;
	const [factor, place0, copy] = [normals(seed), normals(seed * 1_000 + place + 1), normals(seed * 1_000_003 + index)];
	const own = place === index ? place0 : () => (place0() + OWN_OF_COPY * copy()) / Math.sqrt(1 + OWN_OF_COPY ** 2);
	const random = createRandom(seed * 7_919 + place);
	const path = Array.from({ length: 5 }, () => new Float64Array(PATH_BARS)) as unknown as Path;
	const [open, high, low, close, volume] = path;
	let log = Math.log(100);
	let drift = 0.002 * scale;
	for (let t = 0; t < PATH_BARS; t++) {
		if (random() < 1 / 60) drift = -drift;
		const start = log;
		log += drift + scale * (0.02 * factor() + 0.02 * own());
		const reach = scale * 0.015 * random();
		open[t] = Math.exp(start);
		close[t] = Math.exp(log);
		high[t] = Math.exp(Math.max(start, log) + reach);
		low[t] = Math.exp(Math.min(start, log) - reach);
		volume[t] = 1_000_000 * Math.exp(0.6 * own());
	}
	return path;
}

/** The newest bars of a coin on one of its two markets. */
export function seriesOf(
	symbol: string,
	type: MarketType,
	needs: DataNeeds,
	size: SyntheticSize,
	index: number,
): Series {
	const { bars, seed, unit = 1, alike = false } = size;
	if (!(bars <= PATH_BARS)) throw new RangeError(`a synthetic market has at most ${PATH_BARS} bars, asked for ${bars}`);
	const timeframe = needs.evidence?.timeframe ?? needs.timeframe ?? "1d";
	const step = TIMEFRAME_MS[timeframe];
	// Five minutes move less than a day, but enough to pay for a trade within them.
	const path = pathOf(seed, index, alike, timeframe === "5m" ? 0.25 : 1);
	const [first, [openOf, highOf, lowOf, closeOf, volumeOf]] = [PATH_BARS - bars, path];
	const columnOf = (value: (t: number) => number): Float64Array => {
		const values = column(bars);
		for (let i = 0; i < bars; i++) values[i] = value(first + i);
		return values;
	};
	const price = (of: Float64Array) => columnOf((t) => unit * (of[t] ?? Number.NaN));
	const as_of_ms = START_MS + PATH_BARS * step;
	const venue = type === "spot" ? "synthetic_spot" : "synthetic_perp";
	return {
		...{ symbol, venue, market: type, timeframe, length: bars, missing: 0, as_of_ms },
		open_time: columnOf((t) => START_MS + t * step),
		open: price(openOf),
		high: price(highOf),
		low: price(lowOf),
		close: price(closeOf),
		volume: columnOf((t) => (volumeOf[t] ?? Number.NaN) / unit),
		quote_volume: columnOf((t) => (volumeOf[t] ?? Number.NaN) * (closeOf[t] ?? Number.NaN)),
	};
}

/** Settled rates of so many days, wandering around one basis point. */
export function fundingOf(symbol: string, asOfMs: number, days: number, seed: number, trace: number): FundingSeries {
	const length = Math.max(1, Math.floor((days * 24) / SETTLEMENT_HOURS));
	const normal = normals(seed);
	const [funding_time, rate_e8] = [column(length), column(length)];
	let level = 10_000;
	// From the newest on, so that a longer record has the same present.
	for (let i = length - 1; i >= 0; i--) {
		level += 0.03 * (10_000 - level) + 1_500 * normal();
		funding_time[i] = asOfMs - (length - 1 - i) * SETTLEMENT_HOURS * HOUR_MS;
		rate_e8[i] = Math.round(level) + trace;
	}
	return {
		symbol,
		venue: "synthetic_perp",
		length,
		funding_time,
		rate_e8,
		interval_hours: SETTLEMENT_HOURS,
		as_of_ms: asOfMs,
	};
}
