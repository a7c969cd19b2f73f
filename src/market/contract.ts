/**
 * The MarketData port: the only door between the program and market numbers.
 * Adapters: recorded data set, seeded simulated exchange (later ccxt). No adapter invents a datum:
 * what a source does not have is null, an empty list, or a MarketError with a code.
 */

export type Timeframe = "1m" | "5m" | "15m" | "1h" | "4h" | "1d";
export const TIMEFRAME_MS: Record<Timeframe, number> = {
	"1m": 60_000,
	"5m": 300_000,
	"15m": 900_000,
	"1h": 3_600_000,
	"4h": 14_400_000,
	"1d": 86_400_000,
};

export interface SourceInfo {
	kind: "live" | "recorded" | "simulated";
	/** Name shown everywhere, e.g. `recorded:binance`, `simulated:42`. */
	name: string;
}

export type MarketType = "spot" | "perp";
export type MarketTag = "stablecoin" | "pegged" | "wrapped" | "leveraged";

export interface Market {
	/** ccxt unified: `BTC/USDT`, `BTC/USDT:USDT`. */
	symbol: string;
	/** The exchange's own id, e.g. `BTCUSDT`. */
	id: string;
	/** Venue the numbers come from, e.g. `binance`, `binanceusdm`. */
	venue: string;
	type: MarketType;
	base: string;
	quote: string;
	/** Fractions of notional. */
	maker_fee: number;
	taker_fee: number;
	/** Smallest order value in quote currency, null if unknown. */
	min_notional: number | null;
	/** Smallest quantity step in base units, null if unknown. */
	quantity_step: number | null;
	/** Smallest price step, null if unknown. */
	price_tick: number | null;
	/** Traded value of the last 24 h in USD at the pinned instant; null when it is not known. */
	volume_usd_24h: number | null;
	/** Age of the newest closed bar or ticker of this market at the pinned instant, ms; negative when it is newer, null unknown. */
	data_age_ms: number | null;
	tags: MarketTag[];
	/** Perps: hours between funding settlements, null for spot or unknown. */
	funding_interval_hours: number | null;
	/** Perps: open interest in USD and when it was measured. */
	open_interest_usd: number | null;
	open_interest_at_ms: number | null;
	/**
	 * Why a null of open interest says nothing about the market: it could not be read, or the venue tells that of none
	 * of its perps. Absent: the source has what there is.
	 */
	open_interest_missing?: "unread" | "unpublished";
}

/**
 * Closed bars as columns over shared memory, so that a worker thread reads them without a copy.
 * All arrays have `length` entries in strictly growing open_time order. Prices in quote currency.
 */
export interface Series {
	symbol: string;
	venue: string;
	market: MarketType;
	timeframe: Timeframe;
	length: number;
	/** Epoch ms of the bar's open. A bar closes at open_time + step. */
	open_time: Float64Array;
	open: Float64Array;
	high: Float64Array;
	low: Float64Array;
	close: Float64Array;
	/** Base units. */
	volume: Float64Array;
	/** Quote units (estimated as volume * (o+h+l+c)/4 where the source has none). */
	quote_volume: Float64Array;
	/** Steps missing between the first and the last bar. */
	missing: number;
	/** The pinned instant: no bar closes after it. */
	as_of_ms: number;
}

/** Settled funding, columns over shared memory; times rounded to the hour, growing, unique. */
export interface FundingSeries {
	symbol: string;
	venue: string;
	length: number;
	funding_time: Float64Array;
	/** Fraction of notional per settlement, as an integer count of 1e-8 (1 bp = 10000). */
	rate_e8: Float64Array;
	/** Most frequent spacing, hours. */
	interval_hours: number;
	as_of_ms: number;
}

export interface Ticker {
	symbol: string;
	last: number | null;
	bid: number | null;
	ask: number | null;
	quote_volume_24h: number | null;
	at_ms: number;
}

export interface OrderBook {
	symbol: string;
	bids: [price: number, quantity: number][];
	asks: [price: number, quantity: number][];
	at_ms: number;
}

export interface OpenInterest {
	symbol: string;
	/** USD value and contracts in base units. */
	value_usd: number;
	quantity_base: number | null;
	at_ms: number;
}

/** Public trades as columns over shared memory, growing in time. */
export interface TradeTape {
	symbol: string;
	venue: string;
	length: number;
	/** Epoch ms. */
	time: Float64Array;
	price: Float64Array;
	/** Base units. */
	quantity: Float64Array;
	/** 1: the taker bought, -1: the taker sold. */
	taker_side: Int8Array;
	/** The tape is complete from here to as_of. */
	since_ms: number;
	as_of_ms: number;
}

/** One quoted contract of a real chain; a side without a quote is null. Volatilities as fractions a year. */
export interface OptionQuote {
	/** ccxt unified, e.g. `BTC/USD:BTC-260327-70000-C`. */
	symbol: string;
	kind: "call" | "put";
	/** In quote currency of the underlying. */
	strike: number;
	expiry_ms: number;
	/** Premiums in base units when `inverse`, else in quote currency. */
	bid: number | null;
	ask: number | null;
	bid_quantity: number | null;
	ask_quantity: number | null;
	mark_price: number | null;
	bid_iv: number | null;
	ask_iv: number | null;
	mark_iv: number | null;
	/** Contracts. */
	open_interest: number | null;
	/** The forward of this expiry. */
	forward: number | null;
	at_ms: number;
}

export interface OptionChain {
	/** Base of the underlying, e.g. `BTC`. */
	base: string;
	venue: string;
	/** Premiums are paid in the base currency (Deribit coin options). */
	inverse: boolean;
	/** Base units of one contract. */
	contract_size: number;
	quotes: OptionQuote[];
	at_ms: number;
}

/** Daily history of the at-the-money implied volatility (30 days constant maturity), fractions a year. */
export interface VolatilityHistory {
	base: string;
	venue: string;
	length: number;
	time: Float64Array;
	atm_iv: Float64Array;
	as_of_ms: number;
}

export interface ReadOptions {
	signal: AbortSignal;
	/** Nothing later than this instant (source clock) may be returned. */
	as_of_ms: number;
	/**
	 * The venue to be asked, named only where several list the symbol. A source whose symbols belong to one venue
	 * each need not look at it.
	 */
	venue?: string;
	/** Wanted for evidence: where reads wait for each other, those that candidates need go first. */
	later?: boolean;
	/**
	 * When the asker began, epoch ms of the process's clock; absent: now. An answer that was fresh then, or was fetched
	 * since, is fresh for it: who began together shares every answer, however long each of them takes.
	 */
	begun_ms?: number;
	/**
	 * Told, before the answer is handed out, that it is the last good one of a source that fails now. Who does not ask
	 * gets the same answer.
	 */
	onStale?: (note: StaleNote) => void;
}

/** An answer from before a source failed. */
export interface StaleNote {
	/** Since the answer was fetched, ms. */
	age_ms: number;
	/** Why it could not be fetched again: code and message of the MarketError. */
	error: string;
}

/** Codes: fetch_failed, timeout, bad_symbol, not_supported. `retryable` says whether again may help. */
export class MarketError extends Error {
	readonly code: "fetch_failed" | "timeout" | "bad_symbol" | "not_supported";
	readonly retryable: boolean;
	constructor(code: MarketError["code"], message: string, retryable: boolean) {
		super(message);
		this.name = "MarketError";
		this.code = code;
		this.retryable = retryable;
	}
}

export type CandleOptions = ReadOptions & { limit?: number; since_ms?: number };

/**
 * Every call honours `signal` (rejects with its reason at once) and `as_of_ms`.
 * Implementations are safe to call concurrently; each bounds its own concurrency.
 * Columns that were handed out never change: a source that revises its history answers with new ones,
 * because what rests on a history is kept under the digest of its columns (content.ts).
 */
export interface MarketData {
	readonly source: SourceInfo;
	/**
	 * The source's own clock, epoch ms (recorded: stands still at MARKET_AS_OF). `agoMs`: what a live source's clock said
	 * so long ago; others may tell their present.
	 */
	now(agoMs?: number): number;
	/** The separate sources inside this port (venues); discovery asks each with its own deadline. */
	venues(): readonly string[];
	/** Every market of one venue that had data at some time up to as_of, ended ones included. */
	markets(venue: string, options: ReadOptions): Promise<Market[]>;
	/**
	 * All closed bars up to as_of (at most `limit` newest). Unknown symbol: MarketError bad_symbol.
	 * `since_ms`: bars that open earlier are known already and need not be sent; a source may send them all the same.
	 */
	candles(symbol: string, timeframe: Timeframe, options: CandleOptions): Promise<Series>;
	tickers(symbols: readonly string[], options: ReadOptions): Promise<Ticker[]>;
	/** Settled funding up to as_of; null: the venue has no funding for the symbol. */
	funding(symbol: string, options: ReadOptions): Promise<FundingSeries | null>;
	/** null: the source has no book for the symbol at that time. Never invented. */
	orderBook(symbol: string, options: ReadOptions): Promise<OrderBook | null>;
	openInterest(symbol: string, options: ReadOptions): Promise<OpenInterest | null>;
	/** Trades from `since_ms` up to as_of; null: the source records none for the symbol. */
	trades(symbol: string, options: ReadOptions & { since_ms: number }): Promise<TradeTape | null>;
	/** The quoted chain of a base as of then; null: there is none. Never invented. */
	optionChain(base: string, options: ReadOptions): Promise<OptionChain | null>;
	/** null: no history of the chain is known. */
	volatilityHistory(base: string, options: ReadOptions): Promise<VolatilityHistory | null>;
	/** A dependency check for /readyz, bounded by the signal. */
	check(signal: AbortSignal): Promise<{ ok: boolean; error: string | null }>;
	close(): Promise<void>;
}

/** An asset as discovery found it: one base with its markets. */
export interface Asset {
	base: string;
	tier: string;
	/** Summed over USD-like quotes and venues. */
	volume_usd_24h: number;
	/** Highest volume first. */
	markets: Market[];
}

/** The whole discovered universe of a scan, before the user's filters. Stored content-addressed. */
export interface Universe {
	as_of_ms: number;
	/** Highest volume first, then base in code-point order. */
	assets: Asset[];
	/** Reason -> count of bases left out: stablecoin, pegged_or_wrapped, leveraged, stale_data, no_usd_quote, no_volume ... */
	excluded: Record<string, number>;
	sources: { name: string; ok: boolean; error: string | null; assets: number }[];
}
