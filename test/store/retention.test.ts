import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { book } from "../../src/runtime/booking.ts";
import { globalKeys, scanKeys, userKeys } from "../../src/store/keys.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { watchdogOn } from "../support/stuck.ts";
import { commandsOn, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const retention = suite("store: retention and recovery from loss");

let redis: TestRedis;
let client: Redis;

retention.before(async () => {
	redis = await startTestRedis();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
retention.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

type Store = Awaited<ReturnType<TestRedis["store"]>>;

async function started(store: Store, user: number, filter_key = "all"): Promise<string> {
	const { scan_id } = await commandsOn(store, async () => {}).startScan(viewer(user), startRequest({ filter_key }));
	return scan_id;
}

async function ended(store: Store, user: number, filter_key = "all"): Promise<string> {
	const scanId = await started(store, user, filter_key);
	await runtimeOn(store, quickEffects()).run(scanId);
	return scanId;
}

/** Every key with what it holds and until when, as one text each. */
async function dump(): Promise<Map<string, string>> {
	const found = new Map<string, string>();
	for (const key of (await client.keys("*")).sort()) {
		const type = await client.type(key);
		const value =
			type === "hash"
				? await client.hgetall(key)
				: type === "zset"
					? await client.zrange(key, 0, "-1", "WITHSCORES")
					: type === "set"
						? (await client.smembers(key)).sort()
						: type === "list"
							? await client.lrange(key, 0, "-1")
							: type === "stream"
								? await client.xrange(key, "-", "+")
								: await client.get(key);
		found.set(key, JSON.stringify(value));
	}
	return found;
}

async function until(wanted: () => Promise<boolean>, store: Store): Promise<void> {
	const signal = AbortSignal.timeout(10_000);
	while (!(await wanted())) {
		if (signal.aborted) throw new Error("waited in vain");
		await store.reader.nextCommit("scan_none", 20, signal);
	}
}

retention("expiry removes every key of a scan and no other", async () => {
	const long = await redis.store();
	const brief = await redis.store({ retention_ms: 700, tombstone_ms: 1_200 });
	const kept = await ended(long, 1);
	const keptOfSameUser = await ended(long, 2, "other");
	const running = await started(long, 3);
	const short = await ended(brief, 2);
	const own = Object.values(scanKeys(short));
	const before = await dump();
	const there = own.filter((key) => before.has(key));
	assert.ok(there.length >= 5, "record, journal, results, lifecycle, debug");
	for (const key of there) assert.ok((await client.pttl(key)) > 0, `${key} has no end`);
	await until(async () => (await client.exists(...own)) === 0, brief);
	const after = await dump();
	const gone = [...before.keys()].filter((key) => !after.has(key));
	const dueWithIt = new Set([...there, userKeys(viewer(2).user_id).fresh, globalKeys.latest]);
	assert.equal(
		gone.filter((key) => !dueWithIt.has(key)),
		[],
		"nothing else went",
	);
	assert.equal(
		there.filter((key) => !gone.includes(key)),
		[],
	);
	for (const scanId of [kept, keptOfSameUser, running])
		for (const key of Object.values(scanKeys(scanId))) assert.is(after.get(key), before.get(key), key);
	assert.is((await brief.reader.expiredAt(viewer(2).user_id, short)) === null, false, "remembered as expired");

	const { watchdog } = watchdogOn(brief, null);
	await until(async () => {
		await watchdog.pass();
		return (await brief.reader.expiredAt(viewer(2).user_id, short)) === null;
	}, brief);
	await watchdog.pass();
	const last = await dump();
	const statistics = /^(scans_recent|scan_counted|scan_totals_counted|service_metrics)/;
	const naming = [...last].filter(([key, text]) => !statistics.test(key) && (key + text).includes(short));
	assert.equal(naming, [], "after its tombstone nothing leads to it");
	for (const scanId of [kept, keptOfSameUser])
		for (const key of Object.values(scanKeys(scanId))) assert.is(last.get(key), before.get(key), key);
	const listed = await client.zrange(userKeys(viewer(2).user_id).scans, 0, "-1");
	assert.equal(listed, [keptOfSameUser]);
});

retention("the sweeper releases a claim whose scan is gone, no claim of one that runs or may still come", async () => {
	const store = await redis.store();
	const [gone, running, coming] = [await started(store, 10), await started(store, 11), await started(store, 12)];
	for (const scanId of [gone, coming]) {
		await client.del(...Object.values(scanKeys(scanId)));
		await store.writer.unlist(scanId);
	}
	const claims = (user: number) => client.hgetall(userKeys(viewer(user).user_id).active);
	const [, acceptedAtMs] = (await claims(10)).all?.split("|") ?? [];
	// Record and claim of a start leave together; the record may be carried out seconds after.
	await client.hset(userKeys(viewer(10).user_id).active, "all", `${gone}|${Number(acceptedAtMs) - 10_001}|`);
	const { watchdog } = watchdogOn(store, null);
	await until(async () => {
		await store.writer.walk(1_000);
		return Object.keys(await claims(10)).length === 0;
	}, store);
	await watchdog.pass();
	for (const [user, scanId] of [
		[11, running],
		[12, coming],
	] as const)
		assert.is((await claims(user)).all?.split("|")[0], scanId);
	const again = await commandsOn(store, async () => {}).startScan(viewer(10), startRequest());
	assert.is(again.decision, "created");
});

retention("the sweeper books an ended scan that no index knows: its claim is free and its result fresh", async () => {
	const store = await redis.store();
	const scanId = await started(store, 20);
	// Its worker dies between the last commit and the booking, and the index is lost too.
	await runtimeOn(store, quickEffects(), { onEnded: async () => {} }).run(scanId);
	await store.writer.unlist(scanId);
	const { active, fresh } = userKeys(viewer(20).user_id);
	assert.is(await client.hlen(active), 1);
	const { watchdog } = watchdogOn(store, null);
	await until(async () => {
		await store.writer.walk(1_000);
		await watchdog.pass();
		return (await client.hlen(active)) === 0;
	}, store);
	assert.ok((await client.hget(fresh, "all"))?.startsWith(`${scanId}|`));
	assert.is(await client.zscore(globalKeys.due, scanId), null);
});

retention("the sweeper books an ended scan whose booking failed half-way, long before its deadline", async () => {
	const store = await redis.store();
	const scanId = await started(store, 25);
	const halfBooked = { ...store.writer, finish: () => Promise.reject(new Error("Command timed out")) };
	await runtimeOn(store, quickEffects(), { onEnded: (record) => book(halfBooked, record, 1_000) }).run(scanId);
	const dueAtMs = Number(await client.zscore(globalKeys.due, scanId));
	assert.ok(dueAtMs > store.clock.now() + 60_000, "it is listed at its deadline only");
	const { watchdog } = watchdogOn(store, null);
	await until(async () => {
		await store.writer.walk(1_000);
		await watchdog.pass();
		return (await client.zscore(globalKeys.due, scanId)) === null;
	}, store);
	assert.is(await client.hlen(userKeys(viewer(25).user_id).active), 0);
	assert.ok(
		(await store.statistics.recentScans(200)).some(({ scan_id }) => scan_id === scanId),
		"it is counted",
	);
});

retention("the sweeper queues again an accepted scan whose job and index entries are lost", async () => {
	const store = await redis.store();
	const scanId = await started(store, 30);
	await store.writer.unlist(scanId);
	const { watchdog, queued } = watchdogOn(store, null, {
		writer: { ...store.writer, unclaimed: (_, limit) => store.writer.unclaimed(0, limit) },
	});
	await until(async () => {
		await store.writer.walk(1_000);
		await watchdog.pass();
		return queued.includes(scanId);
	}, store);
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended");
});

retention.run();
