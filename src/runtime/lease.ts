import type { ClaimResult } from "../store/write-contract.ts";
import type { RunDeps } from "./scan-run.ts";

/** A worker's hold on one scan: renewed by heartbeats and commits, and over by itself when none is answered. */
export interface Lease {
	start(): void;
	/** A commit sent at `sentAtMs` was accepted, which renews the lease too. */
	renewed(sentAtMs: number): void;
	stop(): void;
}

interface LeaseEvents {
	/** fenced: somebody else has the scan; given_up: nobody has answered for the whole lease. */
	lost(end: "fenced" | "given_up"): void;
	/** Does the run still turn? One that does not must not keep its scan. */
	turns(): boolean;
	/** Is the scan one that was made as claimed and has not committed anything yet? */
	accepts(): boolean;
	/** Id of the newest command in the scan's inbox. */
	inbox(newest: string): void;
}

/**
 * Heartbeat is liveness only: it renews the lease and shows whether a command waits. A renewal counts from the
 * moment it was sent, and only if it was answered: who is cut off from the store must let go by himself when
 * the lease runs out, because another worker may have the scan then and nothing else would tell.
 */
export function holdLease(
	{ writer, clock, log, settings }: Pick<RunDeps, "writer" | "clock" | "log" | "settings">,
	{ record, lease_until_ms }: Extract<ClaimResult, { kind: "granted" }>,
	events: LeaseEvents,
): Lease {
	const { scan_id, epoch } = record;
	let untilMs = lease_until_ms;
	let stopped = false;
	let beatTimer: unknown = null;
	let endTimer: unknown = null;

	const renewed = (sentAtMs: number): void => {
		untilMs = Math.max(untilMs, sentAtMs + settings.lease_ms);
	};
	const watchEnd = (): void => {
		if (stopped) return;
		const leftMs = untilMs - writer.now();
		if (leftMs > 0) {
			endTimer = clock.setTimeout(watchEnd, leftMs);
			return;
		}
		log.warn({ scan_id, epoch }, "the lease ran out unanswered, the scan is let go");
		events.lost("given_up");
	};
	const again = (delayMs = settings.heartbeat_ms): void => {
		if (!stopped) beatTimer = clock.setTimeout(beat, delayMs);
	};
	const beat = (): void => {
		if (stopped) return;
		if (!events.turns()) {
			// The lease goes back, so that a worker whose loop turns can have the scan; a late commit is fenced.
			log.error({ scan_id, epoch }, "the run hangs in a turn; the scan is given back");
			events.lost("given_up");
			return;
		}
		const sentAtMs = writer.now();
		writer.heartbeat(scan_id, epoch, settings.lease_ms, events.accepts()).then(
			({ status, inbox_newest }) => {
				if (status !== "ok") events.lost("fenced");
				else renewed(sentAtMs);
				if (status === "ok" && inbox_newest !== "") events.inbox(inbox_newest);
				again();
			},
			(error: unknown) => {
				log.warn({ scan_id, err: error }, "heartbeat not answered");
				again();
			},
		);
	};
	return {
		start() {
			// The claim was the first beat: it has renewed the lease and said what waits in the inbox. One that was made with
			// the record may be a while ago.
			again(Math.min(settings.heartbeat_ms, Math.max(0, (untilMs - writer.now()) / 2)));
			watchEnd();
		},
		renewed,
		stop() {
			stopped = true;
			clock.clearTimeout(beatTimer);
			clock.clearTimeout(endTimer);
		},
	};
}
