import type { Market, Series, Ticker } from "../../../src/market/contract.ts";
import { TIMEFRAME_MS } from "../../../src/market/contract.ts";
import { plainDecimal } from "./decimals.ts";
import type { View } from "./endpoints.ts";

const DAY_MS = TIMEFRAME_MS["1d"];

/** The 24 h statistics of one market. What is not recorded is absent: a zero would be a number. */
export interface DayStatistics {
	symbol: string;
	openTime: number;
	closeTime: number;
	lastPrice: string;
	quoteVolume?: string;
	volume?: string;
	openPrice?: string;
	highPrice?: string;
	lowPrice?: string;
	weightedAvgPrice?: string;
	priceChange?: string;
	priceChangePercent?: string;
	count?: number;
}

interface Day {
	open: number;
	high: number;
	low: number;
	volume: number;
}

/** Statistics of the markets that have a price by the view's clock, in their order. */
export async function dayStatistics(markets: readonly Market[], view: View): Promise<DayStatistics[]> {
	const tickers = await view.data.tickers(markets, view.nowMs);
	const found = await Promise.all(
		markets.map(async (market) => {
			const ticker = tickers.get(market.symbol);
			return ticker === undefined || ticker.last === null ? null : statisticsOf(market, ticker, view);
		}),
	);
	return found.filter((entry) => entry !== null);
}

async function statisticsOf(market: Market, ticker: Ticker, view: View): Promise<DayStatistics> {
	const last = ticker.last as number;
	const entry: DayStatistics = {
		symbol: market.id,
		openTime: ticker.at_ms - DAY_MS,
		closeTime: ticker.at_ms - 1,
		lastPrice: plainDecimal(last),
	};
	if (ticker.quote_volume_24h === null) return entry;
	entry.quoteVolume = plainDecimal(ticker.quote_volume_24h);
	const day = (await dayOfCandles(market, ticker.at_ms, view)) ?? (await dayOfUniverse(market, ticker.at_ms, view));
	if (day === null) return entry;
	const change = last - day.open;
	return {
		...entry,
		volume: plainDecimal(day.volume),
		openPrice: plainDecimal(day.open),
		highPrice: plainDecimal(day.high),
		lowPrice: plainDecimal(day.low),
		weightedAvgPrice: (day.volume > 0 ? ticker.quote_volume_24h / day.volume : last).toFixed(8),
		priceChange: change.toFixed(8),
		priceChangePercent: ((change / day.open) * 100).toFixed(3),
	};
}

/** 24 hourly candles, else one daily candle, that end at `endMs`. */
async function dayOfCandles(market: Market, endMs: number, view: View): Promise<Day | null> {
	for (const timeframe of ["1h", "1d"] as const) {
		const series = await view.data.candles(market, timeframe, endMs);
		if (series === null || series.length === 0) continue;
		const lastClose = (series.open_time[series.length - 1] as number) + TIMEFRAME_MS[timeframe];
		if (lastClose === endMs) return aggregate(series, endMs - DAY_MS);
	}
	return null;
}

function aggregate(series: Series, fromMs: number): Day {
	const day = { open: 0, high: 0, low: Number.POSITIVE_INFINITY, volume: 0 };
	for (let i = series.length - 1; i >= 0 && (series.open_time[i] as number) >= fromMs; i--) {
		day.open = series.open[i] as number;
		day.high = Math.max(day.high, series.high[i] as number);
		day.low = Math.min(day.low, series.low[i] as number);
		day.volume += series.volume[i] as number;
	}
	return day;
}

async function dayOfUniverse(market: Market, endMs: number, view: View): Promise<Day | null> {
	const found = (await view.data.universeDays(market)).find(({ closeTime }) => closeTime + 1 === endMs);
	if (!found) return null;
	const { openPrice: open, highPrice: high, lowPrice: low, volume } = found;
	return open === undefined || high === undefined || low === undefined || volume === undefined
		? null
		: { open, high, low, volume };
}
