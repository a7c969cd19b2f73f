/** The few endpoints of kraken that are read, with one market. */
import { STUB_NOW_MS, stubCandles, worthOf } from "./candles.ts";
import type { StubAnswers } from "./server.ts";

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
			XXBTZUSD: stubCandles()
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
