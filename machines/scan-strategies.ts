import type { StrategyReport } from "./events.ts";
import { isoOf } from "./iso.ts";
import { chain, cutoffAtMs, type Entry, isOpen, type Step } from "./scan-rules.ts";
import { applyReport, newEntry, settle, startAttempt } from "./strategy-rules.ts";
import type { Failure, ScanContext, StrategyEntry, Verdict } from "./types.ts";

/** The rules of `scan.v1` about its list of strategies: resolved, started, reported, cut, settled. */

const iso = (ms: number | null): string | null => (ms === null ? null : isoOf(ms));

/** Payload of strategy.settled: the verdict as answers tell it, less its display name. */
function settledPayload(entry: StrategyEntry, progress: Progress): Record<string, unknown> {
	const { tally } = entry;
	return {
		strategy_id: entry.strategy_id,
		index: entry.index,
		attempt: entry.attempt,
		verdict: entry.verdict,
		reason: entry.reason,
		candidate_unit: tally.candidate_unit,
		candidates_total: tally.candidates_total,
		evaluated: tally.evaluated,
		rejected: tally.rejected,
		near_misses: tally.near_misses,
		data_as_of: tally.data_as_of,
		data_age_seconds: tally.data_age_seconds,
		published: tally.row_ids.length,
		unproven: tally.unproven_ids.length,
		attempts: entry.attempt,
		started_at: iso(entry.started_at_ms),
		ended_at: iso(entry.ended_at_ms),
		duration_ms:
			entry.started_at_ms === null || entry.ended_at_ms === null ? null : entry.ended_at_ms - entry.started_at_ms,
		error: entry.error,
		carried_over_from: entry.carried_over_from,
		progress,
	};
}

interface Progress {
	strategies_completed: number;
	total_strategies: number;
	opportunities_found_so_far: number;
}

/**
 * What several strategies become one after the other, in a list of its own: each change copies its entry, not the context.
 * What all of them have is counted once and then by what each change adds.
 */
class Changes {
	readonly entries: Entry[] = [];
	private readonly context: ScanContext;
	private readonly strategies: StrategyEntry[];
	private found: number;
	private readonly rows = { row_ids: 0, unproven_ids: 0 };
	private completed = 0;

	constructor(context: ScanContext) {
		this.context = context;
		this.strategies = [...context.strategies];
		this.found = context.opportunities_found;
		for (const entry of this.strategies) this.count(entry, 1);
	}

	private count(entry: StrategyEntry, by: 1 | -1): void {
		this.rows.row_ids += by * entry.tally.row_ids.length;
		this.rows.unproven_ids += by * entry.tally.unproven_ids.length;
		if (!isOpen(entry)) this.completed += by;
	}

	/** Where the strategy stands in the list, -1: nowhere. */
	placeOf(strategyId: string): number {
		return this.strategies.findIndex((entry) => entry.strategy_id === strategyId);
	}

	at(place: number): StrategyEntry | undefined {
		return this.strategies[place];
	}

	/** @param before what the journal is to tell the difference from; default: the entry that stands there */
	put(place: number, after: StrategyEntry, before = this.strategies[place] as StrategyEntry): void {
		this.count(this.strategies[place] as StrategyEntry, -1);
		this.count(after, 1);
		this.strategies[place] = after;
		this.found = Math.max(this.found, this.rows.row_ids);
		this.entries.push(...record(before, after, this.progress()));
	}

	/** Keeps a report inside rows_max: what exceeds it is rejected as rank_limit, never silently lost. */
	capped(report: StrategyReport, place: number): StrategyReport {
		const { tally } = report;
		if (!tally) return report;
		const held = (this.strategies[place] as StrategyEntry).tally;
		const room = (ids: "row_ids" | "unproven_ids") =>
			Math.max(0, this.context.input.limits.rows_max - this.rows[ids] + held[ids].length);
		const row_ids = tally.row_ids.slice(0, room("row_ids"));
		const unproven_ids = tally.unproven_ids.slice(0, room("unproven_ids"));
		const cut = tally.row_ids.length - row_ids.length + tally.unproven_ids.length - unproven_ids.length;
		if (cut === 0) return report;
		const rejected = { ...tally.rejected, rank_limit: (tally.rejected.rank_limit ?? 0) + cut };
		return { ...report, tally: { ...tally, row_ids, unproven_ids, rejected } } as StrategyReport;
	}

	step(): Step {
		const { context, strategies, found: opportunities_found, entries } = this;
		return { context: { ...context, strategies, opportunities_found }, entries, started: [] };
	}

	private progress(): Progress {
		return {
			strategies_completed: this.completed,
			total_strategies: this.strategies.length,
			opportunities_found_so_far: this.found,
		};
	}
}

function record(before: StrategyEntry, after: StrategyEntry, progress: Progress): Entry[] {
	const entries: Entry[] = [];
	const known = before.tally.row_ids.length === 0 ? null : new Set(before.tally.row_ids);
	for (const opportunity_id of after.tally.row_ids) {
		if (known?.has(opportunity_id)) continue;
		entries.push({
			type: "strategy.row_found",
			params: { strategy_id: after.strategy_id, attempt: after.attempt, opportunity_id },
		});
	}
	if (after.state === "settled") entries.push({ type: "strategy.settled", params: settledPayload(after, progress) });
	if (after.state === "retrying") {
		const { code = "unknown", message = "" } = after.error ?? {};
		entries.push({
			type: "strategy.retried",
			params: {
				strategy_id: after.strategy_id,
				attempt: after.attempt,
				deadline_at: iso(after.deadline_at_ms),
				retry_at: iso(after.retry_at_ms),
				cause: { code, message },
			},
		});
	}
	return entries;
}

/** Entering strategies_scan: the plan becomes entries, what is not to be run is settled at once. */
export function resolveStrategies(context: ScanContext): Step {
	const { strategies: planned } = context.input;
	const changes = new Changes({ ...context, strategies: planned.map(newEntry) });
	changes.entries.push({
		type: "strategies.resolved",
		params: {
			total_strategies: planned.length,
			strategy_ids: planned.map((plan) => plan.strategy_id),
			skipped: Object.fromEntries(planned.filter((plan) => plan.skip).map((plan) => [plan.strategy_id, plan.skip])),
		},
	});
	planned.forEach((plan, place) => {
		const entry = changes.at(place);
		if (!entry) return;
		const { carried, ...fresh } = plan;
		if (carried) changes.put(place, entry, newEntry(fresh));
		else if (plan.skip) changes.put(place, settle(entry, "skipped", context.now_ms, { reason: plan.skip }));
	});
	return chain(context, () => changes.step(), startNext);
}

const startable = (entry: StrategyEntry, nowMs: number): boolean =>
	entry.state === "queued" || (entry.state === "retrying" && (entry.retry_at_ms ?? 0) <= nowMs);

/** Fills free places: highest priority first, then catalogue order. */
export function startNext(context: ScanContext): Step {
	const running = context.strategies.filter((entry) => entry.state === "evaluating").length;
	const free = context.input.limits.strategy_concurrency - running;
	const cutoff = cutoffAtMs(context);
	const chosen = context.strategies
		.filter((entry) => startable(entry, context.now_ms))
		.sort((a, b) => b.priority - a.priority || a.index - b.index)
		.slice(0, Math.max(0, free));
	const started = new Map(
		chosen.map((entry) => [entry.strategy_id, startAttempt(entry, context.now_ms, cutoff, context.input.limits)]),
	);
	return {
		context: { ...context, strategies: context.strategies.map((entry) => started.get(entry.strategy_id) ?? entry) },
		entries: [...started.values()].map(startedEntry),
		started: [...started.values()],
	};
}

const startedEntry = (entry: StrategyEntry): Entry => ({
	type: "strategy.started",
	params: {
		strategy_id: entry.strategy_id,
		attempt: entry.attempt,
		deadline_at: iso(entry.deadline_at_ms),
		cause: entry.attempt === 1 ? "first" : entry.error ? "retry" : "takeover",
	},
});

export function applyReports(context: ScanContext, reports: readonly StrategyReport[]): Step {
	const changes = new Changes(context);
	for (const report of reports) {
		const place = changes.placeOf(report.strategy_id);
		const before = changes.at(place);
		if (!before) continue;
		const after = applyReport(before, changes.capped(report, place), context.now_ms, context.input.limits);
		if (after !== before) changes.put(place, after);
	}
	return chain(context, () => changes.step(), startNext);
}

/** Does any report still concern an attempt that is running? Late ones change nothing at all. */
export const hasFreshReport = (context: ScanContext, reports: readonly StrategyReport[]): boolean =>
	reports.some((report) => {
		const entry = context.strategies.find((candidate) => candidate.strategy_id === report.strategy_id);
		if (!entry) return false;
		return applyReport(entry, report, context.now_ms, context.input.limits) !== entry;
	});

/** Closes every entry for which `due` holds, with the same verdict and reason. */
export function settleWhere(
	context: ScanContext,
	due: (entry: StrategyEntry) => boolean,
	verdict: Verdict,
	facts: { reason: string; error: Failure | null },
): Step {
	const changes = new Changes(context);
	context.strategies.forEach((entry, place) => {
		if (isOpen(entry) && due(entry)) changes.put(place, settle(entry, verdict, context.now_ms, facts));
	});
	return changes.step();
}

export const TIMED_OUT = {
	reason: "timeout",
	error: { code: "timeout", message: "The strategy's deadline passed", retryable: false },
};

/** A deadline or a retry time of some strategy has come. */
export function wakeStrategies(context: ScanContext): Step {
	const overdue = (entry: StrategyEntry) =>
		entry.state !== "queued" && entry.deadline_at_ms !== null && entry.deadline_at_ms <= context.now_ms;
	return chain(context, (same) => settleWhere(same, overdue, "timed_out", TIMED_OUT), startNext);
}

export const cutStrategies = (context: ScanContext): Step => settleWhere(context, () => true, "timed_out", TIMED_OUT);

/**
 * A new holder: what was running starts again as a further attempt; what is settled stays (I6). Time in which nobody
 * held the scan does not count for a strategy that had begun.
 */
export function restartRunning(held: ScanContext, idleMs = 0): Step {
	const cutoff = cutoffAtMs(held);
	const strategies = held.strategies.map((entry) =>
		idleMs > 0 && isOpen(entry) && entry.deadline_at_ms !== null
			? { ...entry, deadline_at_ms: Math.min(entry.deadline_at_ms + idleMs, cutoff) }
			: entry,
	);
	const context = { ...held, strategies };
	const restarted = new Map(
		strategies
			.filter((entry) => entry.state === "evaluating")
			.map((entry) => [
				entry.strategy_id,
				{ ...startAttempt(entry, context.now_ms, cutoff, context.input.limits), error: null },
			]),
	);
	return {
		context: { ...context, strategies: context.strategies.map((entry) => restarted.get(entry.strategy_id) ?? entry) },
		entries: [...restarted.values()].map(startedEntry),
		started: [...restarted.values()],
	};
}

/** The next moment at which a strategy needs attention before the cutoff, or null. */
export function nextWakeMs(context: ScanContext): number | null {
	let next: number | null = null;
	for (const entry of context.strategies) {
		const due =
			entry.state === "evaluating" ? entry.deadline_at_ms : entry.state === "retrying" ? entry.retry_at_ms : null;
		if (due !== null && due < cutoffAtMs(context) && (next === null || due < next)) next = due;
	}
	return next;
}
