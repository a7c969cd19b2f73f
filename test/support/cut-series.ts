import type { Series } from "../../src/market/contract.ts";

/** The first `length` bars of a series, as they were known then. */
export function cut(series: Series, length: number): Series {
	const take = (column: Float64Array) => column.slice(0, length);
	return {
		...series,
		length,
		open_time: take(series.open_time),
		open: take(series.open),
		high: take(series.high),
		low: take(series.low),
		close: take(series.close),
		volume: take(series.volume),
		quote_volume: take(series.quote_volume),
	};
}
