import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { book } from "../../src/runtime/booking.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { createWatchdog } from "../../src/runtime/watchdog.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { globalKeys, scanKeys } from "../../src/store/keys.ts";
import { unpack } from "../../src/store/packing.ts";
import { stuckVerdict } from "../../src/views/stuck.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { commandDeps, commandsOn, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const foreign = suite("runtime: a scan of a machine version that this build does not know");

/** A snapshot whose shape only its own version understands. */
const FOREIGN_SNAPSHOT = '{"now_ms":1,"shape":"of another version","phases":{}}';

let redis: TestRedis;
let store: ScanStore;
let client: Redis;
let users = 900;

foreign.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
foreign.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

const noQueue = async () => {};

async function foreignScan(deadlineInMs = 600_000): Promise<string> {
	users += 1;
	const { scan_id } = await commandsOn(store, noQueue).startScan(viewer(users), startRequest());
	const { scan } = scanKeys(scan_id);
	const deadlineAtMs = store.clock.now() + deadlineInMs;
	const input = { ...JSON.parse(unpack((await client.hget(scan, "input")) ?? "{}")), deadline_at_ms: deadlineAtMs };
	await client.hset(scan, {
		machine: "scan.v999",
		snapshot: FOREIGN_SNAPSHOT,
		input: JSON.stringify(input),
		deadline_at: deadlineAtMs,
	});
	await client.zadd(globalKeys.due, deadlineAtMs, scan_id);
	return scan_id;
}

const snapshotOf = (scanId: string) => client.hget(scanKeys(scanId).scan, "snapshot");
const lastEntry = async (scanId: string) => (await store.reader.journal(scanId, 0, 100)).at(-1);

const watchdogOn = (runtime: Runtime | null = null) =>
	createWatchdog({
		writer: store.writer,
		reader: store.reader,
		clock: systemClock,
		log: testLogger(),
		apply: commandDeps(store, noQueue).apply,
		runtime,
		finishStart: async () => true,
		book: (record) => book(store.writer, record, 1_000),
		settings: { watchdog_ms: 500, lease_ms: 2_000 },
	});

foreign("no worker of this build touches it, and it stays listed for workers of its own", async () => {
	const scanId = await foreignScan();
	const { scan } = scanKeys(scanId);
	const before = await client.hgetall(scan);
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "foreign");
	assert.equal(await client.hgetall(scan), before);
	assert.is(await client.zscore(globalKeys.leases, scanId), null, "it was never in anybody's hands");
	// Its worker has died: a lease that is over, in the record and in the index.
	const overAtMs = store.clock.now() - 100;
	await client.hset(scan, { worker: "worker-of-another-version", lease: overAtMs });
	await client.zadd(globalKeys.leases, overAtMs, scanId);
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "foreign");
	assert.is(Number(await client.zscore(globalKeys.leases, scanId)), overAtMs);
	assert.ok((await store.writer.leaseless(1_000)).includes(scanId), "a worker of its version finds it at once");
	await client.zrem(globalKeys.leases, scanId);
});

foreign("a worker of this build does not ask for it at every pass, and takes what stands behind it", async () => {
	const scanId = await foreignScan();
	const overAtMs = store.clock.now() - 1_000;
	await client.hset(scanKeys(scanId).scan, { worker: "worker-of-another-version", lease: overAtMs });
	await client.zadd(globalKeys.leases, overAtMs, scanId);
	const { scan_id: behind } = await commandsOn(store, noQueue).startScan(viewer(990), startRequest());
	await client.zadd(globalKeys.leases, overAtMs + 1, behind);
	const asked: string[] = [];
	const ran: Promise<unknown>[] = [];
	const real = runtimeOn(store, quickEffects());
	const runtime = {
		...real,
		runBeside(id: string) {
			asked.push(id);
			const answer = real.runBeside(id);
			ran.push(answer);
			return answer;
		},
	};
	const watchdog = watchdogOn(runtime);
	for (let pass = 0; pass < 4; pass++) {
		await watchdog.pass();
		await Promise.all(ran);
	}
	assert.is(asked.filter((id) => id === scanId).length, 1);
	assert.is((await store.reader.read(behind))?.position, "completed");
	await client.zrem(globalKeys.leases, scanId);
});

foreign("nobody of its version is left: it is reported as waiting for a worker of that version", async () => {
	const scanId = await foreignScan();
	const record = await store.reader.read(scanId);
	assert.ok(record);
	const atMs = record.context.input.accepted_at_ms + 61_000;
	const { is_stuck, stuck } = stuckVerdict(record, atMs, 60_000);
	assert.is(is_stuck, true);
	assert.equal([stuck?.waiting_on.kind, stuck?.waiting_on.id], ["worker", "scan.v999"]);
	assert.is(stuck?.suggested_action, "check_dependency");
});

foreign("its deadline ends it beside the snapshot, which stays as it was to the byte", async () => {
	const scanId = await foreignScan(-10_000);
	await watchdogOn().pass();
	const found = await store.reader.read(scanId);
	assert.is(found?.position, "failed");
	assert.is(found?.terminal, true);
	assert.is(found?.machine, "scan.v999");
	assert.is(found?.context.end?.error?.code, "internal_error");
	assert.match(found?.context.end?.error?.message ?? "", "scan.v999");
	assert.is(await snapshotOf(scanId), FOREIGN_SNAPSHOT);
	const entry = await lastEntry(scanId);
	assert.equal([entry?.type, entry?.seq], ["scan.failed", found?.revision]);
	assert.is(await client.zscore(globalKeys.due, scanId), null, "booked and off the list");
	assert.is(await store.writer.activeScan(viewer(users).user_id, "all"), null, "its user may start anew");
});

foreign("a cancel ends it the same way and says why", async () => {
	const scanId = await foreignScan();
	const answer = await commandsOn(store, noQueue).cancelScan(viewer(users), scanId, "old one");
	assert.is(answer.reason, "user_request");
	assert.is((await store.reader.read(scanId))?.position, "cancelled");
	assert.is(await snapshotOf(scanId), FOREIGN_SNAPSHOT);
	assert.is((await lastEntry(scanId))?.payload.reason_text, "old one");
});

foreign("what cannot be ended is put off, so that it does not hide the scans behind it", async () => {
	const scanId = await foreignScan(-10_000);
	// A record that not even its envelope can be read from: no claim of it can be granted.
	await client.hset(scanKeys(scanId).scan, "epoch", "not a number");
	const behind = await foreignScan(-9_000);
	const passedAtMs = store.clock.now();
	await watchdogOn().pass();
	assert.is((await store.reader.read(behind))?.terminal, true);
	const again = Number(await client.zscore(globalKeys.due, scanId));
	assert.ok(again >= passedAtMs + 2_000, "looked at again later");
	assert.ok(again <= store.clock.now() + 2_000);
	assert.is(await snapshotOf(scanId), FOREIGN_SNAPSHOT);
	await client.del(scanKeys(scanId).scan);
});

foreign.run();
