import type { JournalType, ScanEvent } from "../../machines/events.ts";
import type { ScanRecord } from "../store/contract.ts";
import type { ClaimResult, CommitMoment } from "../store/write-contract.ts";
import type { HostState } from "./scan-host.ts";

/** What a claim means to the machine: the state it goes on from and the event it begins with. */
export type Granted = Extract<ClaimResult, { kind: "granted" }>;

export const stateOf = (record: ScanRecord): HostState => ({
	position: record.position,
	context: record.context,
	ended: record.terminal,
	deadlines: record.deadlines,
});

/**
 * The record of a scan that this process has just ended, without reading it back. Null: it has to be read, because the
 * moment of its last commit is not known or the commit brought fields of an older version up to date.
 */
export function endedRecord(
	{ record }: Granted,
	state: HostState,
	revision: number,
	moment: CommitMoment | null,
	last_event_type: JournalType,
): ScanRecord | null {
	if (!state.ended || moment === null || record.upgrade) return null;
	const { at_ms, expires_at_ms } = moment;
	const { position, context, deadlines } = state;
	const times = { heartbeat_at_ms: at_ms, progress_at_ms: at_ms, lease_until_ms: null, expires_at_ms };
	return { ...record, ...times, revision, last_event_type, position, context, deadlines, terminal: true };
}

export function firstEvent({ record, lost_lease, idle_ms, lease_until_ms }: Granted, at_ms: number): ScanEvent {
	const facts = { at_ms, worker_id: record.worker_id ?? "", lease_expires_at_ms: lease_until_ms };
	return record.position === "queued"
		? { type: "scan.claimed", ...facts }
		: { type: "scan.resumed", ...facts, lost_lease, idle_ms };
}
