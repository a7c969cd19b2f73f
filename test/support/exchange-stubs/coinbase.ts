/** The few endpoints of coinbase (advanced trade, and its clock) that are read, with one market. */
import { STUB_NOW_MS, stubCandles } from "./candles.ts";
import type { StubAnswers } from "./server.ts";

const spot = {
	product_id: "BTC-USD",
	price: "130",
	price_percentage_change_24h: "4",
	volume_24h: "200000",
	volume_percentage_change_24h: "1",
	base_increment: "0.00000001",
	quote_increment: "0.01",
	quote_min_size: "1",
	quote_max_size: "150000000",
	base_min_size: "0.00000001",
	base_max_size: "3400",
	base_name: "Bitcoin",
	quote_name: "US Dollar",
	is_disabled: false,
	status: "online",
	trading_disabled: false,
	product_type: "SPOT",
	quote_currency_id: "USD",
	base_currency_id: "BTC",
	fcm_trading_session_details: null,
	mid_market_price: "",
	alias: "",
	alias_to: ["BTC-USDC"],
	price_increment: "0.01",
	display_name: "BTC-USD",
	product_venue: "CBE",
	approximate_quote_24h_volume: "25000000",
};
/** Its book under a second name, with the figures of the first. */
const alias = {
	...spot,
	product_id: "BTC-USDC",
	quote_currency_id: "USDC",
	alias: "BTC-USD",
	alias_to: [],
	display_name: "BTC-USDC",
};
const perp = {
	...spot,
	product_id: "BTC-PERP-INTX",
	base_increment: "0.0001",
	base_min_size: "0.0001",
	quote_min_size: "10",
	product_type: "FUTURE",
	quote_currency_id: "USDC",
	base_currency_id: "",
	display_name: "BTC PERP",
	product_venue: "INTX",
	future_product_details: {
		venue: "",
		contract_code: "BTC",
		contract_expiry: null,
		contract_size: "1",
		contract_root_unit: "BTC",
		contract_expiry_type: "PERPETUAL",
		perpetual_details: {
			open_interest: "50000",
			funding_rate: "0.000016",
			funding_time: "2026-03-19T19:00:00Z",
			max_leverage: "10",
		},
	},
};

const products = (all: readonly { product_type: string }[]) => (query: URLSearchParams) => {
	const asked = query.get("product_type");
	const expiry = query.get("contract_expiry_type");
	// Perps are listed where they are asked for: without a type there are coins alone.
	const type = asked ?? "SPOT";
	const found = all.filter(({ product_type }) => product_type === type && (type === "SPOT" || expiry === "PERPETUAL"));
	return { products: found, num_products: found.length };
};

export const COINBASE: StubAnswers = {
	"/v2/time": () => ({ data: { iso: new Date(STUB_NOW_MS).toISOString(), epoch: STUB_NOW_MS / 1000 } }),
	"/api/v3/brokerage/market/products": products([spot]),
	"/api/v3/brokerage/market/products/BTC-USD/candles": (query) => ({
		candles: stubCandles()
			.filter(({ ms }) => ms >= Number(query.get("start")) * 1000 && ms <= Number(query.get("end")) * 1000)
			.reverse()
			.map(({ ms, open, high, low, close, volume }) => ({
				start: String(ms / 1000),
				low: String(low),
				high: String(high),
				open: String(open),
				close: String(close),
				volume: String(volume),
			})),
	}),
	"/api/v3/brokerage/market/product_book": () => ({
		pricebook: {
			product_id: "BTC-USD",
			bids: [{ price: "129.9", size: "1" }],
			asks: [{ price: "130.1", size: "2" }],
			time: new Date(STUB_NOW_MS).toISOString(),
		},
	}),
};
/** A coin under both names; `alone`: of which the first is not listed. */
export const coinbaseAliases = (alone: boolean): StubAnswers => ({
	...COINBASE,
	"/api/v3/brokerage/market/products": products(alone ? [alias] : [alias, spot]),
});
/** With its perps as well. */
export const COINBASE_PERPS: StubAnswers = {
	...COINBASE,
	"/api/v3/brokerage/market/products": products([spot, perp]),
};
