import {
	deflatedSharpe,
	expectedMaximumSharpe,
	probabilisticSharpe,
	type SharpeSample,
	sharpeSample,
} from "../statistics/sharpe.ts";
import { clustersOf } from "./clusters.ts";
import type { Measurement } from "./measure.ts";
import type { ResolvedTrade } from "./trades.ts";

/**
 * Ratio of the mean net of each signal week: trades of one week win and lose together, so that a week counts
 * once however many signals it brought. null with fewer than two weeks.
 */
export const weeklySharpe = (trades: readonly ResolvedTrade[]): SharpeSample | null =>
	sharpeSample(clustersOf(trades).map(({ sum, trades: n }) => sum / n));

/** A ratio as reports show it, with the probability that it is above 0 taken by itself. */
export const sharpeReport = (sample: SharpeSample | null): Record<string, number> | null =>
	sample && {
		weeks: sample.observations,
		ratio: sample.ratio,
		skewness: sample.skewness,
		kurtosis: sample.kurtosis,
		p_above_zero: probabilisticSharpe(sample, 0),
	};

export interface Selection {
	/** Rules that were measured, whether they could be judged or not. */
	trials: number;
	/** Variance of the weekly ratios over the rules that have one. */
	ratioVariance: number;
	/** Ratio that the best of so many unskilled rules would have shown. */
	expectedMaximum: number;
	/** By the rule's name: probability that its ratio is real although it was one of the trials. */
	deflated: Record<string, number>;
}

/**
 * Deflated Sharpe ratios of rules that compete for the same place. null where nothing was chosen: fewer than two
 * of them have a ratio.
 */
export function selectionOf(
	rules: readonly (readonly [name: string, sample: SharpeSample | null])[],
): Selection | null {
	const judged = rules.flatMap(([name, sample]) => (sample ? [{ name, sample }] : []));
	if (judged.length < 2) return null;
	const mean = judged.reduce((sum, { sample }) => sum + sample.ratio, 0) / judged.length;
	const squares = judged.reduce((sum, { sample }) => sum + (sample.ratio - mean) ** 2, 0);
	const [trials, ratioVariance] = [rules.length, squares / (judged.length - 1)];
	return {
		trials,
		ratioVariance,
		expectedMaximum: expectedMaximumSharpe(trials, ratioVariance),
		deflated: Object.fromEntries(
			judged.map(({ name, sample }) => [name, deflatedSharpe(sample, trials, ratioVariance)]),
		),
	};
}

/** The selection among measured rules as a strategy's report shows it; null where nothing was chosen. */
export function selectionReport(
	rules: readonly (readonly [name: string, measurement: Pick<Measurement, "sharpe">])[],
): Record<string, unknown> | null {
	const selection = selectionOf(rules.map(([name, { sharpe }]) => [name, sharpe]));
	return (
		selection && {
			trials: selection.trials,
			weekly_ratio_variance: selection.ratioVariance,
			expected_maximum_ratio: selection.expectedMaximum,
			deflated_sharpe: selection.deflated,
		}
	);
}
