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

/** Median duration of complete scans with this many strategies, else of all complete scans. */
export function typicalDurationMs(samples: readonly DurationSample[], strategies: number): number {
	const complete = samples.filter((sample) => sample.completed);
	const alike = complete.filter((sample) => sample.strategies === strategies);
	const chosen = (alike.length > 0 ? alike : complete).map((sample) => sample.duration_ms);
	return quantile(chosen, 0.5) ?? ESTIMATE_WITHOUT_HISTORY_MS;
}

/** Time that is left: whole seconds, never beyond the deadline, 0 when terminal. */
export function remainingSeconds(record: ScanRecord, nowMs: number, samples: readonly DurationSample[]): number {
	if (record.terminal) return 0;
	const { input } = record.context;
	// History counts the strategies that ran, so what is planned as skipped is left out here too.
	const typical = typicalDurationMs(samples, input.strategies.filter((plan) => plan.skip === null).length);
	const byHistory = Math.ceil((typical - (nowMs - input.accepted_at_ms)) / 1000);
	const byDeadline = Math.floor((input.deadline_at_ms - nowMs) / 1000);
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
