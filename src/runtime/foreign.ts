import type { JournalType, ScanEvent } from "../../machines/events.ts";
import type { ScanEnd } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import type { ScanRecord } from "../store/contract.ts";
import type { Commit } from "../store/write-contract.ts";

/** May this build step the scan? Not one of a machine version that it cannot carry on, nor one whose state cannot be read. */
export const isContinuable = (record: ScanRecord): boolean =>
	record.foreign === undefined && record.damaged === undefined;

/**
 * Ends a scan that this build cannot step: of a machine version it does not know, or with a poisoned
 * snapshot. What is stored is never touched; what ends the scan is noted beside it, in a form that every
 * version reads. So no start waits for ever, and the data stay there for whoever has to find the cause.
 */
export function foreignCommit(record: ScanRecord, event: ScanEvent, nowMs: number, leaseMs: number): Commit {
	const cancelled = event.type === "scan.cancel_requested";
	const position = cancelled ? "cancelled" : "failed";
	const type: JournalType = cancelled ? "scan.cancelled" : "scan.failed";
	const message = record.damaged
		? `The stored state of the scan cannot be read: ${record.damaged.join(", ")}`
		: `The scan was made by ${record.machine}, which this version cannot continue`;
	const end: ScanEnd = {
		at_ms: nowMs,
		error: cancelled ? null : { code: "internal_error", message, phase: record.position },
		is_timeout: false,
		reason: cancelled ? event.reason : null,
		superseded_by: cancelled ? event.superseded_by : null,
		by: cancelled ? event.by : null,
	};
	const said = cancelled && event.reason_text ? { reason_text: event.reason_text } : {};
	const cause = record.damaged ? "snapshot_unreadable" : "machine_unknown";
	const { error, reason, superseded_by } = end;
	const payload = { error, reason, superseded_by, machine: record.machine, cause, ...said };
	const status = cancelled ? "cancelled" : "error";
	const { user_id } = record;
	const ended = JSON.stringify({ phase: position, status, timestamp: isoOf(nowMs), user_id, ...payload });
	return {
		scan_id: record.scan_id,
		epoch: record.epoch,
		base_seq: record.revision,
		scan: { foreign_end: JSON.stringify(end), position, last_type: type },
		lifecycle: { current_phase: position, current_status: status, last_updated: isoOf(nowMs), [position]: ended },
		debug: {},
		results: new Map(),
		entries: [{ type, phase: position, strategy_id: null, attempt: null, at_ms: nowMs, payload }],
		events: [],
		ended: true,
		lease_ms: leaseMs,
	};
}
