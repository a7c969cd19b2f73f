import type { JournalType, ScanEvent } from "../../machines/events.ts";
import type { ScanEnd } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import type { ScanRecord } from "../store/contract.ts";
import type { Commit } from "../store/write-contract.ts";

/**
 * Ends a scan whose machine version this build does not know. Its snapshot is never touched; what ends it is
 * noted beside it, in a form that every version reads. So no start waits for ever, whatever a rolling
 * upgrade has left behind.
 */
export function foreignCommit(record: ScanRecord, event: ScanEvent, nowMs: number, leaseMs: number): Commit {
	const cancelled = event.type === "scan.cancel_requested";
	const position = cancelled ? "cancelled" : "failed";
	const type: JournalType = cancelled ? "scan.cancelled" : "scan.failed";
	const message = `The scan was made by ${record.machine}, which this version cannot continue`;
	const end: ScanEnd = {
		at_ms: nowMs,
		error: cancelled ? null : { code: "internal_error", message, phase: record.position },
		is_timeout: false,
		reason: cancelled ? event.reason : null,
		superseded_by: cancelled ? event.superseded_by : null,
		by: cancelled ? event.by : null,
	};
	const said = cancelled && event.reason_text ? { reason_text: event.reason_text } : {};
	const { error, reason, superseded_by } = end;
	const payload = { error, reason, superseded_by, machine: record.machine, ...said };
	const status = cancelled ? "cancelled" : "error";
	return {
		scan_id: record.scan_id,
		epoch: record.epoch,
		base_seq: record.revision,
		scan: { foreign_end: JSON.stringify(end), position, last_type: type, deadlines: "{}" },
		lifecycle: { current_phase: position, current_status: status, last_updated: isoOf(nowMs) },
		debug: {},
		results: {},
		entries: [{ type, phase: position, strategy_id: null, attempt: null, at_ms: nowMs, payload }],
		events: [],
		ended: true,
		lease_ms: leaseMs,
	};
}
