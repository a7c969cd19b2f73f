import type { RunAnswer, Runtime } from "../runtime/runtime.ts";
import type { RunLog } from "../runtime/scan-run.ts";
import type { Places } from "./places.ts";

/**
 * Who runs a scan that was started here. The queue decides who comes next and spreads scans over machines; where
 * nobody waits, there is a place in this process, and no other worker has less to do, there is nothing to decide. Then the
 * scan is run where it was started, without a job: half of what a job costs Redis, and three waits less. Nothing depends
 * on it: a scan that nobody has claimed two seconds after its start is queued by whichever watchdog sees it.
 */
export interface Dispatch {
	/** Resolves when the scan is queued, or taken by this process. Never rejects. */
	add(scanId: string, userId: string): Promise<void>;
	/** From now on scans may be run here. */
	attach(local: LocalRuns): void;
}

/** What runs scans in this process, delivered by the queue or started here. */
export interface LocalRuns {
	/** Nothing waits in the queue, there is a place, and no other worker has less in hand. */
	areNearest(): boolean;
	/** `busy` as well when no place became free in time. */
	run(scanId: string): Promise<RunAnswer>;
}

interface LocalRunsDeps {
	runtime: Pick<Runtime, "run" | "active" | "hasRoom">;
	places: Places;
	/** Does this process's worker know that nothing waits in the queue? */
	drained(): boolean;
	/** Scans in the hands of the least busy other worker, a few seconds old; infinite when there is none. */
	leastElsewhere(): number;
}

/**
 * How long a scan that the queue has delivered waits for a place before it goes back. The worker takes no more than there are
 * places, so they only lack while scans that were started here hold some of them.
 */
const PLACE_WAIT_MS = 1_000;

export const createLocalRuns = ({ runtime, places, drained, leastElsewhere }: LocalRunsDeps): LocalRuns => ({
	areNearest: () => drained() && places.free() && runtime.hasRoom() && runtime.active() <= leastElsewhere(),
	async run(scanId) {
		if (!(await places.take(PLACE_WAIT_MS))) return "busy";
		try {
			return await runtime.run(scanId);
		} finally {
			places.leave();
		}
	},
});

interface DispatchDeps {
	queue: { add(scanId: string, userId: string): Promise<void> };
	/** Scans whose start is being answered by this process. Others are queued: another process may have them. */
	begun: { knows(scanId: string): boolean };
	log: RunLog;
}

/** Answers after which somebody else, or this process later, has to look at the scan. */
const UNDONE: ReadonlySet<RunAnswer> = new Set(["busy", "unaccepted"]);

export function createDispatch({ queue, begun, log }: DispatchDeps): Dispatch {
	let local: LocalRuns | null = null;
	// An accepted scan is not refused because the queue hiccups: the watchdog queues what it finds unclaimed.
	const queued = (scanId: string, userId: string): Promise<void> =>
		queue
			.add(scanId, userId)
			.catch((error: unknown) => log.warn({ scan_id: scanId, err: error }, "scan not queued yet"));
	async function runHere(runs: LocalRuns, scanId: string, userId: string): Promise<void> {
		let undone = true;
		try {
			undone = UNDONE.has(await runs.run(scanId));
		} catch (error) {
			log.warn({ scan_id: scanId, err: error }, "scan not run where it was started; it is queued");
		}
		if (undone) await queued(scanId, userId);
	}
	return {
		async add(scanId, userId) {
			if (local?.areNearest() && begun.knows(scanId)) void runHere(local, scanId, userId);
			else await queued(scanId, userId);
		},
		attach(runs) {
			local = runs;
		},
	};
}
