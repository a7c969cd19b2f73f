/** The walk over all records lists what the indexes have lost, and nothing else. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { newScan } from "../../src/commands/plan.ts";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { globalKeys, scanKeys } from "../../src/store/keys.ts";
import { walk } from "../../src/store/scan-index.ts";
import { projections } from "../../src/views/projections.ts";
import { scanInput } from "../support/scan-input.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { acceptedScan, untilRecord, watchdogOn } from "../support/stuck.ts";
import { never, quickEffects, runtimeOn } from "../support/system.ts";

const test = suite("stuck: the walk over all records");
/** A start that has not been accepted by then was given up. */
const ABANDONED_MS = 11_000;
/** Enough for the walk to have seen all keys of the test. */
const PASSES = 20;

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;
let client: Redis;

test.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
test.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

/** Does `between` after the next records were read, and before anything is made of them. */
function betweenReads(redis: Redis, between: () => Promise<unknown>): Redis {
	let first: Promise<unknown> | null = null;
	const hmget = async (...args: Parameters<Redis["hmget"]>) => {
		const fields = await redis.hmget(...args);
		first ??= between();
		await first;
		return fields;
	};
	return new Proxy(redis, {
		get: (target, name) => {
			if (name === "hmget") return hmget;
			const member: unknown = Reflect.get(target, name);
			return typeof member === "function" ? member.bind(target) : member;
		},
	});
}

const everything = async (reader: Redis): Promise<string[]> => {
	const relisted: string[] = [];
	let from = "0";
	do {
		const page = await walk(reader, from, store.clock.now(), 1_000);
		relisted.push(...page.relisted);
		from = page.cursor;
	} while (from !== "0");
	return relisted;
};

test("a record of a start that was given up is found and dropped, although both indexes have lost it", async () => {
	const accepted_at_ms = store.clock.now() - ABANDONED_MS;
	const deadline_at_ms = accepted_at_ms + 150_000;
	const input = scanInput({ scan_id: `scan_${"e".repeat(32)}`, accepted_at_ms, deadline_at_ms });
	const scan = newScan(input, projections);
	await store.writer.create(scan);
	await store.writer.unlist(scan.scan_id);
	const { watchdog, queued } = watchdogOn(store, null);
	for (let i = 0; i < PASSES && (await client.exists(scanKeys(scan.scan_id).scan)) === 1; i++) await watchdog.pass();
	assert.equal(await client.keys(`*${scan.scan_id}*`), []);
	assert.equal(queued, []);
	for (const index of [globalKeys.due, globalKeys.unclaimed]) assert.is(await client.zscore(index, scan.scan_id), null);
});

test("a scan that is claimed or ends while the walk looks at it has not been lost", async () => {
	await everything(client);
	const [claimed, toEnd] = [await acceptedScan(store), await acceptedScan(store)];
	const hanging = runtimeOn(store, quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) }));
	const runs: Promise<unknown>[] = [];
	const relisted = await everything(
		betweenReads(client, async () => {
			runs.push(hanging.run(claimed));
			await untilRecord(store, claimed, ({ position }) => position === "strategies_scan");
			assert.is(await runtimeOn(store, quickEffects()).run(toEnd), "ended");
			await store.writer.unlist(toEnd);
		}),
	);
	assert.equal(relisted, []);
	assert.is(await client.zscore(globalKeys.unclaimed, claimed), null);
	assert.is(await client.zscore(globalKeys.due, toEnd), null);
	await hanging.handOver();
	await Promise.all(runs);
	await store.writer.unlist(claimed);
	assert.equal(await everything(client), [claimed], "one that both indexes have lost is listed again");
});

test("a scan that was made as claimed is led to by its lease, before it is accepted and afterwards", async () => {
	const made = async (digit: string): Promise<string> => {
		const scan_id = `scan_${digit.repeat(32)}`;
		const taker = { worker_id: "w", nonce: "n", lease_ms: 60_000 };
		const input = scanInput({ scan_id, accepted_at_ms: store.clock.now() });
		await store.writer.create(newScan(input, projections, {}, taker));
		return scan_id;
	};
	const lost = await made("a");
	assert.is(await client.zscore(globalKeys.unclaimed, lost), null);
	assert.ok(await client.zrem(globalKeys.leases, lost));
	assert.equal(await everything(client), [lost]);
	assert.ok(await client.zscore(globalKeys.leases, lost));
	assert.ok(await store.writer.drop(lost));
	const accepted = await made("b");
	const relisted = await everything(
		betweenReads(client, async () => {
			assert.ok(await store.writer.accept(accepted));
			await store.writer.lastSweepMs();
		}),
	);
	assert.equal(relisted, []);
	assert.is(await client.zscore(globalKeys.unclaimed, accepted), null);
	assert.ok(await client.zscore(globalKeys.leases, accepted));
});

test.run();
