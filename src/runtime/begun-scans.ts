import type { Clock } from "../clock.ts";
import type { NewScan } from "../store/write-contract.ts";
import type { Granted } from "./claimed.ts";
import { type HostState, MACHINE_ID } from "./scan-host.ts";

/** A new scan with the state that its record was written from. */
export type BegunScan = NewScan & { state: HostState };
type Noted = Pick<BegunScan, "scan_id" | "owner" | "accepted_at_ms" | "state" | "entry">;

/**
 * Scans that this process has begun itself: if it runs them too, it need not read what it has just written. What is
 * not known here is claimed the usual way, so that nothing depends on it.
 */
export interface BegunScans {
	/** @param scan whose record nobody else can have written: its id is this process's own */
	note(scan: BegunScan): void;
	/** Gives the scan out once. */
	take(scanId: string): Noted | null;
}

/** Most are taken within milliseconds, and what waits longer in the queue may as well be read. */
const NOTED_MS = 5_000;
const NOTED_MAX = 256;

export function createBegunScans(clock: Clock): BegunScans {
	/** The oldest first. */
	const noted = new Map<string, { scan: Noted; until_ms: number }>();
	let clearing = false;
	const clear = (): void => {
		clearing = false;
		for (const [scanId, { until_ms }] of noted) {
			if (until_ms > clock.now()) break;
			noted.delete(scanId);
		}
		clearLater();
	};
	function clearLater(): void {
		if (clearing || noted.size === 0) return;
		clearing = true;
		const timer = clock.setTimeout(clear, NOTED_MS);
		(timer as { unref?: () => void }).unref?.();
	}
	return {
		note({ scan_id, owner, accepted_at_ms, state, entry }) {
			// Not the texts of the record, which are many times as long.
			noted.set(scan_id, {
				scan: { scan_id, owner, accepted_at_ms, state, entry },
				until_ms: clock.now() + NOTED_MS,
			});
			const [oldest] = noted.size > NOTED_MAX ? noted.keys() : [];
			if (oldest !== undefined) noted.delete(oldest);
			clearLater();
		},
		take(scanId) {
			const held = noted.get(scanId);
			noted.delete(scanId);
			return held?.scan ?? null;
		},
	};
}

/** The claim that a taker will hold if the scan is as its start left it. @param untilMs when its lease runs out */
export function expectedClaim(scan: Noted, worker_id: string, untilMs: number): Granted {
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
	const inbox = { inbox_after: "", inbox_newest: "" };
	return { kind: "granted", record, lost_lease: false, idle_ms: 0, lease_until_ms: untilMs, ...inbox };
}
