import { isoOf } from "../clock.ts";
import type { StartResult } from "../services.ts";
import type { ScanRecord } from "../store/contract.ts";
import { type DurationSample, patienceSeconds } from "./estimates.ts";
import { spliceJson } from "./json.ts";
import { scanMessage } from "./messages.ts";
import { progressOf } from "./progress.ts";
import { eventsUrl, pollUrl, resultsUrl, statusOf } from "./words.ts";

const POLLING_INTERVAL_SECONDS = 3;

type DiscoverStatus = "initiated" | "scanning" | "complete" | "failed";

/** How the start is told: `waited` to its end, or `replayed` later; then the scan's present state is the answer. */
export interface Telling {
	waited: boolean;
	replayed: boolean;
}

/** A bad end is told only to a caller who waited for it; the others learn it at their first poll. */
function discoverStatus(result: StartResult, record: ScanRecord, { waited, replayed }: Telling): DiscoverStatus {
	const status = statusOf(record.position);
	if (waited || (replayed && record.terminal)) return status;
	if (result.decision === "created" || result.decision === "superseded") return "initiated";
	return status === "complete" ? "complete" : "scanning";
}

function discoverMessage(result: StartResult, record: ScanRecord, { waited, replayed }: Telling): string {
	if ((waited || replayed) && record.terminal) return scanMessage(record.context, record.position);
	const unmatched = record.context.input.filters_unmatched;
	const note = unmatched.length === 0 ? "" : ` Filters without a match: ${unmatched.slice(0, 10).join(", ")}.`;
	switch (result.decision) {
		case "joined":
			return `Joined the scan of the same filters that is already running.${note}`;
		case "cached":
			return `A complete scan of the same filters is ${result.age_seconds ?? 0} s old and is returned as it is.${note}`;
		case "superseded":
			return `Scan started; it supersedes the one that was running.${note}`;
		default:
			return record.context.input.redrive_of === null
				? `Scan started.${note}`
				: `Scan started; it runs some strategies of an earlier scan again and keeps the answers of the others.${note}`;
	}
}

const instructionsFor = (scanId: string): string =>
	`Poll ${pollUrl(scanId)} every ${POLLING_INTERVAL_SECONDS} seconds until status is complete or failed, then read ${resultsUrl(scanId)}.`;

/**
 * Body of POST /opportunities/discover as compact JSON. `waited`: the caller
 * asked to wait; `replayed`: it repeats an earlier start; `resultsJson`: the results body of a scan that ended in time (its values win).
 */
export function discoverView(
	result: StartResult,
	record: ScanRecord,
	samples: readonly DurationSample[],
	telling: Telling,
	resultsJson: string | null,
): string {
	const { input } = record.context;
	const status = discoverStatus(result, record, telling);
	const fields: Record<string, unknown> = {
		success: status !== "failed",
		scan_id: record.scan_id,
		user_id: record.user_id,
		status,
		message: discoverMessage(result, record, telling),
		instructions: instructionsFor(record.scan_id),
		poll_url: pollUrl(record.scan_id),
		results_url: resultsUrl(record.scan_id),
		events_url: eventsUrl(record.scan_id),
		polling_interval_seconds: POLLING_INTERVAL_SECONDS,
		estimated_completion_seconds: status === "complete" ? 0 : patienceSeconds(samples),
		progress: progressOf(record.context, record.position),
		filters: input.filters,
		joined: result.decision === "joined",
		from_cache: result.decision === "cached",
		age_seconds: result.decision === "cached" ? result.age_seconds : null,
		superseded_scan_id: result.superseded_scan_id,
		accepted_at: isoOf(input.accepted_at_ms),
		deadline_at: isoOf(input.deadline_at_ms),
	};
	if (resultsJson === null) return JSON.stringify(fields);
	// The keys both bodies have are dropped here, so that the spliced text holds each key once.
	for (const shared of ["success", "scan_id", "user_id", "status"]) delete fields[shared];
	return `${spliceJson(fields, {}).slice(0, -1)},${resultsJson.slice(1)}`;
}
