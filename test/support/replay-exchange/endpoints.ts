/** Which paths exist, what each costs and who answers. */
import type { Market } from "../../../src/market/contract.ts";
import { fundingInfo, fundingRates, openInterest, openInterestHistory, premiumIndex } from "./contracts.ts";
import type { Family, ReplayData } from "./data.ts";
import { exchangeInfo, optionsInfo } from "./exchange-info.ts";
import { klines } from "./klines.ts";
import { ExchangeRefusal, invalidSymbol, limitOf, required, wholeNumber } from "./query.ts";
import { dayStatistics } from "./tickers.ts";
import type { Pool } from "./weights.ts";

/** One side of a book as the exchange sends it. */
type Level = [price: string, quantity: string];
export interface StoredBook {
	lastUpdateId: number;
	bids: Level[];
	asks: Level[];
}

/** What an answer is made from: the data, the exchange's clock and the faults of this request. */
export interface View {
	data: ReplayData;
	nowMs: number;
	skewMs: number;
	/** Newest candles that are held back. */
	staleCandles: number;
	/** A candle that still runs is shown. */
	openCandle: boolean;
	minNotional: number | null;
	book(family: Family, id: string): StoredBook | null;
}

/** Hosts of the exchange, each with a budget of its own: families of markets, and options. */
export type Host = Family | "options";

export interface Endpoint {
	family: Host;
	/** Last part of the path, as faults and statistics name it, e.g. `klines`. */
	name: string;
	pool: Pool;
	weight(query: URLSearchParams): number;
	answer(query: URLSearchParams, view: View): Promise<unknown>;
}

type Row = [
	path: string,
	pool: Pool,
	weight: Endpoint["weight"],
	answer: (query: URLSearchParams, view: View) => Promise<unknown>,
];

/** Most candles one request answers. */
export const KLINES_CAP: Record<Family, number> = { spot: 1000, usdm: 1500 };
const BOOK_CAP: Record<Family, number> = { spot: 5000, usdm: 1000 };

const constant = (weight: number) => () => weight;
const one = async (family: Family, query: URLSearchParams, view: View): Promise<Market> => {
	const market = (await view.data.markets(family, view.nowMs)).get(required(query, "symbol"));
	if (!market) throw invalidSymbol();
	return market;
};
/** The market named by `symbol`, those of the list `symbols`, or all. */
const asked = async (family: Family, query: URLSearchParams, view: View): Promise<Market[]> => {
	if (query.has("symbol")) return [await one(family, query, view)];
	const all = await view.data.markets(family, view.nowMs);
	if (family !== "spot" || !query.has("symbols")) return [...all.values()];
	return listOf(query).map((id) => {
		const market = all.get(id);
		if (!market) throw invalidSymbol();
		return market;
	});
};

function listOf(query: URLSearchParams): string[] {
	try {
		const list: unknown = JSON.parse(query.get("symbols") ?? "");
		if (Array.isArray(list) && list.every((id) => typeof id === "string")) return list;
	} catch {}
	throw new ExchangeRefusal(400, -1100, "Illegal characters found in parameter 'symbols'.");
}

/** One object for a named symbol, a list otherwise. */
const single = <T>(query: URLSearchParams, rows: T[]): T | T[] => (query.has("symbol") ? (rows[0] as T) : rows);

const statistics = async (family: Family, query: URLSearchParams, view: View) => {
	const named = query.has("symbol") || query.has("symbols");
	const make = async () => dayStatistics(await asked(family, query, view), view);
	return single(query, await (named ? make() : view.data.remember(view.nowMs, `tickers:${family}`, make)));
};

const depth = (family: Family) => async (query: URLSearchParams, view: View) => {
	const { id } = await one(family, query, view);
	const limit = limitOf(query, family === "spot" ? 100 : 500, BOOK_CAP[family]);
	// A book that nobody recorded is empty, never made up.
	const book = view.book(family, id) ?? { lastUpdateId: 0, bids: [], asks: [] };
	const cut = { ...book, bids: book.bids.slice(0, limit), asks: book.asks.slice(0, limit) };
	return family === "spot" ? cut : { ...cut, E: view.nowMs, T: view.nowMs };
};

const byLimit = (byDefault: number, steps: readonly [upTo: number, weight: number][], beyond: number) => {
	return (query: URLSearchParams) => {
		const limit = wholeNumber(query, "limit") ?? byDefault;
		return steps.find(([upTo]) => limit <= upTo)?.[1] ?? beyond;
	};
};

const spotTickerWeight = (query: URLSearchParams): number => {
	if (query.has("symbol")) return 2;
	if (!query.has("symbols")) return 80;
	const count = listOf(query).length;
	return count <= 20 ? 2 : count <= 100 ? 40 : 80;
};

const time = async (_: URLSearchParams, view: View) => ({ serverTime: view.nowMs + view.skewMs });
const nothing = async () => ({});
const all = async (family: Family, view: View): Promise<Market[]> => [
	...(await view.data.markets(family, view.nowMs)).values(),
];
/** Trades are not recorded: there are none to send, for a symbol that exists. */
const noTrades = (family: Family) => async (query: URLSearchParams, view: View) => {
	await one(family, query, view);
	return [];
};

const SPOT: readonly Row[] = [
	["ping", "spot", constant(1), nothing],
	["time", "spot", constant(1), time],
	["exchangeInfo", "spot", constant(20), async (_, view) => exchangeInfo("spot", view)],
	[
		"klines",
		"spot",
		constant(2),
		async (query, view) => klines(query, await one("spot", query, view), view, KLINES_CAP.spot),
	],
	["ticker/24hr", "spot", spotTickerWeight, async (query, view) => statistics("spot", query, view)],
	[
		"depth",
		"spot",
		byLimit(
			100,
			[
				[100, 5],
				[500, 25],
				[1000, 50],
			],
			250,
		),
		depth("spot"),
	],
	["trades", "spot", constant(25), noTrades("spot")],
	["aggTrades", "spot", constant(4), noTrades("spot")],
];

const USDM: readonly Row[] = [
	["ping", "usdm", constant(1), nothing],
	["time", "usdm", constant(1), time],
	["exchangeInfo", "usdm", constant(1), async (_, view) => exchangeInfo("usdm", view)],
	[
		"klines",
		"usdm",
		byLimit(
			500,
			[
				[99, 1],
				[499, 2],
				[1000, 5],
			],
			10,
		),
		async (query, view) => klines(query, await one("usdm", query, view), view, KLINES_CAP.usdm),
	],
	[
		"ticker/24hr",
		"usdm",
		(query) => (query.has("symbol") ? 1 : 40),
		async (query, view) => statistics("usdm", query, view),
	],
	[
		"depth",
		"usdm",
		byLimit(
			500,
			[
				[50, 2],
				[100, 5],
				[500, 10],
			],
			20,
		),
		depth("usdm"),
	],
	[
		"premiumIndex",
		"usdm",
		(query) => (query.has("symbol") ? 1 : 10),
		async (query, view) => single(query, await premiumIndex(await asked("usdm", query, view), view)),
	],
	[
		"fundingRate",
		"usdm_funding",
		constant(1),
		async (query, view) => fundingRates(query, await asked("usdm", query, view), view),
	],
	["fundingInfo", "usdm_funding", constant(1), async (_, view) => fundingInfo(await all("usdm", view))],
	["openInterest", "usdm", constant(1), async (query, view) => openInterest(await one("usdm", query, view), view)],
	["trades", "usdm", constant(5), noTrades("usdm")],
	["aggTrades", "usdm", constant(20), noTrades("usdm")],
];

const DATA: readonly Row[] = [
	[
		"openInterestHist",
		"usdm_data",
		constant(1),
		async (query, view) => openInterestHistory(query, await one("usdm", query, view), view),
	],
];

/** The layout has no option chains, so none is listed. */
const noOption = async (query: URLSearchParams) => {
	if (query.has("symbol")) throw invalidSymbol();
	return [];
};

const OPTIONS: readonly Row[] = [
	["ping", "options", constant(1), nothing],
	["time", "options", constant(1), time],
	["exchangeInfo", "options", constant(1), async (_, view) => optionsInfo(view)],
	["ticker", "options", constant(5), noOption],
	["mark", "options", constant(5), noOption],
	[
		"depth",
		"options",
		byLimit(
			100,
			[
				[50, 1],
				[100, 5],
				[500, 10],
			],
			20,
		),
		async (query) => {
			required(query, "symbol");
			throw invalidSymbol();
		},
	],
	[
		"openInterest",
		"options",
		constant(3),
		async (query) => {
			for (const name of ["underlyingAsset", "expiration"]) required(query, name);
			return [];
		},
	],
];

const mounted = (prefix: string, family: Host, rows: readonly Row[]): [string, Endpoint][] =>
	rows.map(([name, pool, weight, answer]) => [`${prefix}/${name}`, { family, name, pool, weight, answer }]);

/** Path -> endpoint. */
export const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map([
	...mounted("/api/v3", "spot", SPOT),
	...mounted("/fapi/v1", "usdm", USDM),
	...mounted("/futures/data", "usdm", DATA),
	...mounted("/eapi/v1", "options", OPTIONS),
]);
