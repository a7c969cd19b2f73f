/** Binance's European options: contracts on bitcoin of three expiries, and one on ether, in the exchange's own units. */
import { STUB_NOW_MS } from "./candles.ts";
import { FAR_MS, NEAR_MS } from "./options.ts";
import type { StubAnswers } from "./server.ts";

/** Five weeks ahead: still near enough for sizes to be asked for. */
export const NEXT_MS = Date.UTC(2026, 3, 24, 8);

export interface BinanceOption {
	base: string;
	expiry_ms: number;
	strike: number;
	right: "C" | "P";
}

const idOf = ({ base, expiry_ms, strike, right }: BinanceOption): string =>
	`${base}-${new Date(expiry_ms).toISOString().slice(2, 10).replaceAll("-", "")}-${strike}-${right}`;

const LISTED: readonly BinanceOption[] = [
	{ base: "BTC", expiry_ms: NEAR_MS, strike: 130, right: "C" },
	{ base: "BTC", expiry_ms: NEAR_MS, strike: 130, right: "P" },
	{ base: "BTC", expiry_ms: NEXT_MS, strike: 140, right: "C" },
	{ base: "BTC", expiry_ms: FAR_MS, strike: 140, right: "C" },
	{ base: "ETH", expiry_ms: NEAR_MS, strike: 130, right: "C" },
];

const symbolOf = (option: BinanceOption) => ({
	contractId: 2,
	expiryDate: option.expiry_ms,
	filters: [
		{ filterType: "PRICE_FILTER", minPrice: "0.1", maxPrice: "80000.1", tickSize: "0.1" },
		{ filterType: "LOT_SIZE", minQty: "0.01", maxQty: "100", stepSize: "0.01" },
	],
	id: 17,
	symbol: idOf(option),
	side: option.right === "C" ? "CALL" : "PUT",
	strikePrice: `${option.strike}.00000000`,
	underlying: `${option.base}USDT`,
	unit: 1,
	makerFeeRate: "0.00020000",
	takerFeeRate: "0.00020000",
	minQty: "0.01",
	maxQty: "100",
	initialMargin: "0.15000000",
	maintenanceMargin: "0.07500000",
	minInitialMargin: "0.10000000",
	minMaintenanceMargin: "0.05000000",
	priceScale: 1,
	quantityScale: 2,
	quoteAsset: "USDT",
});

/** Nobody bids for the put. Its times are those of the first and last trade of the day: here there was none. */
const tickerOf = (option: BinanceOption) => ({
	symbol: idOf(option),
	priceChange: "0",
	priceChangePercent: "0",
	lastPrice: "5.3",
	lastQty: "0",
	open: "5.3",
	high: "5.3",
	low: "5.3",
	volume: "0",
	amount: "0",
	bidPrice: option.right === "C" ? "5.1" : "0",
	askPrice: "5.7",
	openTime: 0,
	closeTime: 0,
	firstTradeId: 0,
	tradeCount: 0,
	strikePrice: String(option.strike),
	// The index, whatever the expiry.
	exercisePrice: "130.25",
});

const markOf = (option: BinanceOption) => ({
	symbol: idOf(option),
	markPrice: "5.4",
	bidIV: option.right === "C" ? "0.60500000" : "-1",
	askIV: "0.62000000",
	markIV: "0.61250000",
	delta: "0.59",
	theta: "-13.5",
	gamma: "0.00002",
	vega: "141.9",
	highPriceLimit: "100",
	lowPriceLimit: "0.1",
	riskFreeInterest: "0.1",
});

/** A little later than the list. */
const depthOf = (id: string) => ({
	T: STUB_NOW_MS - 500,
	u: 37_461,
	bids: id.endsWith("C")
		? [
				["5.2", "20"],
				["5.1", "7.25"],
			]
		: [],
	asks: [["5.6", "90"]],
});

const expirationOf = (option: BinanceOption): string => idOf(option).split("-")[1] ?? "";

export const binanceOptions = (listed: readonly BinanceOption[]): StubAnswers => ({
	"/eapi/v1/exchangeInfo": () => ({
		timezone: "UTC",
		serverTime: STUB_NOW_MS,
		optionContracts: [
			{ id: 1, baseAsset: "BTC", quoteAsset: "USDT", underlying: "BTCUSDT", settleAsset: "USDT" },
			{ id: 2, baseAsset: "ETH", quoteAsset: "USDT", underlying: "ETHUSDT", settleAsset: "USDT" },
		],
		optionAssets: [{ id: 1, name: "USDT" }],
		optionSymbols: listed.map(symbolOf),
		rateLimits: [{ rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 400 }],
	}),
	"/eapi/v1/ticker": () => listed.map(tickerOf),
	"/eapi/v1/mark": () => listed.map(markOf),
	"/eapi/v1/openInterest": (query) =>
		listed
			.filter((of) => of.base === query.get("underlyingAsset") && expirationOf(of) === query.get("expiration"))
			.map((of) => ({
				symbol: idOf(of),
				sumOpenInterest: "270.00",
				sumOpenInterestUsd: "35167.5",
				timestamp: String(STUB_NOW_MS - 60_000),
			})),
	"/eapi/v1/depth": (query) => depthOf(query.get("symbol") ?? ""),
});
export const BINANCE_OPTIONS = binanceOptions(LISTED);
