import { cutoffAtMs, discoveryDeadlineMs, portfolioDeadlineMs } from "../../machines/scan-rules.ts";
import type { ScanContext, ScanPosition } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import type { ScanRecord } from "../store/contract.ts";
import { isoOrNull } from "./words.ts";

/** A phase may be this late before it counts as stuck. */
export const PHASE_GRACE_MS = 5_000;

export interface StuckReport {
	/** Last sign of life, or the end of the phase's budget. */
	since: string;
	waiting_on: { kind: "worker" | "strategy" | "source" | "store"; id: string | null; since: string };
	evidence: {
		heartbeat_age_ms: number;
		last_seq: number;
		last_event_type: string;
		lease_expires_at: string | null;
		deadline_at: string;
		strategies_running: string[];
	};
	suggested_action: "wait" | "cancel" | "redrive" | "check_dependency";
}

export interface StuckVerdict {
	is_stuck: boolean;
	stuck_duration_seconds: number | null;
	stuck: StuckReport | null;
}

/** When the budget of the phase in hand ends, epoch ms; null once it is over. */
export function phaseBudgetEndsAtMs(context: ScanContext, position: ScanPosition): number | null {
	switch (position) {
		case "queued":
		case "started":
		case "ranking":
			return context.input.deadline_at_ms;
		case "portfolio_fetch":
			return portfolioDeadlineMs(context);
		case "asset_discovery":
			return discoveryDeadlineMs(context);
		case "strategies_scan":
			return cutoffAtMs(context);
		default:
			return null;
	}
}

/** The strategy that has been running longest. */
function oldestRunning(context: ScanContext) {
	const running = context.strategies.filter((entry) => entry.verdict === null && entry.started_at_ms !== null);
	return running.sort((a, b) => (a.started_at_ms ?? 0) - (b.started_at_ms ?? 0))[0];
}

function waitingOn(record: ScanRecord, silent: boolean, sinceMs: number): StuckReport["waiting_on"] {
	const { context, position } = record;
	// What is missing is a worker of the scan's own version: no other may carry it on.
	if (record.foreign) return { kind: "worker", id: record.machine, since: isoOf(sinceMs) };
	if (silent || record.worker_id === null) return { kind: "worker", id: record.worker_id, since: isoOf(sinceMs) };
	const phaseSince = (position === "queued" ? null : context.phases[position]?.started_at_ms) ?? sinceMs;
	if (position === "portfolio_fetch") return { kind: "store", id: "portfolio", since: isoOf(phaseSince) };
	if (position === "asset_discovery") return { kind: "source", id: null, since: isoOf(phaseSince) };
	const strategy = position === "strategies_scan" ? oldestRunning(context) : undefined;
	if (strategy)
		return { kind: "strategy", id: strategy.strategy_id, since: isoOf(strategy.started_at_ms ?? phaseSince) };
	return { kind: "worker", id: record.worker_id, since: isoOf(phaseSince) };
}

/** Past its deadline the watchdog should have ended the scan: whoever runs it must be looked at. */
function suggest(
	record: ScanRecord,
	waiting: StuckReport["waiting_on"],
	nowMs: number,
): StuckReport["suggested_action"] {
	if (record.foreign) return "check_dependency";
	const overdue = nowMs > record.context.input.deadline_at_ms + PHASE_GRACE_MS;
	if (overdue || waiting.kind === "source" || waiting.kind === "store") return "check_dependency";
	if (waiting.kind === "worker") return record.worker_id === null ? "check_dependency" : "wait";
	return "cancel";
}

/**
 * Is the scan stuck, since when, and on what? Stuck: not terminal, and either no heartbeat (before
 * the first one: no claim) for `stuckAfterMs`, or the phase is past its budget by more than its
 * grace. `nowMs` is the store's clock, as are all times of the record.
 */
export function stuckVerdict(record: ScanRecord, nowMs: number, stuckAfterMs: number): StuckVerdict {
	const none: StuckVerdict = { is_stuck: false, stuck_duration_seconds: null, stuck: null };
	if (record.terminal) return none;
	const { context, position } = record;
	const lifeSignMs = record.heartbeat_at_ms ?? context.input.accepted_at_ms;
	const heartbeatAgeMs = Math.max(0, nowMs - lifeSignMs);
	const budgetEndMs = phaseBudgetEndsAtMs(context, position);
	const silent = heartbeatAgeMs > stuckAfterMs;
	const late = budgetEndMs !== null && nowMs - budgetEndMs > PHASE_GRACE_MS;
	if (!silent && !late) return none;
	const sinceMs = silent || budgetEndMs === null ? lifeSignMs : budgetEndMs;
	const waiting = waitingOn(record, silent, sinceMs);
	return {
		is_stuck: true,
		stuck_duration_seconds: Math.floor((nowMs - sinceMs) / 1000),
		stuck: {
			since: isoOf(sinceMs),
			waiting_on: waiting,
			evidence: {
				heartbeat_age_ms: heartbeatAgeMs,
				last_seq: record.revision,
				last_event_type: record.last_event_type,
				lease_expires_at: isoOrNull(record.lease_until_ms),
				deadline_at: isoOf(context.input.deadline_at_ms),
				strategies_running: context.strategies
					.filter((entry) => entry.state === "evaluating" || entry.state === "retrying")
					.map((entry) => entry.strategy_id),
			},
			suggested_action: suggest(record, waiting, nowMs),
		},
	};
}
