import { EventEmitter } from "node:events";
import type { Job, Worker } from "bullmq";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { holdJobs } from "../../src/queue/held-jobs.ts";
import { ManualClock, settled } from "../effects/fake-clock.ts";

const heldJobs = suite("queue: jobs that a worker holds");

function workerOf() {
	const events = new EventEmitter();
	const clock = new ManualClock();
	const held = holdJobs(events as unknown as Pick<Worker, "on">, clock);
	const job = (id: string) => ({ id }) as Job;
	return { held, clock, tell: (event: string, id: string) => void events.emit(event, job(id)), job };
}

heldJobs("a job counts from the moment at which it is fetched, begun or not", () => {
	const { held, tell } = workerOf();
	for (const id of ["a", "b", "c"]) tell("active", id);
	assert.is(held.count(), 3);
});

heldJobs("one that has ended holds its place until the one that was asked for with its report is told", async () => {
	for (const end of ["completed", "failed"]) {
		const { held, tell, job } = workerOf();
		tell("active", "a");
		held.processed(job("a"));
		assert.is(held.count(), 1, "not reported yet");
		tell(end, "a");
		assert.is(held.count(), 1, "the next one may be told in this turn");
		await Promise.resolve();
		tell("active", "b");
		assert.ok(held.count() >= 1);
		await settled();
		assert.is(held.count(), 1, end);
		tell(end, "b");
		await settled();
		assert.is(held.count(), 0, "there was none");
	}
});

heldJobs("a job that comes again at once is held again", async () => {
	const { held, tell, job } = workerOf();
	tell("active", "a");
	held.gone(job("a"));
	tell("active", "a");
	await settled();
	assert.is(held.count(), 1);
});

heldJobs("one whose end cannot be reported is given up in time", async () => {
	const { held, tell, clock, job } = workerOf();
	tell("active", "a");
	tell("active", "long");
	held.processed(job("a"));
	await clock.advance(10_000, 1_000);
	assert.is(held.count(), 2);
	await clock.advance(100);
	assert.is(held.count(), 1, "what is in hand stays");
	tell("completed", "a");
	await settled();
	assert.is(held.count(), 1);
});

heldJobs.run();
