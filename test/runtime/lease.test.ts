/** A worker that the store does not answer lets go of its scan when the lease runs out, and of nothing sooner. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects } from "../../src/effects/contract.ts";
import { KeptRoom } from "../../src/runtime/kept-results.ts";
import { holdLease } from "../../src/runtime/lease.ts";
import type { Heartbeat } from "../../src/store/write-contract.ts";
import { type Deferred, deferred, ManualClock, settled } from "../effects/fake-clock.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { untilLeaseIsOver } from "../support/stuck.ts";
import { commandsOn, foundReport, never, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";
import { within } from "../support/wait.ts";

const test = suite("lease");

const LEASE_MS = 6_000;
const HEARTBEAT_MS = 2_000;

/** A lease on a store whose heartbeats are answered by hand. */
function leaseOn(clock: ManualClock, leftMs = LEASE_MS, accepts = () => false) {
	const beats: Deferred<Heartbeat>[] = [];
	const accepting: unknown[] = [];
	const lost: string[] = [];
	const news: string[] = [];
	const granted = { record: { scan_id: "scan_1", epoch: 3 }, lease_until_ms: clock.now() + leftMs };
	const writer = {
		now: () => clock.now(),
		heartbeat: (_scanId: string, _epoch: number, _leaseMs: number, accepted: boolean) => {
			accepting.push(accepted);
			const beat = deferred<Heartbeat>();
			beats.push(beat);
			return beat.promise;
		},
	};
	const deps = { writer, clock, log: testLogger(), settings: { lease_ms: LEASE_MS, heartbeat_ms: HEARTBEAT_MS } };
	const lease = holdLease(deps as unknown as Parameters<typeof holdLease>[0], granted as never, {
		lost: (end) => void lost.push(end),
		turns: () => true,
		accepts,
		inbox: (newest) => void news.push(newest),
	});
	lease.start();
	return { lease, beats, accepting, lost, news };
}

const ok: Heartbeat = { status: "ok", inbox_newest: "" };

test("without an answer it is lost exactly when it runs out", async () => {
	const clock = new ManualClock();
	const { beats, lost } = leaseOn(clock);
	await clock.advance(LEASE_MS - 100);
	assert.equal(lost, []);
	await clock.advance(100);
	assert.equal(lost, ["given_up"]);
	assert.is(beats.length, 1);
});

test("its beats accept the scan for as long as nothing of it is committed", async () => {
	const clock = new ManualClock();
	let isCommitted = false;
	const { beats, accepting } = leaseOn(clock, LEASE_MS, () => !isCommitted);
	await clock.advance(HEARTBEAT_MS);
	beats[0]?.resolve(ok);
	await settled();
	isCommitted = true;
	await clock.advance(HEARTBEAT_MS);
	assert.equal(accepting, [true, false]);
});

test("one that was made a while ago is renewed before it runs out", async () => {
	const clock = new ManualClock();
	const { beats, lost } = leaseOn(clock, 1_500);
	await clock.advance(750);
	assert.is(beats.length, 1);
	beats[0]?.resolve(ok);
	await settled();
	await clock.advance(HEARTBEAT_MS - 1);
	assert.equal([beats.length, lost], [1, []]);
});

test("a renewal counts from when it was sent, not from when it was answered", async () => {
	const clock = new ManualClock();
	const { beats, lost } = leaseOn(clock);
	await clock.advance(HEARTBEAT_MS + 100);
	assert.is(beats.length, 1);
	const sentAtMs = clock.now() - 100;
	await clock.advance(3_000);
	beats[0]?.resolve(ok);
	await settled();
	await clock.advance(sentAtMs + LEASE_MS - clock.now() - 100);
	assert.equal(lost, []);
	await clock.advance(100);
	assert.equal(lost, ["given_up"]);
});

test("answered heartbeats and commits keep it; a refusal ends it at once; a stopped one is silent", async () => {
	const clock = new ManualClock();
	const { lease, beats, lost, news } = leaseOn(clock);
	assert.is(beats.length, 0, "the claim is the first beat");
	for (let i = 0; i < 10; i++) {
		await clock.advance(HEARTBEAT_MS);
		beats[i]?.resolve({ status: "ok", inbox_newest: `${i}-0` });
		await settled();
	}
	assert.equal(lost, []);
	assert.is(news.length, 10);
	await clock.advance(HEARTBEAT_MS);
	beats[10]?.reject(new Error("Command timed out"));
	await clock.advance(HEARTBEAT_MS);
	lease.renewed(clock.now());
	await clock.advance(LEASE_MS - 100);
	assert.equal(lost, []);
	beats[11]?.resolve({ status: "fenced", inbox_newest: "" });
	await settled();
	assert.equal(lost, ["fenced"]);
	lease.stop();
	const armed = clock.armed();
	await clock.advance(3 * LEASE_MS);
	assert.equal([lost.length, armed, clock.armed()], [1, 0, 0]);
});

let redis: TestRedis;
test.before(async () => {
	redis = await startTestRedis();
});
test.after(() => redis.close());

const away = () => Promise.reject(new Error("Command timed out"));
const noQueue = async () => {};

test("cut off in the middle of a scan, a worker aborts its effects and another goes on", async () => {
	const store = await redis.store();
	const { scan_id } = await commandsOn(store, noQueue).startScan(viewer(1), startRequest());
	let cut = false;
	let aborted = 0;
	const hanging: Effects = quickEffects({
		evaluateStrategy(_, context) {
			cut = true;
			context.signal.addEventListener("abort", () => {
				aborted += 1;
			});
			return never(context.signal);
		},
	});
	/** The store as this worker sees it: gone as soon as its strategies run. */
	const writer = new Proxy(store.writer, {
		get: (target, name) => {
			const real = target[name as keyof typeof target];
			return cut && typeof real === "function" && name !== "now" ? away : real;
		},
	});
	const lease = { lease_ms: 400, heartbeat_ms: 100 };
	const run = runtimeOn(store, hanging, { writer, settings: lease }).run(scan_id);
	assert.is(await within(run, "the cut-off worker's end"), "given_up");
	assert.is(aborted, 3);
	// It counts its lease from when it sent a renewal, the store from when that arrived: a little longer.
	await untilLeaseIsOver(store, scan_id);
	assert.is(await runtimeOn(store, quickEffects()).run(scan_id), "ended");
	const record = await store.reader.read(scan_id);
	assert.is(record?.position, "completed");
	assert.is(record?.context.resumes, 1);
});

/** Rows that are together longer than what the runs of the process keep of their own. */
const longRows: Partial<Effects> = {
	async evaluateStrategy(effect) {
		const id = `${effect.strategy_id}-row`;
		const row = { opportunity_id: id, strategy_id: effect.strategy_id, note: "x".repeat(150_000) };
		return { report: foundReport(effect), attachments: { rows: new Map([[id, row]]) } };
	},
};

test("rows that the store does not give at once are asked for again; the ranking does not fail", async () => {
	const store = await redis.store();
	const { scan_id } = await commandsOn(store, noQueue).startScan(viewer(2), startRequest());
	let refused = 0;
	const reader = {
		...store.reader,
		rows: (scanId: string, ids: readonly string[]) => {
			refused += 1;
			return refused <= 2 ? away() : store.reader.rows(scanId, [...ids]);
		},
	};
	const runtime = runtimeOn(store, quickEffects(longRows), { reader, keptRoom: new KeptRoom(262_144) });
	assert.is(await within(runtime.run(scan_id), "the run"), "ended");
	const record = await store.reader.read(scan_id);
	assert.equal([record?.position, record?.context.ranking?.ranked_count, refused], ["completed", 3, 3]);
});

test("rows that a run has committed itself are not read back; those of an earlier holder are", async () => {
	const store = await redis.store();
	let asked = 0;
	const reader = {
		...store.reader,
		rows: (scanId: string, ids: readonly string[]) => {
			asked += 1;
			return store.reader.rows(scanId, ids);
		},
	};
	const commands = commandsOn(store, noQueue);
	const whole = await commands.startScan(viewer(3), startRequest());
	assert.is(await runtimeOn(store, quickEffects(), { reader }).run(whole.scan_id), "ended");
	assert.is(asked, 0);

	const { scan_id } = await commands.startScan(viewer(4), startRequest());
	const ranking = deferred<void>();
	const hanging = quickEffects({
		rankOpportunities(context) {
			ranking.resolve();
			return never(context.signal);
		},
	});
	const stopping = runtimeOn(store, hanging);
	const first = stopping.run(scan_id);
	await within(ranking.promise, "the ranking");
	await stopping.handOver();
	assert.is(await first, "released");
	assert.is(await runtimeOn(store, quickEffects(), { reader }).run(scan_id), "ended");
	assert.equal([asked, (await store.reader.read(scan_id))?.context.ranking?.ranked_count], [1, 3]);
});

test.run();
