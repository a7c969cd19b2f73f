import type { Market } from "../../../src/market/contract.ts";
import type { Family } from "./data.ts";
import { decimalsOf, plainDecimal, stepText } from "./decimals.ts";
import type { View } from "./endpoints.ts";
import { POOLS, type Pool } from "./weights.ts";

/** Candles whose decimals show the steps of price and quantity. */
const CANDLES_LOOKED_AT = 200;

/** The delivery date by which the exchange marks a perpetual. */
const PERPETUAL_DELIVERY_MS = 4_133_404_800_000;

/**
 * Markets of one family. The data set holds no trading rules, so each symbol is made from a template and says so
 * (`x-derived`): its steps are the decimals seen in its numbers, and a least order value is left out unless the
 * exchange was started with one, because nothing in the set tells it.
 */
export async function exchangeInfo(family: Family, view: View): Promise<object> {
	const symbols = await view.data.remember(view.nowMs, `symbols:${family}`, async () => {
		const markets = await view.data.markets(family, view.nowMs);
		return Promise.all([...markets.values()].map((market) => symbolOf(market, view)));
	});
	return {
		timezone: "UTC",
		serverTime: view.nowMs + view.skewMs,
		...(family === "usdm" ? { futuresType: "U_MARGINED" } : {}),
		rateLimits: rateLimitsOf(family),
		exchangeFilters: [],
		...(family === "usdm" ? { assets: [{ asset: "USDT", marginAvailable: true, autoAssetExchange: "-10000" }] } : {}),
		symbols,
	};
}

const rateLimitsOf = (pool: Pool) => [
	{ rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: POOLS[pool].limit },
];

/** The list of options, of which no data set holds any. */
export const optionsInfo = ({ nowMs, skewMs }: View): object => ({
	timezone: "UTC",
	serverTime: nowMs + skewMs,
	optionContracts: [],
	optionAssets: [{ name: "USDT" }],
	optionSymbols: [],
	rateLimits: rateLimitsOf("options"),
});

async function symbolOf(market: Market, view: View): Promise<object> {
	const { priceDecimals, quantityDecimals, firstMs } = await measure(market, view);
	const common = {
		symbol: market.id,
		status: "TRADING",
		baseAsset: market.base,
		baseAssetPrecision: 8,
		quoteAsset: market.quote,
		quotePrecision: 8,
		filters: filtersOf(market, priceDecimals, quantityDecimals, view.minNotional),
		"x-derived": true,
	};
	if (market.type === "spot") {
		return {
			...common,
			orderTypes: ["LIMIT", "LIMIT_MAKER", "MARKET"],
			isSpotTradingAllowed: true,
			isMarginTradingAllowed: false,
			permissions: ["SPOT"],
		};
	}
	return {
		...common,
		pair: market.id,
		contractType: "PERPETUAL",
		deliveryDate: PERPETUAL_DELIVERY_MS,
		...(firstMs === null ? {} : { onboardDate: firstMs }),
		marginAsset: market.quote,
		pricePrecision: priceDecimals,
		quantityPrecision: quantityDecimals,
		underlyingType: "COIN",
	};
}

function filtersOf(market: Market, priceDecimals: number, quantityDecimals: number, minNotional: number | null) {
	const tick = stepText(priceDecimals);
	const step = stepText(quantityDecimals);
	const filters: object[] = [
		{ filterType: "PRICE_FILTER", minPrice: tick, maxPrice: "10000000", tickSize: tick },
		{ filterType: "LOT_SIZE", minQty: step, maxQty: "1000000000", stepSize: step },
	];
	if (minNotional === null) return filters;
	const value = plainDecimal(minNotional);
	const filter =
		market.type === "spot"
			? { filterType: "NOTIONAL", minNotional: value }
			: { filterType: "MIN_NOTIONAL", notional: value };
	return [...filters, filter];
}

/** Decimals seen in the newest candles; without candles those of the last price and the open interest. */
async function measure(market: Market, view: View) {
	for (const interval of ["1h", "1d"]) {
		const series = await view.data.candles(market, interval, view.nowMs);
		if (series === null || series.length === 0) continue;
		const from = Math.max(0, series.length - CANDLES_LOOKED_AT);
		const seen = (column: Float64Array) => column.subarray(from, series.length);
		return {
			priceDecimals: decimalsOf([...seen(series.high), ...seen(series.low), ...seen(series.close)]),
			quantityDecimals: decimalsOf(seen(series.volume)),
			firstMs: series.open_time[0] as number,
		};
	}
	const ticker = (await view.data.tickers([market], view.nowMs)).get(market.symbol);
	const interest = (await view.data.interest(market, view.nowMs)).at(-1);
	return {
		priceDecimals: decimalsOf(ticker?.last == null ? [] : [ticker.last]),
		quantityDecimals: decimalsOf(interest?.quantityBase == null ? [] : [interest.quantityBase]),
		firstMs: null,
	};
}
