import type { Clock } from "../clock.ts";
import type { ScanReader, ScanRecord } from "../store/contract.ts";
import { ABANDONED_START_MS, type ScanWriter } from "../store/write-contract.ts";
import { createRechecks, type Rechecks } from "./rechecks.ts";
import { type ApplyDeps, applyOne, type Runtime } from "./runtime.ts";
import type { RunLog } from "./scan-run.ts";

/**
 * What the watchdog does about scans that nobody answers for. Each treatment lists ids by an index and
 * looks at the record of each before it acts, so any number of processes may do the same at once.
 */
export interface Treatment {
	name: string;
	/** @param seen ids that this pass has treated; only who is `untilDone` is asked more than once, and leaves them out */
	list(seen: ReadonlySet<string>): Promise<string[]>;
	each(scanId: string): Promise<void>;
	/** More may stand behind a full list: it is listed and treated again within the pass, while there is time. */
	untilDone?: { full: number };
	/** What to do with an id whose treatment failed, so that it does not hide the others. */
	failed?(scanId: string): Promise<void>;
}

export interface TreatmentDeps {
	writer: ScanWriter;
	reader: ScanReader;
	clock: Clock;
	log: RunLog;
	apply: ApplyDeps;
	/** Absent in a process that runs no scans (ROLE=api). */
	runtime: Runtime | null;
	/** Repeats what follows from a won claim: accept, end the superseded scan, queue. */
	finishStart(userId: string, filterKey: string, scanId: string): Promise<boolean>;
	/** Scans that wait in the queue, in the order in which it hands them out; absent: the oldest go first. */
	queueOrder?(limit: number): Promise<string[]>;
	book(record: ScanRecord): Promise<void>;
}

const BATCH = 50;
/** A start takes milliseconds; what is still unclaimed after this was perhaps never queued. */
const UNCLAIMED_AFTER_MS = 2_000;
/** Queued again and still unclaimed although this process has room: the queue's consumer has stalled. */
const CONSUMER_STALLED_MS = 2 * UNCLAIMED_AFTER_MS;
/** Passes with room in a row: a worker that has just become free gets its next scan from the queue. */
const IDLE_PASSES_MIN = 2;
/** What cannot be ended now is looked at again after this, behind the others. */
const UNTREATABLE_RECHECK_MS = 2_000;
/** How often a worker looks whether another version's scan has become one of its own, and how many it remembers. */
const FOREIGN_RECHECK_MS = 60_000;
const FOREIGN_KEPT_MAX = 10_000;
/** From here on any process may end the scan whatever its lease says. */
const DEADLINE_GRACE_MS = 2_000;
/** Keys looked at per walk, and the pause between two walks of one process. */
const WALK_KEYS = 1_000;
const WALK_EVERY_MS = 1_000;

/** In the order of a pass: ends first, then scans to be continued, then starts, then lost index entries. */
export function createTreatments(deps: TreatmentDeps): Treatment[] {
	const { writer, clock, log, runtime } = deps;
	const foreign = createRechecks(clock, FOREIGN_RECHECK_MS, FOREIGN_KEPT_MAX);
	let idlePasses = 0;
	let walkedAtMs = Number.NEGATIVE_INFINITY;
	return [
		{
			name: "overdue",
			// Budgets are alike, so scans that began together fall due together: each has five seconds to end in.
			untilDone: { full: BATCH },
			// Some stay listed for the moment: those that their workers may still end, and what another process treats.
			list: async (seen) =>
				(await writer.overdue(BATCH + seen.size)).filter((scanId) => !seen.has(scanId)).slice(0, BATCH),
			each: (scanId) => endOverdue(deps, scanId),
			failed: (scanId) => writer.postpone(scanId, UNTREATABLE_RECHECK_MS),
		},
		{
			name: "leaseless",
			// What this process cannot carry on stays listed for those who can, and must not hide what stands behind it.
			list: async () => (await writer.leaseless(BATCH + foreign.size)).filter((scanId) => !foreign.waits(scanId)),
			async each(scanId) {
				// One that was made as claimed, by a process that died before the start was over: any process can finish that.
				if (await writer.isUnaccepted(scanId)) return await repairStart(deps, foreign, scanId, false);
				runHere(deps, foreign, scanId, "taking over a scan without a live lease");
			},
		},
		{
			name: "unclaimed",
			async list() {
				idlePasses = runtime?.hasRoom() ? idlePasses + 1 : 0;
				const unclaimed = await writer.unclaimed(UNCLAIMED_AFTER_MS, BATCH);
				if (idlePasses < IDLE_PASSES_MIN || unclaimed.length === 0) return unclaimed;
				// What is claimed past the queue keeps the queue's order: whoever filled it does not go first.
				return [...new Set([...(await inTurn(deps)), ...unclaimed])];
			},
			each: (scanId) => repairStart(deps, foreign, scanId, idlePasses >= IDLE_PASSES_MIN),
		},
		{
			name: "unlisted",
			async list() {
				if (clock.now() - walkedAtMs < WALK_EVERY_MS) return [];
				walkedAtMs = clock.now();
				return await writer.walk(WALK_KEYS);
			},
			async each(scanId) {
				log.warn({ scan_id: scanId }, "an index had lost a running scan; it is listed again");
			},
		},
		{
			name: "tombstones",
			async list() {
				await writer.purgeTombstones(BATCH);
				return [];
			},
			each: async () => undefined,
		},
	];
}

async function inTurn({ queueOrder, log }: TreatmentDeps): Promise<string[]> {
	try {
		return (await queueOrder?.(BATCH)) ?? [];
	} catch (error) {
		log.warn({ err: error }, "the order of the queue cannot be read");
		return [];
	}
}

async function endOverdue(deps: TreatmentDeps, scanId: string): Promise<void> {
	const { writer, reader, log } = deps;
	const record = await reader.read(scanId);
	if (!record) return dropAbandoned(deps, scanId);
	if (record.terminal) return deps.book(record);
	const { claimed_at_ms, input } = record.context;
	const unclaimed = claimed_at_ms === null;
	if (!unclaimed && writer.now() < input.deadline_at_ms + DEADLINE_GRACE_MS) return;
	const answer = await applyOne(deps.apply, scanId, "deadline", (_, at_ms) =>
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

async function dropAbandoned({ writer }: TreatmentDeps, scanId: string): Promise<void> {
	await writer.drop(scanId);
	await writer.unlist(scanId);
}

/** Claims and runs the scan in this process, beside what the queue delivers; the run outlasts the pass. */
function runHere({ runtime, log }: TreatmentDeps, foreign: Rechecks, scanId: string, why: string): void {
	if (!runtime?.hasRoomBeside() || foreign.waits(scanId)) return;
	log.info({ scan_id: scanId, worker_id: runtime.workerId }, why);
	runtime.runBeside(scanId).then(
		(answer) => {
			if (answer === "foreign") foreign.later(scanId);
		},
		(error: unknown) => log.warn({ scan_id: scanId, err: error }, "take-over failed"),
	);
}

async function repairStart(deps: TreatmentDeps, foreign: Rechecks, scanId: string, idle: boolean): Promise<void> {
	const { writer, reader, finishStart, log } = deps;
	const record = await reader.read(scanId);
	if (record?.terminal) return deps.book(record);
	if (record) {
		const { accepted_at_ms, filter_key } = record.context.input;
		await finishStart(record.user_id, filter_key, scanId).catch((error: unknown) =>
			log.warn({ scan_id: scanId, err: error }, "an unclaimed scan is not queued yet"),
		);
		if (idle && deps.runtime?.hasRoom() && writer.now() - accepted_at_ms >= CONSUMER_STALLED_MS)
			runHere(deps, foreign, scanId, "claiming a scan that the queue does not deliver");
		return;
	}
	const start = await writer.claimedByStart(scanId);
	if (start.kind === "named") await finishStart(start.user_id, start.filter_key, scanId);
	// A record that is not there may still be on its way: a start on a slow connection is not disturbed either.
	else if (start.age_ms > ABANDONED_START_MS) await dropAbandoned(deps, scanId);
}
