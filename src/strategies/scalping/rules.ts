import type { Series } from "../../market/contract.ts";
import { at, type Column, last } from "../columns.ts";
import { sliceOf } from "../history.ts";
import { exponentialMean, populationDeviation, simpleMean } from "../indicators/averages.ts";
import { meanBefore } from "../indicators/channel.ts";
import { wilderRange } from "../indicators/range.ts";
import { type Carried, knownOf, type Reading, type Rule, signalsOf } from "../rule.ts";

/** Slippage of a round trip, fraction; with two taker fees of 5 bp it makes the measured 14 bp. */
export const SLIPPAGE = 0.0004;
/** Round trip that the evidence is charged: both ways as a taker, though the entry asked for is a limit. */
export const SCALP_COST = 0.0014;
/** ATR in round trips below which no move pays for itself. */
export const ATR_COSTS_MIN = 2;
export const FLOW_MIN = 0.4;
export const BARS_MIN = 500;
export const HORIZON_BARS = 12;
const STOP_ATR = 1.5;
const TARGET_ATR = 2;
const ATR_BARS = 14;
const VOLUME_BARS = 20;
const VOLUME_RATIO_MIN = 1.5;
const BAND_BARS = 20;
const BAND_DEVIATIONS = 2;

export type ScalpSide = 1 | -1;
const word = (side: ScalpSide): string => (side === 1 ? "long" : "short");

type Compute<Columns> = (series: Series, carried?: Carried) => Columns;

/** Columns that both sides of a signal read, computed once as long as the series lives. */
function remembered<Columns>(compute: Compute<Columns>): Compute<Columns> {
	const known = new WeakMap<Series, Columns>();
	return (series, carried) => {
		if (carried) return compute(series, carried);
		const columns = known.get(series) ?? compute(series);
		known.set(series, columns);
		return columns;
	};
}

const rangeOf = remembered(({ high, low, close }, carried) =>
	wilderRange({ high, low, close }, ATR_BARS, knownOf(carried, "atr")),
);
const crossOf = remembered(({ close, volume }, carried) => ({
	fast: exponentialMean(close, 9, knownOf(carried, "fast")),
	slow: exponentialMean(close, 21, knownOf(carried, "slow")),
	usual: meanBefore(volume, VOLUME_BARS),
}));
const bandOf = remembered(({ close }) => {
	const mean = simpleMean(close, BAND_BARS);
	return { mean, deviation: populationDeviation(close, BAND_BARS, mean) };
});

/** What one of the signals says about each bar; the exits are common to all. */
interface Trigger {
	fires(t: number): boolean;
	carriedAt?(t: number): Record<string, number>;
	strengthAt(t: number): number;
	nearMissAt(t: number): { value: number; threshold: number; distance: number } | null;
	indicatorsAt(t: number): Record<string, number>;
	reasoningAt(t: number): string;
}

/** Feasibility first, then the trigger; stop 1.5 ATR, target 2 ATR, 12 bars. */
function scalpRule(name: string, side: ScalpSide, triggerOf: Compute<Trigger>, windowBars?: number): Rule {
	return {
		...(windowBars === undefined ? {} : { windowBars }),
		name: `scalping/${name}/${word(side)}/1.5atr,2atr,12b,atr>=${ATR_COSTS_MIN}x${SCALP_COST}`,
		horizonBars: HORIZON_BARS,
		warmupBars: BARS_MIN,
		settledBars: BARS_MIN,
		read(series, carried): Reading {
			const { close } = series;
			const atr = rangeOf(series, carried);
			const trigger = triggerOf(series, carried);
			const feasible = (t: number) => at(atr, t) >= ATR_COSTS_MIN * SCALP_COST * at(close, t);
			const gateAt = (t: number): string | null =>
				!feasible(t) ? "cost_exceeds_edge" : trigger.fires(t) ? null : "no_trigger";
			return {
				plan: {
					signal: signalsOf(series.length, gateAt),
					stop: close.map((value, t) => value - side * STOP_ATR * at(atr, t)),
					target: close.map((value, t) => value + side * TARGET_ATR * at(atr, t)),
					side,
					horizonBars: HORIZON_BARS,
				},
				gateAt,
				admissible: feasible,
				carriedAt: (t) => ({ atr: at(atr, t), ...trigger.carriedAt?.(t) }),
				strengthAt: trigger.strengthAt,
				nearMissAt: trigger.nearMissAt,
				indicatorsAt: (t) => ({ atr14_bps: (10_000 * at(atr, t)) / at(close, t), ...trigger.indicatorsAt(t) }),
				reasoningAt: trigger.reasoningAt,
			};
		},
	};
}

/** Signal (b): EMA9 crosses EMA21 on more than 1.5 times the usual volume. */
export const crossRule = (side: ScalpSide): Rule =>
	scalpRule(
		"ema9x21,vol>1.5",
		side,
		(series, carried) => {
			const { volume } = series;
			const { fast, slow, usual } = crossOf(series, carried);
			const lead = (t: number) => side * (at(fast, t) - at(slow, t));
			const ratio = (t: number) => at(volume, t) / at(usual, t);
			return {
				fires: (t) => lead(t) > 0 && lead(t - 1) <= 0 && ratio(t) > VOLUME_RATIO_MIN,
				carriedAt: (t) => ({ fast: at(fast, t), slow: at(slow, t) }),
				strengthAt: ratio,
				nearMissAt: (t) =>
					lead(t) > 0 && lead(t - 1) <= 0
						? { value: ratio(t), threshold: VOLUME_RATIO_MIN, distance: VOLUME_RATIO_MIN - ratio(t) }
						: null,
				indicatorsAt: (t) => ({ ema9: at(fast, t), ema21: at(slow, t), volume_ratio: ratio(t) }),
				reasoningAt: (t) =>
					`EMA9 crossed EMA21 ${side === 1 ? "upward" : "downward"} on ${ratio(t).toFixed(2)} times the usual volume.`,
			};
		},
		VOLUME_BARS + 1,
	);

/** Signal (c): a close back inside the band of two population deviations around the mean of 20 bars. */
export const bandRule = (side: ScalpSide): Rule =>
	scalpRule(
		"band20,2sd,reentry",
		side,
		(series) => {
			const { close } = series;
			const { mean, deviation } = bandOf(series);
			const z = (t: number) => (at(close, t) - at(mean, t)) / at(deviation, t);
			return {
				fires: (t) => side * z(t - 1) < -BAND_DEVIATIONS && side * z(t) >= -BAND_DEVIATIONS,
				strengthAt: (t) => Math.abs(z(t - 1)),
				nearMissAt: () => null,
				indicatorsAt: (t) => ({ z20: z(t), z20_before: z(t - 1), sma20: at(mean, t) }),
				reasoningAt: (t) =>
					`The close came back into the band from ${Math.abs(z(t - 1)).toFixed(2)} deviations ${side === 1 ? "below" : "above"} its mean of 20 bars.`,
			};
		},
		BAND_BARS + 1,
	);

/** Signal (a) on the tape: takers' imbalance of three bars beyond 0.4, confirmed by the last bar's return. */
export const flowRule = (side: ScalpSide, flow: Column): Rule =>
	scalpRule(`flow3>${FLOW_MIN},return`, side, ({ close }) => {
		const pressed = (t: number) => side * at(flow, t);
		return {
			fires: (t) => pressed(t) > FLOW_MIN && side * (at(close, t) - at(close, t - 1)) > 0,
			strengthAt: pressed,
			nearMissAt: (t) => {
				const value = pressed(t);
				return value > 0 && value <= FLOW_MIN ? { value, threshold: FLOW_MIN, distance: FLOW_MIN - value } : null;
			},
			indicatorsAt: (t) => ({ taker_imbalance_15m: at(flow, t) }),
			reasoningAt: (t) =>
				`Takers ${side === 1 ? "bought" : "sold"} ${(50 + 50 * pressed(t)).toFixed(0)} % of the last 15 minutes and the price follows.`,
		};
	});

/** Newest ATR14 as a fraction of the close. */
export const atrShare = (series: Series): number => last(rangeOf(series)) / last(series.close);

/** The newest bars that a live reading needs: what lies before them weighs (1 - 2/22)^500 or less. */
export const newestBars = (series: Series): Series =>
	sliceOf(series, Math.max(0, series.length - BARS_MIN), series.length);
