/** Endpoints of exchanges that list options: bitcoin on all, on deribit solana too; each in the exchange's own units. */
import { STUB_NOW_MS } from "./candles.ts";
import { deribitOf } from "./deribit.ts";
import type { StubAnswers } from "./server.ts";

/** Two weeks ahead, and too far ahead for sizes to be asked for. */
export const NEAR_MS = Date.UTC(2026, 3, 3, 8);
export const FAR_MS = Date.UTC(2026, 11, 25, 8);

export const deribitOption = (
	base: string,
	settle: string,
	expiry_ms: number,
	strike: number,
	kind: "call" | "put",
) => {
	const day = expiry_ms === NEAR_MS ? "3APR26" : "25DEC26";
	const root = base === settle ? base : `${base}_${settle}`;
	return {
		kind: "option",
		instrument_name: `${root}-${day}-${strike}-${kind === "call" ? "C" : "P"}`,
		base_currency: base,
		counter_currency: base === settle ? "USD" : settle,
		quote_currency: settle,
		settlement_currency: settle,
		settlement_period: "month",
		option_type: kind,
		strike,
		expiration_timestamp: expiry_ms,
		creation_timestamp: 1648199543000,
		is_active: true,
		contract_size: base === settle ? 1 : 10,
		min_trade_amount: base === settle ? 0.1 : 10,
		tick_size: 0.0005,
		taker_commission: 0.0003,
		maker_commission: 0.0003,
	};
};
const DERIBIT_LISTED = [
	deribitOption("BTC", "BTC", NEAR_MS, 130, "call"),
	deribitOption("BTC", "BTC", NEAR_MS, 130, "put"),
	deribitOption("BTC", "BTC", FAR_MS, 140, "call"),
	// A second kind on the same coin: fewer are listed, so it is not the chain.
	deribitOption("BTC", "USDC", NEAR_MS, 130, "call"),
	deribitOption("SOL", "USDC", NEAR_MS, 90, "put"),
];
const deribitSummary = ({ instrument_name, base_currency, quote_currency }: (typeof DERIBIT_LISTED)[number]) => ({
	instrument_name,
	base_currency,
	quote_currency,
	creation_timestamp: STUB_NOW_MS - 2000,
	underlying_index: instrument_name.split("-").slice(0, 2).join("-"),
	underlying_price: base_currency === "SOL" ? 91 : 131,
	interest_rate: 0,
	mid_price: 0.041,
	mark_price: 0.0405,
	mark_iv: 61,
	bid_price: 0.04,
	ask_price: 0.042,
	last: 0.04,
	low: 0.04,
	high: 0.043,
	price_change: null,
	volume: 4,
	volume_usd: 11_045.12,
	open_interest: 270,
	estimated_delivery_price: 130,
});
/** As the ticker tells it a little later than the list. */
const deribitTicker = (instrument_name: string) => ({
	instrument_name,
	timestamp: STUB_NOW_MS - 500,
	state: "open",
	underlying_index: "BTC-3APR26",
	underlying_price: instrument_name.startsWith("SOL") ? 91.5 : 131.5,
	index_price: 130,
	interest_rate: 0,
	best_bid_price: 0.0395,
	best_bid_amount: 20,
	best_ask_price: 0.0425,
	best_ask_amount: 90,
	bid_iv: 60.5,
	ask_iv: 62,
	mark_iv: 61.25,
	mark_price: 0.0407,
	open_interest: 270,
	settlement_price: 0.04,
	last_price: 0.04,
	greeks: { delta: 0.59, gamma: 0.00002, vega: 141.9, theta: -13.5, rho: 130.6 },
	stats: { volume: 12, volume_usd: 100_453.9, price_change: -2.3, low: 0.04, high: 0.043 },
});

export const deribitOptions = (listed: readonly ReturnType<typeof deribitOption>[]): StubAnswers => ({
	"/api/v2/public/get_instruments": () => deribitOf(listed),
	"/api/v2/public/get_book_summary_by_currency": (query) =>
		deribitOf(
			listed
				.filter((one) => one.kind === query.get("kind") && one.settlement_currency === query.get("currency"))
				.map(deribitSummary),
		),
	"/api/v2/public/ticker": (query) => deribitOf(deribitTicker(query.get("instrument_name") ?? "")),
});
export const DERIBIT_OPTIONS = deribitOptions(DERIBIT_LISTED);

const okxOf = (data: unknown[]) => ({ code: "0", msg: "", data });
const OKX_IDS = ["BTC-USD-260403-130-C", "BTC-USD-260403-130-P"];

export const OKX_OPTIONS: StubAnswers = {
	"/api/v5/public/instruments": (query) =>
		okxOf(
			OKX_IDS.filter((id) => id.startsWith(`${query.get("uly")}-`)).map((instId) => ({
				instType: "OPTION",
				instId,
				uly: "BTC-USD",
				instFamily: "BTC-USD",
				category: "1",
				baseCcy: "",
				quoteCcy: "",
				settleCcy: "BTC",
				// A hundredth of a coin.
				ctVal: "1",
				ctMult: "0.01",
				ctValCcy: "BTC",
				ctType: "",
				optType: instId.slice(-1),
				stk: "130",
				listTime: "1631262612280",
				expTime: String(NEAR_MS),
				lever: "",
				tickSz: "0.0005",
				lotSz: "1",
				minSz: "1",
				state: "live",
			})),
		),
	"/api/v5/market/tickers": (query) =>
		okxOf(
			OKX_IDS.filter((id) => query.get("instType") === "OPTION" && id.startsWith(`${query.get("uly")}-`)).map(
				(instId) => ({
					instType: "OPTION",
					instId,
					last: "0.04",
					lastSz: "1",
					askPx: "0.0425",
					askSz: "90",
					// Nobody bids for the put.
					bidPx: instId.endsWith("C") ? "0.0395" : "",
					bidSz: instId.endsWith("C") ? "20" : "0",
					open24h: "0.04",
					high24h: "0.043",
					low24h: "0.04",
					volCcy24h: "0.04",
					vol24h: "4",
					ts: String(STUB_NOW_MS - 500),
				}),
			),
		),
	"/api/v5/public/open-interest": (query) =>
		okxOf(
			OKX_IDS.filter((id) => query.get("instType") === "OPTION" && id.startsWith(`${query.get("uly")}-`)).map(
				(instId) => ({
					instType: "OPTION",
					instId,
					oi: "270",
					oiCcy: "2.7",
					oiUsd: "355.05",
					ts: String(STUB_NOW_MS - 300),
				}),
			),
		),
	"/api/v5/public/opt-summary": (query) =>
		okxOf(
			OKX_IDS.filter((id) => id.startsWith(`${query.get("uly")}-`)).map((instId) => ({
				instType: "OPTION",
				instId,
				uly: "BTC-USD",
				bidVol: instId.endsWith("C") ? "0.605" : "0",
				askVol: "0.62",
				markVol: "0.6125",
				realVol: "0",
				volLv: "0.6",
				fwdPx: "131.5",
				delta: "0.59",
				deltaBS: "0.6",
				gamma: "-0.13",
				gammaBS: "0.000024",
				theta: "-0.0004",
				thetaBS: "-18.5",
				vega: "0.002",
				vegaBS: "74.4",
				lever: "4.5",
				ts: String(STUB_NOW_MS - 400),
			})),
		),
};

const bybitOf = (result: object) => ({ retCode: 0, retMsg: "SUCCESS", result, retExtInfo: {}, time: STUB_NOW_MS });
const BYBIT_IDS = ["BTC-3APR26-130-C-USDT", "BTC-3APR26-130-P-USDT"];

export const BYBIT_OPTIONS: StubAnswers = {
	// One contract a page.
	"/v5/market/instruments-info": (query) => {
		const ids = query.get("category") === "option" && query.get("baseCoin") === "BTC" ? BYBIT_IDS : [];
		const page = Number(query.get("cursor") ?? 0);
		return bybitOf({
			category: "option",
			nextPageCursor: page + 1 < ids.length ? String(page + 1) : "",
			list: ids.slice(page, page + 1).map((symbol) => ({
				symbol,
				status: "Trading",
				baseCoin: "BTC",
				quoteCoin: "USDT",
				settleCoin: "USDT",
				optionsType: symbol.includes("-C-") ? "Call" : "Put",
				launchTime: "1688630400000",
				deliveryTime: String(NEAR_MS),
				deliveryFeeRate: "0.00015",
				priceFilter: { minPrice: "5", maxPrice: "10000000", tickSize: "5" },
				lotSizeFilter: { maxOrderQty: "500", minOrderQty: "0.01", qtyStep: "0.01" },
			})),
		});
	},
	"/v5/market/tickers": (query) =>
		bybitOf({
			category: "option",
			list: (query.get("baseCoin") === "BTC" ? BYBIT_IDS : []).map((symbol) => {
				const bid = symbol.includes("-C-");
				return {
					symbol,
					bid1Price: bid ? "5.2" : "0",
					bid1Size: bid ? "20" : "0",
					bid1Iv: bid ? "0.605" : "0",
					ask1Price: "5.6",
					ask1Size: "90",
					ask1Iv: "0.62",
					lastPrice: "5.3",
					highPrice24h: "0",
					lowPrice24h: "0",
					markPrice: "5.4",
					indexPrice: "130",
					markIv: "0.6125",
					underlyingPrice: "131.5",
					openInterest: "270",
					turnover24h: "0",
					volume24h: "0",
					totalVolume: "2",
					totalTurnover: "78719",
					delta: "0.59",
					gamma: "0.0000055",
					vega: "191.7",
					theta: "-30.4",
					predictedDeliveryPrice: "0",
					change24h: "0",
				};
			}),
		}),
};

const gateOption = (right: "C" | "P") => ({
	name: `BTC_USDT-20260403-130-${right}`,
	underlying: "BTC_USDT",
	is_call: right === "C",
	is_active: true,
	strike_price: "130",
	expiration_time: NEAR_MS / 1000,
	create_time: Date.UTC(2026, 0, 1) / 1000,
	// A hundredth of a coin.
	multiplier: "0.01",
	underlying_price: "131.5",
	mark_price: "5.4",
	last_price: "0",
	// Nobody bids for the put. What is offered is written as a negative size.
	bid1_price: right === "C" ? "5.2" : "0",
	bid1_size: right === "C" ? 434 : 0,
	ask1_price: "5.6",
	ask1_size: -454,
	position_size: 0,
	order_size_min: 1,
	order_size_max: 10_000,
	order_price_round: "0.1",
	order_price_deviate: "0.9",
});

export const GATE_OPTIONS: StubAnswers = {
	"/api/v4/options/underlyings": () => [{ name: "BTC_USDT", index_price: "131.5" }],
	"/api/v4/options/contracts": (query) =>
		query.get("underlying") === "BTC_USDT" ? [gateOption("C"), gateOption("P")] : [],
};
