import { black76, type OptionTerms, YEAR_MS } from "../pricing/black76.ts";
import { impliedVolatility } from "../pricing/implied-volatility.ts";
import type { OptionQuote } from "./contract.ts";
import { type OptionMarket, optionSymbol, strikesAround } from "./simulated-options-listing.ts";
import { smileVolatility } from "./simulated-options-surface.ts";
import type { Draws } from "./simulated-random.ts";
import { createDraws, hashKey } from "./simulated-random.ts";

/** Quotes keep their noise, and a stale one stays, for so long. */
const QUOTE_LIFE_MS = 300_000;
/** Share of quotes that were left behind, and by how much of their volatility. */
const STALE = { share: 0.0006, least: 0.12, most: 0.4 };
/** Smallest step of a premium: a part of the base when inverse, else of the underlying's price. */
const TICK = 0.0001;

/** One expiry of one class at one instant. */
export interface QuotedExpiry {
	seed: number;
	market: OptionMarket;
	expiryMs: number;
	atMs: number;
	forward: number;
	/** Price and volatility around which strikes are listed: those of the day's begin. */
	listedPrice: number;
	listedVolatility: number;
	/** Total variance at the money, and the smile's tilt. */
	theta: number;
	tilt: number;
}

/** Both options of every strike, calls before puts, strikes growing. */
export function quoteExpiry(expiry: QuotedExpiry): OptionQuote[] {
	const years = (expiry.expiryMs - expiry.atMs) / YEAR_MS;
	const strikes = strikesAround(expiry.listedPrice, expiry.listedVolatility * Math.sqrt(years));
	return strikes.flatMap((strike) => (["call", "put"] as const).map((kind) => quoteOne(expiry, years, strike, kind)));
}

function quoteOne(expiry: QuotedExpiry, years: number, strike: number, kind: "call" | "put"): OptionQuote {
	const { market, forward, theta, tilt, atMs } = expiry;
	const symbol = optionSymbol(market, expiry.expiryMs, strike, kind);
	const draws = createDraws(hashKey(expiry.seed, `option:${symbol}`, Math.floor(atMs / QUOTE_LIFE_MS)));
	const logMoneyness = Math.log(strike / forward);
	const fair = smileVolatility(theta, years, tilt, logMoneyness);
	const distance = logMoneyness / Math.sqrt(theta);
	const half =
		market.halfSpread *
		Math.min(2.5, Math.max(0.6, Math.sqrt(30 / 365 / years))) *
		(1 + 0.12 * distance * distance) *
		(0.8 + 0.4 * draws.uniform());
	const centre = fair * staleness(draws) + half * 0.4 * (draws.uniform() - 0.5);
	const terms: OptionTerms = { kind, forward, strike, years };
	const paid = (premium: number) => (market.inverse ? premium / forward : premium);
	const tick = market.inverse ? TICK : TICK * 10 ** Math.ceil(Math.log10(expiry.listedPrice));
	const bid = onTick(Math.floor(paid(black76(terms, Math.max(0.01, centre - half))) / tick + 1e-9), tick);
	const ask = onTick(Math.max(1, Math.ceil(paid(black76(terms, centre + half)) / tick - 1e-9)), tick);
	const volatilityOf = (premium: number | null) =>
		premium === null ? null : impliedVolatility(terms, market.inverse ? premium * forward : premium);
	const nearness = Math.exp(-(distance ** 2) / 3);
	const size = () => Math.round(market.quoteSize * (0.2 + 0.8 * nearness) * (0.3 + 1.4 * draws.uniform()));
	const bidSize = size();
	return {
		symbol,
		kind,
		strike,
		expiry_ms: expiry.expiryMs,
		bid: bid > 0 ? bid : null,
		ask,
		bid_quantity: bid > 0 ? bidSize : null,
		ask_quantity: size(),
		mark_price: paid(black76(terms, fair)),
		bid_iv: volatilityOf(bid > 0 ? bid : null),
		ask_iv: volatilityOf(ask),
		mark_iv: fair,
		open_interest: openInterest(expiry, symbol, nearness),
		forward,
		at_ms: atMs,
	};
}

const onTick = (ticks: number, tick: number): number => Number((ticks * tick).toPrecision(12));

/** 1 for nearly every quote; a few were not moved with the market. */
function staleness(draws: Draws): number {
	const [chance, size, side] = [draws.uniform(), draws.uniform(), draws.uniform()];
	if (chance >= STALE.share) return 1;
	return 1 + (side < 0.5 ? -1 : 1) * (STALE.least + (STALE.most - STALE.least) * size);
}

/** Contracts, the same all day. */
function openInterest({ seed, market, atMs }: QuotedExpiry, symbol: string, nearness: number): number {
	const draws = createDraws(hashKey(seed, `interest:${symbol}`, Math.floor(atMs / 86_400_000)));
	return Math.round(market.openInterest * (0.05 + 0.95 * nearness) * Math.exp(0.7 * draws.normal()));
}
