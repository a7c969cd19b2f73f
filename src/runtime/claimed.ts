import type { JournalType, ScanEvent } from "../../machines/events.ts";
import type { Effects } from "../effects/contract.ts";
import type { ScanRecord } from "../store/contract.ts";
import type { ClaimResult, CommitMoment, NewScan } from "../store/write-contract.ts";
import { type HostState, MACHINE_ID } from "./scan-host.ts";

/** What a claim means to the machine: the state it goes on from and the event it begins with. */
export type Granted = Extract<ClaimResult, { kind: "granted" }>;

/** Of whoever has a scan from its first moment on. */
export const TAKEN_EPOCH = 1;

/** For whom a scan is made as claimed. */
export interface Taker {
	worker_id: string;
	nonce: string;
	lease_ms: number;
	/** Its way to know the portfolio of a scan that it takes without waiting for it. */
	portfolioAtOnce?: Effects["portfolioAtOnce"] | undefined;
}

/** A new record with the state that it was written from. */
export interface BegunScan extends NewScan {
	state: HostState;
}

/** The claim of a scan that was made with it, as whoever reads its record would be granted it. Null: it was made without. */
export function takenClaim({ owner, scan_id, accepted_at_ms, state, taken, scan, results }: BegunScan): Granted | null {
	const last = taken?.entries.at(-1);
	if (!taken || !last) return null;
	const { position, context, deadlines } = state;
	const lease_until_ms = accepted_at_ms + taken.lease_ms;
	const record: Granted["record"] = {
		scan_id,
		user_id: owner,
		machine: MACHINE_ID,
		revision: taken.seq,
		epoch: TAKEN_EPOCH,
		worker_id: scan.worker ?? "",
		lease_until_ms,
		heartbeat_at_ms: accepted_at_ms,
		progress_at_ms: accepted_at_ms,
		last_event_type: last.type,
		position,
		terminal: false,
		context,
		deadlines,
		expires_at_ms: null,
	};
	const inbox = { inbox_after: "", inbox_newest: "" };
	return { kind: "granted", record, lost_lease: false, idle_ms: 0, lease_until_ms, ...inbox, begun: { results } };
}

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

export const firstClaim = ({ worker_id, lease_ms }: Taker, at_ms: number): ScanEvent => ({
	type: "scan.claimed",
	at_ms,
	worker_id,
	lease_expires_at_ms: at_ms + lease_ms,
});

export function firstEvent({ record, lost_lease, idle_ms, lease_until_ms }: Granted, at_ms: number): ScanEvent {
	const facts = { at_ms, worker_id: record.worker_id ?? "", lease_expires_at_ms: lease_until_ms };
	return record.position === "queued"
		? { type: "scan.claimed", ...facts }
		: { type: "scan.resumed", ...facts, lost_lease, idle_ms };
}
