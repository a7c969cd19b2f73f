import type { Granted, Taker } from "../runtime/claimed.ts";
import type { Reservation, RunAnswer, Runtime } from "../runtime/runtime.ts";
import type { RunLog } from "../runtime/scan-run.ts";
import type { ScanWorker } from "./scan-queue.ts";

/**
 * Who runs a scan that is started here. The queue decides who comes next and spreads scans over machines; where
 * nobody waits, this process has room, and no other worker has less to do, there is nothing to decide. Then the
 * scan is run where it was started, which saves the job, and is made as claimed by this process, which saves the claim:
 * together a third of a scan's commands, and five waits. Nothing depends on it: the lease of such a scan ends like any other's.
 */
export interface Dispatch {
	/** Resolves when the scan is queued. Never rejects. */
	add(scanId: string, userId: string): Promise<void>;
	/** Keeps a place in this process for a scan that is about to be started. Null: the queue decides. */
	reserve(scanId: string, userId: string): Place | null;
	/** This process waits for what the queue delivers, has none of it in hand, and has a place left. */
	idle(): boolean;
	/** From now on scans may be run here. */
	attach(local: LocalRuns): void;
}

/** A place for one scan, which is used or given back. */
export interface Place {
	/** As whom the scan may be made as claimed. */
	readonly taker: Taker;
	/** Runs the scan here; it is queued when that cannot be. @param taken the claim that it was made with, if it was */
	run(taken: Granted | null): void;
	/** Gives the place back; nothing once the scan is run. */
	leave(): void;
}

/** Runs of scans that are started here, beside those that the queue delivers. */
export interface LocalRuns {
	/** Null: there is no room for one more, or another worker has less in hand. */
	reserve(scanId: string): Reservation | null;
	/** The queue has nothing in hand here, and there is room. */
	idle(): boolean;
}

interface LocalRunsDeps {
	runtime: Pick<Runtime, "reserve" | "active" | "hasRoom">;
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
	const count = (by: 1 | -1): void => {
		started += by;
		worker.limit(capacity - started);
	};
	const hasPlace = () => started + worker.held() + 2 <= capacity && runtime.hasRoom();
	return {
		reserve(scanId) {
			if (!hasPlace() || runtime.active() > leastElsewhere()) return null;
			const reservation = runtime.reserve(scanId);
			if (!reservation) return null;
			count(1);
			void reservation.free.then(() => count(-1));
			return reservation;
		},
		idle: () => worker.held() === 0 && hasPlace(),
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
	const add = (scanId: string, userId: string): Promise<void> =>
		queue
			.add(scanId, userId)
			.catch((error: unknown) => log.warn({ scan_id: scanId, err: error }, "scan not queued yet"));
	async function runHere({ answer }: Reservation, scanId: string, userId: string): Promise<void> {
		let undone = true;
		try {
			undone = UNDONE.has(await answer);
		} catch (error) {
			log.warn({ scan_id: scanId, err: error }, "scan not run where it was started; it is queued");
		}
		if (undone) await add(scanId, userId);
	}
	return {
		add,
		reserve(scanId, userId) {
			const reservation = local?.reserve(scanId);
			if (!reservation) return null;
			const { taker, leave } = reservation;
			return {
				taker,
				leave,
				run(taken) {
					reservation.run(taken);
					void runHere(reservation, scanId, userId);
				},
			};
		},
		idle: () => local?.idle() ?? false,
		attach(runs) {
			local = runs;
		},
	};
}
