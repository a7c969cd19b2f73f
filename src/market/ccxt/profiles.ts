/**
 * What has to be known of an exchange beyond what ccxt unifies: sizes of its pages, units, and numbers that its
 * answers carry and ccxt drops. An exchange that is not listed works with the defaults, by what its `has` says.
 */
import type { Market as CcxtMarket, Ticker as CcxtTicker, FundingRateHistory } from "ccxt";

export interface ExchangeProfile {
	/** Settings of the ccxt instance. */
	settings: Record<string, unknown>;
	/** Candles of one answer; null: what ccxt says of the exchange, else 500. */
	candles_max: number | null;
	/** Settlements of one answer. */
	funding_max: number;
	/** Parameters that end a page of settlements at an instant. */
	fundingUntil(untilMs: number): Record<string, unknown>;
	/** What was settled at that time, as a fraction of notional. */
	settledRate(of: FundingRateHistory): number | undefined;
	/** Hours between settlements of a contract for which the exchange lists none; null: it lists all. */
	funding_interval_default: number | null;
	/** Request weight of ccxt's cost of an endpoint, in the exchange's own units; `group`: of ccxt's `api` tree. */
	weightOf(cost: number, group: string): number;
	/**
	 * Part of the exchange's budget that it counts apart from all other requests, e.g. `funding`; null: there is none for
	 * this endpoint. `path` and `group` of ccxt's `api` tree.
	 */
	budgetOf(path: string, group: string): string | null;
	/** Header that says how much weight was used in the current minute; null: none does. */
	used_weight_header: string | null;
	/** Parts of the budget that are hosts of their own, whose answers' header counts that part. */
	own_hosts: readonly string[];
	/** Value of a raw candle in quote currency; null: not in it. */
	candleValue(raw: unknown): number | null;
	/** Amounts of perps (books, trades, least orders, open interest) are in base units, whatever a contract's size. */
	amounts_in_coins: boolean;
	/** What ccxt says of a perp's fees is what they are. */
	perp_fees_known: boolean;
	/** Currencies for each of which the exchange gives tickers by a request of its own; null: it gives all at once. */
	ticker_currencies: readonly string[] | null;
	/** Parameters of a request for the tickers of perps, where those of coins need one of their own. */
	perp_tickers: Record<string, string>;
	/** A perp's candle volumes are counted in contracts, not in base units. */
	candles_in_contracts: boolean;
	/** Quote volume of a ticker over 24 h where ccxt leaves it out. */
	tickerValue(ticker: CcxtTicker, market: CcxtMarket): number | null;
	/** Id of the market whose book and trades this one shows under another name; null: they are its own. */
	aliasOf(market: { info?: unknown }): string | null;
	/** Open interest in USD that the exchange sends with its tickers; null: it does not. */
	tickerInterestUsd(ticker: CcxtTicker): number | null;
	/** The history of open interest is that of the contract, in USD. */
	interest_history: boolean;
	/** How many perps are asked for their open interest one by one, the busiest first; 0: none need be. */
	interest_calls_max: number;
	/** An answer begins at the instant that is asked for, however long ago it is, and goes forward from it. */
	pages_from_begin: boolean;
	/** Requests for one tape of trades: a busy coin prints more in a day than anyone may ask for. */
	tape_pages_max: number;
	/** Settings of an instance that lists options instead; null: no chain is read. */
	options: Record<string, unknown> | null;
}

const numberAt = (raw: unknown, index: number): number | null => {
	const value = Array.isArray(raw) ? Number(raw[index]) : Number.NaN;
	return Number.isFinite(value) ? value : null;
};

const infoNumber = ({ info }: { info?: unknown }, name: string): number | null => {
	const text = (info as Record<string, unknown> | undefined)?.[name];
	const value = text === undefined || text === null || text === "" ? Number.NaN : Number(text);
	return Number.isFinite(value) ? value : null;
};

const DEFAULTS: ExchangeProfile = {
	settings: {},
	candles_max: null,
	funding_max: 100,
	fundingUntil: (until) => ({ until }),
	settledRate: ({ fundingRate }) => fundingRate,
	funding_interval_default: null,
	weightOf: (cost) => cost,
	budgetOf: () => null,
	used_weight_header: null,
	own_hosts: [],
	candleValue: () => null,
	amounts_in_coins: false,
	perp_fees_known: true,
	ticker_currencies: null,
	perp_tickers: { type: "swap", subType: "linear" },
	candles_in_contracts: true,
	tickerValue: () => null,
	aliasOf: () => null,
	tickerInterestUsd: () => null,
	interest_history: false,
	interest_calls_max: 0,
	pages_from_begin: false,
	tape_pages_max: 25,
	options: null,
};

const BINANCE: ExchangeProfile = {
	...DEFAULTS,
	settings: { options: { defaultType: "spot", fetchMarkets: { types: ["spot"] }, fetchMargins: false } },
	candles_max: 1000,
	funding_max: 1000,
	// Spot costs are written for a budget of 1200 a minute, of which a request of weight 1 takes 0.2.
	weightOf: (cost, group) => (/^[ef]api/.test(group) ? cost : cost * 5),
	used_weight_header: "x-mbx-used-weight-1m",
	// [open time, o, h, l, c, volume, close time, quote volume, trades, ...]
	candleValue: (raw) => numberAt(raw, 7),
	candles_in_contracts: false,
	pages_from_begin: true,
};

const PROFILES: Readonly<Record<string, ExchangeProfile>> = {
	binance: {
		...BINANCE,
		budgetOf: (_path, group) => (group.startsWith("eapi") ? "options" : null),
		own_hosts: ["options"],
		options: { options: { defaultType: "option", fetchMarkets: { types: ["option"] }, fetchMargins: false } },
	},
	binanceusdm: {
		...BINANCE,
		settings: { options: { defaultType: "swap", defaultSubType: "linear", fetchMarkets: { types: ["linear"] } } },
		// 499 candles weigh 2, a thousand 5.
		candles_max: 499,
		// The list of intervals holds adjusted contracts only; all others settle every 8 hours.
		funding_interval_default: 8,
		interest_history: true,
		interest_calls_max: 300,
		budgetOf: (path, group) => (group === "fapiData" ? "data" : path.startsWith("funding") ? "funding" : null),
		// A page weighs 20: with more, the tapes of ten busy contracts would take a minute's budget from everything else.
		tape_pages_max: 5,
	},
	bybit: {
		...DEFAULTS,
		settings: { options: { fetchMarkets: { types: ["spot", "linear"] } } },
		candles_max: 1000,
		funding_max: 200,
		// [start, o, h, l, c, volume, turnover]
		candleValue: (raw) => numberAt(raw, 6),
		candles_in_contracts: false,
		tickerInterestUsd: (ticker) => infoNumber(ticker, "openInterestValue"),
		// One page of the list holds 500 contracts, fewer than bitcoin has.
		options: { options: { fetchMarkets: { types: ["option"], loadAllOptions: true } } },
	},
	gate: { ...DEFAULTS, options: { options: { fetchMarkets: { types: ["option"] } } } },
	okx: {
		...DEFAULTS,
		settings: { options: { fetchMarkets: { types: ["spot", "swap"] } } },
		candles_max: 300,
		fundingUntil: (until) => ({ after: until + 1 }),
		// [ts, o, h, l, c, vol, volCcy, volCcyQuote, confirm]
		candleValue: (raw) => numberAt(raw, 7),
		candles_in_contracts: false,
		// Of contracts the exchange gives the volume in coins.
		tickerValue: (ticker, market) => {
			const coins = market?.swap ? infoNumber(ticker, "volCcy24h") : null;
			return coins === null || ticker.last === undefined ? null : coins * ticker.last;
		},
		options: { options: { fetchMarkets: { types: ["option"] } } },
	},
	kraken: {
		...DEFAULTS,
		candles_max: 720,
		// [time, o, h, l, c, vwap, volume, trades]: the average price weighted by volume, so the product is exact.
		candleValue: (raw) => {
			const [price, volume] = [numberAt(raw, 5), numberAt(raw, 6)];
			return price === null || volume === null ? null : price * volume;
		},
	},
	// Where no fee of a perp is stated, which is always so without a key, ccxt puts 6 % and 4 %.
	coinbase: {
		...DEFAULTS,
		candles_max: 300,
		perp_fees_known: false,
		perp_tickers: { type: "swap", contract_expiry_type: "PERPETUAL" },
		// BTC-USDC is the book of BTC-USD, settled in another dollar, and tells the same volume.
		aliasOf: ({ info }) => {
			const { alias } = (info ?? {}) as { alias?: unknown };
			return typeof alias === "string" && alias !== "" ? alias : null;
		},
	},
	deribit: {
		...DEFAULTS,
		candles_max: 1000,
		funding_max: 744,
		// A row an hour, of which ccxt takes the rate of the last eight: each hour would count eight times.
		settledRate: (row) => infoNumber(row, "interest_1h") ?? undefined,
		funding_interval_default: 1,
		amounts_in_coins: true,
		candles_in_contracts: false,
		// All that the endpoint knows: linear contracts of every coin are under their currency of settlement.
		ticker_currencies: ["BTC", "ETH", "USDC", "USDT", "EURR"],
		tickerInterestUsd: (ticker) => {
			const [coins, mark] = [infoNumber(ticker, "open_interest"), infoNumber(ticker, "mark_price")];
			return coins === null || mark === null ? null : coins * mark;
		},
		options: {},
	},
};

export const profileOf = (id: string): ExchangeProfile => PROFILES[id] ?? DEFAULTS;

/**
 * Weight used in the current minute as an answer's headers name it; null: they do not. `budget`: the part of the budget
 * that paid for the request, null for the whole.
 */
export function usedWeightOf(profile: ExchangeProfile, headers: Headers, budget: string | null): number | null {
	const { used_weight_header: header, own_hosts } = profile;
	const counted = header !== null && (budget === null || own_hosts.includes(budget));
	const value = counted ? Number(headers.get(header) ?? Number.NaN) : Number.NaN;
	return Number.isFinite(value) ? value : null;
}

/**
 * Exchanges whose spot and perp markets ccxt splits over two classes: naming the exchange means both, each a venue
 * of its own. Naming the second alone means it alone.
 */
const COMPANIONS: Readonly<Record<string, readonly string[]>> = { binance: ["binance", "binanceusdm"] };

/** Venues that `ccxt:<exchange>[,<exchange>]` opens, each once, in the order named. */
export const venuesOf = (exchanges: readonly string[]): string[] => [
	...new Set(exchanges.flatMap((id) => COMPANIONS[id] ?? [id])),
];
