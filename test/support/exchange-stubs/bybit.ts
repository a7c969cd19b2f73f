/** The few endpoints of bybit (v5) that are read, with one market of each kind. */
import { STUB_NOW_MS, STUB_SETTLED_MS, type StubCandle, stubCandles, worthOf } from "./candles.ts";
import type { StubAnswers } from "./server.ts";

const inWindow = (from: string | null, to: string | null) => (candle: StubCandle) =>
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
			list: stubCandles()
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
