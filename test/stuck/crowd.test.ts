import { randomUUID } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createWatchdog } from "../../src/runtime/watchdog.ts";
import type { ScanReader } from "../../src/store/contract.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import { ManualClock, START_MS } from "../effects/fake-clock.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan, recordOf, rememberingLog, untilLeaseIsOver, untilRecord, watchdogOn } from "../support/stuck.ts";
import { commandDeps, commandsOn, never, quickEffects, runtimeOn, viewer } from "../support/system.ts";

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

/**
 * The watchdog of a process without a Redis, over scans that are past their deadline: `held` ones, which their workers
 * may still end, stand before `lost` ones, which nobody took. Each end takes `endMs`.
 */
function overdueScans(held: number, lost: number, endMs: number) {
	const clock = new ManualClock();
	const numbered = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}-${i}`);
	const due = new Set([...numbered("held", held), ...numbered("lost", lost)]);
	const ends: string[] = [];
	const asked: string[] = [];
	const none = (name: string) => async () => {
		asked.push(name);
		return [];
	};
	const writer = {
		now: () => clock.now(),
		overdue: async (limit: number) => [...due].slice(0, limit),
		leaseless: none("leaseless"),
		unclaimed: none("unclaimed"),
		walk: none("walk"),
		purgeTombstones: async () => 0,
		noteSweep: async () => undefined,
		async claim(scanId: string) {
			await clock.advance(endMs, endMs);
			ends.push(scanId);
			return { kind: "ended" };
		},
	} as unknown as ScanWriter;
	const reader = {
		read: async (scan_id: string) => ({
			scan_id,
			terminal: ends.includes(scan_id),
			context: {
				claimed_at_ms: scan_id.startsWith("held") ? START_MS : null,
				input: { deadline_at_ms: clock.now() - 1_000 },
			},
		}),
	} as unknown as ScanReader;
	const watchdog = createWatchdog({
		writer,
		reader,
		clock,
		log: rememberingLog().log,
		apply: { ...commandDeps(store, async () => {}).apply, writer },
		runtime: null,
		finishStart: async () => true,
		book: async ({ scan_id }) => void due.delete(scan_id),
		settings: { watchdog_ms: 500, lease_ms: 2_000 },
	});
	return { watchdog, ends, asked };
}

crowd("scans that fall due together end in one pass, also behind those that their workers may still end", async () => {
	const { watchdog, ends, asked } = overdueScans(120, 230, 1);
	await watchdog.pass();
	assert.is(ends.length, 230);
	assert.is(new Set(ends).size, 230, "each once");
	assert.equal(asked, ["leaseless", "unclaimed", "walk"]);
});

crowd("more than a pass has time for leave the rest of it its turn, and are gone on with in the next", async () => {
	const { watchdog, ends, asked } = overdueScans(0, 500, 20);
	await watchdog.pass();
	assert.is(ends.length, 100, "two seconds' worth");
	assert.equal(asked, ["leaseless", "unclaimed", "walk"]);
	await watchdog.pass();
	assert.is(ends.length, 200);
});

crowd.run();
