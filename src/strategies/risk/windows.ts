import type { Column } from "../columns.ts";
import type { Evidence } from "../contract.ts";
import { frequencyGrade } from "../evidence/grade.ts";
import { wilsonInterval } from "../evidence/intervals.ts";
import { type Confidence, confidenceOf } from "../evidence/measure.ts";
import { RETURNS_MIN } from "./book.ts";
import { slopeOf, varianceOf } from "./covariance.ts";

/** Days of a window in which the promised effect is looked for. */
export const WINDOW_DAYS = 30;

/** Days [from, to) of a column of daily returns. */
export interface Window {
	from: number;
	to: number;
}

/** Windows that do not overlap: estimation days before, then the next 30. */
export function windowsOf(periods: number, estimationDays = RETURNS_MIN): Window[] {
	const windows: Window[] = [];
	for (let to = periods; to - WINDOW_DAYS >= estimationDays; to -= WINDOW_DAYS)
		windows.push({ from: to - WINDOW_DAYS, to });
	return windows.reverse();
}

export interface WindowRecord {
	n: number;
	wins: number;
	firstDay: number | null;
	lastDay: number | null;
	/** Share of variance that went away per window, ascending. */
	effects: number[];
}

export const NO_WINDOWS: WindowRecord = { n: 0, wins: 0, firstDay: null, lastDay: null, effects: [] };

/** In how many past windows changed weights would have been calmer: daily returns of the book before and after. */
export const calmerWindows = (before: Column, after: Column, days: readonly number[]): WindowRecord =>
	recordOf(
		before.length,
		days,
		({ from, to }) => 1 - varianceOf(after.subarray(from, to)) / varianceOf(before.subarray(from, to)),
	);

/** In how many past windows a hedge sized on the 180 days before would have cut the variance. */
export function hedgedWindows(book: Column, hedge: Column, days: readonly number[]): WindowRecord {
	return recordOf(book.length, days, ({ from, to }) => {
		const ratio = slopeOf(book.subarray(from - RETURNS_MIN, from), hedge.subarray(from - RETURNS_MIN, from));
		const [open, cover] = [book.subarray(from, to), hedge.subarray(from, to)];
		return 1 - varianceOf(open.map((value, i) => value - ratio * (cover[i] ?? 0))) / varianceOf(open);
	});
}

/**
 * Counts the windows in which the promised effect came: it must exceed `effectMin`. A window without a
 * finite effect is not counted.
 */
export function recordOf(
	periods: number,
	days: readonly number[],
	effectOf: (window: Window) => number,
	{ effectMin = 0, estimationDays = RETURNS_MIN }: { effectMin?: number; estimationDays?: number } = {},
): WindowRecord {
	const windows = windowsOf(periods, estimationDays);
	const effects = windows.map(effectOf).filter(Number.isFinite);
	return {
		n: effects.length,
		wins: effects.filter((effect) => effect > effectMin).length,
		firstDay: days[windows[0]?.from ?? -1] ?? null,
		lastDay: days[windows.at(-1)?.from ?? -1] ?? null,
		effects: effects.sort((a, b) => a - b),
	};
}

/** Evidence of a measured frequency, with its confidence (null without a window). */
export function frequencyEvidence(
	record: WindowRecord,
	universeSize: number,
	hindsight: boolean,
	method = `windows of ${RETURNS_MIN} days estimated, ${WINDOW_DAYS} days measured, not overlapping`,
): { evidence: Evidence; confidence: Confidence | null } {
	const { n, wins } = record;
	const frequency = n === 0 ? 0 : wins / n;
	const [low] = wilsonInterval(frequency, n);
	const day = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
	return {
		evidence: {
			method,
			n,
			n_effective: n,
			wins,
			hit_rate: n === 0 ? null : frequency,
			mean_net_bps: null,
			median_net_bps: null,
			bootstrap_90: null,
			profit_factor: null,
			avg_hold_bars: n === 0 ? null : WINDOW_DAYS,
			first_trade: day(record.firstDay),
			last_trade: day(record.lastDay),
			universe_size: universeSize,
			grade: frequencyGrade(frequency, low, n, hindsight),
			p_placebo: null,
			brier: null,
			ece: null,
		},
		confidence: n === 0 ? null : confidenceOf(frequency, n),
	};
}
