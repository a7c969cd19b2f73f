/** What is said about a strategy's growth, and why. */
import type { Strategy } from "../../src/strategies/contract.ts";
import { type Growths, leastBars, SYMBOLS } from "./measure.ts";
import { type Growth, growthOf, isLinear } from "./powers.ts";
import type { PlannedWork, SizedWork, WorkPlan } from "./work-growth.ts";

/** Milliseconds and megabytes below it are noise of the clock and of the collector. */
export const LEAST_TOLD = 0.5;

/** What grows faster with symbols by its nature, and what bounds it. */
export const BOUNDED: Readonly<Record<string, string>> = {
	ai_pairs_trading: "quadratic up to 300 pairs",
};

/** Enough bars for a record; coins over which bars grow. */
const WORK_BARS_MIN = 800;
const WORK_BARS_SPARE = 100;
const WORK_BARS_SYMBOLS = 25;
/** From where windows are full; three of them are enough for the longest record, so that what is added can be told. */
export const WORK_BARS = [1_000, 2_000, 3_000, 4_000] as const;

export const workPlanOf = (strategy: Strategy): WorkPlan => ({
	symbols: [...SYMBOLS],
	symbolsBars: Math.max(WORK_BARS_MIN, leastBars(strategy) + WORK_BARS_SPARE),
	bars: [...WORK_BARS],
	barsSymbols: WORK_BARS_SYMBOLS,
});

/** Growth of counted work: characters of source, and elements in built-in methods. */
export interface WorkGrowth {
	source: Growth;
	elements: Growth;
}

export interface WorkGrowths {
	cold: WorkGrowth;
	warm: WorkGrowth;
}

export function workGrowths(
	strategy: Strategy,
	plan: WorkPlan,
	work: PlannedWork,
): { symbols: WorkGrowths; bars: WorkGrowths } {
	const over = (sizes: readonly number[], { cold, warm }: SizedWork, from: number): WorkGrowths => {
		const of = (counts: SizedWork["cold"]): WorkGrowth => ({
			source: growthOf(sizes, [counts.map(({ source }) => source)], from),
			elements: growthOf(sizes, [counts.map(({ elements }) => elements)], from),
		});
		return { cold: of(cold), warm: of(warm) };
	};
	return {
		symbols: over(plan.symbols, work.symbols, 0),
		bars: over(plan.bars, work.bars, leastBars(strategy)),
	};
}

/** Too small to have a power, or one that is at most linear. */
const timeIsLinear = (growth: Growth): boolean => Math.max(...growth.values) < LEAST_TOLD || isLinear(growth);

const workIsLinear = ({ source, elements }: WorkGrowth): boolean => isLinear(source) && isLinear(elements);

/** No faster than linear, cold and warm, by CPU time and by counted work alike. */
export const growsLinearly = (times: Growths, work: WorkGrowths): boolean =>
	[times.cold, times.warm].every(timeIsLinear) && [work.cold, work.warm].every(workIsLinear);
