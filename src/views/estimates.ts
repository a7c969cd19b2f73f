import type { ScanRecord } from "../store/contract.ts";

/** An ended scan, as far as estimates go. */
export interface DurationSample {
	duration_ms: number;
	/** Strategies that ran. */
	strategies: number;
	completed: boolean;
}

/** Without any history a client is told two minutes, the time older clients wait anyway. */
export const ESTIMATE_WITHOUT_HISTORY_MS = 120_000;
const PATIENCE_SECONDS_MIN = 100;
const PATIENCE_SECONDS_MAX = 150;

/** Nearest-rank quantile of unsorted values; null for none. `share` in (0, 1]. */
export function quantile(values: readonly number[], share: number): number | null {
	if (values.length === 0) return null;
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

/** By samples, which are one object for all who ask within their time to live, and number of strategies, ms. */
const typicals = new WeakMap<readonly DurationSample[], Map<number, number>>();

/** Median duration of complete scans with this many strategies, else of all complete scans. */
export function typicalDurationMs(samples: readonly DurationSample[], strategies: number): number {
	const held = typicals.get(samples) ?? new Map<number, number>();
	typicals.set(samples, held);
	const known = held.get(strategies);
	if (known !== undefined) return known;
	const complete = samples.filter((sample) => sample.completed);
	const alike = complete.filter((sample) => sample.strategies === strategies);
	const chosen = (alike.length > 0 ? alike : complete).map((sample) => sample.duration_ms);
	const typicalMs = quantile(chosen, 0.5) ?? ESTIMATE_WITHOUT_HISTORY_MS;
	held.set(strategies, typicalMs);
	return typicalMs;
}

/** What of a scan its remaining time follows from, beside the clock and the history. */
export interface TimePlan {
	accepted_at_ms: number;
	deadline_at_ms: number;
	/** Strategies that are to run. */
	strategies: number;
}

/** Null for an ended scan, which has no time left. */
export function timePlanOf({ terminal, context: { input } }: ScanRecord): TimePlan | null {
	if (terminal) return null;
	const { accepted_at_ms, deadline_at_ms } = input;
	// History counts the strategies that ran, so what is planned as skipped is left out here too.
	return { accepted_at_ms, deadline_at_ms, strategies: input.strategies.filter((plan) => plan.skip === null).length };
}

/** What a client is told of the remaining time of a scan. */
export const remainingSeconds = (record: ScanRecord, nowMs: number, samples: readonly DurationSample[]): number =>
	secondsLeft(timePlanOf(record), nowMs, samples);

/** Whole seconds, never beyond the deadline, 0 without a plan. */
export function secondsLeft(plan: TimePlan | null, nowMs: number, samples: readonly DurationSample[]): number {
	if (plan === null) return 0;
	const byHistory = Math.ceil((typicalDurationMs(samples, plan.strategies) - (nowMs - plan.accepted_at_ms)) / 1000);
	const byDeadline = Math.floor((plan.deadline_at_ms - nowMs) / 1000);
	return Math.max(0, Math.min(byHistory, byDeadline));
}

/** An upper figure for the client's patience. */
export function patienceSeconds(samples: readonly DurationSample[]): number {
	const high = quantile(
		samples.map((sample) => sample.duration_ms),
		0.95,
	);
	if (high === null) return ESTIMATE_WITHOUT_HISTORY_MS / 1000;
	return Math.min(PATIENCE_SECONDS_MAX, Math.max(PATIENCE_SECONDS_MIN, Math.ceil(high / 1000)));
}
