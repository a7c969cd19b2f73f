import { strategiesRun } from "../../machines/scan-rules.ts";
import { isoOf } from "../clock.ts";
import type { EndedScan, ScanRecord } from "../store/contract.ts";
import { scanState } from "./results.ts";
import { assetDiscoveryView, userProfileView } from "./results-parts.ts";
import { totalOpportunities } from "./status.ts";
import { executionTimeMs, resultsKey, statusOf } from "./words.ts";

/** One entry of scan-history. execution_time_ms is null while the scan runs. */
export function historyEntry(record: ScanRecord): object {
	const { context, position } = record;
	const total = totalOpportunities(record);
	return {
		scan_id: record.scan_id,
		user_id: record.user_id,
		status: statusOf(position),
		outcome: position === "completed" ? context.outcome : null,
		opportunities_count: total,
		opportunities: total,
		strategies_scanned: strategiesRun(context).length,
		execution_time_ms: executionTimeMs(context),
		last_updated: isoOf(record.progress_at_ms),
		user_profile: userProfileView(context.input.profile),
		asset_discovery: assetDiscoveryView(context),
		partial: record.terminal && scanState(record) === "partial",
		cache_key: resultsKey(record.scan_id),
	};
}

/** An ended scan of one user in the form that the statistics keep for all users. */
export function endedScanOf(record: ScanRecord): EndedScan {
	return {
		scan_id: record.scan_id,
		user_id: record.user_id,
		opportunities_discovered: totalOpportunities(record),
		strategies_scanned: strategiesRun(record.context).length,
		execution_time_ms: executionTimeMs(record.context) ?? 0,
		success: record.position === "completed",
		timestamp: isoOf(record.context.end?.at_ms ?? record.progress_at_ms),
	};
}

export const recentScan = (scan: EndedScan): object => ({
	scan_id: scan.scan_id,
	opportunities_count: scan.opportunities_discovered,
	execution_time_ms: scan.execution_time_ms,
	last_updated: scan.timestamp,
	cache_key: resultsKey(scan.scan_id),
});
