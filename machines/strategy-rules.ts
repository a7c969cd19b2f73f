import type { StrategyReport } from "./events.ts";
import type { Failure, PlannedStrategy, ScanLimits, StrategyEntry, Tally, Verdict } from "./types.ts";

/**
 * How one strategy lives: pure rules shared by the small `strategy.v1` machine (picture, tests) and
 * by the entries of `scan.v1` (the happy path, where a machine per strategy would cost too much).
 */

export const emptyTally = (): Tally => ({
	candidate_unit: "symbol",
	candidates_total: 0,
	evaluated: 0,
	row_ids: [],
	unproven_ids: [],
	rejected: {},
	near_misses: [],
	data_as_of: null,
	data_age_seconds: null,
});

export const rejectedTotal = (tally: Tally): number =>
	Object.values(tally.rejected).reduce((sum, count) => sum + count, 0);

/** Candidates that already have an answer: published, unproven or rejected. */
export const decided = (tally: Tally): number =>
	tally.row_ids.length + tally.unproven_ids.length + rejectedTotal(tally);

export function newEntry(planned: PlannedStrategy): StrategyEntry {
	if (planned.carried) return { ...planned.carried, index: planned.index, priority: planned.priority };
	return {
		strategy_id: planned.strategy_id,
		index: planned.index,
		priority: planned.priority,
		state: "queued",
		attempt: 0,
		failures: 0,
		started_at_ms: null,
		ended_at_ms: null,
		deadline_at_ms: null,
		retry_at_ms: null,
		tally: emptyTally(),
		verdict: null,
		reason: null,
		error: null,
		carried_over_from: null,
	};
}

/**
 * Starts the next attempt. The deadline is set by the first start and covers all attempts:
 * the earlier of start + strategy_timeout_ms and `cutoffAtMs`.
 */
export function startAttempt(
	entry: StrategyEntry,
	nowMs: number,
	cutoffAtMs: number,
	limits: ScanLimits,
): StrategyEntry {
	return {
		...entry,
		state: "evaluating",
		attempt: entry.attempt + 1,
		started_at_ms: entry.started_at_ms ?? nowMs,
		deadline_at_ms: entry.deadline_at_ms ?? Math.min(nowMs + limits.strategy_timeout_ms, cutoffAtMs),
		retry_at_ms: null,
	};
}

/** The reason under which candidates without an answer are counted when an entry is closed early. */
const REASON_OF_UNREACHED: Partial<Record<Verdict, string>> = {
	timed_out: "timeout",
	cancelled: "cancelled",
	failed: "fetch_failed",
};

/** Gives the entry its one verdict and closes its books: every candidate ends in exactly one count. */
export function settle(
	entry: StrategyEntry,
	verdict: Verdict,
	nowMs: number,
	facts: { reason?: string | null; error?: Failure | null } = {},
): StrategyEntry {
	const unreached = entry.tally.evaluated - decided(entry.tally);
	const bucket = REASON_OF_UNREACHED[verdict];
	const tally =
		unreached > 0 && bucket
			? {
					...entry.tally,
					rejected: { ...entry.tally.rejected, [bucket]: (entry.tally.rejected[bucket] ?? 0) + unreached },
				}
			: entry.tally;
	return {
		...entry,
		state: "settled",
		tally,
		verdict,
		reason: facts.reason ?? null,
		error: facts.error ?? null,
		retry_at_ms: null,
		ended_at_ms: nowMs,
	};
}

/** Later attempts count from zero again; what was found is kept until the new count has caught up, rows included. */
const further = (held: Tally, reported: Tally): Tally =>
	decided(reported) >= decided(held) && reported.row_ids.length >= held.row_ids.length ? reported : held;

/** Backs off exponentially from limits.retry_backoff_ms. */
const retryAt = (entry: StrategyEntry, nowMs: number, limits: ScanLimits): number =>
	nowMs + limits.retry_backoff_ms * 2 ** entry.failures;

/** It was cut while it computed, as one that still waits for data is cut at its deadline: same verdict. */
const EVALUATION_TIMEOUT = "evaluation_timeout";

function fail(
	entry: StrategyEntry,
	report: Extract<StrategyReport, { kind: "failed" }>,
	nowMs: number,
	limits: ScanLimits,
) {
	const tally = report.tally ? further(entry.tally, report.tally) : entry.tally;
	const held = { ...entry, tally };
	const retry_at_ms = retryAt(entry, nowMs, limits);
	const attemptsLeft = entry.failures + 1 < limits.strategy_attempts_max;
	if (report.error.retryable && attemptsLeft && retry_at_ms < (entry.deadline_at_ms ?? 0)) {
		return { ...held, state: "retrying" as const, failures: entry.failures + 1, retry_at_ms, error: report.error };
	}
	if (report.error.code === EVALUATION_TIMEOUT)
		return settle({ ...held, failures: entry.failures + 1 }, "timed_out", nowMs, {
			reason: "timeout",
			error: report.error,
		});
	return settle({ ...held, failures: entry.failures + 1 }, "failed", nowMs, {
		reason: report.reason ?? report.error.code,
		error: report.error,
	});
}

const UNBALANCED: Failure = {
	code: "schema_violation",
	message: "The strategy's counts do not add up to its universe",
	retryable: false,
};

/**
 * Applies what an attempt reports. Returns the very same entry when the report is stale: another
 * attempt, or the entry is not evaluating (I6: an accepted result is never replaced).
 */
export function applyReport(
	entry: StrategyEntry,
	report: StrategyReport,
	nowMs: number,
	limits: ScanLimits,
): StrategyEntry {
	if (entry.state !== "evaluating" || entry.attempt !== report.attempt) return entry;
	switch (report.kind) {
		case "progressed": {
			const tally = further(entry.tally, report.tally);
			return tally === entry.tally ? entry : { ...entry, tally };
		}
		case "skipped":
			return settle({ ...entry, tally: report.tally }, "skipped", nowMs, { reason: report.reason });
		case "finished": {
			if (decided(report.tally) !== report.tally.evaluated) {
				return settle(entry, "failed", nowMs, { reason: "schema_violation", error: UNBALANCED });
			}
			const done = { ...entry, tally: report.tally };
			if (report.degraded)
				return settle(done, "degraded", nowMs, { reason: report.degraded.code, error: report.degraded });
			return settle(done, report.tally.row_ids.length > 0 ? "ok_found" : "ok_empty", nowMs);
		}
		case "failed":
			return fail(entry, report, nowMs, limits);
	}
}
