import type { Column } from "../columns.ts";
import { Memo } from "../evidence/memo.ts";
import { RETURNS_MIN } from "../risk/book.ts";
import { varianceOf } from "../risk/covariance.ts";
import { bookReturns } from "../risk/measures.ts";
import { recordOf, type Window, type WindowRecord, windowsOf } from "../risk/windows.ts";
import { type MethodKey, weighAll } from "./methods.ts";
import type { AssetUniverse } from "./universe.ts";

type ByMethod<Value> = Record<MethodKey, Value | null>;

/**
 * What became of every method in each past month: the variance of daily log returns that its weights, made from the
 * 180 days before, had in it. null: no weights. The user is not part of it.
 */
export interface PastMonths {
	/** By the first day of the month, an index into the returns. */
	variances: ReadonlyMap<number, ByMethod<number>>;
}

const memo = new Memo<PastMonths>(32);

/**
 * Weighs every past month of a universe anew, once per closed bar; `key` names its returns by content. `logs`
 * are daily log returns, oldest first, `simple` the simple ones. Nothing of a month is known when its weights are
 * made.
 */
export function pastMonths(key: string, { logs, simple }: Pick<AssetUniverse, "logs" | "simple">): PastMonths {
	return memo.get(key, () => {
		const variances = new Map<number, ByMethod<number>>();
		for (const window of windowsOf(logs[0]?.length ?? 0)) {
			const { from } = window;
			const { weights } = weighAll(logs.map((column) => column.subarray(from - RETURNS_MIN, from)));
			const measured = Object.entries(weights).map(([method, own]) => [
				method,
				own && realisedVariance(own, simple, window),
			]);
			variances.set(from, Object.fromEntries(measured) as ByMethod<number>);
		}
		return { variances };
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
		const variance = months.variances.get(window.from)?.[method] ?? Number.NaN;
		return 1 - Math.sqrt(variance / (present.get(window.from) ?? Number.NaN));
	};
	return new Map(methods.map((method) => [method, recordOf(periods, days, (window) => effectOf(method, window))]));
}
