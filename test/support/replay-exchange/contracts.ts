/** Funding and open interest of USD-M contracts. */
import type { FundingSeries, Market } from "../../../src/market/contract.ts";
import { TIMEFRAME_MS } from "../../../src/market/contract.ts";
import { plainDecimal } from "./decimals.ts";
import type { View } from "./endpoints.ts";
import { ExchangeRefusal, limitOf, required, windowOf } from "./query.ts";

const HOUR_MS = TIMEFRAME_MS["1h"];
const RATE_UNIT = 1e8;

const rateText = (rateE8: number): string => (rateE8 / RATE_UNIT).toFixed(8);

interface Settlement {
	symbol: string;
	fundingTime: number;
	fundingRate: string;
}

const settlementAt = (id: string, series: FundingSeries, i: number): Settlement => ({
	symbol: id,
	fundingTime: series.funding_time[i] as number,
	fundingRate: rateText(series.rate_e8[i] as number),
});

/** Settlements up to the clock: of one contract, or the newest of all in growing time. */
export async function fundingRates(query: URLSearchParams, markets: readonly Market[], view: View) {
	const limit = limitOf(query, 100, 1000);
	const rows: Settlement[] = [];
	for (const market of markets) {
		const series = await view.data.funding(market, view.nowMs);
		if (series === null) continue;
		const [start, end] = windowOf(series.funding_time, series.length, query, limit);
		for (let i = start; i < end; i++) rows.push(settlementAt(market.id, series, i));
	}
	if (markets.length === 1) return rows;
	rows.sort((a, b) => a.fundingTime - b.fundingTime);
	return query.has("startTime") ? rows.slice(0, limit) : rows.slice(-limit);
}

/**
 * Last settled rate and the next settlement of each contract. Mark and index prices are not recorded, so the
 * fields are absent.
 */
export async function premiumIndex(markets: readonly Market[], view: View) {
	const rows = await Promise.all(
		markets.map(async (market) => {
			const series = await view.data.funding(market, view.nowMs);
			if (series === null || series.length === 0) return null;
			const last = series.funding_time[series.length - 1] as number;
			const stepMs = series.interval_hours * HOUR_MS;
			const steps = Math.floor((view.nowMs - last) / stepMs) + 1;
			return {
				symbol: market.id,
				lastFundingRate: rateText(series.rate_e8[series.length - 1] as number),
				nextFundingTime: last + steps * stepMs,
				time: view.nowMs,
			};
		}),
	);
	return rows.filter((row) => row !== null);
}

/** Intervals as observed; a contract of which none is known is not listed. */
export const fundingInfo = (markets: readonly Market[]) =>
	markets
		.filter(({ funding_interval_hours }) => funding_interval_hours !== null)
		.map(({ id, funding_interval_hours }) => ({
			symbol: id,
			fundingIntervalHours: funding_interval_hours,
			disclaimer: false,
		}));

/** The newest open interest by the clock; the field is absent where none is recorded. */
export async function openInterest(market: Market, view: View) {
	const newest = (await view.data.interest(market, view.nowMs)).at(-1);
	return {
		symbol: market.id,
		...(newest?.quantityBase == null ? {} : { openInterest: plainDecimal(newest.quantityBase) }),
		time: newest?.time ?? view.nowMs,
	};
}

const PERIOD_MS: Record<string, number> = {
	"5m": 300_000,
	"15m": 900_000,
	"30m": 1_800_000,
	"1h": HOUR_MS,
	"2h": 2 * HOUR_MS,
	"4h": 4 * HOUR_MS,
	"6h": 6 * HOUR_MS,
	"12h": 12 * HOUR_MS,
	"1d": 24 * HOUR_MS,
};

/** The recorded measurements that lie on the period's grid. Throws code -1130 for an unknown period. */
export async function openInterestHistory(query: URLSearchParams, market: Market, view: View) {
	const stepMs = PERIOD_MS[required(query, "period")];
	if (stepMs === undefined) {
		throw new ExchangeRefusal(400, -1130, "Data sent for parameter 'period' is not valid.");
	}
	const limit = limitOf(query, 30, 500);
	const rows = (await view.data.interest(market, view.nowMs)).filter(({ time }) => time % stepMs === 0);
	const times = rows.map(({ time }) => time);
	const [start, end] = windowOf(times, times.length, query, limit);
	return rows.slice(start, end).map(({ time, quantityBase, valueUsd }) => ({
		symbol: market.id,
		...(quantityBase === null ? {} : { sumOpenInterest: plainDecimal(quantityBase) }),
		...(valueUsd === null ? {} : { sumOpenInterestValue: plainDecimal(valueUsd) }),
		timestamp: time,
	}));
}
