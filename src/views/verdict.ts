import type { Failure, NearMiss, StrategyEntry, Verdict } from "../../machines/types.ts";
import { isoOrNull, strategyName } from "./words.ts";

/** How one strategy ended, as answers tell it. */
export interface VerdictObject {
	strategy_id: string;
	strategy_name: string;
	index: number;
	/** null only while the strategy is open. */
	verdict: Verdict | null;
	reason: string | null;
	candidate_unit: string;
	candidates_total: number;
	evaluated: number;
	published: number;
	unproven: number;
	rejected: Record<string, number>;
	near_misses: NearMiss[];
	data_as_of: string | null;
	data_age_seconds: number | null;
	attempts: number;
	started_at: string | null;
	ended_at: string | null;
	duration_ms: number | null;
	error: Failure | null;
	carried_over_from: string | null;
}

const NEAR_MISSES_MAX = 3;

/**
 * How one strategy ended. Rows that ranking cut have already moved from row_ids to rejected
 * (`rank_limit`) in the tally, so evaluated = published + unproven + sum(rejected) holds as it is.
 */
export function verdictObject(entry: StrategyEntry, index: number = entry.index): VerdictObject {
	const { tally } = entry;
	const ended = entry.ended_at_ms;
	return {
		strategy_id: entry.strategy_id,
		strategy_name: strategyName(entry.strategy_id),
		index,
		verdict: entry.verdict,
		reason: entry.reason,
		candidate_unit: tally.candidate_unit,
		candidates_total: tally.candidates_total,
		evaluated: tally.evaluated,
		published: tally.row_ids.length,
		unproven: tally.unproven_ids.length,
		rejected: tally.rejected,
		near_misses: tally.near_misses.slice(0, NEAR_MISSES_MAX),
		data_as_of: tally.data_as_of,
		data_age_seconds: tally.data_age_seconds,
		attempts: entry.attempt,
		started_at: isoOrNull(entry.started_at_ms),
		ended_at: isoOrNull(ended),
		duration_ms: ended === null || entry.started_at_ms === null ? null : ended - entry.started_at_ms,
		error: entry.error,
		carried_over_from: entry.carried_over_from,
	};
}

/** All verdicts of a scan in catalogue order. */
export const verdictObjects = (entries: readonly StrategyEntry[]): VerdictObject[] =>
	entries.map((entry) => verdictObject(entry));
