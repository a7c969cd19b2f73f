import { type ConnectionOptions, Queue, Worker } from "bullmq";
import { limited, systemClock } from "../clock.ts";
import type { RunLog } from "../runtime/scan-run.ts";

/**
 * BullMQ hands scans to workers. A job says "somebody should look at this scan" and nothing more: its id
 * is the scan id, its data is the scan id, its failure is not the scan's failure.
 */
export interface ScanQueue {
	/** Harmless when repeated: one job per scan id at a time. */
	add(scanId: string): Promise<void>;
	waiting(): Promise<{ waiting: number; active: number; oldest_wait_ms: number | null }>;
	/** Resolves when the connection stands. */
	ready(): Promise<void>;
	close(): Promise<void>;
}

export interface ScanWorker {
	/** Takes no more jobs; resolves when those in hand are done or `graceMs` has passed. */
	close(graceMs: number): Promise<void>;
}

const QUEUE = "scans";
const JOB = "scan";
/** Our own watchdog recovers scans; BullMQ's stall check is the second line. */
const LOCK_MS = 10_000;
const STALLED_MS = 5_000;
const STALLED_MAX = 100;
const ADD_LIMIT_MS = 2_000;

export interface QueueSettings {
	connection: ConnectionOptions;
	/** Forced on the embedded server, whose streams are slow (ENGINES.md 4). */
	events_max: number;
	log: RunLog;
	now: () => number;
}

export function createScanQueue({ connection, events_max, log, now }: QueueSettings): ScanQueue {
	const queue = new Queue(QUEUE, {
		connection,
		prefix: "{scans}",
		streams: { events: { maxLen: events_max } },
		defaultJobOptions: {
			attempts: 5,
			backoff: { type: "exponential", delay: 500, jitter: 0.5 },
			removeOnComplete: true,
			removeOnFail: true,
		},
	});
	queue.on("error", (error) => log.warn({ err: error }, "queue connection"));
	return {
		async add(scanId) {
			// A server that hangs would hold the start for ever: BullMQ's commands have no deadline of their own.
			await limited(systemClock, ADD_LIMIT_MS, "queueing", queue.add(JOB, { scan_id: scanId }, { jobId: scanId }));
		},
		async waiting() {
			const counts = await queue.getJobCounts("waiting", "active");
			const [oldest] = await queue.getJobs(["waiting"], 0, 0, true);
			return {
				waiting: counts.waiting ?? 0,
				active: counts.active ?? 0,
				oldest_wait_ms: oldest ? Math.max(0, now() - oldest.timestamp) : null,
			};
		},
		async ready() {
			await queue.waitUntilReady();
		},
		close: () => queue.close(),
	};
}

export function createScanWorker(
	{ connection, log }: Pick<QueueSettings, "connection" | "log">,
	concurrency: number,
	run: (scanId: string) => Promise<unknown>,
): ScanWorker {
	const worker = new Worker(
		QUEUE,
		async (job) => {
			await run(job.data.scan_id as string);
		},
		{
			connection,
			prefix: "{scans}",
			concurrency,
			lockDuration: LOCK_MS,
			stalledInterval: STALLED_MS,
			maxStalledCount: STALLED_MAX,
		},
	);
	worker.on("error", (error) => log.warn({ err: error }, "queue worker connection"));
	worker.on("failed", (job, error) =>
		log.warn({ scan_id: job?.id, err: error }, "scan job failed; the scan itself goes on"),
	);
	return {
		async close(graceMs) {
			const timeout = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
			await Promise.race([worker.close(), timeout]);
			await Promise.race([worker.close(true), timeout]);
		},
	};
}
