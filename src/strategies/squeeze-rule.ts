import type { Series } from "../market/contract.ts";
import type { BracketPlan } from "./bracket.ts";
import { at, type Column, last, unknownColumn } from "./columns.ts";
import { Memo } from "./evidence/memo.ts";
import { exponentialMean, populationDeviation, simpleMean } from "./indicators/averages.ts";
import { highestBefore, lowestBefore } from "./indicators/channel.ts";
import { wilderRange } from "./indicators/range.ts";
import {
	closeVolatility,
	garmanKlassVolatility,
	parkinsonVolatility,
	rogersSatchellVolatility,
	YEAR_DAYS,
	yangZhangVolatility,
} from "./indicators/range-volatility.ts";
import { squaredReturnSums, volatilityOfSums } from "./indicators/volatility.ts";
import { readNewest } from "./newest-reading.ts";
import { type Carried, knownOf, type Replayable, type ReplayRule, signalsOf } from "./rule.ts";

const PERIOD = 20;
export const PERCENTILE_BARS = 250;
export const PERCENTILE_MAX = 0.1;
const KELTNER_ATR = 10;
const KELTNER_WIDTH = 2;
const BANDS_WIDTH = 2;
export const STOP_N = 2;
export const TARGET_N = 4;
export const ORDER_DAYS = 10;
export const HOLD_DAYS = 20;
/** Bars that fill one window of bandwidths. */
export const SQUEEZE_BARS_MIN = PERIOD + PERCENTILE_BARS - 1;
/** Weight of RiskMetrics' forecast. */
const LAMBDA = 0.94;
const VOLATILITY_BARS = 30;

/** What the squeeze says of one series. */
export interface SqueezeReading extends Replayable<BracketPlan> {
	/** null: squeezed by both measures; else `no_squeeze`. */
	gateAt(t: number): string | null;
	/** Share of the last 250 bandwidths that are no wider, 0..1; NaN until known. */
	percentileAt(t: number): number;
	nearMissAt(t: number): { value: number; threshold: number; distance: number };
	indicatorsAt(t: number): Record<string, number>;
	/** EWMA forecast of the daily volatility, fraction. */
	forecastAt(t: number): number;
}

export interface SqueezeRule extends ReplayRule {
	readonly warmupBars: number;
	read(series: Series, carried?: Carried): SqueezeReading;
}

/**
 * Volatility squeeze on daily bars: Bollinger bandwidth 4 sd20/SMA20 within the lowest
 * tenth of its last 250 values, and the bands inside Keltner's channel EMA20 +- 2 ATR10. The trade is a pair of
 * orders at the extremes of the last 20 bars, the signal bar included.
 */
export const squeezeRule: SqueezeRule = {
	name: "volatility_trading/squeeze<=10%,keltner,20d,2n/4n,10+20d",
	horizonBars: ORDER_DAYS + HOLD_DAYS,
	warmupBars: SQUEEZE_BARS_MIN,
	windowBars: SQUEEZE_BARS_MIN + 1,
	read(series, carried): SqueezeReading {
		const { length, close, high, low } = series;
		const mean = simpleMean(close, PERIOD);
		const deviation = populationDeviation(close, PERIOD, mean);
		const centre = exponentialMean(close, PERIOD, knownOf(carried, "centre"));
		const atr = wilderRange(series, KELTNER_ATR, knownOf(carried, "atr"));
		const n = wilderRange(series, PERIOD, knownOf(carried, "n"));
		const bandwidth = mean.map((value, t) => (2 * BANDS_WIDTH * at(deviation, t)) / value);
		const percentile = rankWithin(bandwidth, PERCENTILE_BARS);
		const upper = highestBefore(high, PERIOD - 1).map((value, t) => Math.max(value, at(high, t)));
		const lower = lowestBefore(low, PERIOD - 1).map((value, t) => Math.min(value, at(low, t)));
		/** How far the wider side of the bands stands out of the channel, in ATR; below 0: inside. */
		const excess = (t: number) =>
			(Math.abs(at(mean, t) - at(centre, t)) + BANDS_WIDTH * at(deviation, t)) / at(atr, t) - KELTNER_WIDTH;
		const gateAt = (t: number) => (at(percentile, t) <= PERCENTILE_MAX && excess(t) < 0 ? null : "no_squeeze");
		const [weighted, weights] = [knownOf(carried, "weighted"), knownOf(carried, "weights")];
		const sums = squaredReturnSums(close, 1 - LAMBDA, weighted && weights && { weighted, weights });
		const forecast = volatilityOfSums(sums);
		return {
			plan: {
				signal: signalsOf(length, gateAt),
				upper,
				lower,
				n,
				stopN: STOP_N,
				targetN: TARGET_N,
				validBars: ORDER_DAYS,
				holdBars: HOLD_DAYS,
			},
			gateAt,
			admissible: (t) => at(n, t) > 0 && at(upper, t) > 0,
			carriedAt: (t) => ({
				centre: at(centre, t),
				atr: at(atr, t),
				n: at(n, t),
				weighted: at(sums.weighted, t),
				weights: at(sums.weights, t),
			}),
			percentileAt: (t) => at(percentile, t),
			nearMissAt: (t) => {
				const rank = at(percentile, t);
				return rank <= PERCENTILE_MAX
					? { value: excess(t) + KELTNER_WIDTH, threshold: KELTNER_WIDTH, distance: excess(t) }
					: { value: rank, threshold: PERCENTILE_MAX, distance: rank - PERCENTILE_MAX };
			},
			indicatorsAt: (t) => ({
				bandwidth: at(bandwidth, t),
				bandwidth_percentile: at(percentile, t),
				bands_to_keltner: (excess(t) + KELTNER_WIDTH) / KELTNER_WIDTH,
				n: at(n, t),
				volatility_yang_zhang_30: at(yangZhangVolatility(series, VOLATILITY_BARS), t),
				volatility_rogers_satchell_30: at(rogersSatchellVolatility(series, VOLATILITY_BARS), t),
				volatility_garman_klass_30: at(garmanKlassVolatility(series, VOLATILITY_BARS), t),
				volatility_parkinson_30: at(parkinsonVolatility(series, VOLATILITY_BARS), t),
				volatility_close_30: at(closeVolatility(close, VOLATILITY_BARS), t),
				volatility_ewma_94: at(forecast, t) * Math.sqrt(YEAR_DAYS),
			}),
			forecastAt: (t) => at(forecast, t),
		};
	},
};

/**
 * Share of the last `bars` values, the own one included, that are at most the own; NaN until all are known.
 * The window is kept sorted, so that a long history costs little more than a short one.
 */
function rankWithin(values: Column, bars: number): Column {
	const result = unknownColumn(values.length);
	const window = new Float64Array(bars + 1);
	let known = 0;
	for (let t = 0; t < values.length; t++) {
		const own = at(values, t);
		if (Number.isNaN(own)) {
			known = 0;
			continue;
		}
		if (known === bars) {
			const leaving = countAtMost(window, known, at(values, t - bars)) - 1;
			window.copyWithin(leaving, leaving + 1, known);
			known--;
		}
		const place = countAtMost(window, known, own);
		window.copyWithin(place + 1, place, known);
		window[place] = own;
		known++;
		if (known === bars) result[t] = (place + 1) / bars;
	}
	return result;
}

/** How many of the first `length` values, ascending, are at most `value`. */
function countAtMost(sorted: Column, length: number, value: number): number {
	let low = 0;
	let high = length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (at(sorted, middle) <= value) low = middle + 1;
		else high = middle;
	}
	return low;
}

/** RiskMetrics' forecast of the next daily volatility: exponentially weighted squared returns, lambda 0.94. */
export function ewmaVolatility(close: Column): Column {
	return volatilityOfSums(squaredReturnSums(close, 1 - LAMBDA));
}

/** The pessimist's reading of the same trades: the bar of the fill may also hit the stop. */
export const withEntryStop = (rule: SqueezeRule): SqueezeRule => ({
	...rule,
	name: `${rule.name}/entry_bar_stop`,
	read(series, carried) {
		const reading = rule.read(series, carried);
		return { ...reading, plan: { ...reading.plan, stopOnEntryBar: true } };
	},
});

/** What the rule says of the last closed bar; levels in price units. */
export interface LastSqueeze {
	gate: string | null;
	percentile: number;
	upper: number;
	lower: number;
	n: number;
	nearMiss: { value: number; threshold: number; distance: number };
	/** Forecast of the daily volatility, fraction. */
	forecast: number;
	/** Only of squeezed bars. */
	indicators: Record<string, number>;
}

const memo = new Memo<LastSqueeze>(1024);

/** Reads the squeeze at the last bar, once per closed bar; `fingerprint` names the content of the series. */
export function lastSqueeze(series: Series, fingerprint: string): LastSqueeze {
	return memo.get(fingerprint, () => {
		const { reading, tail } = readNewest(squeezeRule, series);
		const t = tail.length - 1;
		const gate = reading.gateAt(t);
		return {
			gate,
			percentile: reading.percentileAt(t),
			upper: last(reading.plan.upper),
			lower: last(reading.plan.lower),
			n: last(reading.plan.n),
			nearMiss: reading.nearMissAt(t),
			forecast: reading.forecastAt(t),
			indicators: gate === null ? reading.indicatorsAt(t) : {},
		};
	});
}
