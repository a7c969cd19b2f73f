/** What is said about a strategy's growth, and why. */
import type { Strategy } from "../../src/strategies/contract.ts";
import { type Growths, leastBars, SYMBOLS } from "./measure.ts";
import { type Growth, growthOf, isLinear, meanOf } from "./powers.ts";
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

/** Pairs find a handful of trades, each with its draws: how many is chance, which one market does not even out. */
const BARS_MARKETS: Readonly<Record<string, number>> = { ai_pairs_trading: 4 };

export const workPlanOf = (strategy: Strategy): WorkPlan => ({
	symbols: [...SYMBOLS],
	symbolsBars: Math.max(WORK_BARS_MIN, leastBars(strategy) + WORK_BARS_SPARE),
	bars: [...WORK_BARS],
	barsSymbols: WORK_BARS_SYMBOLS,
	barsMarkets: BARS_MARKETS[strategy.id] ?? 1,
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
	const over = (sizes: readonly number[], markets: readonly SizedWork[], from: number): WorkGrowths => {
		// Nothing but the market itself makes a count larger or smaller, so that of several their mean counts.
		const growth = (kind: keyof SizedWork, of: keyof WorkGrowth): Growth =>
			growthOf(
				sizes,
				markets.map((market) => market[kind].map((counts) => counts[of])),
				from,
				meanOf,
			);
		const both = (kind: keyof SizedWork): WorkGrowth => ({
			source: growth(kind, "source"),
			elements: growth(kind, "elements"),
		});
		return { cold: both("cold"), warm: both("warm") };
	};
	return {
		symbols: over(plan.symbols, [work.symbols], 0),
		bars: over(plan.bars, work.bars, leastBars(strategy)),
	};
}

/** Too small to have a power, or one that is at most linear. */
const timeIsLinear = (growth: Growth): boolean => Math.max(...growth.values) < LEAST_TOLD || isLinear(growth);

const workIsLinear = ({ source, elements }: WorkGrowth): boolean => isLinear(source) && isLinear(elements);

/** No faster than linear, cold and warm, by CPU time and by counted work alike. */
export const growsLinearly = (times: Growths, work: WorkGrowths): boolean =>
	[times.cold, times.warm].every(timeIsLinear) && [work.cold, work.warm].every(workIsLinear);
