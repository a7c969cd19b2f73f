import type { Series } from "../market/contract.ts";
import type { Known } from "./columns.ts";
import type { AnyPlan, TradePlan } from "./simulator.ts";

/** What a walk-forward needs of a rule's reading. */
export interface Replayable<Plan extends AnyPlan = AnyPlan> {
	plan: Plan;
	/** Bars whose exits make sense for any entry: where a placebo may enter. */
	admissible(t: number): boolean;
	/** What the recursive indicators had come to on bar `t`, by name: a reading of later bars goes on from it. */
	carriedAt?(t: number): Record<string, number>;
}

/** Recursive indicators on bar `bar` of the series that is read; earlier bars of it are there for windows only. */
export interface Carried {
	bar: number;
	values: Readonly<Record<string, number>>;
}

/** One of them, for the indicator that goes on from it. */
export const knownOf = (carried: Carried | undefined, name: string): Known | undefined =>
	carried && { bar: carried.bar, value: carried.values[name] ?? Number.NaN };

/** A rule as a walk-forward sees it: whatever it reads, it can be replayed. */
export interface ReplayRule {
	/** Name and version of the rule: part of the evidence's key and seed. */
	readonly name: string;
	/** Bars from the signal until every trade has ended. */
	readonly horizonBars: number;
	/**
	 * Bars before one that its reading looks at, beside what recursive indicators carry. Absent: the rule can
	 * only be read whole.
	 */
	readonly windowBars?: number;
	/** With `carried`, the reading holds from the bar after `carried.bar` on, exactly as one of the whole series would. */
	read(series: Series, carried?: Carried): Replayable;
}

/** What a directional rule reads from one series: whole columns, computed once. */
export interface Reading extends Replayable<TradePlan> {
	/** First failing signal gate of the closed bar `t`, null when the rule fires. */
	gateAt(t: number): string | null;
	/** The rule's own measure of strength, in the units of its first threshold. */
	strengthAt(t: number): number;
	/** How far bar `t` was from firing; null when it is not about a threshold. */
	nearMissAt(t: number): { value: number; threshold: number; distance: number } | null;
	indicatorsAt(t: number): Record<string, number>;
	reasoningAt(t: number): string;
}

/** A rule that opens a directional trade on a closed bar; the same code live and in the walk-forward. */
export interface Rule extends ReplayRule {
	/** Fewer bars are too few to read. */
	readonly warmupBars: number;
	/** From so many on, still older bars move no reading by more than 0.1 %: recursive means have forgotten them. */
	readonly settledBars: number;
	read(series: Series, carried?: Carried): Reading;
}

/** Fills the signal column from the gates, so that live and replay cannot disagree. */
export function signalsOf(length: number, gateAt: (t: number) => string | null): Uint8Array {
	const signal = new Uint8Array(length);
	for (let t = 0; t < length; t++) if (gateAt(t) === null) signal[t] = 1;
	return signal;
}

/** The same rule for the length of one evaluation, in which series do not change: each is read once. */
export function readOnce<R extends { read(series: Series, carried?: Carried): unknown }>(rule: R): R {
	const known = new Map<Series, ReturnType<R["read"]>>();
	const read = (series: Series, carried?: Carried) => {
		if (carried) return rule.read(series, carried) as ReturnType<R["read"]>;
		const found = known.get(series) ?? (rule.read(series) as ReturnType<R["read"]>);
		known.set(series, found);
		return found;
	};
	return { ...rule, read };
}
