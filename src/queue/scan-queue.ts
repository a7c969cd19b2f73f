import { type ConnectionOptions, DelayedError, Queue, Worker } from "bullmq";
import type { Redis } from "ioredis";
import { limited, systemClock } from "../clock.ts";
import type { RunLog } from "../runtime/scan-run.ts";
import { holdJobs } from "./held-jobs.ts";
import { createLanes, FIRST_TURN, type Lanes } from "./lanes.ts";

/**
 * BullMQ hands scans to workers. A job says "somebody should look at this scan" and nothing more: its id
 * is the scan id, its data is the scan id, its failure is not the scan's failure.
 */
export interface ScanQueue {
	/** Into the lane of its user. Harmless when repeated: one job per scan id at a time, which keeps its turn. */
	add(scanId: string, userId: string): Promise<void>;
	/** Jobs. A scan that is run where it was started has none. */
	waiting(): Promise<{ waiting: number; active: number }>;
	/** How many scans wait for a worker: one command. */
	length(): Promise<number>;
	/** Scans that wait, in the order in which workers get them, at most `limit`. */
	order(limit: number): Promise<string[]>;
	/** Resolves when the connection stands. */
	ready(): Promise<void>;
	close(): Promise<void>;
}

export interface ScanWorker {
	/** Jobs that it has taken, begun or not. */
	held(): number;
	/** From now on it takes no more than so many at once, at least one; those in hand stay. */
	limit(concurrency: number): void;
	/** Takes no more jobs; resolves when those in hand are done or `graceMs` has passed. */
	close(graceMs: number): Promise<void>;
}

const QUEUE = "scans";
const PREFIX = "{scans}";
const JOB = "scan";
/** Our own watchdog recovers scans; BullMQ's stall check is the second line. */
const LOCK_MS = 10_000;
const STALLED_MS = 5_000;
const STALLED_MAX = 100;
const ADD_LIMIT_MS = 2_000;
/** A start that has died half-way is finished or cleared away by the watchdog within seconds; its job waits so long. */
const UNACCEPTED_RETRY_MS = 100;

export interface QueueSettings {
	connection: ConnectionOptions;
	/** Forced on the embedded server, whose streams are slow. */
	events_max: number;
	/** For the lanes; whoever made it closes it. */
	redis: Redis;
	log: RunLog;
}

/** Beside the keys of BullMQ, in their slot. */
const lanesOf = (redis: Redis): Lanes =>
	createLanes(redis, { lanes: `${PREFIX}:lanes`, waiting: `${PREFIX}:${QUEUE}:prioritized` });

export function createScanQueue({ connection, events_max, redis, log }: QueueSettings): ScanQueue {
	const lanes = lanesOf(redis);
	const queue = new Queue(QUEUE, {
		connection,
		prefix: PREFIX,
		streams: { events: { maxLen: events_max } },
		defaultJobOptions: {
			attempts: 5,
			backoff: { type: "exponential", delay: 500, jitter: 0.5 },
			removeOnComplete: true,
			removeOnFail: true,
		},
	});
	queue.on("error", (error) => log.warn({ err: error }, "queue connection"));
	async function addInTurn(scanId: string, userId: string): Promise<void> {
		const turn = await lanes.next(userId, queue.toKey(scanId));
		if (turn === null) return;
		try {
			await queue.add(JOB, { scan_id: scanId }, { jobId: scanId, priority: turn });
		} catch (error) {
			await lanes.giveBack(userId).catch(() => undefined);
			throw error;
		}
	}
	return {
		async add(scanId, userId) {
			// A server that hangs would hold the start for ever: BullMQ's commands have no deadline of their own.
			await limited(systemClock, ADD_LIMIT_MS, "queueing", addInTurn(scanId, userId));
		},
		async waiting() {
			const { waiting = 0, prioritized = 0, active = 0 } = await queue.getJobCounts("waiting", "prioritized", "active");
			return { waiting: waiting + prioritized, active };
		},
		length: () => lanes.waiting(),
		order: (limit) => lanes.order(limit),
		async ready() {
			await queue.waitUntilReady();
		},
		close: () => queue.close(),
	};
}

/**
 * @param run answers `busy` when this process takes nothing more, `unaccepted` when the start of the scan is not over: the
 *   job goes back at its turn, for another process or for later.
 */
export function createScanWorker(
	{ connection, redis, log }: Pick<QueueSettings, "connection" | "redis" | "log">,
	concurrency: number,
	run: (scanId: string) => Promise<unknown>,
): ScanWorker {
	const lanes = lanesOf(redis);
	let closing = false;
	const worker = new Worker(
		QUEUE,
		async (job, token) => {
			// That the first turn is served says nothing: no scan has an earlier one.
			if (job.priority > FIRST_TURN)
				lanes
					.served(job.priority)
					.catch((error: unknown) => log.warn({ scan_id: job.id, err: error }, "the turn of a scan is not noted"));
			const answer = await run(job.data.scan_id as string).finally(() => held.processed(job));
			if (answer !== "busy" && answer !== "unaccepted") return;
			// Waiting again it would wake nobody who is idle; delayed by nothing it does.
			await job.moveToDelayed(systemClock.now() + (answer === "busy" ? 1 : UNACCEPTED_RETRY_MS), token);
			held.gone(job);
			throw new DelayedError();
		},
		{
			connection,
			prefix: PREFIX,
			concurrency,
			lockDuration: LOCK_MS,
			stalledInterval: STALLED_MS,
			maxStalledCount: STALLED_MAX,
		},
	);
	const held = holdJobs(worker, systemClock);
	worker.on("error", (error) => log.warn({ err: error }, "queue worker connection"));
	/**
	 * With all places taken BullMQ's loop sleeps until a job ends; one that is resumed looks again. Both in one turn: a loop
	 * that looks while it is paused, with nothing in hand, ends.
	 */
	function wake(): void {
		void worker.pause(true);
		void worker.resume();
	}
	worker.on("failed", (job, error) =>
		log.warn({ scan_id: job?.id, err: error }, "scan job failed; the scan itself goes on"),
	);
	return {
		held: () => held.count(),
		limit(most) {
			const isFull = held.count() >= worker.concurrency;
			const isMore = most > worker.concurrency;
			worker.concurrency = Math.max(1, most);
			if (isFull && isMore && !closing) wake();
		},
		async close(graceMs) {
			closing = true;
			const timeout = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
			await Promise.race([worker.close(), timeout]);
			await Promise.race([worker.close(true), timeout]);
		},
	};
}
