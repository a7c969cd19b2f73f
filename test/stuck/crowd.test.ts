import { randomUUID } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan, recordOf, untilLeaseIsOver, untilRecord, watchdogOn } from "../support/stuck.ts";
import { commandsOn, never, quickEffects, runtimeOn, viewer } from "../support/system.ts";

/** Many scans that nobody carries, at a time when everybody is busy. */
const crowd = suite("stuck: many scans at once");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;

crowd.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
crowd.after(() => redis.close());

/** A scan that was begun and whose holder has died; its lease is over. */
async function orphan(): Promise<string> {
	const scanId = await acceptedScan(store);
	const claim = await store.writer.claim(scanId, "dead", randomUUID(), 1, "normal");
	assert.is(claim.kind, "granted");
	await untilLeaseIsOver(store, scanId);
	return scanId;
}

crowd(
	"a worker that its queue never leaves a place takes over scans all the same, as many as it has places",
	async () => {
		const hang = quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) });
		const runtime = runtimeOn(store, hang, { capacity: 2 });
		const { watchdog } = watchdogOn(store, runtime);
		const delivered = [await acceptedScan(store), await acceptedScan(store)];
		for (const scanId of delivered) runtime.run(scanId);
		const begun = [await orphan(), await orphan(), await orphan()];
		await watchdog.pass();
		assert.is(runtime.active(), 4);
		assert.not.ok(runtime.hasRoom());
		for (const scanId of begun.slice(0, 2)) await untilRecord(store, scanId, ({ worker_id }) => worker_id !== "dead");
		const [first = "", , third = ""] = begun;
		assert.is((await recordOf(store, third)).worker_id, "dead", "no more than it has places");
		await commandsOn(store, async () => {}).cancelScan(viewer(), first);
		await runtime.run(first);
		await watchdog.pass();
		await untilRecord(store, third, ({ worker_id }) => worker_id === runtime.workerId);
		for (const scanId of delivered) assert.is((await recordOf(store, scanId)).terminal, false);
		await runtime.handOver();
		for (const scanId of [...delivered, ...begun]) await runtimeOn(store, quickEffects()).run(scanId);
	},
);

crowd.run();
