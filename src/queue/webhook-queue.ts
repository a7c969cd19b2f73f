import { DelayedError, Queue, Worker } from "bullmq";
import { limited, systemClock } from "../clock.ts";
import type { DeliveryHints, DeliveryRef } from "../webhooks/contract.ts";
import { type AlertQueueSettings, type AlertWorker, closeWorker } from "./schedule-queue.ts";

/** BullMQ hands deliveries to workers, again after a pause while they fail. A job is where a delivery stands. */
export interface WebhookQueue extends DeliveryHints {
	ready(): Promise<void>;
	close(): Promise<void>;
}

const QUEUE = "webhooks";
const PREFIX = "{webhooks}";
const JOB = "deliver";
const COMMAND_LIMIT_MS = 2_000;
const LOCK_MS = 30_000;
const STALLED_MS = 10_000;
const STALLED_MAX = 100;
/** The delivery's own record says when it is a dead letter; this only bounds what the queue does. */
const ATTEMPTS = 100;
/** Most of an attempt is waiting for a stranger. How many of these a user may have says the deliverer. */
const CONCURRENCY = 64;

export function createWebhookQueue({ connection, events_max, log }: AlertQueueSettings): WebhookQueue {
	const queue = new Queue(QUEUE, {
		connection,
		prefix: PREFIX,
		streams: { events: { maxLen: events_max } },
		defaultJobOptions: {
			attempts: ATTEMPTS,
			backoff: { type: "custom" },
			removeOnComplete: true,
			removeOnFail: true,
		},
	});
	queue.on("error", (error) => log.warn({ err: error }, "webhook queue connection"));
	const soon = <T>(work: Promise<T>): Promise<T> => limited(systemClock, COMMAND_LIMIT_MS, "the webhook queue", work);
	return {
		async deliver(ref, delayMs) {
			await soon(queue.add(JOB, ref, { jobId: ref.delivery_id, delay: Math.max(0, Math.ceil(delayMs)) }));
		},
		async forget(ref) {
			await soon(queue.remove(ref.delivery_id));
		},
		async ready() {
			await queue.waitUntilReady();
		},
		close: () => queue.close(),
	};
}

/** Thrown to be called again after the pause. */
class Again extends Error {
	readonly pause_ms: number;
	constructor(pauseMs: number) {
		super("not delivered yet");
		this.name = "Again";
		this.pause_ms = pauseMs;
	}
}

const PAUSE_AFTER_FAULT_MS = 5_000;

/** When a delivery is looked at again. `attempted`: an attempt was made, which the queue counts. */
export interface NextLook {
	pause_ms: number;
	attempted: boolean;
}

/** @param deliver null when the delivery is not looked at again. */
export function createWebhookWorker(
	{ connection, log }: Pick<AlertQueueSettings, "connection" | "log">,
	deliver: (ref: DeliveryRef) => Promise<NextLook | null>,
): AlertWorker {
	const worker = new Worker(
		QUEUE,
		async (job, token) => {
			const next = await deliver(job.data as DeliveryRef);
			if (next === null) return;
			if (next.attempted) throw new Again(next.pause_ms);
			await job.moveToDelayed(systemClock.now() + next.pause_ms, token);
			throw new DelayedError();
		},
		{
			connection,
			prefix: PREFIX,
			concurrency: CONCURRENCY,
			lockDuration: LOCK_MS,
			stalledInterval: STALLED_MS,
			maxStalledCount: STALLED_MAX,
			settings: {
				backoffStrategy: (_attempts, _type, error) => (error instanceof Again ? error.pause_ms : PAUSE_AFTER_FAULT_MS),
			},
		},
	);
	worker.on("error", (error) => log.warn({ err: error }, "webhook worker connection"));
	worker.on("failed", (job, error) => {
		if (!(error instanceof Again)) log.warn({ delivery_id: job?.id, err: error }, "a delivery could not be attempted");
	});
	return { close: (graceMs) => closeWorker(worker, graceMs) };
}
