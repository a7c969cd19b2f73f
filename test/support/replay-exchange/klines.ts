import type { Market, Series } from "../../../src/market/contract.ts";
import { plainDecimal } from "./decimals.ts";
import type { View } from "./endpoints.ts";
import { ExchangeRefusal, limitOf, required, windowOf } from "./query.ts";
import type { CandleExtras } from "./tables.ts";

/** Intervals of the exchange and their lengths; a month has no fixed one and is never recorded. */
const INTERVAL_MS: Record<string, number> = {
	"1s": 1000,
	"1m": 60_000,
	"3m": 180_000,
	"5m": 300_000,
	"15m": 900_000,
	"30m": 1_800_000,
	"1h": 3_600_000,
	"2h": 7_200_000,
	"4h": 14_400_000,
	"6h": 21_600_000,
	"8h": 28_800_000,
	"12h": 43_200_000,
	"1d": 86_400_000,
	"3d": 259_200_000,
	"1w": 604_800_000,
	"1M": 0,
};

const DEFAULT_LIMIT = 500;

/** Twelve fields: times and trades as numbers, the rest as text. */
export type Kline = [number, string, string, string, string, string, number, string, number, string, string, "0"];

/** Candles that closed by the view's clock; an interval that is not recorded has none. */
export async function klines(query: URLSearchParams, market: Market, view: View, cap: number): Promise<Kline[]> {
	const interval = required(query, "interval");
	const stepMs = INTERVAL_MS[interval];
	if (stepMs === undefined) throw new ExchangeRefusal(400, -1120, "Invalid interval.");
	const limit = limitOf(query, DEFAULT_LIMIT, cap);
	const series = await view.data.candles(market, interval, view.nowMs);
	if (series === null) return [];
	const length = Math.max(0, series.length - view.staleCandles);
	const [start, end] = windowOf(series.open_time, length, query, limit);
	const extras = await view.data.extras(market, interval);
	const rows: Kline[] = [];
	for (let i = start; i < end; i++) rows.push(klineAt(series, i, stepMs, extras.get(series.open_time[i] as number)));
	if (view.openCandle && end === series.length && length > 0) rows.push(openKline(series, stepMs));
	return rows.slice(-limit);
}

function klineAt(series: Series, i: number, stepMs: number, extras: CandleExtras | undefined): Kline {
	const text = (name: "open" | "high" | "low" | "close" | "volume" | "quote_volume") =>
		plainDecimal(series[name][i] as number);
	const openTime = series.open_time[i] as number;
	return [
		openTime,
		text("open"),
		text("high"),
		text("low"),
		text("close"),
		text("volume"),
		openTime + stepMs - 1,
		text("quote_volume"),
		extras?.trades ?? 0,
		plainDecimal(extras?.takerBase ?? 0),
		plainDecimal(extras?.takerQuote ?? 0),
		"0",
	];
}

/** The candle that a real exchange shows while it still runs: made up, and only where a fault asks for it. */
function openKline(series: Series, stepMs: number): Kline {
	const openTime = (series.open_time[series.length - 1] as number) + stepMs;
	const price = plainDecimal(series.close[series.length - 1] as number);
	return [openTime, price, price, price, price, "1", openTime + stepMs - 1, price, 1, "0", "0", "0"];
}
