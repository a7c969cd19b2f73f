import { type ConnectionOptions, Queue, Worker } from "bullmq";
import { limited, systemClock } from "../clock.ts";
import type { RunLog } from "../runtime/scan-run.ts";
import type { ScheduleHints } from "../schedules/contract.ts";

/**
 * Job schedulers of BullMQ for recurring scans: one per schedule, of the schedule's id. A job's data is that id
 * and its meaning "look at this schedule"; jobs that are late, doubled or lost change nothing but the moment.
 */
export interface ScheduleQueue extends ScheduleHints {
	ready(): Promise<void>;
	close(): Promise<void>;
}

export interface AlertQueueSettings {
	connection: ConnectionOptions;
	events_max: number;
	log: RunLog;
}

/** When a pattern fires next after `afterMs`; the same for the records and for the queue. */
export type NextRun = (pattern: string, tz: string, afterMs: number) => number | null;

const QUEUE = "schedules";
const PREFIX = "{schedules}";
const JOB = "look";
const COMMAND_LIMIT_MS = 2_000;
const LOCK_MS = 30_000;
const STALLED_MS = 10_000;
const STALLED_MAX = 100;
const ATTEMPTS = 5;

const JOB_OPTIONS = {
	attempts: ATTEMPTS,
	backoff: { type: "exponential", delay: 1_000, jitter: 0.5 },
	removeOnComplete: true,
	removeOnFail: true,
} as const;

const settingsOf = (nextRun: NextRun) => ({
	repeatStrategy: (
		millis: number,
		{ pattern = "", tz = "UTC" }: { pattern?: string; tz?: string },
	): number | undefined => nextRun(pattern, tz, millis) ?? undefined,
});

export function createScheduleQueue(
	{ connection, events_max, log }: AlertQueueSettings,
	nextRun: NextRun,
): ScheduleQueue {
	const queue = new Queue(QUEUE, {
		connection,
		prefix: PREFIX,
		streams: { events: { maxLen: events_max } },
		settings: settingsOf(nextRun),
		defaultJobOptions: JOB_OPTIONS,
	});
	queue.on("error", (error) => log.warn({ err: error }, "schedule queue connection"));
	// BullMQ's commands have no deadline of their own.
	const soon = <T>(work: Promise<T>): Promise<T> => limited(systemClock, COMMAND_LIMIT_MS, "the schedule queue", work);
	return {
		async every(scheduleId, cron, tz) {
			await soon(
				queue.upsertJobScheduler(
					scheduleId,
					{ pattern: cron, tz },
					{ name: JOB, data: { schedule_id: scheduleId }, opts: JOB_OPTIONS },
				),
			);
		},
		isSet: async (scheduleId) => (await soon(queue.getJobScheduler(scheduleId))) !== undefined,
		async once(scheduleId, name, delayMs) {
			const options = { jobId: `${scheduleId}.${name}`, delay: Math.max(0, Math.ceil(delayMs)) };
			await soon(queue.add(JOB, { schedule_id: scheduleId }, options));
		},
		async forget(scheduleId) {
			await soon(queue.removeJobScheduler(scheduleId));
		},
		async ready() {
			await queue.waitUntilReady();
		},
		close: () => queue.close(),
	};
}

export interface AlertWorker {
	/** Takes no more jobs; resolves when those in hand are done or `graceMs` has passed. */
	close(graceMs: number): Promise<void>;
}

export function createScheduleWorker(
	{ connection, log }: Pick<AlertQueueSettings, "connection" | "log">,
	nextRun: NextRun,
	look: (scheduleId: string) => Promise<void>,
): AlertWorker {
	const worker = new Worker(QUEUE, (job) => look(String(job.data.schedule_id)), {
		connection,
		prefix: PREFIX,
		concurrency: 4,
		lockDuration: LOCK_MS,
		stalledInterval: STALLED_MS,
		maxStalledCount: STALLED_MAX,
		settings: settingsOf(nextRun),
	});
	worker.on("error", (error) => log.warn({ err: error }, "schedule worker connection"));
	worker.on("failed", (job, error) =>
		log.warn({ schedule_id: job?.data.schedule_id, err: error }, "a schedule could not be looked at"),
	);
	return { close: (graceMs) => closeWorker(worker, graceMs) };
}

export async function closeWorker(worker: Worker, graceMs: number): Promise<void> {
	const timeout = new Promise<void>((resolve) => setTimeout(resolve, graceMs).unref());
	await Promise.race([worker.close(), timeout]);
	await Promise.race([worker.close(true), timeout]);
}
