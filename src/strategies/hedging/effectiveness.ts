import { at, type Column } from "../columns.ts";
import { Memo } from "../evidence/memo.ts";
import { meanOf, quantileOf } from "../evidence/trades.ts";
import { slopeOf, varianceOf } from "../risk/covariance.ts";
import { recordOf, type Window, type WindowRecord, windowsOf } from "../risk/windows.ts";

/** Days the ratio is estimated on. */
export const ESTIMATION_DAYS = 90;
/** Share of variance a hedge must take away to count as one. */
export const EFFECTIVENESS_MIN = 0.3;
/** Newest windows that decide. */
export const RECENT_WINDOWS = 12;

/** Daily log returns of what is hedged and of each leg, on their common days. */
export interface HedgeReturns {
	position: Column;
	legs: Column[];
	/** Opens of the days, epoch ms. */
	days: number[];
	/** Days on which the spot market stands in for a contract that was not yet listed. */
	standInDays: number;
}

export interface Effectiveness {
	/** Units of each leg to be sold per unit held, from the newest 90 days. */
	ratios: number[];
	/** Windows counted as successes where the share reached 0.3. */
	record: WindowRecord;
	/** Lower quartile and median of the newest 12 windows; null without a window. */
	lowerQuartile: number | null;
	median: number | null;
	recentWindows: number;
	standInDays: number;
}

/**
 * Minimum variance ratio cov(y, x)/var(x), or the two coefficients of y on both legs. Zeros where the legs
 * do not move.
 */
export function hedgeRatios(position: Column, legs: readonly Column[]): number[] {
	const [first, second] = legs;
	if (!first) return [];
	if (!second) return [slopeOf(position, first)];
	const [ym, am, bm] = [meanOf(position), meanOf(first), meanOf(second)];
	let [aa, ab, bb, ya, yb] = [0, 0, 0, 0, 0];
	for (let i = 0; i < position.length; i++) {
		const [y, a, b] = [at(position, i) - ym, at(first, i) - am, at(second, i) - bm];
		aa += a * a;
		ab += a * b;
		bb += b * b;
		ya += y * a;
		yb += y * b;
	}
	const determinant = aa * bb - ab * ab;
	if (!(determinant > 1e-12 * aa * bb)) return [slopeOf(position, first), 0];
	return [(ya * bb - yb * ab) / determinant, (yb * aa - ya * ab) / determinant];
}

/** Returns that are left after the legs were sold in these ratios. */
export const hedged = (position: Column, legs: readonly Column[], ratios: readonly number[]): Column =>
	position.map((value, t) => legs.reduce((rest, leg, i) => rest - (ratios[i] ?? 0) * at(leg, t), value));

/** 1 - var(y - h x)/var(y) of one window, with ratios of the 90 days before it (or fixed ones). */
export function windowEffect(returns: HedgeReturns, window: Window, fixed: readonly number[] | null): number {
	const { from, to } = window;
	const cut = (column: Column, start: number, end: number) => column.subarray(start, end);
	const ratios =
		fixed ??
		hedgeRatios(
			cut(returns.position, from - ESTIMATION_DAYS, from),
			returns.legs.map((leg) => cut(leg, from - ESTIMATION_DAYS, from)),
		);
	const open = cut(returns.position, from, to);
	const legs = returns.legs.map((leg) => cut(leg, from, to));
	return 1 - varianceOf(hedged(open, legs, ratios)) / varianceOf(open);
}

const memo = new Memo<Effectiveness>(512);

/** The record of a hedge out of sample; `key` names the returns by content, `fixed` the ratios if not fitted. */
export function effectivenessOf(key: string, read: () => HedgeReturns, fixed: readonly number[] | null): Effectiveness {
	return memo.get(`${key}#${fixed?.join() ?? "fitted"}`, () => {
		const returns = read();
		const periods = returns.position.length;
		const windows = windowsOf(periods, ESTIMATION_DAYS);
		const effects = new Map(windows.map((window) => [window.from, windowEffect(returns, window, fixed)]));
		const recent = [...effects.values()].filter(Number.isFinite).slice(-RECENT_WINDOWS);
		const sorted = Float64Array.from(recent).sort();
		const newest = (column: Column) => column.subarray(-ESTIMATION_DAYS);
		return {
			ratios: [...(fixed ?? hedgeRatios(newest(returns.position), returns.legs.map(newest)))],
			record: recordOf(periods, returns.days, ({ from }) => effects.get(from) ?? Number.NaN, {
				effectMin: EFFECTIVENESS_MIN,
				estimationDays: ESTIMATION_DAYS,
			}),
			lowerQuartile: recent.length === 0 ? null : quantileOf(sorted, 0.25),
			median: recent.length === 0 ? null : quantileOf(sorted, 0.5),
			recentWindows: recent.length,
			standInDays: returns.standInDays,
		};
	});
}
