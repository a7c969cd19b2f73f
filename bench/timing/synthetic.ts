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
import { type BarRow, seriesOf as barsOf } from "../../test/support/recorded-bars.ts";
import { bookOf, chainOf, tapeOf, volatilityOf } from "./synthetic-venue.ts";

const START_MS = Date.UTC(2018, 0, 1);
const HOUR_MS = 3_600_000;
const SETTLEMENT_HOURS = 8;
const HELD_USD = 1_000;

const column = (length: number): Float64Array => new Float64Array(new SharedArrayBuffer(8 * length));

function normals(seed: number): () => number {
	const random = createRandom(seed);
	return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export interface SyntheticSize {
	symbols: number;
	bars: number;
	seed: number;
}

/** Coins that share a factor, with trends and loud days, so that rules find signals and pairs have something in common. */
function seriesOf(
	symbol: string,
	type: MarketType,
	needs: DataNeeds,
	{ bars, seed }: SyntheticSize,
	index: number,
): Series {
	const timeframe = needs.evidence?.timeframe ?? needs.timeframe ?? "1d";
	const step = TIMEFRAME_MS[timeframe];
	const [factor, own] = [normals(seed), normals(seed * 1_000 + index + 1)];
	const random = createRandom(seed * 7_919 + index);
	const rows: BarRow[] = [];
	// Five minutes move less than a day, but enough to pay for a trade within them.
	const scale = timeframe === "5m" ? 0.25 : 1;
	let log = Math.log(100);
	let drift = 0.002 * scale;
	for (let t = 0; t < bars; t++) {
		if (random() < 1 / 60) drift = -drift;
		const start = log;
		log += drift + scale * (0.02 * factor() + 0.02 * own());
		const reach = scale * 0.015 * random();
		const [open, close, volume] = [Math.exp(start), Math.exp(log), 1_000_000 * Math.exp(0.6 * own())];
		const [high, low] = [Math.exp(Math.max(start, log) + reach), Math.exp(Math.min(start, log) - reach)];
		rows.push([START_MS + t * step, open, high, low, close, volume, volume * close]);
	}
	const venue = type === "spot" ? "synthetic_spot" : "synthetic_perp";
	return barsOf(rows, { symbol, venue, market: type, timeframe, as_of_ms: START_MS + bars * step });
}

function fundingOf(symbol: string, asOfMs: number, days: number, seed: number): FundingSeries {
	const length = Math.max(1, Math.floor((days * 24) / SETTLEMENT_HOURS));
	const normal = normals(seed);
	const [funding_time, rate_e8] = [column(length), column(length)];
	let level = 10_000;
	for (let i = 0; i < length; i++) {
		level += 0.03 * (10_000 - level) + 1_500 * normal();
		funding_time[i] = asOfMs - (length - 1 - i) * SETTLEMENT_HOURS * HOUR_MS;
		rate_e8[i] = Math.round(level);
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
	const days = (asOfMs - START_MS) / (24 * HOUR_MS);
	const funding = needs.funding
		? coins.map(({ perp }, i) => fundingOf(perp.symbol, asOfMs, days, size.seed * 31 + i))
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
						coins.map(({ perp, perpBars }, i) => [perp.symbol, bookOf(perpBars, halfSpread, size.seed * 17 + i)]),
					)
				: {},
			...(needs.trades_window_ms
				? {
						trades: Object.fromEntries(
							coins.map(({ perp, perpBars }, i) => [perp.symbol, tapeOf(perpBars, halfSpread, size.seed * 13 + i)]),
						),
					}
				: {}),
			...(needs.chain
				? {
						chains: Object.fromEntries(coins.map(({ base, spotBars }) => [base, chainOf(base, spotBars)])),
						volatility: Object.fromEntries(
							coins.map(({ base, spotBars }, i) => [base, volatilityOf(base, spotBars, size.seed * 11 + i)]),
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
