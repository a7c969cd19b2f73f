/** Minimal answers of bybit, okx and kraken: one coin, a straight line of hourly candles, two settlements. */
import type { StubAnswers } from "./server.ts";

export const STUB_NOW_MS = Date.UTC(2026, 2, 19, 19);
const HOUR_MS = 3_600_000;
const INTERVAL_MS = 8 * HOUR_MS;
/** Settlements known at STUB_NOW_MS. */
export const STUB_SETTLED_MS: readonly number[] = [
	Math.floor(STUB_NOW_MS / INTERVAL_MS) * INTERVAL_MS - INTERVAL_MS,
	Math.floor(STUB_NOW_MS / INTERVAL_MS) * INTERVAL_MS,
];
/** Hours of candles, the last of which still runs. */
const CANDLES = 30;

interface Candle {
	ms: number;
	open: number;
	high: number;
	low: number;
	close: number;
	volume: number;
}
/** Oldest first. */
const candles = (): Candle[] =>
	Array.from({ length: CANDLES }, (_, i) => {
		const open = 100 + i;
		const ms = STUB_NOW_MS - (CANDLES - 1 - i) * HOUR_MS;
		return { ms, open, high: open + 2, low: open - 1, close: open + 1, volume: 10 };
	});
/** What a stub says a candle was worth, in quote currency: no function of its prices, so that its source shows. */
export const worthOf = ({ open }: Pick<Candle, "open">): number => open * 10 + 3;
const inWindow = (from: string | null, to: string | null) => (candle: Candle) =>
	(from === null || candle.ms >= Number(from)) && (to === null || candle.ms <= Number(to));

const bybitOf = (result: object) => ({ retCode: 0, retMsg: "OK", result, retExtInfo: {}, time: STUB_NOW_MS });
const bybitSpot = {
	symbol: "BTCUSDT",
	baseCoin: "BTC",
	quoteCoin: "USDT",
	innovation: "0",
	status: "Trading",
	marginTrading: "none",
	lotSizeFilter: {
		basePrecision: "0.000001",
		quotePrecision: "0.0000001",
		minOrderQty: "0.00001",
		maxOrderQty: "70",
		minOrderAmt: "5",
		maxOrderAmt: "4000000",
	},
	priceFilter: { tickSize: "0.01" },
};
const bybitLinear = {
	symbol: "BTCUSDT",
	contractType: "LinearPerpetual",
	status: "Trading",
	baseCoin: "BTC",
	quoteCoin: "USDT",
	settleCoin: "USDT",
	launchTime: "1585526400000",
	deliveryTime: "0",
	deliveryFeeRate: "",
	priceScale: "2",
	leverageFilter: { minLeverage: "1", maxLeverage: "100.00", leverageStep: "0.01" },
	priceFilter: { minPrice: "0.10", maxPrice: "1999999.80", tickSize: "0.10" },
	lotSizeFilter: { maxOrderQty: "1190", minOrderQty: "0.001", qtyStep: "0.001", minNotionalValue: "5" },
	unifiedMarginTrade: true,
	fundingInterval: 480,
};
const bybitTicker = {
	symbol: "BTCUSDT",
	lastPrice: "130",
	bid1Price: "129.9",
	bid1Size: "1",
	ask1Price: "130.1",
	ask1Size: "2",
	prevPrice24h: "125",
	price24hPcnt: "0.04",
	highPrice24h: "131",
	lowPrice24h: "120",
	volume24h: "200000",
	turnover24h: "25000000",
};
const bybitPerpTicker = { ...bybitTicker, fundingRate: "0.0001", openInterest: "50000", openInterestValue: "6500000" };

export const BYBIT: StubAnswers = {
	"/v5/market/time": () => bybitOf({ timeSecond: String(STUB_NOW_MS / 1000), timeNano: `${STUB_NOW_MS}000000` }),
	"/v5/market/instruments-info": (query) =>
		bybitOf({
			category: query.get("category"),
			list: [query.get("category") === "spot" ? bybitSpot : bybitLinear],
			nextPageCursor: "",
		}),
	"/v5/market/tickers": (query) =>
		bybitOf({
			category: query.get("category"),
			list: [query.get("category") === "spot" ? bybitTicker : bybitPerpTicker],
		}),
	"/v5/market/kline": (query) =>
		bybitOf({
			category: query.get("category"),
			symbol: "BTCUSDT",
			list: candles()
				.filter(inWindow(query.get("start"), query.get("end")))
				.reverse()
				.map((candle) => {
					const { ms, open, high, low, close, volume } = candle;
					return [ms, open, high, low, close, volume, worthOf(candle)].map(String);
				}),
		}),
	"/v5/market/orderbook": () =>
		bybitOf({ s: "BTCUSDT", a: [["130.1", "2"]], b: [["129.9", "1"]], ts: STUB_NOW_MS, u: 1, seq: 1 }),
	"/v5/market/funding/history": (query) =>
		bybitOf({
			category: "linear",
			list: STUB_SETTLED_MS.filter((ms) => ms >= Number(query.get("startTime") ?? 0))
				.filter((ms) => ms <= Number(query.get("endTime") ?? STUB_NOW_MS))
				.reverse()
				.map((ms) => ({ symbol: "BTCUSDT", fundingRate: "0.0001", fundingRateTimestamp: String(ms) })),
		}),
};

const okxOf = (data: unknown[]) => ({ code: "0", msg: "", data });
const okxSpot = {
	instType: "SPOT",
	instId: "BTC-USDT",
	baseCcy: "BTC",
	quoteCcy: "USDT",
	settleCcy: "",
	uly: "",
	instFamily: "",
	ctType: "",
	ctVal: "",
	ctMult: "",
	ctValCcy: "",
	lotSz: "0.00000001",
	minSz: "0.00001",
	tickSz: "0.1",
	lever: "10",
	state: "live",
	listTime: "1548133413000",
	expTime: "",
};
/** A hundredth of a coin each. */
const okxSwap = {
	...okxSpot,
	instType: "SWAP",
	instId: "BTC-USDT-SWAP",
	baseCcy: "",
	quoteCcy: "",
	settleCcy: "USDT",
	uly: "BTC-USDT",
	instFamily: "BTC-USDT",
	ctType: "linear",
	ctVal: "0.01",
	ctMult: "1",
	ctValCcy: "BTC",
	lotSz: "0.1",
	minSz: "0.1",
};
const okxTicker = (instId: string) => ({
	instType: instId.endsWith("SWAP") ? "SWAP" : "SPOT",
	instId,
	last: "130",
	lastSz: "1",
	askPx: "130.1",
	askSz: "2",
	bidPx: "129.9",
	bidSz: "1",
	open24h: "125",
	high24h: "131",
	low24h: "120",
	// Of a contract the first is in contracts and the second in coins; of a coin the second is in quote currency.
	vol24h: instId.endsWith("SWAP") ? "20000000" : "200000",
	volCcy24h: instId.endsWith("SWAP") ? "200000" : "25000000",
	ts: String(STUB_NOW_MS),
});
const okxCandles = (query: URLSearchParams) =>
	okxOf(
		candles()
			.filter(({ ms }) => ms < Number(query.get("after") ?? STUB_NOW_MS + 1))
			.filter(({ ms }) => ms > Number(query.get("before") ?? 0))
			.reverse()
			.map((candle) => {
				const { ms, open, high, low, close, volume } = candle;
				const contracts = query.get("instId")?.endsWith("SWAP") ? volume * 100 : volume;
				const confirm = ms < STUB_NOW_MS ? 1 : 0;
				return [ms, open, high, low, close, contracts, volume, worthOf(candle), confirm].map(String);
			}),
	);

export const OKX: StubAnswers = {
	"/api/v5/public/time": () => okxOf([{ ts: String(STUB_NOW_MS) }]),
	"/api/v5/public/instruments": (query) => okxOf([query.get("instType") === "SPOT" ? okxSpot : okxSwap]),
	"/api/v5/market/tickers": (query) =>
		okxOf([okxTicker(query.get("instType") === "SPOT" ? "BTC-USDT" : "BTC-USDT-SWAP")]),
	"/api/v5/market/candles": okxCandles,
	"/api/v5/market/history-candles": okxCandles,
	"/api/v5/market/books": (query) => {
		const size = query.get("instId")?.endsWith("SWAP") ? 100 : 1;
		const level = (price: string, coins: number) => [price, String(coins * size), "0", "1"];
		return okxOf([{ asks: [level("130.1", 2)], bids: [level("129.9", 1)], ts: String(STUB_NOW_MS) }]);
	},
	"/api/v5/public/funding-rate": () =>
		okxOf([
			{
				instType: "SWAP",
				instId: "BTC-USDT-SWAP",
				fundingRate: "0.0001",
				fundingTime: String((STUB_SETTLED_MS[1] ?? 0) + INTERVAL_MS),
				nextFundingRate: "",
				nextFundingTime: String((STUB_SETTLED_MS[1] ?? 0) + 2 * INTERVAL_MS),
				ts: String(STUB_NOW_MS),
			},
		]),
	"/api/v5/public/funding-rate-history": (query) =>
		okxOf(
			STUB_SETTLED_MS.filter((ms) => ms > Number(query.get("before") ?? 0))
				.filter((ms) => ms < Number(query.get("after") ?? STUB_NOW_MS))
				.reverse()
				.map((ms) => ({
					instType: "SWAP",
					instId: "BTC-USDT-SWAP",
					fundingRate: "0.0001",
					realizedRate: "0.0001",
					fundingTime: String(ms),
				})),
		),
	"/api/v5/public/open-interest": () =>
		okxOf([
			{
				instType: "SWAP",
				instId: "BTC-USDT-SWAP",
				oi: "5000000",
				oiCcy: "50000",
				oiUsd: "6500000",
				ts: String(STUB_NOW_MS),
			},
		]),
};

const krakenOf = (result: unknown) => ({ error: [], result });

export const KRAKEN: StubAnswers = {
	"/0/public/Time": () => krakenOf({ unixtime: STUB_NOW_MS / 1000, rfc1123: "Thu, 19 Mar 26 19:00:00 +0000" }),
	"/0/public/AssetPairs": () =>
		krakenOf({
			XXBTZUSD: {
				altname: "XBTUSD",
				wsname: "XBT/USD",
				aclass_base: "currency",
				base: "XXBT",
				aclass_quote: "currency",
				quote: "ZUSD",
				lot: "unit",
				cost_decimals: 5,
				pair_decimals: 1,
				lot_decimals: 8,
				lot_multiplier: 1,
				leverage_buy: [],
				leverage_sell: [],
				fees: [[0, 0.26]],
				fees_maker: [[0, 0.16]],
				fee_volume_currency: "ZUSD",
				margin_call: 80,
				margin_stop: 40,
				ordermin: "0.0001",
				costmin: "0.5",
				tick_size: "0.1",
				status: "online",
			},
		}),
	"/0/public/Ticker": () =>
		krakenOf({
			XXBTZUSD: {
				a: ["130.10000", "2", "2.000"],
				b: ["129.90000", "1", "1.000"],
				c: ["130.00000", "0.1"],
				v: ["100000", "200000"],
				p: ["125", "125"],
				t: [100, 200],
				l: ["120", "120"],
				h: ["131", "131"],
				o: "125",
			},
		}),
	"/0/public/OHLC": (query) =>
		krakenOf({
			XXBTZUSD: candles()
				.filter(({ ms }) => ms / 1000 > Number(query.get("since") ?? 0))
				.map((candle) => {
					const { ms, open, high, low, close, volume } = candle;
					const prices = [open, high, low, close, worthOf(candle) / volume, volume].map(String);
					return [ms / 1000, ...prices, 5];
				}),
			last: STUB_NOW_MS / 1000,
		}),
	"/0/public/Depth": () =>
		krakenOf({
			XXBTZUSD: {
				asks: [["130.10000", "2.000", STUB_NOW_MS / 1000]],
				bids: [["129.90000", "1.000", STUB_NOW_MS / 1000]],
			},
		}),
};
