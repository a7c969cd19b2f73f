import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { newScan } from "../../src/commands/plan.ts";
import { createBegunScans } from "../../src/runtime/begun-scans.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { projections } from "../../src/views/projections.ts";
import { deferred } from "../effects/fake-clock.ts";
import { beginner, CANCEL, type Given, quick, SHORT, typesOf } from "../support/begun.ts";
import { scanInput } from "../support/scan-input.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf } from "../support/stuck.ts";
import { commandsOn, never, runtimeOn, viewer } from "../support/system.ts";
import { within } from "../support/wait.ts";

/** A scan that is run by the process that began it, where somebody or something comes between. */
const begunScans = suite("runtime: scans begun here, in trouble");

let redis: TestRedis;
let store: ScanStore;
begunScans.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
begunScans.after(() => redis.close());
const process = (given: Given = {}) => beginner(store, given);

begunScans("that another process has claimed stay its own", async () => {
	const { asked, runtime, start } = process();
	const scanId = await start();
	const claim = await store.writer.claim(scanId, "other", "nonce", 60_000, "normal");
	assert.is(claim.kind, "granted");
	assert.is(await runtime.run(scanId), "held");
	assert.equal(asked, ["take refused", "claim"]);
	const record = await recordOf(store, scanId);
	assert.equal([record.epoch, record.worker_id, record.revision], [1, "other", 1]);
});

begunScans("that were let go again are claimed and read", async () => {
	const { asked, runtime, start } = process();
	const scanId = await start();
	await store.writer.claim(scanId, "other", "nonce", 60_000, "normal");
	await store.writer.release(scanId, 1);
	assert.is(await runtime.run(scanId), "ended");
	assert.equal(asked, ["take refused", "claim"]);
	assert.is((await recordOf(store, scanId)).epoch, 2);
});

begunScans("that were cancelled before they ran are not run", async () => {
	const { asked, runtime, start } = process();
	const scanId = await start();
	await commandsOn(store, async () => {}).cancelScan(viewer(1), scanId);
	const before = await typesOf(store, scanId);
	assert.is(await runtime.run(scanId), "ended");
	assert.equal(asked, ["take refused", "claim"]);
	assert.is((await recordOf(store, scanId)).position, "cancelled");
	assert.equal(await typesOf(store, scanId), before);
});

begunScans("see a command that came before they were claimed", async () => {
	const { runtime, start } = process();
	const scanId = await start();
	assert.is(await store.writer.send(scanId, CANCEL), "ok");
	assert.is(await runtime.run(scanId), "ended");
	assert.is((await recordOf(store, scanId)).position, "cancelled");
});

begunScans("whose first commit was written but not answered go on under the same claim", async () => {
	let lost = false;
	const { asked, runtime, start } = process({
		writer: {
			take: async (...given) => {
				const taken = await store.writer.take(...given);
				if (lost) return taken;
				lost = true;
				throw new Error("Connection is closed.");
			},
		},
	});
	const scanId = await start();
	assert.is(await runtime.run(scanId), "ended");
	assert.equal(asked, ["take duplicate"]);
	const ended = await recordOf(store, scanId);
	assert.equal([ended.epoch, ended.position], [1, "completed"]);
	assert.is((await typesOf(store, scanId)).filter((type) => type === "scan.claimed").length, 1);
});

begunScans("are not run before they are accepted", async () => {
	const scan = newScan(scanInput({ scan_id: `scan_${"d".repeat(32)}` }), projections);
	await store.writer.create(scan);
	const begun = createBegunScans(systemClock);
	begun.note(scan);
	assert.is(await runtimeOn(store, quick, { begun }).run(scan.scan_id), "unaccepted");
	assert.is(await store.reader.read(scan.scan_id), null);
});

begunScans("are handed over after their first commit when the process is about to end", async () => {
	const go = deferred<void>();
	const reached = deferred<void>();
	const { runtime, start } = process({
		writer: {
			take: async (...given) => {
				reached.resolve();
				await go.promise;
				return store.writer.take(...given);
			},
		},
	});
	const scanId = await start();
	const run = runtime.run(scanId);
	await reached.promise;
	const over = runtime.handOver();
	go.resolve();
	assert.is(await run, "released");
	await over;
	assert.is(await runtimeOn(store, quick).run(scanId), "ended");
	const { epoch, context } = await recordOf(store, scanId);
	assert.equal([epoch, context.resumes], [2, 0], "a lease that was given back");
});

begunScans("that were never claimed here are not given back, whoever holds them", async () => {
	const { runtime, start } = process({
		writer: { take: () => Promise.reject(new Error("Connection is closed.")) },
		limits: { budget_ms: 6_000 },
		settings: SHORT,
	});
	const scanId = await start();
	await store.writer.claim(scanId, "other", "nonce", 60_000, "normal");
	const run = runtime.run(scanId);
	const over = runtime.handOver();
	assert.is(await run, "held", "after its lease would have been over it asks anew");
	await over;
	assert.ok(Number((await recordOf(store, scanId)).lease_until_ms) > store.clock.now());
});

begunScans("that break before they are claimed here are not given back, whoever holds them", async () => {
	const broken = () => {
		throw new Error("no projection");
	};
	const { runtime, start } = process({ projections: { ...projections, debugChanges: broken } });
	const scanId = await start();
	const claim = await store.writer.claim(scanId, "other", "nonce", 60_000, "normal");
	assert.is(claim.kind === "granted" && claim.record.epoch, 1, "the epoch that would have been taken");
	assert.is(await runtime.run(scanId), "given_up");
	assert.ok(Number((await recordOf(store, scanId)).lease_until_ms) > store.clock.now());
});

begunScans("lose no time of their phases to a store that was away", async () => {
	let away = true;
	const whileAway =
		<Given extends unknown[], Told>(real: (...given: Given) => Promise<Told>) =>
		(...given: Given): Promise<Told> =>
			away ? Promise.reject(new Error("Connection is closed.")) : real(...given);
	const { runtime, start } = process({
		writer: { take: whileAway(store.writer.take), claim: whileAway(store.writer.claim) },
		limits: { portfolio_timeout_ms: 300, budget_ms: 6_000 },
		settings: SHORT,
	});
	const scanId = await start();
	const startedAt = store.clock.now();
	// Longer than the lease of a test, and than the limit of the phase behind it.
	assert.match(await within(runtime.run(scanId).catch(String), "the end of the lease"), /Connection is closed/);
	assert.ok(store.clock.now() - startedAt >= SHORT.lease_ms);
	away = false;
	assert.is(await runtime.run(scanId), "ended");
	const { position, context } = await recordOf(store, scanId);
	assert.is(position, "completed");
	assert.ok(Number(context.claimed_at_ms) >= startedAt + SHORT.lease_ms, "claimed when it was claimed");
});

begunScans("hear a command that comes between a refused take and the claim", async () => {
	let listening: Runtime | null = null;
	const { runtime, start } = process({
		writer: {
			claim: async (...given) => {
				const claim = await store.writer.claim(...given);
				await store.writer.send(given[0], CANCEL);
				listening?.lookAtInbox(given[0]);
				return claim;
			},
		},
		effects: { fetchPortfolio: ({ signal }) => never(signal) },
		settings: { lease_ms: 60_000, heartbeat_ms: 50_000 },
	});
	listening = runtime;
	const scanId = await start();
	await store.writer.claim(scanId, "other", "nonce", 60_000, "normal");
	await store.writer.release(scanId, 1);
	assert.is(await within(runtime.run(scanId), "the cancel"), "ended");
	assert.is((await recordOf(store, scanId)).position, "cancelled");
});

begunScans.run();
