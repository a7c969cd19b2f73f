import type { Clock } from "../clock.ts";
import type { ScanReader, ScanRecord } from "../store/contract.ts";
import type { ScanWriter } from "../store/write-contract.ts";
import { type ApplyDeps, applyOne, type Runtime } from "./runtime.ts";
import type { RunLog } from "./scan-run.ts";

/**
 * The watchdog finds scans that nobody answers for: by lease (claims them here when there is room), by
 * deadline (ends them), and starts that stopped half-way (finishes or drops them). Every step is
 * idempotent, so any number of processes may run it. Its own last pass is noted, so it is watched too.
 */
export interface Watchdog {
	/** One pass; for tests and for the loop. */
	pass(): Promise<void>;
	start(): void;
	stop(): Promise<void>;
}

interface WatchdogDeps {
	writer: ScanWriter;
	reader: ScanReader;
	clock: Clock;
	log: RunLog;
	apply: ApplyDeps;
	/** Absent in a process that runs no scans (ROLE=api). */
	runtime: Runtime | null;
	/** Repeats what follows from a won claim: accept, end the superseded scan, queue. */
	finishStart(userId: string, filterKey: string, scanId: string): Promise<boolean>;
	book(record: ScanRecord): Promise<void>;
	settings: { watchdog_ms: number; lease_ms: number };
}

const BATCH = 50;
/** A start takes milliseconds; what is still unclaimed after this was perhaps never queued. */
const UNCLAIMED_AFTER_MS = 2_000;
/** A record that nobody accepted within this time belongs to a start that died. */
const ABANDONED_START_MS = 10_000;
/** What cannot be ended now is looked at again after this, behind the others. */
const UNTREATABLE_RECHECK_MS = 2_000;
/** CONTRACT.md 12.1: from here on any process may end the scan whatever its lease says. */
const DEADLINE_GRACE_MS = 2_000;

export function createWatchdog(deps: WatchdogDeps): Watchdog {
	const { writer, reader, clock, log, settings } = deps;
	let timer: unknown = null;
	let stopped = false;
	let current: Promise<void> = Promise.resolve();

	async function pass(): Promise<void> {
		await guarded(
			"overdue",
			() => writer.overdue(BATCH),
			(id) => endOverdue(deps, id),
		);
		await guarded(
			"leaseless",
			() => writer.leaseless(BATCH),
			(id) => takeOver(deps, id),
		);
		await guarded(
			"unclaimed",
			() => writer.unclaimed(UNCLAIMED_AFTER_MS, BATCH),
			(id) => repairStart(deps, id),
		);
		await writer.noteSweep();
	}

	/** One bad scan must not keep the others from being looked at. */
	async function guarded(
		what: string,
		list: () => Promise<string[]>,
		each: (id: string) => Promise<void>,
	): Promise<void> {
		for (const scanId of await list()) {
			try {
				await each(scanId);
			} catch (error) {
				log.warn({ scan_id: scanId, pass: what, err: error }, "watchdog could not treat a scan");
				if (what === "overdue") await writer.postpone(scanId, UNTREATABLE_RECHECK_MS);
			}
		}
	}

	const loop = () => {
		if (stopped) return;
		timer = clock.setTimeout(() => {
			current = pass()
				.catch((error: unknown) => log.warn({ err: error }, "watchdog pass failed"))
				.then(loop);
		}, settings.watchdog_ms);
	};
	return {
		pass,
		start: loop,
		async stop() {
			stopped = true;
			clock.clearTimeout(timer);
			await current;
		},
	};

	async function endOverdue({ apply }: WatchdogDeps, scanId: string): Promise<void> {
		const record = await reader.read(scanId);
		if (!record) return dropAbandoned(scanId);
		if (record.terminal) return deps.book(record);
		const { claimed_at_ms, input } = record.context;
		const unclaimed = claimed_at_ms === null;
		if (!unclaimed && writer.now() < input.deadline_at_ms + DEADLINE_GRACE_MS) return;
		const answer = await applyOne(apply, scanId, "deadline", (_, at_ms) =>
			unclaimed
				? { type: "scan.abandoned", at_ms, code: "not_claimed", message: "No worker took the scan before its deadline" }
				: {
						type: "scan.abandoned",
						at_ms,
						code: "worker_lost",
						message: "The scan's worker was lost and the deadline passed",
					},
		);
		if (answer === "refused") return writer.postpone(scanId, UNTREATABLE_RECHECK_MS);
		log.warn({ scan_id: scanId, answer, unclaimed }, "ended an overdue scan");
		const after = await reader.read(scanId);
		if (after?.terminal) await deps.book(after);
	}

	async function dropAbandoned(scanId: string): Promise<void> {
		await writer.drop(scanId);
		await writer.unlist(scanId);
	}

	async function takeOver({ runtime }: WatchdogDeps, scanId: string): Promise<void> {
		if (!runtime?.hasRoom()) return;
		log.info({ scan_id: scanId, worker_id: runtime.workerId }, "taking over a scan without a live lease");
		runtime.run(scanId).catch((error: unknown) => log.warn({ scan_id: scanId, err: error }, "take-over failed"));
	}

	async function repairStart({ finishStart }: WatchdogDeps, scanId: string): Promise<void> {
		const record = await reader.read(scanId);
		if (record?.terminal) return deps.book(record);
		if (record) {
			await finishStart(record.user_id, record.context.input.filter_key, scanId);
			return;
		}
		const start = await writer.claimedByStart(scanId);
		if (start.kind === "named") await finishStart(start.user_id, start.filter_key, scanId);
		// A record that is not there may still be on its way: a start on a slow connection is not disturbed either.
		else if (start.age_ms > ABANDONED_START_MS) await dropAbandoned(scanId);
	}
}
