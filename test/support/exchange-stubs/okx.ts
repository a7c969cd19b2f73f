/** The few endpoints of okx (v5) that are read, with one market of each kind. */
import { STUB_INTERVAL_MS, STUB_NOW_MS, STUB_SETTLED_MS, stubCandles, worthOf } from "./candles.ts";
import type { StubAnswers } from "./server.ts";

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
		stubCandles()
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
				fundingTime: String((STUB_SETTLED_MS[1] ?? 0) + STUB_INTERVAL_MS),
				nextFundingRate: "",
				nextFundingTime: String((STUB_SETTLED_MS[1] ?? 0) + 2 * STUB_INTERVAL_MS),
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
