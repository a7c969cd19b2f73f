import { verdictCounts } from "../../machines/scan-rules.ts";
import type { ScanContext, ScanPosition, VerdictCounts } from "../../machines/types.ts";

/** `progress` of a status answer; its counters never fall. */
export interface Progress {
	strategies_completed: number;
	total_strategies: number;
	opportunities_found_so_far: number;
	/** Integer 0..100. */
	percentage: number;
	/** Nine counts that sum to total_strategies. */
	verdicts: VerdictCounts;
}

/**
 * Strategies that had settled before the end of a failed or cancelled scan closed the open ones.
 * The closing writes `cancelled` for a cancel and a bad verdict at the very moment of a failure.
 */
function settledBeforeEnd(context: ScanContext): number {
	const endAtMs = context.end?.at_ms ?? null;
	const failed = context.end?.error !== null && context.end?.error !== undefined;
	return context.strategies.filter((entry) => {
		if (entry.verdict === null) return false;
		// Settled in the scan that this one redrives, whatever it was then.
		if (entry.carried_over_from !== null) return true;
		if (entry.verdict === "cancelled") return false;
		const closedByEnd = failed && entry.ended_at_ms === endAtMs;
		return !(closedByEnd && (entry.verdict === "failed" || entry.verdict === "timed_out"));
	}).length;
}

/** floor(100 * done / total), at most 99 unless complete, kept as it was on failed and cancelled. */
function percentageOf(context: ScanContext, position: ScanPosition): number {
	if (position === "completed") return 100;
	const total = context.strategies.length;
	if (total === 0) return 0;
	const ended = position === "failed" || position === "cancelled";
	const done = ended ? settledBeforeEnd(context) : context.strategies.filter((entry) => entry.verdict !== null).length;
	return Math.min(99, Math.floor((100 * done) / total));
}

export function progressOf(context: ScanContext, position: ScanPosition): Progress {
	return {
		strategies_completed: context.strategies.filter((entry) => entry.verdict !== null).length,
		total_strategies: context.strategies.length,
		opportunities_found_so_far: context.opportunities_found,
		percentage: percentageOf(context, position),
		verdicts: verdictCounts(context.strategies),
	};
}
