import type { ScanEvent } from "../../machines/events.ts";
import type { ScanRecord } from "../store/contract.ts";
import type { ClaimResult } from "../store/write-contract.ts";
import type { HostState } from "./scan-host.ts";

/** What a claim means to the machine: the state it goes on from and the event it begins with. */
export type Granted = Extract<ClaimResult, { kind: "granted" }>;

export const stateOf = (record: ScanRecord): HostState => ({
	position: record.position,
	context: record.context,
	ended: record.terminal,
	deadlines: record.deadlines,
});

export function firstEvent({ record, lost_lease, idle_ms, lease_until_ms }: Granted, at_ms: number): ScanEvent {
	const facts = { at_ms, worker_id: record.worker_id ?? "", lease_expires_at_ms: lease_until_ms };
	return record.position === "queued"
		? { type: "scan.claimed", ...facts }
		: { type: "scan.resumed", ...facts, lost_lease, idle_ms };
}
