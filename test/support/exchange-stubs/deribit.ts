/** The few endpoints of deribit (v2) that are read: a coin and perps of both kinds. */
import { STUB_NOW_MS, STUB_SETTLED_MS, stubCandles } from "./candles.ts";
import type { StubAnswers } from "./server.ts";

/** Amounts are in coins everywhere but in contracts margined in a coin, whatever the size of a contract. */
const instrument = {
	base_currency: "BTC",
	counter_currency: "USDC",
	quote_currency: "USDC",
	settlement_currency: "USDC",
	is_active: true,
	tick_size: 0.1,
	taker_commission: 0.0005,
	maker_commission: 0,
	creation_timestamp: 1534242287000,
	block_trade_commission: 0.0001,
};
const LISTED = [
	{
		...instrument,
		kind: "spot",
		instrument_name: "BTC_USDC",
		contract_size: 0.0001,
		min_trade_amount: 0.0001,
		taker_commission: 0,
	},
	{
		...instrument,
		kind: "future",
		instrument_name: "BTC_USDC-PERPETUAL",
		settlement_period: "perpetual",
		future_type: "linear",
		expiration_timestamp: 32503708800000,
		contract_size: 0.001,
		min_trade_amount: 0.001,
	},
	{
		...instrument,
		kind: "future",
		instrument_name: "BTC-PERPETUAL",
		settlement_period: "perpetual",
		future_type: "reversed",
		counter_currency: "USD",
		quote_currency: "USD",
		settlement_currency: "BTC",
		expiration_timestamp: 32503708800000,
		contract_size: 10,
		min_trade_amount: 10,
	},
];

const summary = {
	creation_timestamp: STUB_NOW_MS,
	base_currency: "BTC",
	quote_currency: "USDC",
	high: 131,
	low: 120,
	last: 130,
	mid_price: 130,
	mark_price: 130,
	bid_price: 129.9,
	ask_price: 130.1,
	price_change: 4,
	volume: 200_000,
	volume_usd: 25_000_000,
	volume_notional: 25_000_000,
	estimated_delivery_price: 130,
};
/** In the currency of settlement. */
const SUMMARIES = [
	{ currency: "USDC", kind: "spot", ...summary, instrument_name: "BTC_USDC" },
	{ currency: "USDC", kind: "future", ...summary, instrument_name: "BTC_USDC-PERPETUAL", open_interest: 50_000 },
	{ currency: "BTC", kind: "future", ...summary, instrument_name: "BTC-PERPETUAL", open_interest: 6_500_000 },
];

export const deribitOf = (result: unknown) => ({
	jsonrpc: "2.0",
	result,
	usIn: STUB_NOW_MS * 1000,
	usOut: STUB_NOW_MS * 1000 + 1,
	usDiff: 1,
	testnet: false,
});

export const DERIBIT: StubAnswers = {
	"/api/v2/public/get_time": () => deribitOf(STUB_NOW_MS),
	"/api/v2/public/get_instruments": () => deribitOf(LISTED),
	"/api/v2/public/get_book_summary_by_currency": (query) =>
		deribitOf(
			SUMMARIES.filter(({ currency, kind }) => currency === query.get("currency") && kind === query.get("kind")).map(
				({ currency: _currency, kind: _kind, ...row }) => row,
			),
		),
	"/api/v2/public/get_tradingview_chart_data": (query) => {
		const found = stubCandles().filter(
			({ ms }) => ms >= Number(query.get("start_timestamp")) && ms <= Number(query.get("end_timestamp")),
		);
		const column = (name: "open" | "high" | "low" | "close" | "volume") => found.map((candle) => candle[name]);
		return deribitOf({
			status: "ok",
			ticks: found.map(({ ms }) => ms),
			open: column("open"),
			high: column("high"),
			low: column("low"),
			close: column("close"),
			volume: column("volume"),
			cost: found.map(({ open, volume }) => open * volume),
		});
	},
	"/api/v2/public/get_order_book": (query) =>
		deribitOf({
			instrument_name: query.get("instrument_name"),
			timestamp: STUB_NOW_MS,
			state: "open",
			change_id: 1,
			bids: [[129.9, 1]],
			asks: [[130.1, 2]],
		}),
	"/api/v2/public/get_funding_rate_history": (query) =>
		deribitOf(
			STUB_SETTLED_MS.filter(
				(ms) => ms >= Number(query.get("start_timestamp")) && ms <= Number(query.get("end_timestamp")),
			).map((ms) => ({
				timestamp: ms,
				index_price: 130,
				prev_index_price: 130,
				interest_8h: 0.0001,
				interest_1h: 0.0000125,
			})),
		),
};
