/** Histories that grow at their end: whether one goes on where another ended, and its newest part. */
import type { FundingSeries, Series } from "../market/contract.ts";
import type { Column } from "./columns.ts";

const bytesOf = ({ buffer, byteOffset }: Column, length: number): Buffer =>
	Buffer.from(buffer as ArrayBuffer, byteOffset, length * Float64Array.BYTES_PER_ELEMENT);

/** Whether a column begins with another one: bit by bit, so that no revised value passes; a few microseconds for a thousand values. */
export const beginsWith = (later: Column, earlier: Column): boolean =>
	later === earlier ||
	(later.length >= earlier.length && bytesOf(later, earlier.length).equals(bytesOf(earlier, earlier.length)));

const barColumns = ({ open_time, open, high, low, close, volume }: Series): Column[] => [
	open_time,
	open,
	high,
	low,
	close,
	volume,
];

/** Whether `later` is `earlier` with, at most, bars added at its end. */
export function extendsSeries(later: Series, earlier: Series): boolean {
	if (later === earlier) return true;
	if (later.timeframe !== earlier.timeframe || later.length < earlier.length) return false;
	const columns = barColumns(earlier);
	return barColumns(later).every((column, i) => beginsWith(column, columns[i] as Column));
}

/** Whether `later` is `earlier` with, at most, settlements added at its end; both may be absent. */
export function extendsFunding(later: FundingSeries | undefined, earlier: FundingSeries | undefined): boolean {
	if (!later || !earlier) return later === earlier;
	return (
		later.interval_hours === earlier.interval_hours &&
		beginsWith(later.funding_time, earlier.funding_time) &&
		beginsWith(later.rate_e8, earlier.rate_e8)
	);
}

/** The bars `from` to `end` of a series, which share its columns. */
export function sliceOf(series: Series, from: number, end: number): Series {
	if (from === 0 && end === series.length) return series;
	const cut = (column: Column) => column.subarray(from, end);
	return {
		...series,
		length: end - from,
		open_time: cut(series.open_time),
		open: cut(series.open),
		high: cut(series.high),
		low: cut(series.low),
		close: cut(series.close),
		volume: cut(series.volume),
		quote_volume: cut(series.quote_volume),
	};
}
