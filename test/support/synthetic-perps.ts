import type { FundingSeries, Series } from "../../src/market/contract.ts";
import type { EvaluationRequest } from "../../src/strategies/contract.ts";
import { createRandom } from "../../src/strategies/random.ts";
import { type BarRow, fundingOf, seriesOf } from "./recorded-bars.ts";
import { barsFrom, DAY_MS, gaussian, type RequestParts, requestOf, START_MS } from "./synthetic-market.ts";

const SETTLEMENT_MS = 8 * 3_600_000;
/** Settlements of the newest days are enough for the window that is read. */
const FUNDING_DAYS = 60;

/** The same series upside down: 10000 / price, so that what rose falls by the same log returns. */
export function inverted(series: Series): Series {
	const rows = Array.from(series.close, (close, t): BarRow => {
		const flip = (column: Float64Array) => 10_000 / (column[t] ?? Number.NaN);
		return [
			series.open_time[t] ?? 0,
			flip(series.open),
			flip(series.low),
			flip(series.high),
			10_000 / close,
			series.volume[t] ?? 0,
		];
	});
	return seriesOf(rows, { symbol: series.symbol, market: series.market, venue: series.venue });
}

/** Settled funding of a constant rate (fraction per 8 hours) up to `asOfMs`. */
export function steadyFunding(symbol: string, rate: number, asOfMs: number, days = FUNDING_DAYS): FundingSeries {
	const count = days * 3;
	const rows = Array.from({ length: count }, (_, i) => [asOfMs - (count - 1 - i) * SETTLEMENT_MS, rate] as const);
	return fundingOf(
		rows.filter(([at]) => at >= START_MS),
		symbol,
		asOfMs,
	);
}

/** A futures request: every series is a candidate with steady funding unless told otherwise. */
export function perpRequest(
	series: readonly Series[],
	parts: Partial<RequestParts> & { rate?: number } = {},
): EvaluationRequest {
	const asOfMs = parts.asOfMs ?? Math.max(...series.map((one) => one.as_of_ms));
	const funding = series.map((one) => steadyFunding(one.symbol, parts.rate ?? 0.000001, asOfMs));
	return requestOf({
		strategyId: "ai_futures_trade",
		series: [...series],
		funding,
		evidenceFunding: funding,
		asOfMs,
		...parts,
	});
}

/** Prices in another unit; a power of two changes no bit of a mantissa. */
export function scaled(series: Series, factor: number): Series {
	const times = (column: Float64Array) => column.map((value) => value * factor);
	return {
		...series,
		open: times(series.open),
		high: times(series.high),
		low: times(series.low),
		close: times(series.close),
	};
}

/** A contract whose price does not move. */
export const flatSeries = (symbol: string, bars = 400): Series =>
	seriesOf(
		Array.from({ length: bars }, (_, t): BarRow => [START_MS + t * DAY_MS, 100, 100.1, 99.9, 100, 1000]),
		{ symbol },
	);

/** Calm before the storm: weeks of noise, then a hush, then a run to either side; the newest bars are hushed. */
export function squeezingSeries(symbol: string, bars: number, seed: number): Series {
	const normal = gaussian(seed);
	const random = createRandom(seed + 9);
	const logs: number[] = [Math.log(100)];
	const push = (days: number, drift: number, sigma: number) => {
		for (let i = 0; i < days && logs.length < bars; i++) logs.push((logs.at(-1) ?? 0) + drift + sigma * normal());
	};
	while (logs.length < bars - 30) {
		push(45 + Math.floor(random() * 30), 0, 0.02);
		push(24, 0, 0.002);
		push(12, random() < 0.5 ? 0.03 : -0.03, 0.01);
	}
	logs.length = bars - 30;
	push(8, 0, 0.02);
	push(22, 0, 0.002);
	return seriesOf(barsFrom(logs, { seed, sigma: 0.004 }), { symbol });
}

/**
 * A martingale whose highs and lows are those of continuous trading (extremes of a Brownian bridge between
 * open and close): no step jumps over a waiting order, which would fill it at a price nobody could have had.
 */
export function continuousWalk(symbol: string, bars: number, seed: number, sigma = 0.04): Series {
	const normal = gaussian(seed);
	const random = createRandom(seed + 77);
	const reach = (move: number) => Math.sqrt(move ** 2 - 2 * sigma ** 2 * Math.log(1 - random()));
	let log = Math.log(100);
	const rows = Array.from({ length: bars }, (_, t): BarRow => {
		const open = log;
		const move = sigma * normal() - sigma ** 2 / 2;
		log += move;
		const high = open + (move + reach(move)) / 2;
		const low = open + (move - reach(move)) / 2;
		const [o, h, l, c] = [open, high, low, log].map(Math.exp) as [number, number, number, number];
		return [START_MS + t * DAY_MS, o, h, l, c, 1_000_000];
	});
	return seriesOf(rows, { symbol });
}
