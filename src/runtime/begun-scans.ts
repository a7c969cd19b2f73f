import type { NewScan } from "../store/write-contract.ts";
import type { Granted } from "./claimed.ts";
import { type HostState, MACHINE_ID } from "./scan-host.ts";

/** A new scan with the state that its record was written from. */
export type BegunScan = NewScan & { state: HostState };

/**
 * Scans that this process has begun itself: if it runs them too, it need not read what it has just written. What is
 * not known here is claimed the usual way, so that nothing depends on it.
 */
export interface BegunScans {
	note(scan: BegunScan): void;
	/** Gives the scan out once. */
	take(scanId: string): BegunScan | null;
}

/** Most are taken within milliseconds; one that another process runs lies here until it is the oldest. */
const NOTED_MAX = 256;

export function createBegunScans(): BegunScans {
	const noted = new Map<string, BegunScan>();
	return {
		note(scan) {
			noted.set(scan.scan_id, scan);
			const [oldest] = noted.size > NOTED_MAX ? noted.keys() : [];
			if (oldest !== undefined) noted.delete(oldest);
		},
		take(scanId) {
			const scan = noted.get(scanId) ?? null;
			noted.delete(scanId);
			return scan;
		},
	};
}

/** The claim that a taker will hold if the scan is as its start left it. @param untilMs when its lease runs out */
export function expectedClaim(scan: BegunScan, worker_id: string, untilMs: number): Granted {
	const { owner: user_id, scan_id, accepted_at_ms, state, entry } = scan;
	const { position, context, deadlines } = state;
	const record: Granted["record"] = {
		scan_id,
		user_id,
		machine: MACHINE_ID,
		revision: 1,
		epoch: 1,
		worker_id,
		lease_until_ms: untilMs,
		heartbeat_at_ms: accepted_at_ms,
		progress_at_ms: accepted_at_ms,
		last_event_type: entry.type,
		position,
		terminal: false,
		context,
		deadlines,
		expires_at_ms: null,
	};
	return {
		kind: "granted",
		record,
		lost_lease: false,
		idle_ms: 0,
		lease_until_ms: untilMs,
		inbox_after: "",
		inbox_newest: "",
	};
}
