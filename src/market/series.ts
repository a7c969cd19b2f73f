import type { FundingSeries, MarketType, Series, Timeframe } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";

/**
 * Bars and settlements as columns over one SharedArrayBuffer each: a structured clone to a worker
 * thread shares the buffer, so a series of any length crosses without a copy.
 */
export interface BarColumns {
	length: number;
	open_time: Float64Array;
	open: Float64Array;
	high: Float64Array;
	low: Float64Array;
	close: Float64Array;
	volume: Float64Array;
	quote_volume: Float64Array;
	/** Rows of the source that repeated an open_time and were dropped. */
	duplicates: number;
}

export interface FundingColumns {
	length: number;
	/** Rounded to the hour. */
	funding_time: Float64Array;
	rate_e8: Float64Array;
}

export const BAR_COLUMN_NAMES = ["open_time", "open", "high", "low", "close", "volume", "quote_volume"] as const;
export const BYTES_PER_BAR = BAR_COLUMN_NAMES.length * Float64Array.BYTES_PER_ELEMENT;

export interface SeriesIdentity {
	symbol: string;
	venue: string;
	market: MarketType;
	timeframe: Timeframe;
}

/** Columns of `length` zeros over one shared buffer. */
export function createBarColumns(length: number): BarColumns {
	const buffer = new SharedArrayBuffer(length * BYTES_PER_BAR);
	const column = (index: number) => new Float64Array(buffer, index * length * Float64Array.BYTES_PER_ELEMENT, length);
	return {
		length,
		open_time: column(0),
		open: column(1),
		high: column(2),
		low: column(3),
		close: column(4),
		volume: column(5),
		quote_volume: column(6),
		duplicates: 0,
	};
}

/** Columns of `length` zeros over one shared buffer. */
export function createFundingColumns(length: number): FundingColumns {
	const bytes = length * Float64Array.BYTES_PER_ELEMENT;
	const buffer = new SharedArrayBuffer(bytes * 2);
	return {
		length,
		funding_time: new Float64Array(buffer, 0, length),
		rate_e8: new Float64Array(buffer, bytes, length),
	};
}

export function copyBar(from: BarColumns, fromIndex: number, to: BarColumns, toIndex: number): void {
	for (const name of BAR_COLUMN_NAMES) to[name][toIndex] = from[name][fromIndex] as number;
}

/** Views of the bars from `start` up to but not including `end`; nothing is copied. */
export function sliceBars(bars: BarColumns, start: number, end: number): BarColumns {
	const slice = { length: end - start, duplicates: bars.duplicates } as BarColumns;
	for (const name of BAR_COLUMN_NAMES) slice[name] = bars[name].subarray(start, end);
	return slice;
}

/** How many leading entries of a growing column are <= `limit`. */
export function countUpTo(column: Float64Array, length: number, limit: number): number {
	let low = 0;
	let high = length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((column[middle] as number) <= limit) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** Sorted by open_time with one bar per open_time (the first of equal ones); the same object when it is so already. */
export function normaliseBars(bars: BarColumns): BarColumns {
	const { open_time: times, length } = bars;
	let ordered = true;
	for (let i = 1; i < length && ordered; i++) ordered = (times[i] as number) > (times[i - 1] as number);
	if (ordered) return bars;
	// Array sort is stable, so of equal open times the one that came first stays first.
	const order = Array.from({ length }, (_, i) => i).sort((a, b) => (times[a] as number) - (times[b] as number));
	const kept = order.filter((row, i) => i === 0 || times[row] !== times[order[i - 1] as number]);
	const sorted = createBarColumns(kept.length);
	for (const [to, from] of kept.entries()) copyBar(bars, from, sorted, to);
	sorted.duplicates = bars.duplicates + length - kept.length;
	return sorted;
}

/** Union by open_time of two normalised sets of bars; where both have a bar, `preferred` gives it. */
export function mergeBars(preferred: BarColumns, other: BarColumns): BarColumns {
	if (preferred.length === 0) return other;
	if (other.length === 0) return preferred;
	const merged = createBarColumns(preferred.length + other.length);
	let [p, o, n] = [0, 0, 0];
	while (p < preferred.length || o < other.length) {
		const timeP = p < preferred.length ? (preferred.open_time[p] as number) : Number.POSITIVE_INFINITY;
		const timeO = o < other.length ? (other.open_time[o] as number) : Number.POSITIVE_INFINITY;
		if (timeP <= timeO) copyBar(preferred, p++, merged, n++);
		else copyBar(other, o++, merged, n++);
		if (timeP === timeO) o++;
	}
	merged.duplicates = preferred.duplicates + other.duplicates;
	return sliceBars(merged, 0, n);
}

/**
 * Bars of `toStepMs` from bars of `fromStepMs`, aligned to the epoch (UTC days). Only buckets of
 * which every bar exists: a day with a gap is missing rather than wrong.
 * Throws RangeError when the steps do not divide.
 */
export function resampleBars(bars: BarColumns, fromStepMs: number, toStepMs: number): BarColumns {
	const perBucket = toStepMs / fromStepMs;
	if (!Number.isInteger(perBucket) || perBucket < 1) {
		throw new RangeError(`cannot build bars of ${toStepMs} ms from bars of ${fromStepMs} ms`);
	}
	const out = createBarColumns(Math.floor(bars.length / perBucket));
	let n = 0;
	for (let i = 0; i + perBucket <= bars.length; ) {
		const start = bars.open_time[i] as number;
		const last = i + perBucket - 1;
		// Open times grow strictly on one grid, so first and last in place mean that none is missing between.
		if (start % toStepMs !== 0 || bars.open_time[last] !== start + (perBucket - 1) * fromStepMs) {
			i++;
			continue;
		}
		aggregate(bars, i, last, out, n++);
		i = last + 1;
	}
	return sliceBars(out, 0, n);
}

function aggregate(bars: BarColumns, first: number, last: number, out: BarColumns, to: number): void {
	let high = Number.NEGATIVE_INFINITY;
	let low = Number.POSITIVE_INFINITY;
	let volume = 0;
	let quoteVolume = 0;
	for (let i = first; i <= last; i++) {
		high = Math.max(high, bars.high[i] as number);
		low = Math.min(low, bars.low[i] as number);
		volume += bars.volume[i] as number;
		quoteVolume += bars.quote_volume[i] as number;
	}
	out.open_time[to] = bars.open_time[first] as number;
	out.open[to] = bars.open[first] as number;
	out.high[to] = high;
	out.low[to] = low;
	out.close[to] = bars.close[last] as number;
	out.volume[to] = volume;
	out.quote_volume[to] = quoteVolume;
}

/** Steps missing between the first and the last bar. */
export function missingSteps(times: Float64Array, length: number, stepMs: number): number {
	if (length === 0) return 0;
	return Math.round(((times[length - 1] as number) - (times[0] as number)) / stepMs) + 1 - length;
}

/** The bars that have closed by `asOfMs`, at most the `limit` newest, as a Series over the same memory. */
export function seriesUpTo(bars: BarColumns, identity: SeriesIdentity, asOfMs: number, limit?: number): Series {
	const stepMs = TIMEFRAME_MS[identity.timeframe];
	const end = countUpTo(bars.open_time, bars.length, asOfMs - stepMs);
	const start = limit === undefined ? 0 : Math.max(0, end - limit);
	const { duplicates: _, ...columns } = sliceBars(bars, start, end);
	return {
		...identity,
		...columns,
		missing: missingSteps(columns.open_time, columns.length, stepMs),
		as_of_ms: asOfMs,
	};
}

/** The newest `limit` bars of a series; the series itself when it has no more. */
export function newestBars(series: Series, limit: number | undefined): Series {
	if (limit === undefined || limit >= series.length) return series;
	const cut = { ...series, length: limit };
	for (const name of BAR_COLUMN_NAMES) cut[name] = series[name].subarray(series.length - limit, series.length);
	cut.missing = missingSteps(cut.open_time, limit, TIMEFRAME_MS[series.timeframe]);
	return cut;
}

/**
 * The settlements up to `asOfMs` as a FundingSeries over the same memory. A settlement counts from its
 * hour on, though venues stamp it some milliseconds later: its rate is fixed by what came before.
 */
export function fundingUpTo(
	columns: FundingColumns,
	identity: { symbol: string; venue: string },
	intervalHours: number,
	asOfMs: number,
): FundingSeries {
	const end = countUpTo(columns.funding_time, columns.length, asOfMs);
	return {
		...identity,
		length: end,
		funding_time: columns.funding_time.subarray(0, end),
		rate_e8: columns.rate_e8.subarray(0, end),
		interval_hours: intervalHours,
		as_of_ms: asOfMs,
	};
}
