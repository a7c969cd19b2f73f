import type { Clock } from "../clock.ts";
import type { Lookup, ScanReader } from "../store/contract.ts";

/** A lost wake-up costs at most this: the record is read again even if nobody called. */
const RECHECK_MS = 5_000;

export interface Wait {
	/** Milliseconds the caller is willing to wait; 0 = not at all. */
	waitMs: number;
	/** Aborted when the client is gone or the process shuts down: the present state is the answer. */
	signal: AbortSignal;
}

export const NO_WAIT: Wait = { waitMs: 0, signal: new AbortController().signal };

/**
 * Reads until `done` holds, the time is over, or the signal aborts, and returns the newest read.
 * The wake-up is armed before each read, so a commit between the two cannot be missed. No lock is
 * held while waiting. A scan that disappears while it is waited for ends the wait.
 */
export async function waitUntil(
	dependencies: { reader: Pick<ScanReader, "nextCommit">; clock: Pick<Clock, "now"> },
	read: () => Promise<Lookup>,
	done: (lookup: Extract<Lookup, { kind: "found" }>) => boolean,
	wait: Wait,
): Promise<Lookup> {
	const { reader, clock } = dependencies;
	const endsAtMs = clock.now() + wait.waitMs;
	let lookup = await read();
	let waited = false;
	while (lookup.kind === "found" && !done(lookup)) {
		const leftMs = endsAtMs - clock.now();
		if (leftMs <= 0 || wait.signal.aborted) return waited ? read() : lookup;
		const armed = new AbortController();
		const signal = AbortSignal.any([armed.signal, wait.signal]);
		const woken = reader.nextCommit(lookup.record.scan_id, Math.min(leftMs, RECHECK_MS), signal);
		try {
			lookup = await read();
			if (lookup.kind !== "found" || done(lookup)) return lookup;
			await woken;
			waited = true;
		} finally {
			armed.abort();
			await woken.catch(() => false);
		}
	}
	return lookup;
}
