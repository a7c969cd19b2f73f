import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createBegunScans } from "../../src/runtime/begun-scans.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { globalKeys } from "../../src/store/keys.ts";
import { ManualClock } from "../effects/fake-clock.ts";
import { beginner, type Given, typesOf, waiting } from "../support/begun.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, untilRecord } from "../support/stuck.ts";
import { quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

/** A scan that is run by the process that began it: its first commit is its claim. */
const begunScans = suite("runtime: scans begun here");

let redis: TestRedis;
let store: ScanStore;
let client: Redis;
begunScans.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
});
begunScans.after(async () => {
	client.disconnect();
	await redis.close();
});
const process = (given: Given = {}) => beginner(store, given);

begunScans("are claimed by their first commit, without being read", async () => {
	const { asked, runtime, start } = process();
	const scanId = await start();
	assert.is(await runtime.run(scanId), "ended");
	assert.equal(asked, ["take ok"]);
	const ended = await recordOf(store, scanId);
	assert.is(ended.position, "completed");
	assert.is(ended.epoch, 1);
	assert.is(ended.worker_id, runtime.workerId);
	const [created, claimed, ...rest] = await typesOf(store, scanId);
	assert.equal([created, claimed, rest.at(-1)], ["scan.created", "scan.claimed", "scan.completed"]);
	for (const listed of [store.writer.unclaimed(0, 100), store.writer.leaseless(100)])
		assert.not((await listed).includes(scanId));
});

begunScans("leave the same record as those that are claimed and read", async () => {
	const taking = process();
	const taken = await taking.start();
	await taking.runtime.run(taken);
	const other = process();
	const claimed = await other.start();
	assert.is(await runtimeOn(store, quickEffects(), { workerId: taking.runtime.workerId }).run(claimed), "ended");
	assert.equal(await typesOf(store, taken), await typesOf(store, claimed));
	const [a, b] = [await recordOf(store, taken), await recordOf(store, claimed)];
	assert.equal(Object.keys(a.context), Object.keys(b.context));
	const found = (record: typeof a) =>
		record.context.strategies.map(({ strategy_id, tally }) => ({ strategy_id, tally }));
	assert.equal(found(a), found(b));
	assert.equal([a.epoch, a.revision, a.position], [b.epoch, b.revision, b.position]);
});

begunScans("are held by heartbeats from their first commit on", async () => {
	const { go, effects } = waiting();
	const { runtime, start } = process({ effects });
	const scanId = await start();
	const run = runtime.run(scanId);
	try {
		const first = await untilRecord(store, scanId, ({ epoch }) => epoch === 1);
		const renewed = await untilRecord(
			store,
			scanId,
			(now) => Number(now.lease_until_ms) > Number(first.lease_until_ms),
		);
		assert.is(renewed.revision, first.revision, "not by a commit");
	} finally {
		go.resolve();
		assert.is(await run, "ended");
	}
});

begunScans("stand in the index of leases and no longer among the unclaimed while they run", async () => {
	const { go, effects } = waiting();
	const { runtime, start } = process({ effects });
	const scanId = await start();
	const run = runtime.run(scanId);
	try {
		await untilRecord(store, scanId, ({ epoch }) => epoch === 1);
		// What nobody waits for is sent right behind the answer: one command later it has been carried out.
		await store.writer.lastSweepMs();
		assert.ok(await client.zscore(globalKeys.leases, scanId));
		assert.not(await client.zscore(globalKeys.unclaimed, scanId));
	} finally {
		go.resolve();
		assert.is(await run, "ended");
	}
});

begunScans("under a reserved id are read, because another process may have begun them too", async () => {
	const reserved = `scan_${"e".repeat(32)}`;
	const { asked, runtime, commands } = process();
	await commands.startScan(viewer(30_000), startRequest(), reserved);
	assert.is(await runtime.run(reserved), "ended");
	assert.equal(asked, ["claim"]);
});

begunScans("are forgotten after a time, and when too many others were begun since", async () => {
	const clock = new ManualClock();
	const begun = createBegunScans(clock);
	for (let n = 0; n < 300; n++) begun.note({ scan_id: `scan_${n}` } as never);
	assert.is(begun.take("scan_0"), null);
	assert.ok(begun.take("scan_299"));
	assert.is(begun.take("scan_299"), null, "given out once");
	await clock.advance(4_000);
	begun.note({ scan_id: "later" } as never);
	await clock.advance(1_500);
	assert.is(begun.take("scan_298"), null);
	assert.ok(begun.take("later"));
});

begunScans.run();
