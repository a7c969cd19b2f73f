import { strategiesRun, verdictCounts } from "../../machines/scan-rules.ts";
import { isoOf } from "../clock.ts";
import type { EndedScan, ScanRecord } from "../store/contract.ts";
import type { ScanWriter } from "../store/write-contract.ts";

/** What the statistics keep of an ended scan. */
export function endedScan(record: ScanRecord): EndedScan & { timeouts: number; failed: boolean } {
	const { context } = record;
	const endedAtMs = context.end?.at_ms ?? record.progress_at_ms;
	const success = record.position === "completed";
	const own = context.strategies.filter((entry) => entry.carried_over_from === null);
	return {
		scan_id: record.scan_id,
		user_id: record.user_id,
		opportunities_discovered: success ? (context.ranking?.ranked_count ?? 0) : context.opportunities_found,
		strategies_scanned: strategiesRun(context).length,
		execution_time_ms: endedAtMs - context.input.accepted_at_ms,
		success,
		timestamp: isoOf(endedAtMs),
		timeouts: verdictCounts(own).timed_out,
		failed: record.position === "failed",
	};
}

/** Frees the claim, notes freshness and tombstone, counts the scan, drops surplus ones. Repeatable. */
export async function book(writer: ScanWriter, record: ScanRecord, userScansKept: number): Promise<void> {
	const surplus = await writer.finish(record, endedScan(record), userScansKept);
	for (const scanId of surplus) await writer.expireNow(record.user_id, scanId);
}
