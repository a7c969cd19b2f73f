import { RogersSatchellVolatility } from "trading-signals";
import type { Series } from "../../market/contract.ts";
import { at, type Column, unknownColumn } from "../columns.ts";
import { simpleMean } from "./averages.ts";
import { logReturns } from "./volatility.ts";

type Candles = Pick<Series, "open" | "high" | "low" | "close">;

/** Days of a year in markets that never close. */
export const YEAR_DAYS = 365;

/**
 * Estimators of annual volatility over the last `bars` bars, as the R package TTR computes them; fractions a
 * year, NaN until enough bars are known.
 */

/** Sample deviation of the `bars - 1` log returns between `bars` closes (TTR "close"). */
export function closeVolatility(close: Column, bars: number, yearBars = YEAR_DAYS): Column {
	const variance = sampleVariance(logReturns(close), bars - 1);
	return variance.map((value) => Math.sqrt(yearBars * value));
}

/** Rogers, Satchell and Yoon (1994): from the range within the bar, free of drift. */
export function rogersSatchellVolatility(candles: Candles, bars: number, yearBars = YEAR_DAYS): Column {
	return rogersSatchell(candles, bars).map((value) => Math.sqrt(yearBars) * value);
}

/** Parkinson (1980): squared log range over 4 ln 2. */
export function parkinsonVolatility({ high, low }: Candles, bars: number, yearBars = YEAR_DAYS): Column {
	const terms = high.map((value, t) => Math.log(value / at(low, t)) ** 2 / (4 * Math.LN2));
	return simpleMean(terms, bars).map((value) => Math.sqrt(yearBars * value));
}

/** Garman and Klass (1980): range and open-to-close, without overnight jumps. */
export function garmanKlassVolatility(candles: Candles, bars: number, yearBars = YEAR_DAYS): Column {
	const { open, high, low, close } = candles;
	const terms = close.map(
		(value, t) =>
			0.5 * Math.log(at(high, t) / at(low, t)) ** 2 - (2 * Math.LN2 - 1) * Math.log(value / at(open, t)) ** 2,
	);
	return simpleMean(terms, bars).map((value) => Math.sqrt(yearBars * value));
}

/**
 * Yang and Zhang (2000): variance of the overnight move, of open-to-close and of Rogers-Satchell, weighted
 * by k = 0.34 / (1.34 + (n+1)/(n-1)), which is free of drift and of opening jumps with the least variance.
 */
export function yangZhangVolatility(candles: Candles, bars: number, yearBars = YEAR_DAYS): Column {
	const { open, close } = candles;
	const overnight = sampleVariance(
		open.map((value, t) => Math.log(value / at(close, t - 1))),
		bars,
	);
	const withinDay = sampleVariance(
		close.map((value, t) => Math.log(value / at(open, t))),
		bars,
	);
	const range = rogersSatchell(candles, bars);
	const k = 0.34 / (1.34 + (bars + 1) / (bars - 1));
	return overnight.map((value, t) =>
		Math.sqrt(yearBars * (value + k * at(withinDay, t) + (1 - k) * at(range, t) ** 2)),
	);
}

/** The library's, per bar. */
function rogersSatchell({ open, high, low, close }: Candles, bars: number): Column {
	const volatility = new RogersSatchellVolatility(bars);
	return close.map((value, t) => {
		const candle = { open: at(open, t), high: at(high, t), low: at(low, t), close: value };
		return volatility.update(candle, false) ?? Number.NaN;
	});
}

/** Sample variance (n - 1) of the last `bars` values; NaN while one of them is. */
export function sampleVariance(values: Column, bars: number): Column {
	const centre = simpleMean(values, bars);
	const result = unknownColumn(values.length);
	for (let end = bars - 1; end < values.length; end++) {
		let squares = 0;
		for (let i = end - bars + 1; i <= end; i++) squares += (at(values, i) - at(centre, end)) ** 2;
		result[end] = squares / (bars - 1);
	}
	return result;
}
