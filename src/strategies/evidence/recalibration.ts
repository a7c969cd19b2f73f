import { isotonicBlocks } from "../statistics/isotonic.ts";
import type { Forecast } from "./reliability.ts";

/** What stated probabilities between `from` and `to` came to once neighbours that contradict each other are pooled. */
export interface RecalibratedBlock {
	from: number;
	to: number;
	n: number;
	observed: number;
}

/**
 * Brier score taken apart after isotonic recalibration (Dimitriadis, Gneiting and Jordan 2021):
 * Brier = miscalibration - discrimination + uncertainty.
 */
export interface Recalibration {
	/** What a recalibration would have saved, with hindsight; 0 where stated probabilities held. */
	miscalibration: number;
	/** What the ranking of the forecasts is worth; 0 where they tell no trade from another. */
	discrimination: number;
	/** Brier score of the constant forecast of the observed rate. */
	uncertainty: number;
	/** The recalibrated probability by the stated one, ascending: needs no choice of bins. */
	curve: RecalibratedBlock[];
}

/** null without forecasts. */
export function recalibrationOf(forecasts: readonly Forecast[]): Recalibration | null {
	const n = forecasts.length;
	if (n === 0) return null;
	const stated = byStatedProbability(forecasts);
	const blocks = isotonicBlocks(
		stated.map(({ won, n: count }) => won / count),
		stated.map(({ n: count }) => count),
	);
	const curve = blocks.map(({ from, to, value, weight }) => ({
		from: stated[from]?.p ?? Number.NaN,
		to: stated[to]?.p ?? Number.NaN,
		n: weight,
		observed: value,
	}));
	const rate = forecasts.reduce((sum, { won }) => sum + won, 0) / n;
	const brier = forecasts.reduce((sum, { p, won }) => sum + (p - won) ** 2, 0) / n;
	const uncertainty = rate * (1 - rate);
	const recalibrated = curve.reduce((sum, block) => sum + block.n * block.observed * (1 - block.observed), 0) / n;
	return { miscalibration: brier - recalibrated, discrimination: uncertainty - recalibrated, uncertainty, curve };
}

/** Equal probabilities are one forecast: their order says nothing. */
function byStatedProbability(forecasts: readonly Forecast[]): { p: number; n: number; won: number }[] {
	const groups: { p: number; n: number; won: number }[] = [];
	for (const { p, won } of [...forecasts].sort((a, b) => a.p - b.p)) {
		const newest = groups.at(-1);
		if (newest?.p === p) {
			newest.n++;
			newest.won += won;
		} else groups.push({ p, n: 1, won });
	}
	return groups;
}
