import { randomUUID } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createHealthChecks } from "../../src/health.ts";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { superviseWatchdog } from "../../src/runtime/supervisor.ts";
import { globalKeys, scanKeys } from "../../src/store/keys.ts";
import { ManualClock, settled } from "../effects/fake-clock.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { acceptedScan, ended, recordOf, rememberingLog, shifted, untilRecord, watchdogOn } from "../support/stuck.ts";
import { never, quickEffects, runtimeOn } from "../support/system.ts";

/** Hangs around a scan: whoever should carry it is gone, or what leads to it is lost. */
const lost = suite("stuck: scans that nobody carries");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;
let client: Redis;

lost.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
lost.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

/** Passes until somebody has claimed the scan; returns how many it took. */
async function passUntilClaimed(
	watchdog: { pass(): Promise<void> },
	scanId: string,
	passesMax: number,
): Promise<number> {
	for (let pass = 1; pass <= passesMax; pass++) {
		await watchdog.pass();
		if ((await recordOf(store, scanId)).worker_id !== null) return pass;
		await store.reader.nextCommit(scanId, 500, AbortSignal.timeout(5_000));
		if ((await recordOf(store, scanId)).worker_id !== null) return pass;
	}
	throw new Error(`not claimed after ${passesMax} passes`);
}

lost("a lost outbox entry: a start that was committed but never queued is queued by the next pass", async () => {
	const scanId = await acceptedScan(store, {}, 2_100);
	const { watchdog, queued } = watchdogOn(store, null);
	await watchdog.pass();
	assert.equal(queued, [scanId]);
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended");
});

lost(
	"a lost job, a stalled consumer: what the queue does not deliver is claimed directly within twice the time",
	async () => {
		// The queue takes the job and never gives it to anybody.
		const scanId = await acceptedScan(store, {}, 4_100);
		const { watchdog } = watchdogOn(store, runtimeOn(store, quickEffects()));
		await watchdog.pass();
		assert.is(
			(await recordOf(store, scanId)).position,
			"queued",
			"a worker that has just become free waits for the queue",
		);
		assert.is(await passUntilClaimed(watchdog, scanId, 3), 1);
		assert.is((await untilRecord(store, scanId, ended)).position, "completed");
	},
);

lost("what is claimed past a stalled queue keeps its order: a lane that fills it does not go first", async () => {
	const full: string[] = [];
	for (let i = 0; i < 4; i++) full.push(await acceptedScan(store, {}, 9_000 - i));
	const [first, second] = [await acceptedScan(store, {}, 4_200), await acceptedScan(store, {}, 4_100)];
	const hang = quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) });
	const runtime = runtimeOn(store, hang, { capacity: 3 });
	const order = [full[0] ?? "", first, second, ...full.slice(1)];
	const { watchdog } = watchdogOn(store, runtime, { queueOrder: async () => order });
	await watchdog.pass();
	assert.is(runtime.active(), 0, "a worker that has just become free waits for the queue");
	await watchdog.pass();
	assert.is(runtime.active(), 3);
	for (const scanId of order.slice(0, 3)) await untilRecord(store, scanId, ({ worker_id }) => worker_id !== null);
	for (const scanId of order.slice(3)) assert.is((await recordOf(store, scanId)).worker_id, null);
	await runtime.handOver();
	for (const scanId of order) await runtimeOn(store, quickEffects()).run(scanId);
});

lost("a dead worker: its lease ends and the scan goes on elsewhere, and the journal says why", async () => {
	const scanId = await acceptedScan(store);
	const dying = runtimeOn(store, quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) }), {
		settings: { lease_ms: 1_000, heartbeat_ms: 600_000 },
		// A dead worker gives nothing back.
		writer: { ...store.writer, release: async () => undefined },
	});
	const died = dying.run(scanId);
	await untilRecord(store, scanId, ({ position }) => position === "strategies_scan");
	const { watchdog } = watchdogOn(store, runtimeOn(store, quickEffects()));
	await untilRecord(store, scanId, ({ lease_until_ms }) => (lease_until_ms ?? 0) < store.clock.now());
	await watchdog.pass();
	const { position, context } = await untilRecord(store, scanId, ended);
	assert.is(position, "completed");
	assert.is(context.resumes, 1);
	const journal = await store.reader.journal(scanId, 0, 1_000);
	assert.is(journal.find(({ type }) => type === "scan.resumed")?.payload.cause, "lease_lost");
	// The dead one wakes up and learns that it holds nothing, or has seen its own lease run out.
	dying.lookAtInbox(scanId);
	await dying.handOver();
	assert.ok(["fenced", "given_up", "released", "ended"].includes(await died));
	assert.is((await recordOf(store, scanId)).revision, journal.at(-1)?.seq);
});

lost(
	"a missing deadline: scans that all indexes have lost are listed again from their records, and ended",
	async () => {
		const overdue = await acceptedScan(store, { budget_ms: 1_000, ranking_reserve_ms: 100 }, 5_000);
		const held = await acceptedScan(store);
		assert.is((await store.writer.claim(held, "dead", randomUUID(), 1, "normal")).kind, "granted");
		for (const scanId of [overdue, held]) await store.writer.unlist(scanId);
		const { watchdog } = watchdogOn(store, runtimeOn(store, quickEffects()));
		const { log, told } = rememberingLog();
		const { watchdog: other } = watchdogOn(store, null, { log });
		await other.pass();
		assert.is(told.filter(({ message }) => message.includes("listed again")).length, 2);
		assert.ok((await client.zscore(globalKeys.due, overdue)) !== null);
		assert.ok((await client.zscore(globalKeys.leases, held)) !== null);
		await watchdog.pass();
		assert.is((await untilRecord(store, overdue, ended)).context.end?.error?.code, "not_claimed");
		assert.is((await untilRecord(store, held, ended)).position, "completed");
		await watchdog.pass();
		assert.is(await client.zscore(globalKeys.due, overdue), null, "an ended scan is not listed again");
	},
);

lost("one scan that cannot be treated, or one list that fails, keeps no other from being treated", async () => {
	const scanId = await acceptedScan(store, {}, 2_100);
	const { log, told } = rememberingLog();
	const writer = { ...store.writer, overdue: () => Promise.reject(new Error("no list")) };
	const { watchdog, queued } = watchdogOn(store, null, { log, writer });
	const before = await store.writer.lastSweepMs();
	await watchdog.pass();
	assert.ok(queued.includes(scanId));
	assert.is(told[0]?.message, "watchdog could not look");
	assert.is(await store.writer.lastSweepMs(), before, "a pass that is not whole is not noted");
	await runtimeOn(store, quickEffects()).run(scanId);
});

lost("a watchdog whose pass hangs begins the next one after its limit", async () => {
	const clock = new ManualClock();
	let asked = 0;
	const writer = {
		...store.writer,
		noteSweep: () => {
			asked += 1;
			return asked === 1 ? new Promise<void>(() => {}) : store.writer.noteSweep();
		},
	};
	const { watchdog } = watchdogOn(store, null, { clock, writer });
	const before = store.clock.now();
	watchdog.start();
	const signal = AbortSignal.timeout(10_000);
	let advancedMs = 0;
	while (asked < 2 && !signal.aborted) {
		await clock.advance(500);
		advancedMs += asked > 0 ? 500 : 0;
		await client.ping();
	}
	assert.is(asked, 2);
	assert.ok(advancedMs <= 10_000, `${advancedMs} ms after it hung, twice its limit at most`);
	await watchdog.stop();
	assert.ok(((await store.writer.lastSweepMs()) ?? 0) >= before);
});

lost("a watchdog that died is started again by its supervisor, within twice the time of a pass", async () => {
	const clock = new ManualClock();
	/** Loses the watchdog's first timer, as a loop that broke would. */
	let timers = 0;
	const losing = {
		now: () => clock.now(),
		setTimeout(callback: () => void, delayMs: number) {
			timers += 1;
			return timers === 1 ? null : clock.setTimeout(callback, delayMs);
		},
		clearTimeout: (handle: unknown) => clock.clearTimeout(handle),
	};
	const { log, told } = rememberingLog();
	let noted = 0;
	const noteSweep = async () => {
		noted += 1;
	};
	const writer = { ...store.writer, noteSweep };
	const { watchdog } = watchdogOn(store, null, { clock: losing, writer });
	watchdog.start();
	const supervisor = superviseWatchdog({ watchdog, clock, log, settings: { watchdog_ms: 500 } });
	await clock.advance(5_000);
	assert.is(noted, 0);
	await clock.advance(3_000);
	assert.equal(told, [{ level: "error", message: "the watchdog has died; it is started again" }]);
	for (let turns = 0; noted === 0 && turns < 50; turns++) {
		await client.ping();
		await clock.advance(100);
	}
	assert.ok(noted > 0);
	supervisor.stop();
	await watchdog.stop();
	await settled();
	assert.is(clock.armed(), 0, "stopped, neither leaves a timer behind");
});

lost(
	"while no watchdog passes, every process says so: the age of the last pass grows and the sweeper is late",
	async () => {
		const health = (offsetMs: number) =>
			createHealthChecks({
				store: { ...store, clock: { ...store.clock, now: () => store.clock.now() + offsetMs } },
				market: { source: { name: "m" } },
				provision: { kind: "private" },
				config: { watchdogMs: 500 },
			} as unknown as Parameters<typeof createHealthChecks>[0]).sweeper.run();
		// Another process's watchdog does the work, and its pass is the one that counts.
		await watchdogOn(store, null).watchdog.pass();
		assert.is((await health(0)).ok, true);
		const late = await health(6_000);
		assert.is(late.ok, false);
		assert.ok(Number(late.age_ms) >= 6_000);
	},
);

lost("a poisoned snapshot: the scan ends failed beside its data, once, and nothing is overwritten", async () => {
	for (const [field, poison] of [
		["snapshot", '{"now_ms":'],
		["snapshot", "[]"],
		["input", "null"],
		["s:1", '{"strategy_id":7}'],
		["deadlines", '{"x":[1]}'],
	] as const) {
		const scanId = await acceptedScan(store);
		const hanging = runtimeOn(store, quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) }));
		const first = hanging.run(scanId);
		await untilRecord(store, scanId, ({ position }) => position === "strategies_scan");
		await hanging.handOver();
		await first;
		await client.hset(scanKeys(scanId).scan, field, poison);
		assert.ok((await recordOf(store, scanId)).damaged?.includes(field), "it can be shown all the same");
		const { log, told } = rememberingLog();
		await watchdogOn(store, runtimeOn(store, quickEffects(), { log }), { log }).watchdog.pass();
		const { position, context, epoch } = await untilRecord(store, scanId, ended);
		assert.is(position, "failed", field);
		assert.is(context.end?.error?.code, "internal_error");
		assert.match(context.end?.error?.message ?? "", new RegExp(`cannot be read: .*${field}`));
		assert.ok(context.strategies.every(({ verdict }) => verdict !== null));
		assert.is(await client.hget(scanKeys(scanId).scan, field), poison, "what was stored is still there");
		const [last] = (await store.reader.journal(scanId, 0, 1_000)).slice(-1);
		assert.is(last?.type, "scan.failed");
		assert.is(last?.payload.cause, "snapshot_unreadable");
		assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended");
		assert.is((await recordOf(store, scanId)).epoch, epoch, "it is not claimed again and again");
		assert.is(told.filter(({ level }) => level === "error").length, 1);
	}
});

lost(
	"a machine of another version is left to its own workers and ends at its deadline beside its snapshot",
	async () => {
		const scanId = await acceptedScan(store, { budget_ms: 3_000, ranking_reserve_ms: 100 }, 2_900);
		await client.hset(scanKeys(scanId).scan, { machine: "scan.v99", snapshot: '{"shape":"unknown"}' });
		assert.is(await runtimeOn(store, quickEffects()).run(scanId), "foreign");
		const { watchdog } = watchdogOn(store, null, { writer: shifted(store.writer, 5_000) });
		await untilRecord(store, scanId, ({ context }) => context.input.deadline_at_ms < store.clock.now());
		await watchdog.pass();
		const { context, position } = await recordOf(store, scanId);
		assert.is(position, "failed");
		assert.is(context.end?.error?.code, "internal_error");
		assert.is(await client.hget(scanKeys(scanId).scan, "snapshot"), '{"shape":"unknown"}');
	},
);

lost.run();
