import type { Market as CcxtMarket, Ticker as CcxtTicker, Exchange } from "ccxt";
import { isDollarQuote } from "../../dollars.ts";
import type { Market, MarketType } from "../contract.ts";
import { TIMEFRAME_MS } from "../contract.ts";
import { PERP_FEES, SPOT_FEES } from "../fees.ts";
import { tagsOf } from "../tags.ts";
import type { ExchangeProfile } from "./profiles.ts";

/** A market of ccxt that the program reads: spot, or a perp margined in its quote currency. */
export type ListedMarket = NonNullable<CcxtMarket>;

/** ccxt's codes of how a precision is written. */
const DECIMAL_PLACES = 2;
const TICK_SIZE = 4;

const known = (value: unknown): number | null =>
	typeof value === "number" && Number.isFinite(value) && value > 0 ? value : null;

/**
 * The type under which a market is read, null for one that is not: dated futures, options, and perps margined in
 * their coin, whose contracts are worth dollars while everything here counts in base units.
 */
export function typeOf(market: ListedMarket): MarketType | null {
	if (market.spot) return "spot";
	return market.swap && market.linear ? "perp" : null;
}

/** Base units of one contract; 1 for spot. */
export const unitOf = (market: ListedMarket): number => (market.spot ? 1 : (known(market.contractSize) ?? 1));

/** The market with the unit in which the exchange counts its amounts as its contract. */
export const countedIn = (profile: ExchangeProfile, market: ListedMarket): ListedMarket =>
	profile.amounts_in_coins ? { ...market, contractSize: 1 } : market;

/** Smallest step as a number, whichever way the exchange's precisions are written; null: not stated. */
function stepOf(precision: number | undefined, mode: number | undefined): number | null {
	if (mode === TICK_SIZE) return known(precision);
	return mode === DECIMAL_PLACES && precision !== undefined ? 10 ** -precision : null;
}

/** What is known beside the exchange's list of markets. */
export interface Knowledge {
	as_of_ms: number;
	ticker: CcxtTicker | undefined;
	/** Hours; null: not listed. */
	interval: number | null;
	interest: { value_usd: number; at_ms: number } | null;
	/** Why there is no `interest`; null: the exchange tells none. */
	interest_missing: NonNullable<Market["open_interest_missing"]> | null;
	bases: ReadonlySet<string>;
	/** Ids of all markets that are listed. */
	ids: ReadonlySet<string>;
}

export function describe(exchange: Exchange, profile: ExchangeProfile, market: ListedMarket, of: Knowledge): Market {
	const type = typeOf(market) ?? "spot";
	const usual = type === "spot" ? SPOT_FEES : PERP_FEES;
	const stated = type === "spot" || profile.perp_fees_known;
	const unit = unitOf(market);
	const step = stepOf(market.precision?.amount, exchange.precisionMode);
	const trading = tradingOf(profile, market, of);
	return {
		symbol: market.symbol,
		id: market.id ?? market.symbol,
		venue: exchange.id,
		type,
		base: market.base,
		quote: market.quote,
		maker_fee: (stated ? market.maker : undefined) ?? usual.maker,
		taker_fee: (stated ? market.taker : undefined) ?? usual.taker,
		min_notional: leastOrder(market, unit, trading.last),
		quantity_step: step === null ? null : step * unit,
		price_tick: stepOf(market.precision?.price, exchange.precisionMode),
		volume_usd_24h: trading.volume_usd_24h,
		data_age_ms: trading.at_ms === null ? null : of.as_of_ms - trading.at_ms,
		tags: tagsOf(market.base, of.bases),
		funding_interval_hours: type === "perp" ? of.interval : null,
		open_interest_usd: of.interest?.value_usd ?? null,
		open_interest_at_ms: of.interest?.at_ms ?? null,
		...(of.interest_missing === null ? {} : { open_interest_missing: of.interest_missing }),
	};
}

/** The stated least value, or that of the stated least quantity at the last price, whichever is more. */
function leastOrder(market: ListedMarket, unit: number, last: number | null): number | null {
	const value = known(market.limits?.cost?.min);
	const quantity = known(market.limits?.amount?.min);
	const ofQuantity = quantity === null || last === null ? null : quantity * unit * last;
	return value === null && ofQuantity === null ? null : Math.max(value ?? 0, ofQuantity ?? 0);
}

/**
 * A volume counts in dollars only where the quote is one, only while the market trades, only while its 24 hours
 * are not over, and only once: not under a second name of the same book.
 */
function tradingOf(profile: ExchangeProfile, market: ListedMarket, { ticker, as_of_ms, ids }: Knowledge) {
	if (ticker === undefined) return { last: null, at_ms: null, volume_usd_24h: null };
	const at_ms = tickerTime(ticker);
	const current = market.active !== false && (at_ms === null || as_of_ms - at_ms <= TIMEFRAME_MS["1d"]);
	const alias = profile.aliasOf(market);
	const own = alias === null || !ids.has(alias);
	const volume = current && own && isDollarQuote(market.quote) ? quoteVolume(profile, ticker, market) : null;
	return { last: known(ticker.last), at_ms, volume_usd_24h: volume };
}

/** The exclusive end of what a ticker sums up; exchanges that name its last millisecond end in ...999. */
export function tickerTime({ timestamp }: CcxtTicker): number | null {
	if (timestamp === undefined || timestamp === null) return null;
	return timestamp % 1000 === 999 ? timestamp + 1 : timestamp;
}

/** Traded value in quote currency over 24 h; from the volume in coins where only that is given. */
export function quoteVolume(profile: ExchangeProfile, ticker: CcxtTicker, market: ListedMarket): number | null {
	const own = profile.tickerValue(ticker, market);
	if (own !== null) return own;
	if (ticker.quoteVolume !== undefined && ticker.quoteVolume !== null) return ticker.quoteVolume;
	const price = ticker.vwap ?? ticker.last;
	if (ticker.baseVolume === undefined || ticker.baseVolume === null || price === undefined) return null;
	return ticker.baseVolume * unitOf(market) * price;
}
