import { tierOfVolume } from "../../src/catalogue.ts";
import {
	type FundingSeries,
	type Market,
	type MarketType,
	type Series,
	TIMEFRAME_MS,
} from "../../src/market/contract.ts";
import type { Candidate, DataNeeds, EvaluationRequest, Strategy } from "../../src/strategies/contract.ts";
import { createRandom } from "../../src/strategies/random.ts";
import { bookOf, chainOf, tapeOf, volatilityOf } from "./synthetic-venue.ts";

const START_MS = Date.UTC(2018, 0, 1);
const HOUR_MS = 3_600_000;
const SETTLEMENT_HOURS = 8;
const HELD_USD = 1_000;

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

function seriesOf(symbol: string, type: MarketType, needs: DataNeeds, size: SyntheticSize, index: number): Series {
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

function fundingOf(symbol: string, asOfMs: number, days: number, seed: number, trace: number): FundingSeries {
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

function marketOf(symbol: string, base: string, type: MarketType, asOfMs: number): Market {
	return {
		symbol,
		id: `${base}USDT`,
		venue: type === "spot" ? "synthetic_spot" : "synthetic_perp",
		type,
		base,
		quote: "USDT",
		maker_fee: type === "spot" ? 0.001 : 0.0002,
		taker_fee: type === "spot" ? 0.001 : 0.0005,
		min_notional: 5,
		quantity_step: null,
		price_tick: null,
		volume_usd_24h: 200_000_000,
		data_age_ms: 0,
		tags: [],
		funding_interval_hours: type === "perp" ? SETTLEMENT_HOURS : null,
		open_interest_usd: type === "perp" ? 50_000_000 : null,
		open_interest_at_ms: type === "perp" ? asOfMs : null,
	};
}

interface Coin {
	base: string;
	spot: Market;
	perp: Market;
	spotBars: Series;
	perpBars: Series;
}

/** A request of a given size for a strategy: every coin has a spot and a perpetual market, and is held if asked for. */
export function syntheticRequest(strategy: Pick<Strategy, "id" | "needs">, size: SyntheticSize): EvaluationRequest {
	const { needs, id } = strategy;
	// Whatever else is drawn for a coin is drawn for its place in the block.
	const placeOf = (i: number): number => (size.alike ? i % BLOCK : i);
	const trace = Math.log2(size.unit ?? 1);
	const coins = Array.from({ length: size.symbols }, (_, i): Coin => {
		const base = i === 0 ? "BTC" : i === 1 ? "ETH" : `C${String(i).padStart(3, "0")}`;
		const [spotName, perpName] = [`${base}/USDT`, `${base}/USDT:USDT`];
		const spotBars = seriesOf(spotName, "spot", needs, size, i);
		const perpBars = seriesOf(perpName, "perp", needs, size, i);
		const asOfMs = spotBars.as_of_ms;
		return {
			base,
			spot: marketOf(spotName, base, "spot", asOfMs),
			perp: marketOf(perpName, base, "perp", asOfMs),
			spotBars,
			perpBars,
		};
	});
	const asOfMs = coins[0]?.spotBars.as_of_ms ?? START_MS;
	const days = (size.bars * TIMEFRAME_MS[coins[0]?.spotBars.timeframe ?? "1d"]) / (24 * HOUR_MS);
	const funding = needs.funding
		? coins.map(({ perp }, i) => fundingOf(perp.symbol, asOfMs, days, size.seed * 31 + placeOf(i), trace))
		: [];
	const evidenceType = needs.evidence?.market;
	const held = needs.candidates === "positions";
	// Who takes spreads needs narrow ones, who makes them wide ones.
	const halfSpread = needs.evidence ? 0.0005 : 0.003;
	return {
		strategy_id: id,
		candidates: coins.map((coin) => candidateOf(coin, needs)),
		view: {
			as_of_ms: asOfMs,
			data_source: { kind: "simulated", name: "synthetic", as_of: new Date(asOfMs).toISOString() },
			series: Object.fromEntries(
				coins.flatMap(({ spotBars, perpBars }) => [spotBars, perpBars]).map((one) => [one.symbol, one]),
			),
			funding: Object.fromEntries(funding.map((one) => [one.symbol, one])),
			books: needs.orderBook
				? Object.fromEntries(
						coins.map(({ perp, perpBars }, i) => [
							perp.symbol,
							bookOf(perpBars, halfSpread, size.seed * 17 + placeOf(i)),
						]),
					)
				: {},
			...(needs.trades_window_ms
				? {
						trades: Object.fromEntries(
							coins.map(({ perp, perpBars }, i) => [
								perp.symbol,
								tapeOf(perpBars, halfSpread, size.seed * 13 + placeOf(i)),
							]),
						),
					}
				: {}),
			...(needs.chain
				? {
						chains: Object.fromEntries(coins.map(({ base, spotBars }) => [base, chainOf(base, spotBars)])),
						volatility: Object.fromEntries(
							coins.map(({ base, spotBars }, i) => [
								base,
								volatilityOf(base, spotBars, size.seed * 11 + placeOf(i), 1 + 1e-9 * trace),
							]),
						),
					}
				: {}),
			evidence: {
				series: evidenceType ? coins.map((coin) => (evidenceType === "spot" ? coin.spotBars : coin.perpBars)) : [],
				funding: needs.evidence?.funding ? funding : [],
			},
			markets: Object.fromEntries(coins.flatMap(({ spot, perp }) => [spot, perp]).map((one) => [one.symbol, one])),
			errors: {},
		},
		portfolio: {
			positions: held
				? coins.map(({ spot, spotBars }) => {
						const price = spotBars.close.at(-1) ?? 1;
						return { symbol: spot.symbol, quantity: HELD_USD / price, entry_price: null };
					})
				: [],
			cash_usd: 0,
			version: 1,
			capital_usd: held ? HELD_USD * coins.length : 10_000,
			assumed: false,
		},
		limits: { rows_max: 1_000, risk_per_trade: 0.01, max_position_share: 0.25 },
	};
}

function candidateOf({ base, spot, perp }: Coin, needs: DataNeeds): Candidate {
	const market = needs.candidates === "perp" ? perp : spot;
	const volume_usd_24h = (market.volume_usd_24h ?? 0) * 2;
	return {
		symbol: market.symbol,
		asset: { base, tier: tierOfVolume(volume_usd_24h), volume_usd_24h, markets: [spot, perp] },
		market,
	};
}
