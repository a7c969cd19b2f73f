import type { Column } from "../columns.ts";
import { Memo } from "../evidence/memo.ts";
import { RETURNS_MIN } from "../risk/book.ts";
import { varianceOf } from "../risk/covariance.ts";
import { bookReturns } from "../risk/measures.ts";
import { recordOf, type Window, type WindowRecord, windowsOf } from "../risk/windows.ts";
import { type MethodKey, weighAll } from "./methods.ts";

/** Weights of every method for each past month, from the 180 days before it; the user is not part of it. */
export interface PastMonths {
	/** By the first day of the month, an index into the returns. */
	weights: ReadonlyMap<number, Record<MethodKey, number[] | null>>;
}

const memo = new Memo<PastMonths>(32);

/**
 * Weighs every past month of a universe anew; `key` names its returns by content. `logs` are daily log
 * returns, oldest first. Nothing of a month is known when its weights are made.
 */
export function pastMonths(key: string, logs: readonly Column[]): PastMonths {
	return memo.get(key, () => {
		const windows = windowsOf(logs[0]?.length ?? 0);
		return {
			weights: new Map(
				windows.map(({ from }) => [
					from,
					weighAll(logs.map((column) => column.subarray(from - RETURNS_MIN, from))).weights,
				]),
			),
		};
	});
}

/** Daily log returns of fixed weights, from simple returns. */
export const portfolioLogs = (weights: readonly number[], simple: readonly Column[]): Column =>
	bookReturns(weights, simple).map(Math.log1p);

/** Variance of daily log returns of fixed weights over the days [from, to). */
function realisedVariance(weights: readonly number[], simple: readonly Column[], { from, to }: Window): number {
	const cut = simple.map((column) => column.subarray(from, to));
	return varianceOf(portfolioLogs(weights, cut));
}

/**
 * In how many months each method's weights would have been calmer than the present ones. Effects are the
 * share of realised volatility that was missing, negative where there was more.
 */
export function calmerMonths(
	months: PastMonths,
	methods: readonly MethodKey[],
	current: readonly number[],
	simple: readonly Column[],
	days: readonly number[],
): Map<MethodKey, WindowRecord> {
	const periods = simple[0]?.length ?? 0;
	const present = new Map(windowsOf(periods).map((window) => [window.from, realisedVariance(current, simple, window)]));
	const effectOf = (method: MethodKey, window: Window): number => {
		const weights = months.weights.get(window.from)?.[method];
		if (!weights) return Number.NaN;
		return 1 - Math.sqrt(realisedVariance(weights, simple, window) / (present.get(window.from) ?? Number.NaN));
	};
	return new Map(methods.map((method) => [method, recordOf(periods, days, (window) => effectOf(method, window))]));
}
