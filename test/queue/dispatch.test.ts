import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { createDispatch, createLocalRuns } from "../../src/queue/dispatch.ts";
import { createPlaces } from "../../src/queue/places.ts";
import { createScanQueue, createScanWorker, type ScanQueue, type ScanWorker } from "../../src/queue/scan-queue.ts";
import { bullmqConnection } from "../../src/redis/clients.ts";
import type { RunAnswer } from "../../src/runtime/runtime.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { deferred, ManualClock, settled } from "../effects/fake-clock.ts";
import { beginner, quick, waiting } from "../support/begun.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { recordOf, untilRecord, watchdogOn } from "../support/stuck.ts";
import { runtimeOn } from "../support/system.ts";
import { until } from "../support/wait.ts";

const dispatch = suite("queue: who runs a scan that was started here");

interface World {
	nearest?: boolean;
	known?: boolean;
	answer?: () => Promise<RunAnswer>;
	add?: () => Promise<void>;
}

function dispatchOf({ nearest = true, known = true, answer = async () => "ended", add = async () => {} }: World) {
	const done: string[] = [];
	const warned: string[] = [];
	const made = createDispatch({
		queue: {
			async add(scanId, userId) {
				done.push(`queue ${scanId} of ${userId}`);
				await add();
			},
		},
		begun: { knows: () => known },
		log: { ...testLogger(), warn: (_: object, message: string) => void warned.push(message) },
	});
	made.attach({
		areNearest: () => nearest,
		run(scanId) {
			done.push(`run ${scanId}`);
			return answer();
		},
	});
	return { made, done, warned };
}

dispatch("one that this process has begun and is nearest to is run here, without a job", async () => {
	const { made, done } = dispatchOf({});
	await made.add("s", "u");
	await settled();
	assert.equal(done, ["run s"]);
});

dispatch("all others are queued", async () => {
	for (const world of [{ nearest: false }, { known: false }]) {
		const { made, done } = dispatchOf(world);
		await made.add("s", "u");
		assert.equal(done, ["queue s of u"]);
	}
	const apiOnly = createDispatch({
		queue: { add: async () => {} },
		begun: { knows: () => true },
		log: testLogger(),
	});
	await apiOnly.add("s", "u");
});

dispatch("an answer to the start does not wait for the run", async () => {
	const { made, done } = dispatchOf({ answer: () => deferred<RunAnswer>().promise });
	await made.add("s", "u");
	assert.equal(done, ["run s"]);
});

dispatch("what could not be run here after all is queued, what is over or somebody's is not", async () => {
	for (const answer of ["busy", "unaccepted"] as const) {
		const { made, done } = dispatchOf({ answer: async () => answer });
		await made.add("s", "u");
		await settled();
		assert.equal(done, ["run s", "queue s of u"], answer);
	}
	for (const answer of ["ended", "released", "fenced", "given_up", "held", "missing", "foreign"] as const) {
		const { made, done } = dispatchOf({ answer: async () => answer });
		await made.add("s", "u");
		await settled();
		assert.equal(done, ["run s"], answer);
	}
	const { made, done, warned } = dispatchOf({ answer: () => Promise.reject(new Error("store away")) });
	await made.add("s", "u");
	await settled();
	assert.equal(done, ["run s", "queue s of u"]);
	assert.equal(warned, ["scan not run where it was started; it is queued"]);
});

dispatch("a queue that fails is told, and the start stands", async () => {
	for (const world of [{ nearest: false }, { answer: async () => "busy" as const }]) {
		const { made, warned } = dispatchOf({ ...world, add: () => Promise.reject(new Error("queue away")) });
		await made.add("s", "u");
		await settled();
		assert.equal(warned, ["scan not queued yet"]);
	}
});

dispatch("a process is nearest when nothing waits, it has a place, and nobody has less in hand", () => {
	const near = (given: {
		drained?: boolean;
		room?: boolean;
		active?: number;
		elsewhere?: number;
		capacity?: number;
	}) => {
		const { drained = true, room = true, active = 0, elsewhere = Number.POSITIVE_INFINITY, capacity = 1 } = given;
		return createLocalRuns({
			runtime: { run: async () => "ended", active: () => active, hasRoom: () => room },
			places: createPlaces(capacity, new ManualClock()),
			drained: () => drained,
			leastElsewhere: () => elsewhere,
		}).areNearest();
	};
	assert.ok(near({}));
	assert.ok(near({ active: 2, elsewhere: 2 }));
	assert.not(near({ active: 3, elsewhere: 2 }), "another worker has less to do");
	assert.not(near({ drained: false }), "somebody waits");
	assert.not(near({ room: false }), "closing, or too much in hand");
	assert.not(near({ capacity: 0 }), "no place");
});

dispatch("what the queue delivers while all places are held goes back when none becomes free", async () => {
	const clock = new ManualClock();
	const held = deferred<RunAnswer>();
	const runs = createLocalRuns({
		runtime: { run: () => held.promise, active: () => 1, hasRoom: () => true },
		places: createPlaces(1, clock),
		drained: () => true,
		leastElsewhere: () => 0,
	});
	const first = runs.run("a");
	const second = runs.run("b");
	await clock.advance(1_100);
	assert.is(await second, "busy");
	const third = runs.run("c");
	held.resolve("ended");
	assert.equal([await first, await third], ["ended", "ended"]);
});

dispatch.run();

const live = suite("queue: started here, on a live queue");
let redis: TestRedis;
let client: Redis;
let store: ScanStore;
let queue: ScanQueue;
const workers: ScanWorker[] = [];

live.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
	const connection = bullmqConnection(redis.connection, "queue");
	queue = createScanQueue({ connection, events_max: 1_000, redis: client, log: testLogger() });
	await queue.ready();
});
live.after(async () => {
	await Promise.all(workers.map((worker) => worker.close(1_000)));
	await queue.close();
	client.disconnect();
	await redis.close();
});

/** A process of one place that starts scans, runs them, and takes what the queue delivers. */
async function processOf(effects: Parameters<typeof beginner>[1] = {}, leastElsewhere = Number.POSITIVE_INFINITY) {
	const process = beginner(store, { ...effects, enqueue: (scanId, userId) => sent.add(scanId, userId) });
	const sent = createDispatch({ queue, begun: process.begun, log: testLogger() });
	const delivered: string[] = [];
	const runs = createLocalRuns({
		runtime: process.runtime,
		places: createPlaces(1, systemClock),
		drained: () => worker.drained(),
		leastElsewhere: () => leastElsewhere,
	});
	const worker = createScanWorker(
		{ connection: bullmqConnection(redis.connection), redis: client, log: testLogger() },
		1,
		(scanId) => {
			delivered.push(scanId);
			return runs.run(scanId);
		},
	);
	workers.push(worker);
	await until(() => worker.drained(), "the worker knows that nothing waits");
	sent.attach(runs);
	return { ...process, worker, delivered };
}

live("a scan of a process alone is run without a job and leaves none behind", async () => {
	const { start, asked, delivered } = await processOf();
	const scanId = await start();
	await untilRecord(store, scanId, ({ position }) => position === "completed");
	assert.is((await recordOf(store, scanId)).epoch, 1);
	assert.equal([asked.at(-1), delivered], ["take ok", []]);
	assert.is(await client.exists(`{scans}:scans:${scanId}`), 0);
	await workers.pop()?.close(1_000);
});

live("with all places held scans wait in the queue, and one that comes later does not go before them", async () => {
	const { go, effects } = waiting();
	let slow = true;
	const first: typeof effects = {
		fetchPortfolio: (...given) => {
			const held = slow && effects.fetchPortfolio ? effects.fetchPortfolio(...given) : quick.fetchPortfolio(...given);
			slow = false;
			return held;
		},
	};
	const { start, delivered, worker } = await processOf({ effects: first });
	const inHand = await start();
	await untilRecord(store, inHand, ({ position }) => position === "portfolio_fetch");
	const [second, third] = [await start(), await start()];
	await until(() => delivered.includes(second), "the queue has delivered the second");
	assert.is((await recordOf(store, second)).position, "queued", "there is one place");
	assert.not(worker.drained());
	assert.is((await queue.waiting()).waiting, 1, "the third waits in the queue");
	go.resolve();
	for (const scanId of [inHand, second, third])
		await untilRecord(store, scanId, ({ position }) => position === "completed");
	const claimedAt = async (scanId: string) => (await recordOf(store, scanId)).context.claimed_at_ms ?? 0;
	assert.ok((await claimedAt(second)) <= (await claimedAt(third)));
	assert.equal([...new Set(delivered)], [second, third]);
	await workers.pop()?.close(1_000);
});

live("with another worker that has less in hand the queue decides", async () => {
	const { go, effects } = waiting();
	const { start, delivered } = await processOf({ effects }, 0);
	const near = await start();
	await untilRecord(store, near, ({ position }) => position === "portfolio_fetch");
	assert.equal(delivered, [], "as few as elsewhere: run here");
	const far = await start();
	await until(() => delivered.includes(far), "queued");
	go.resolve();
	for (const scanId of [near, far]) await untilRecord(store, scanId, ({ position }) => position === "completed");
	await workers.pop()?.close(1_000);
});

live("a scan whose process stands still before it claims is queued by a watchdog and run elsewhere", async () => {
	const woken = deferred<void>();
	const { writer } = store;
	const { begun, start, runtime, asked } = beginner(store, {
		agoMs: 2_100,
		writer: { take: (...given) => woken.promise.then(() => writer.take(...given)) },
		enqueue: (scanId, userId) => sent.add(scanId, userId),
	});
	const sent = createDispatch({
		queue: { add: () => Promise.reject(new Error("not queued")) },
		begun,
		log: testLogger(),
	});
	sent.attach({ areNearest: () => true, run: (scanId) => runtime.run(scanId) });
	const scanId = await start();
	assert.is(runtime.active(), 1, "the process takes it");
	const { watchdog, queued } = watchdogOn(store, null);
	await watchdog.pass();
	assert.equal(queued, [scanId]);
	assert.is(await runtimeOn(store, quick).run(scanId), "ended");
	const ended = await recordOf(store, scanId);
	woken.resolve();
	assert.is(await runtime.run(scanId), "ended", "it is told that all is done");
	assert.equal(asked, ["take refused", "claim"]);
	const after = await recordOf(store, scanId);
	assert.equal([after.epoch, after.revision, after.worker_id], [ended.epoch, ended.revision, ended.worker_id]);
});

live.run();
