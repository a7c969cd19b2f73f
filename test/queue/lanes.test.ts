import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createLanes, LULL_MS, TURNS_MAX } from "../../src/queue/lanes.ts";
import { createScanQueue, createScanWorker, type ScanQueue } from "../../src/queue/scan-queue.ts";
import { bullmqConnection, closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import type { RedisKind } from "../../src/redis/provide.ts";
import { deferred } from "../effects/fake-clock.ts";
import { availableKinds, bareEnvPath, temporaryFolder } from "../redis/support/servers.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { within } from "../support/wait.ts";

/** Who fills the queue delays others by no more than a fair share: a lane per user on the real queue. */
const log = testLogger();
const LANES = "{scans}:lanes";
const WAITING = "{scans}:scans:prioritized";

function fairness(kind: Exclude<RedisKind, "external">): void {
	const test = suite(`queue: lanes per user (${kind})`);
	let redis: TestRedis;
	let client: Redis;
	let queue: ScanQueue;
	let bare: string;

	test.before(async () => {
		bare = await temporaryFolder();
		redis = await startTestRedis(kind === "memory" ? await bareEnvPath(bare) : undefined);
		assert.is(redis.kind, kind);
		client = createRedisClient(redis.connection, "commands", log);
		const connection = bullmqConnection(redis.connection, "queue");
		queue = createScanQueue({ connection, events_max: 100, redis: client, log });
		await queue.ready();
	});
	test.after(async () => {
		await queue.close();
		await closeRedisClient(client);
		await redis.close();
		await rm(bare, { recursive: true, force: true });
	});
	test.before.each(async () => {
		await client.flushall();
	});

	let scans = 0;
	async function enqueue(user: string): Promise<string> {
		scans += 1;
		const scanId = `scan_${user}_${scans}`;
		await queue.add(scanId, user);
		return scanId;
	}

	/** A worker that serves `count` scans and notes in which order. */
	async function serve(count: number, meanwhile: (served: string[]) => Promise<unknown> = async () => {}) {
		const served: string[] = [];
		let done = (): void => {};
		const all = new Promise<void>((resolve) => {
			done = resolve;
		});
		const worker = createScanWorker(
			{ connection: bullmqConnection(redis.connection), redis: client, log },
			1,
			async (scanId) => {
				served.push(scanId);
				await meanwhile(served);
				if (served.length >= count) done();
			},
		);
		const limit = setTimeout(() => done(), 20_000);
		await all;
		clearTimeout(limit);
		await worker.close(1_000);
		return served;
	}

	test("after fifty scans of one user the first scans of two others are among the first three", async () => {
		const mine: string[] = [];
		for (let i = 0; i < 50; i++) mine.push(await enqueue("a"));
		const [b, c] = [await enqueue("b"), await enqueue("c")];
		assert.equal(await queue.waiting(), { waiting: 52, active: 0 });
		assert.equal((await queue.order(4)).slice(0, 4), [mine[0], b, c, mine[1]]);
		assert.equal(await serve(52), [mine[0], b, c, ...mine.slice(1)]);
	});

	test("who comes while the worker is busy with a full lane waits for one scan of it", async () => {
		const mine: string[] = [];
		for (let i = 0; i < 20; i++) mine.push(await enqueue("a"));
		const others: string[] = [];
		const served = await serve(23, async (so_far) => {
			// The turn of the scan in hand is noted beside its run.
			if (so_far.length === 5) {
				await noted(5);
				for (const user of ["b", "c", "b"]) others.push(await enqueue(user));
			}
		});
		const at = (scanId: string | undefined) => served.indexOf(scanId ?? "");
		assert.equal([at(others[0]), at(others[1])], [5, 6], "the first of each is next");
		assert.ok(at(others[2]) <= 8, `the second of one comes after one of each other: ${at(others[2])}`);
		assert.equal(
			served.filter((scanId) => mine.includes(scanId)),
			mine,
			"in one lane the order of arrival holds",
		);
	});

	test("users who come again and again do not keep a long lane from its share", async () => {
		const mine: string[] = [];
		for (let i = 0; i < 6; i++) mine.push(await enqueue("a"));
		await enqueue("b");
		await enqueue("c");
		const served = await serve(18, async (so_far) => {
			const user = so_far.at(-1)?.split("_")[1] ?? "";
			// The three first turns are served; that is not noted, for there is no earlier one.
			if (so_far.length > 3) await noted(2);
			if (user !== "a" && so_far.length < 16) await enqueue(user);
		});
		const places = mine.map((scanId) => served.indexOf(scanId));
		places.forEach((place, k) => {
			assert.ok(place >= 0 && place <= 3 * (k + 1) + 1, `scan ${k + 1} was served as number ${place + 1}`);
		});
	});

	test("a scan that is queued again keeps its turn and costs its user none", async () => {
		const [first, second] = [await enqueue("a"), await enqueue("a")];
		for (let i = 0; i < 5; i++) await queue.add(second, "a");
		const third = await enqueue("a");
		assert.equal(await queue.order(10), [first, second, third]);
		const turn = async (scanId: string) => Math.floor(Number(await client.zscore(WAITING, scanId)) / 2 ** 32);
		assert.equal([await turn(first), await turn(second), await turn(third)], [1, 2, 3]);
	});

	test("what a worker that takes nothing more is given goes back at its turn, before those that came after it", async () => {
		const [first, second, third] = [await enqueue("a"), await enqueue("a"), await enqueue("a")];
		const connection = bullmqConnection(redis.connection);
		const given: string[] = [];
		let left = (_: Promise<void>): void => {};
		const leaving = new Promise<void>((resolve) => {
			left = resolve as typeof left;
		});
		const worker = createScanWorker({ connection, redis: client, log }, 1, async (scanId) => {
			given.push(scanId);
			left(worker.close(5_000));
			return "busy";
		});
		await within(leaving, "the worker that leaves", 20_000);
		assert.equal(given, [first]);
		assert.equal(await serve(3), [first, second, third]);
	});

	test("a scan whose start is not over yet is asked for again, at its turn, until it is", async () => {
		const [first, second] = [await enqueue("a"), await enqueue("a")];
		const given: string[] = [];
		const { promise: over, resolve } = deferred<void>();
		const connection = bullmqConnection(redis.connection);
		const worker = createScanWorker({ connection, redis: client, log }, 1, async (scanId) => {
			given.push(scanId);
			// More often than a job that fails is tried.
			if (scanId === first && given.length < 8) return "unaccepted";
			if (given.includes(second) && scanId === first) resolve();
			return "ended";
		});
		await within(over, "the scan whose start took long", 20_000).finally(() => worker.close(5_000));
		assert.equal([given[0], given[1], given.at(-1)], [first, second, first], "the others go on meanwhile");
		assert.equal(await queue.waiting(), { waiting: 0, active: 0 });
	});

	test("a turn whose scan could not be queued is given back", async () => {
		const lanes = createLanes(client, { lanes: LANES, waiting: WAITING });
		assert.is(await lanes.next("a", "none"), 1);
		assert.is(await lanes.next("a", "none"), 2);
		await lanes.giveBack("a");
		await lanes.giveBack("a");
		assert.is(await lanes.next("a", "none"), 1);
	});

	test("lanes are bounded: those whose turn is over go, and an empty queue begins anew after a lull", async () => {
		const lanes = createLanes(client, { lanes: LANES, waiting: WAITING });
		for (let i = 0; i < 30; i++) await lanes.next(`user-${i}`, "none");
		await lanes.served(2);
		assert.is(await lanes.next("z", "none"), 2, "nobody comes before the turn that is served");
		assert.is(await client.zcard(LANES), 3, "z, the turn that is served, the last moment");
		assert.is(await lanes.next("z", "none"), 3);
		await client.zincrby(LANES, -LULL_MS, ":given_at_ms");
		assert.is(await lanes.next("z", "none"), 1);
		assert.ok((await client.pttl(LANES)) > 0, "and nothing of it stays for ever");
		await client.zadd(LANES, TURNS_MAX, ":served");
		assert.is(await lanes.next("z", "none"), TURNS_MAX);
		assert.is(await lanes.next("z", "none"), TURNS_MAX, "beyond the last turn the order of arrival holds");
	});

	test("from an empty queue on, a user's k-th scan is at most at place users x k", async () => {
		const users = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 30 });
		await fc.assert(
			fc.asyncProperty(users, async (arrivals) => {
				await client.flushall();
				const ids: { scanId: string; user: string }[] = [];
				for (const user of arrivals) ids.push({ scanId: await enqueue(user), user });
				const order = await queue.order(100);
				assert.is(order.length, arrivals.length);
				const count = new Set(arrivals).size;
				const seen: Record<string, number> = {};
				for (const { scanId, user } of ids) {
					const k = (seen[user] ?? 0) + 1;
					seen[user] = k;
					const place = order.indexOf(scanId) + 1;
					assert.ok(place <= count * k, `scan ${k} of ${user} is at ${place} of ${order.length}`);
				}
			}),
			{ numRuns: 20 },
		);
	});

	test("scans come and are taken in any order: none waits for more than k + 1 of each other user", async () => {
		const lanes = createLanes(client, { lanes: LANES, waiting: WAITING });
		const step = fc.oneof(
			{ weight: 3, arbitrary: fc.constantFrom("a", "b", "c") },
			{ weight: 2, arbitrary: fc.constant(null) },
		);
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
				await client.flushall();
				const open = new Map<string, { user: string; k: number; passed: number }>();
				const takeOne = async () => {
					const [next] = await queue.order(1);
					if (next === undefined) return;
					const [, score] = await client.zpopmin(WAITING);
					await lanes.served(Math.floor(Number(score) / 2 ** 32));
					open.delete(next);
					const user = next.split("_")[1];
					for (const waiting of open.values()) if (waiting.user !== user) waiting.passed += 1;
					for (const { k, passed } of open.values())
						assert.ok(passed <= 2 * (k + 1), `${passed} scans of two others went before a ${k}th`);
				};
				for (const user of steps) {
					if (user === null) await takeOne();
					else {
						const k = [...open.values()].filter((scan) => scan.user === user).length + 1;
						open.set(await enqueue(user), { user, k, passed: 0 });
					}
				}
				while (open.size > 0) await takeOne();
			}),
			{ numRuns: 20 },
		);
	});

	/** Resolves when a turn of at least `turn` is noted as served. */
	async function noted(turn: number): Promise<void> {
		for (let looks = 0; looks < 5_000; looks++)
			if (Number((await client.zscore(LANES, ":served")) ?? 0) >= turn) return;
		throw new Error(`turn ${turn} is not noted`);
	}

	test("the id of the scan is all that a job carries", async () => {
		const scanId = `scan_${randomUUID()}`;
		await queue.add(scanId, "user-of-the-scan");
		const job = await client.hgetall(`{scans}:scans:${scanId}`);
		assert.equal(JSON.parse(job.data ?? ""), { scan_id: scanId });
		assert.not.ok(JSON.stringify(job).includes("user-of-the-scan"));
	});

	test.run();
}

for (const kind of availableKinds()) if (kind !== "external") fairness(kind);
