import type { Job, Worker } from "bullmq";
import type { Clock } from "../clock.ts";

/** Jobs that a worker of BullMQ holds: fetched and not begun, in hand, or ended and not yet reported as such. */
export interface HeldJobs {
	count(): number;
	/** Its processor is done with the job; whether that can be reported is another matter. */
	processed(job: Job): void;
	/** The job is no longer this worker's. */
	gone(job: Job): void;
}

/** What was not reported in this time will not be: another worker may have the job by then. */
const REPORTED_WITHIN_MS = 10_000;

/**
 * BullMQ fetches several jobs before it begins the first, and asks for the next one together with the report of the last. So
 * a place is held from the moment at which a job is fetched until it is known whether another has come in its stead: that one
 * is told (`active`) after the end of the last (`completed`, `failed`), within the same turn of the event loop.
 */
export function holdJobs(worker: Pick<Worker, "on">, clock: Clock): HeldJobs {
	/** By id: null, or when its processor was done. A job that comes again is another entry. */
	const held = new Map<string, { processed_at_ms: number | null }>();
	const idOf = (job: Job | undefined): string => job?.id ?? "";
	const gone = (job: Job | undefined): void => {
		const id = idOf(job);
		const entry = held.get(id);
		setImmediate(() => {
			if (held.get(id) === entry) held.delete(id);
		});
	};
	worker.on("active", (job) => void held.set(idOf(job), { processed_at_ms: null }));
	worker.on("completed", gone);
	worker.on("failed", gone);
	return {
		count() {
			for (const [id, { processed_at_ms }] of held)
				if (processed_at_ms !== null && clock.now() - processed_at_ms > REPORTED_WITHIN_MS) held.delete(id);
			return held.size;
		},
		processed(job) {
			const entry = held.get(idOf(job));
			if (entry) entry.processed_at_ms = clock.now();
		},
		gone,
	};
}
