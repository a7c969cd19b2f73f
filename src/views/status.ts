import { isoOf } from "../clock.ts";
import type { ScanRecord } from "../store/contract.ts";
import { type DurationSample, remainingSeconds, secondsLeft, type TimePlan, timePlanOf } from "./estimates.ts";
import { jsonArray, spliceJson } from "./json.ts";
import { scanMessage } from "./messages.ts";
import { progressOf } from "./progress.ts";
import { endedAtMs, isoOrNull, pollUrl, resultsUrl, stateOf, statusOf } from "./words.ts";

/** Rows shown while a scan runs, best first. */
export const PARTIAL_RESULTS_MAX = 10;

/** Rows so far, then the final number. */
export const totalOpportunities = (record: ScanRecord): number =>
	record.context.ranking?.ranked_count ?? record.context.opportunities_found;

/** The status body as far as it follows from the record: only the remaining time stands between the two texts. */
export interface StatusText {
	before: string;
	after: string;
	plan: TimePlan | null;
	complete: boolean;
}

/**
 * Body of the status endpoint as compact JSON, but for the remaining time.
 * `topRowsJson`: at most ten stored rows, best first, compact JSON each.
 */
export function statusText(record: ScanRecord, topRowsJson: readonly string[]): StatusText {
	const { context, position } = record;
	const status = statusOf(position);
	const head = {
		success: status !== "failed",
		scan_id: record.scan_id,
		status,
		state: stateOf(position),
		reason: context.end?.reason ?? null,
		superseded_by: context.end?.superseded_by ?? null,
		message: scanMessage(context, position),
		outcome: position === "completed" ? context.outcome : null,
		phase: position,
		progress: progressOf(context, position),
		total_opportunities: totalOpportunities(record),
	};
	const tail = {
		results_url: resultsUrl(record.scan_id),
		filters: context.input.filters,
		error: context.end?.error ?? null,
		from_cache: false,
		accepted_at: isoOf(context.input.accepted_at_ms),
		started_at: isoOrNull(context.claimed_at_ms),
		updated_at: isoOf(record.progress_at_ms),
		completed_at: isoOrNull(endedAtMs(context)),
		deadline_at: isoOf(context.input.deadline_at_ms),
		revision: record.revision,
	};
	const rows = { partial_results: jsonArray(topRowsJson.slice(0, PARTIAL_RESULTS_MAX)) };
	return {
		before: `${JSON.stringify(head).slice(0, -1)},"estimated_time_remaining_seconds":`,
		after: `,${spliceJson(tail, rows).slice(1)}`,
		plan: timePlanOf(record),
		complete: position === "completed",
	};
}

/** The whole body at a moment of the store's clock. */
export const statusAt = (text: StatusText, nowMs: number, samples: readonly DurationSample[]): string =>
	text.before + secondsLeft(text.plan, nowMs, samples) + text.after;

export const statusView = (
	record: ScanRecord,
	topRowsJson: readonly string[],
	nowMs: number,
	samples: readonly DurationSample[],
): string => statusAt(statusText(record, topRowsJson), nowMs, samples);

/** Body of 202 of the results endpoint as compact JSON. */
export function resultsPendingView(
	record: ScanRecord,
	topRowsJson: readonly string[],
	nowMs: number,
	samples: readonly DurationSample[],
): string {
	const fields = {
		success: true,
		status: "scanning",
		scan_id: record.scan_id,
		message: "Scan is still in progress",
		progress: progressOf(record.context, record.position),
		estimated_time_remaining_seconds: remainingSeconds(record, nowMs, samples),
		poll_url: pollUrl(record.scan_id),
		results_url: resultsUrl(record.scan_id),
	};
	return spliceJson(fields, { partial_results: jsonArray(topRowsJson.slice(0, PARTIAL_RESULTS_MAX)) });
}
