import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Place } from "../../src/queue/dispatch.ts";
import type { Granted } from "../../src/runtime/claimed.ts";
import type { Reservation } from "../../src/runtime/runtime.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { beginner, type Given, quick, SHORT, typesOf } from "../support/begun.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, watchdogOn } from "../support/stuck.ts";
import { commandsOn, runtimeOn, viewer } from "../support/system.ts";
import { until, within } from "../support/wait.ts";

/** A scan that is made as claimed by a process which then stands still before it runs it. */
const frozenScans = suite("runtime: scans made as claimed and not run");

let redis: TestRedis;
let store: ScanStore;
frozenScans.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
frozenScans.after(() => redis.close());

/** A process that makes scans as claimed and stands still before it runs them. */
function frozen(given: Given = {}) {
	const made: { place: Reservation; taken: Granted | null }[] = [];
	const reserve = (scanId: string): Place | null => {
		const place = held.runtime.reserve(scanId);
		return place && { ...place, run: (taken) => void made.push({ place, taken }), leave: () => {} };
	};
	const held = beginner(store, { settings: SHORT, reserve, ...given });
	/** How the run ends once the process goes on. */
	const thaw = () => {
		const [one] = made;
		if (!one) throw new Error("nothing was started");
		one.place.run(one.taken);
		return within(one.place.answer, "its run");
	};
	return { ...held, thaw };
}

frozenScans("are refused to others while their lease runs, and theirs afterwards", async () => {
	// Accepted by another process, as a watchdog does for a start that has died.
	const elsewhere = await redis.store();
	const { start, thaw, runtime } = frozen({
		settings: { ...SHORT, lease_ms: 2_500 },
		starting: { accept: elsewhere.writer.accept },
	});
	const scanId = await start();
	assert.is((await recordOf(store, scanId)).worker_id, runtime.workerId);
	const other = runtimeOn(store, quick);
	assert.is(await other.run(scanId), "held");
	await store.writer.lastSweepMs();
	assert.not((await store.writer.unclaimed(0, 1_000)).includes(scanId), "nobody queues it again and again");
	await until(async () => (await other.run(scanId)) !== "held", "its lease is over");
	const ended = await recordOf(store, scanId);
	assert.equal([ended.epoch, ended.position, ended.context.resumes], [2, "completed", 1]);
	assert.is(await thaw(), "given_up");
	assert.equal(await recordOf(store, scanId), ended, "who wakes up late changes nothing");
});

frozenScans(
	"that their process did not run are found by their lease and run by whichever watchdog sees it",
	async () => {
		const { start } = frozen();
		const scanId = await start();
		const { watchdog } = watchdogOn(store, runtimeOn(store, quick));
		// The index is a moment ahead of the lease.
		await until(async () => {
			await watchdog.pass();
			return (await recordOf(store, scanId)).position === "completed";
		}, "a pass finds it");
	},
);

frozenScans("are fenced when somebody has taken them in spite of their lease", async () => {
	const { start, thaw } = frozen({ settings: { lease_ms: 60_000, heartbeat_ms: 50_000 } });
	const scanId = await start();
	const claim = await store.writer.claim(scanId, "apply:other", "nonce", 60_000, "always");
	assert.is(claim.kind === "granted" && claim.record.epoch, 2);
	assert.is(await thaw(), "fenced");
	const record = await recordOf(store, scanId);
	assert.equal(
		[record.epoch, record.worker_id, record.revision],
		[2, "apply:other", claim.kind === "granted" && claim.record.revision],
	);
});

frozenScans("that were cancelled before they ran are not run", async () => {
	const { start, thaw } = frozen({ settings: { lease_ms: 60_000, heartbeat_ms: 50_000 } });
	const scanId = await start();
	await commandsOn(store, async () => {}).cancelScan(viewer(1), scanId);
	const before = await typesOf(store, scanId);
	assert.is(await thaw(), "fenced");
	assert.is((await recordOf(store, scanId)).position, "cancelled");
	assert.equal(await typesOf(store, scanId), before);
});

frozenScans.run();
