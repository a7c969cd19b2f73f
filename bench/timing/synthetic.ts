import { tierOfVolume } from "../../src/catalogue.ts";
import { type Market, type MarketType, type Series, TIMEFRAME_MS } from "../../src/market/contract.ts";
import type { Candidate, DataNeeds, EvaluationRequest, MarketView, Strategy } from "../../src/strategies/contract.ts";
import {
	BLOCK,
	fundingOf,
	HOUR_MS,
	SETTLEMENT_HOURS,
	START_MS,
	type SyntheticSize,
	seriesOf,
} from "./synthetic-bars.ts";
import { bookOf, chainOf, tapeOf, volatilityOf } from "./synthetic-venue.ts";

const HELD_USD = 1_000;

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
	const coins = Array.from({ length: size.symbols }, (_, i) => coinOf(i, needs, size));
	const asOfMs = coins[0]?.spotBars.as_of_ms ?? START_MS;
	const days = (size.bars * TIMEFRAME_MS[coins[0]?.spotBars.timeframe ?? "1d"]) / (24 * HOUR_MS);
	const funding = needs.funding
		? coins.map(({ perp }, i) => fundingOf(perp.symbol, asOfMs, days, size.seed * 31 + placeOf(i, size), traceOf(size)))
		: [];
	const evidenceType = needs.evidence?.market;
	const held = needs.candidates === "positions";
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
			...venueOf(coins, needs, size),
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

/** Whatever is drawn for a coin is drawn for its place in the block. */
const placeOf = (i: number, { alike }: SyntheticSize): number => (alike ? i % BLOCK : i);

/** By how little what has no price differs between units. */
const traceOf = ({ unit = 1 }: SyntheticSize): number => Math.log2(unit);

/** What the venue shows beside bars, as far as it is asked for. */
function venueOf(
	coins: readonly Coin[],
	needs: DataNeeds,
	size: SyntheticSize,
): Pick<MarketView, "books" | "trades" | "chains" | "volatility"> {
	// Who takes spreads needs narrow ones, who makes them wide ones.
	const halfSpread = needs.evidence ? 0.0005 : 0.003;
	return {
		books: needs.orderBook
			? Object.fromEntries(
					coins.map(({ perp, perpBars }, i) => [
						perp.symbol,
						bookOf(perpBars, halfSpread, size.seed * 17 + placeOf(i, size)),
					]),
				)
			: {},
		...(needs.trades_window_ms
			? {
					trades: Object.fromEntries(
						coins.map(({ perp, perpBars }, i) => [
							perp.symbol,
							tapeOf(perpBars, halfSpread, size.seed * 13 + placeOf(i, size)),
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
							volatilityOf(base, spotBars, size.seed * 11 + placeOf(i, size), 1 + 1e-9 * traceOf(size)),
						]),
					),
				}
			: {}),
	};
}

function coinOf(i: number, needs: DataNeeds, size: SyntheticSize): Coin {
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
