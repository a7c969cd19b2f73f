import type { RunAnswer, Runtime } from "../runtime/runtime.ts";
import type { RunLog } from "../runtime/scan-run.ts";

/**
 * Who runs a scan that was started here. The queue decides who comes next and spreads scans over machines; where
 * nobody waits, this process has room, and no other worker has less to do, there is nothing to decide. Then the
 * scan is run where it was started, without a job: half of what a job costs Redis, and three waits less. Nothing depends
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

/** What runs scans in this process. */
export interface LocalRuns {
	/** Is there room for one that the queue does not deliver, and has no other worker less in hand? */
	areNearest(): boolean;
	/** One that was started here; to be called once `areNearest`, in the same turn. */
	runStarted(scanId: string): Promise<RunAnswer>;
	/** One that the queue has delivered. */
	runDelivered(scanId: string): Promise<RunAnswer>;
}

interface LocalRunsDeps {
	runtime: Pick<Runtime, "run" | "active" | "hasRoom">;
	/** Scans at once, delivered and started here together. */
	capacity: number;
	/** Lets the queue's worker of this process take no more than so many at once. */
	limitDelivered(places: number): void;
	/** Scans in the hands of the least busy other worker, a few seconds old; infinite when there is none. */
	leastElsewhere(): number;
}

/**
 * Scans that were started here take places from the queue's worker, which may be fetching one more job at this moment: a
 * place is left for that one. So there are never more scans than places, and no job that waits in a process without one.
 */
export function createLocalRuns({ runtime, capacity, limitDelivered, leastElsewhere }: LocalRunsDeps): LocalRuns {
	let started = 0;
	let delivered = 0;
	const hasPlace = () => started + delivered + 2 <= capacity && runtime.hasRoom();
	return {
		areNearest: () => hasPlace() && runtime.active() <= leastElsewhere(),
		async runStarted(scanId) {
			started += 1;
			limitDelivered(capacity - started);
			try {
				return await runtime.run(scanId);
			} finally {
				started -= 1;
				limitDelivered(capacity - started);
			}
		},
		async runDelivered(scanId) {
			delivered += 1;
			try {
				return await runtime.run(scanId);
			} finally {
				delivered -= 1;
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
			undone = UNDONE.has(await runs.runStarted(scanId));
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
