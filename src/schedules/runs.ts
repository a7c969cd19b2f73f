import { sha256Hex } from "../canonical.ts";
import type { ScheduleSpec, ScheduleState } from "./contract.ts";
import { lastRun, nextRun, storedCron } from "./cron.ts";

/** Which run of a schedule is due, and when the next one is: pure, from the record and the time. */

/** How long a waiting run (overlap queue_one) is left to the news of the scan's end before it is looked after. */
const WAITING_RECHECK_MS = 5_000;

/**
 * The id of the scan that the run of a schedule at `tickMs` starts: one run, one scan, whoever starts it and
 * however often. Ids are no secrets: another user's id is answered like an unknown one.
 */
export const scanIdOf = (scheduleId: string, tickMs: number): string =>
	`scan_${sha256Hex(`${scheduleId}|${tickMs}`).slice(0, 32)}`;

/** How much later than the cron says a run comes, ms: 0 .. jitter_ms, spread evenly and always the same. */
export const jitterOf = ({ schedule_id, jitter_ms }: ScheduleSpec, tickMs: number): number =>
	jitter_ms === 0 ? 0 : Number.parseInt(sha256Hex(`${tickMs}|${schedule_id}`).slice(0, 8), 16) % (jitter_ms + 1);

interface Run {
	/** By the cron. */
	tick_ms: number;
	/** With jitter. */
	due_ms: number;
}

const withJitter = (spec: ScheduleSpec, tick_ms: number): Run => ({
	tick_ms,
	due_ms: tick_ms + jitterOf(spec, tick_ms),
});

/** Runs up to here were dealt with or belong to no schedule. */
const settledMs = ({ since_ms }: ScheduleSpec, { done_ms }: ScheduleState): number => Math.max(since_ms, done_ms ?? 0);

/**
 * The newest run that is due and has not been dealt with; null: none is. Older ones that were missed are not
 * made up for: a result of last night says nothing that the one of now does not say.
 */
export function dueRun(spec: ScheduleSpec, state: ScheduleState, nowMs: number): number | null {
	if (spec.paused) return null;
	const cron = storedCron(spec.cron, spec.tz);
	const settled = settledMs(spec, state);
	for (let tick = lastRun(cron, nowMs, settled); tick !== null; tick = lastRun(cron, tick - 1, settled))
		if (withJitter(spec, tick).due_ms <= nowMs) return tick;
	return null;
}

/** The next run that is not due yet; null: paused, or there is none. */
export function upcomingRun(spec: ScheduleSpec, state: ScheduleState, nowMs: number): Run | null {
	if (spec.paused) return null;
	const cron = storedCron(spec.cron, spec.tz);
	const begun = lastRun(cron, nowMs, settledMs(spec, state));
	if (begun !== null) {
		const run = withJitter(spec, begun);
		if (run.due_ms > nowMs) return run;
	}
	const tick = nextRun(cron, Math.max(nowMs, settledMs(spec, state)));
	return tick === null ? null : withJitter(spec, tick);
}

/** When somebody must look at the schedule again, epoch ms; null: not by itself. */
export function lookAgainMs(spec: ScheduleSpec, state: ScheduleState, nowMs: number): number | null {
	if (spec.paused) return null;
	const next = upcomingRun(spec, state, nowMs)?.due_ms ?? null;
	if (state.waiting_ms === null) return next;
	return Math.min(next ?? Number.POSITIVE_INFINITY, nowMs + WAITING_RECHECK_MS);
}
