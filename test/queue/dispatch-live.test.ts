import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createDispatch, createLocalRuns } from "../../src/queue/dispatch.ts";
import { createScanQueue, createScanWorker, type ScanQueue, type ScanWorker } from "../../src/queue/scan-queue.ts";
import { bullmqConnection } from "../../src/redis/clients.ts";
import type { RunAnswer } from "../../src/runtime/runtime.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { deferred } from "../effects/fake-clock.ts";
import { beginner, quick } from "../support/begun.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { recordOf, untilRecord } from "../support/stuck.ts";
import { until } from "../support/wait.ts";

const live = suite("queue: started here, on a live queue");
let redis: TestRedis;
let client: Redis;
let store: ScanStore;
let queue: ScanQueue;
const workers: ScanWorker[] = [];
const taker = { worker_id: "w", nonce: "n", lease_ms: 6_000 };
const held: (() => void)[] = [];

live.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
	const connection = bullmqConnection(redis.connection, "queue");
	queue = createScanQueue({ connection, events_max: 1_000, redis: client, log: testLogger() });
	await queue.ready();
});
live.after.each(async () => {
	for (const go of held.splice(0)) go();
	for (const worker of workers.splice(0)) await worker.close(1_000);
});
live.after(async () => {
	await queue.close();
	client.disconnect();
	await redis.close();
});

/** A process that starts scans, runs them, and takes what the queue delivers; each portfolio waits until the test says so. */
async function processOf(capacity: number, leastElsewhere = Number.POSITIVE_INFINITY) {
	const gates = new Map<string, ReturnType<typeof deferred<void>>>();
	const gateOf = (scanId: string) => {
		const gate = gates.get(scanId) ?? deferred<void>();
		gates.set(scanId, gate);
		return gate;
	};
	let open = false;
	const go = () => {
		open = true;
		for (const gate of gates.values()) gate.resolve();
	};
	held.push(go);
	const process = beginner(store, {
		effects: {
			async fetchPortfolio(context) {
				if (!open) await gateOf(context.scan.input.scan_id).promise;
				return await quick.fetchPortfolio(context);
			},
		},
		enqueue: (...given) => sent.add(...given),
		reserve: (...given) => sent.reserve(...given),
		waiting: () => queue.length(),
	});
	const sent = createDispatch({ queue, log: testLogger() });
	const delivered: string[] = [];
	const worker = createScanWorker(
		{ connection: bullmqConnection(redis.connection), redis: client, log: testLogger() },
		capacity,
		(scanId) => {
			delivered.push(scanId);
			return process.runtime.run(scanId);
		},
	);
	const { runtime } = process;
	const runs = createLocalRuns({ runtime, capacity, worker, leastElsewhere: () => leastElsewhere });
	workers.push(worker);
	sent.attach(runs);
	const starts = async (count: number, user?: number) => {
		const ids: string[] = [];
		for (let i = 0; i < count; i++) ids.push(await process.start(user));
		return ids;
	};
	return { ...process, go, release: (scanId = "") => gateOf(scanId).resolve(), delivered, starts };
}
const running = (scanId = "") => untilRecord(store, scanId, ({ position }) => position === "portfolio_fetch");
const completed = (scanId = "") => untilRecord(store, scanId, ({ position }) => position === "completed");

live("a scan of a process alone is run without a job and leaves none behind", async () => {
	const { start, asked, delivered, go } = await processOf(4);
	go();
	const scanId = await start();
	await completed(scanId);
	assert.is((await recordOf(store, scanId)).epoch, 1);
	assert.equal([asked, delivered], [[], []], "it is neither claimed nor delivered");
	assert.is(await client.exists(`{scans}:scans:${scanId}`), 0);
});

live(
	"no more scans run at once than there are places, and those that wait do so in the queue, in its order",
	async () => {
		const { starts, delivered, go, runtime } = await processOf(4);
		const ids = await starts(7);
		for (const scanId of ids.slice(0, 4)) await running(scanId);
		assert.is(runtime.active(), 4);
		assert.equal(delivered, ids.slice(3, 4), "three where they were started, the last by the queue");
		assert.is(await queue.length(), 3);
		assert.equal(await queue.order(10), ids.slice(4));
		const [late] = await starts(1);
		assert.equal((await queue.order(10)).at(-1), late, "while something waits nothing is run past it");
		go();
		for (const scanId of [...ids, late]) await completed(scanId);
		assert.equal([...delivered].sort(), [...ids.slice(3), late].sort(), "each once");
	},
);

live(
	"a place that a scan started here gives back is the queue's at once, though the queue's own scans go on",
	async () => {
		const { starts, delivered, go, release, runtime } = await processOf(3);
		const [a, b, c, d, e] = await starts(5);
		for (const scanId of [a, b, c]) await running(scanId);
		assert.equal([delivered, await queue.length()], [[c], 2]);
		for (const [ends, next] of [
			[a, d],
			[b, e],
		]) {
			release(ends);
			await completed(ends);
			await running(next);
			assert.is(runtime.active(), 3);
		}
		assert.equal(delivered, [c, d, e]);
		go();
		for (const scanId of [c, d, e]) await completed(scanId);
	},
);

live("who fills a process with what they start there does not keep others from their turn", async () => {
	const { starts, go, delivered } = await processOf(4);
	const mine = await starts(12, 30_001);
	for (const scanId of mine.slice(0, 4)) await running(scanId);
	const [theirs] = await starts(1, 30_002);
	const order = await queue.order(20);
	const before = order.indexOf(theirs ?? "");
	assert.ok(before === 0 || before === 1, `${before} of mine wait before theirs`);
	go();
	for (const scanId of [...mine, theirs]) await completed(scanId);
	assert.is(delivered.length, 10);
});

live("scans that end together or come in a burst from elsewhere never hold more places than there are", async () => {
	const CAPACITY = 8;
	const ROUNDS = 15;
	const STARTS = 300;
	let active = 0;
	let most = 0;
	let ended = 0;
	const ending: (() => void)[] = [];
	const run = async (): Promise<RunAnswer> => {
		active += 1;
		most = Math.max(most, active);
		await new Promise<void>((resolve) => ending.push(resolve));
		active -= 1;
		ended += 1;
		return "ended";
	};
	const worker = createScanWorker(
		{ connection: bullmqConnection(redis.connection), redis: client, log: testLogger() },
		CAPACITY,
		run,
	);
	workers.push(worker);
	const reserve = () => {
		const answer = run();
		return { taker, answer, free: answer.then(() => undefined), run: () => {}, leave: () => {} };
	};
	const runtime = { reserve, active: () => active, hasRoom: () => active < CAPACITY };
	const runs = createLocalRuns({ runtime, capacity: CAPACITY, worker, leastElsewhere: () => Number.POSITIVE_INFINITY });
	let begun = 0;
	let queued = 0;
	const start = async () => {
		if ((await queue.length()) > 0) return;
		if (runs.reserve(`own_${begun}`)) begun += 1;
	};
	for (let round = 0; round < ROUNDS; round++) {
		const burst = Array.from({ length: CAPACITY + round }, (_, i) => queue.add(`burst_${round}_${i}`, `u${i}`));
		queued += burst.length;
		const starts: Promise<void>[] = [];
		// Some end together; what is started meanwhile finds the queue empty as soon as the last job is fetched.
		const allEnded = () => Promise.all([...burst, ...starts]).then(() => ended === queued + begun);
		for (let turns = 0; turns < STARTS || !(await allEnded()); turns++) {
			assert.ok(turns < 20_000, `${ended} of ${queued + begun} have ended in round ${round}`);
			if (turns % 7 === 0) for (const end of ending.splice(0)) end();
			if (turns < STARTS) starts.push(start());
			await new Promise((resolve) => setImmediate(resolve));
		}
	}
	assert.ok(begun > 0, "some were run where they were started");
	assert.ok(most <= CAPACITY, `${most} at once in ${CAPACITY} places`);
	await new Promise((resolve) => setImmediate(resolve));
	await until(() => worker.held() === 0, "all are reported");
});

live("where another worker has less in hand the queue decides", async () => {
	const { starts, delivered, go } = await processOf(4, 0);
	const ids = await starts(3);
	for (const scanId of ids) await running(scanId);
	assert.equal(delivered, ids.slice(1), "the first one found nobody with less");
	go();
	for (const scanId of ids) await completed(scanId);
});

live("a start that cannot learn how long the queue is goes there", async () => {
	for (const [waiting, queued] of [
		[() => Promise.reject(new Error("away")), true],
		[async () => 1, true],
		[async () => 0, false],
	] as const) {
		const enqueued: string[] = [];
		const { start, asked } = beginner(store, { enqueue: async (scanId) => void enqueued.push(scanId), waiting });
		const scanId = await start();
		assert.equal([enqueued, asked], queued ? [[scanId], []] : [[], ["run as claimed"]]);
	}
});

live.run();
