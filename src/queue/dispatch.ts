import type { RunAnswer, Runtime } from "../runtime/runtime.ts";
import type { RunLog } from "../runtime/scan-run.ts";
import type { ScanWorker } from "./scan-queue.ts";

/**
 * Who runs a scan that was started here. The queue decides who comes next and spreads scans over machines; where
 * nobody waits, this process has room, and no other worker has less to do, there is nothing to decide. Then the
 * scan is run where it was started, which saves the job: a third of a scan's commands, and three waits. Nothing depends
 * on it: a scan that nobody has claimed two seconds after its start is queued by whichever watchdog sees it.
 */
export interface Dispatch {
	/**
	 * Resolves when the scan is queued, or taken by this process. Never rejects.
	 * @param quiet nothing waits in the queue, as of a moment ago
	 */
	add(scanId: string, userId: string, quiet: boolean): Promise<void>;
	/** From now on scans may be run here. */
	attach(local: LocalRuns): void;
}

/** Runs of scans that were started here, beside those that the queue delivers. */
export interface LocalRuns {
	/** Is there room for one more, and has no other worker less in hand? */
	areNearest(): boolean;
	/** To be called once `areNearest`, in the same turn. */
	run(scanId: string): Promise<RunAnswer>;
}

interface LocalRunsDeps {
	runtime: Pick<Runtime, "run" | "active" | "hasRoom">;
	/** Scans at once, those of the worker and those started here together. */
	capacity: number;
	/** The queue's worker of this process. */
	worker: Pick<ScanWorker, "held" | "limit">;
	/** Scans in the hands of the least busy other worker, a few seconds old; infinite when there is none. */
	leastElsewhere(): number;
}

/**
 * Scans that were started here take places from the queue's worker, which may be fetching one more job at this moment: a
 * place is left for that one. So there are never more scans than places, and no job that waits in a process without one.
 */
export function createLocalRuns({ runtime, capacity, worker, leastElsewhere }: LocalRunsDeps): LocalRuns {
	let started = 0;
	const hasPlace = () => started + worker.held() + 2 <= capacity && runtime.hasRoom();
	return {
		areNearest: () => hasPlace() && runtime.active() <= leastElsewhere(),
		async run(scanId) {
			started += 1;
			worker.limit(capacity - started);
			try {
				return await runtime.run(scanId);
			} finally {
				started -= 1;
				worker.limit(capacity - started);
			}
		},
	};
}

interface DispatchDeps {
	queue: { add(scanId: string, userId: string): Promise<void> };
	log: RunLog;
}

/** Answers after which somebody else, or this process later, has to look at the scan. */
const UNDONE: ReadonlySet<RunAnswer> = new Set(["busy", "unaccepted"]);

export function createDispatch({ queue, log }: DispatchDeps): Dispatch {
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
		async add(scanId, userId, quiet) {
			if (quiet && local?.areNearest()) void runHere(local, scanId, userId);
			else await queued(scanId, userId);
		},
		attach(runs) {
			local = runs;
		},
	};
}
