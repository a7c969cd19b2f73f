import { suite } from "uvu";
import * as assert from "uvu/assert";
import { newScan } from "../../src/commands/plan.ts";
import type { Effects } from "../../src/effects/contract.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ScanStore } from "../../src/store/index.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import { projections } from "../../src/views/projections.ts";
import { deferred } from "../effects/fake-clock.ts";
import { beginner, CANCEL, type Given, lastUser, quick, SHORT, typesOf, waiting } from "../support/begun.ts";
import { scanInput } from "../support/scan-input.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, untilRecord } from "../support/stuck.ts";
import { never, runtimeOn, startRequest, viewer } from "../support/system.ts";
import { until, within } from "../support/wait.ts";

/** A scan that is made as claimed, where somebody or something comes between. */
const begunScans = suite("runtime: scans made as claimed, in trouble");

let redis: TestRedis;
let store: ScanStore;
begunScans.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
begunScans.after(() => redis.close());
const process = (given: Given = {}) => beginner(store, given);
const away = () => Promise.reject(new Error("Connection is closed."));

begunScans("hear a command that comes before they run", async () => {
	let listening: Runtime | null = null;
	const { runtime, start } = process({
		starting: {
			async begin(scan, claim) {
				const decided = await store.writer.begin(scan, claim);
				assert.is(await store.writer.send(scan.scan_id, CANCEL), "ok");
				listening?.lookAtInbox(scan.scan_id);
				return decided;
			},
		},
		effects: { fetchPortfolio: ({ signal }) => never(signal) },
		settings: { lease_ms: 60_000, heartbeat_ms: 50_000 },
	});
	listening = runtime;
	const scanId = await start();
	assert.is(await within(runtime.run(scanId), "the cancel"), "ended");
	assert.is((await recordOf(store, scanId)).position, "cancelled");
});

begunScans("whose start joins another after all leave no record and no place taken", async () => {
	const { go, effects } = waiting();
	const first = process({ effects });
	const { scan_id } = await first.commands.startScan(viewer(40_000), startRequest());
	let made = "";
	// The answer to the question who is active was on its way when the other one started.
	const second = process({
		starting: {
			activeScan: async () => null,
			begin(scan, claim) {
				made = scan.scan_id;
				return store.writer.begin(scan, claim);
			},
		},
	});
	const joined = await second.commands.startScan(viewer(40_000), startRequest());
	assert.equal([joined.decision, joined.scan_id], ["joined", scan_id]);
	assert.is.not(made, scan_id);
	assert.equal(second.asked, []);
	assert.is(await store.reader.read(made), null);
	assert.is(await store.reader.document(made, "portfolio"), null, "which was made with it");
	assert.not((await store.writer.leaseless(1_000)).includes(made));
	await until(async () => second.runtime.active() === 0, "the place is given back");
	go.resolve();
	assert.is(await first.runtime.run(scan_id), "ended");
});

begunScans("whose start fails leave no place taken and no lease", async () => {
	const made: string[] = [];
	const begin: ScanWriter["begin"] = async (scan, claim) => {
		await store.writer.begin(scan, claim);
		made.push(scan.scan_id);
		throw new Error("Connection is closed.");
	};
	const { runtime, start, asked } = process({
		starting: { begin },
		settings: { lease_ms: 60_000, heartbeat_ms: 50_000 },
	});
	await start().then(
		() => assert.unreachable("it fails"),
		() => undefined,
	);
	await until(async () => runtime.active() === 0, "the place is given back");
	assert.equal(asked, []);
	const [scanId = ""] = made;
	await until(async () => (await store.writer.leaseless(1_000)).includes(scanId), "the lease is given back");
	assert.is(await runtimeOn(store, quick).run(scanId), "unaccepted");
	assert.ok(await store.writer.isUnaccepted(scanId), "a watchdog finishes its start");
	assert.ok(await store.writer.accept(scanId));
	assert.is(await runtimeOn(store, quick).run(scanId), "ended");
	const { context, epoch } = await recordOf(store, scanId);
	assert.equal([context.resumes, epoch], [0, 2], "nobody has lost it");
});

begunScans("whose start fails after they have begun to run keep their lease", async () => {
	const { go, effects } = waiting();
	const released: string[] = [];
	let running = "";
	const { runtime, start, asked } = process({
		effects,
		starting: {
			accept(scanId) {
				running = scanId;
				return away();
			},
			release(scanId, epoch) {
				released.push(scanId);
				return store.writer.release(scanId, epoch);
			},
		},
	});
	await start().then(
		() => assert.unreachable("it fails"),
		() => undefined,
	);
	assert.equal([asked, released], [["run as claimed"], []]);
	go.resolve();
	assert.is(await runtime.run(running), "ended");
	assert.is((await recordOf(store, running)).epoch, 1);
});

begunScans("whose start gives up its id while another has accepted it give the lease back", async () => {
	let given = "";
	const begin: ScanWriter["begin"] = async (scan, claim) => {
		const decided = await store.writer.begin(scan, claim);
		if (given !== "") return decided;
		given = scan.scan_id;
		assert.ok(await store.writer.accept(given));
		return null;
	};
	const { start, asked } = process({ starting: { begin }, settings: { lease_ms: 60_000, heartbeat_ms: 50_000 } });
	assert.is(await start(), given, "it joins what was made of its own record");
	assert.equal(asked, []);
	await until(async () => (await store.writer.leaseless(1_000)).includes(given), "the lease is given back");
	assert.is(await runtimeOn(store, quick).run(given), "ended");
	assert.is((await recordOf(store, given)).context.resumes, 0);
});

begunScans(
	"that nobody has accepted are run by nobody, and stay listed for who finishes or clears away their start",
	async () => {
		const scan_id = `scan_${"d".repeat(32)}`;
		const taker = { worker_id: "dead", nonce: "n", lease_ms: 1 };
		await store.writer.create(
			newScan(scanInput({ scan_id, accepted_at_ms: store.clock.now() - 1_000 }), projections, {}, taker),
		);
		await until(async () => (await store.writer.leaseless(1_000)).includes(scan_id), "its lease is over");
		assert.is(await runtimeOn(store, quick, { settings: SHORT }).run(scan_id), "unaccepted");
		assert.is(await store.reader.read(scan_id), null);
		assert.not((await store.writer.walk(100_000)).includes(scan_id), "no index has lost it");
		assert.ok(await store.writer.accept(scan_id));
		await until(async () => (await store.writer.leaseless(1_000)).includes(scan_id), "its lease leads to it as before");
		assert.is(await runtimeOn(store, quick).run(scan_id), "ended");
	},
);

const { fetchPortfolio } = quick;
for (const [by, settings, portfolio] of [
	["first commit", { lease_ms: 60_000, heartbeat_ms: 50_000 }, { fetchPortfolio }],
	["first heartbeat, where that comes before it", SHORT, {}],
] as const)
	begunScans(`whose acceptance is not answered are accepted by their ${by}`, async () => {
		const go = deferred<void>();
		const discoverAssets: Effects["discoverAssets"] = (...given) =>
			go.promise.then(() => quick.discoverAssets(...given));
		const effects = { discoverAssets, ...portfolio };
		const { asked, runtime, start } = process({ starting: { accept: away }, effects, settings });
		await start().then(
			() => assert.unreachable("the start fails"),
			() => undefined,
		);
		assert.equal(asked, ["run as claimed"]);
		const run = await store.writer.activeScan(viewer(lastUser()).user_id, `key-${lastUser()}`);
		await until(
			async () => (await store.reader.read(run?.scan_id ?? ""))?.position === "asset_discovery",
			"it is accepted",
		);
		assert.not(await store.writer.isUnaccepted(run?.scan_id ?? ""), "it is not queued by a watchdog");
		go.resolve();
		await until(async () => runtime.active() === 0, "the run is over");
		const fresh = () => store.writer.freshScan(viewer(lastUser()).user_id, `key-${lastUser()}`);
		await until(async () => (await fresh()) !== null, "it is booked");
		assert.is((await recordOf(store, (await fresh())?.scan_id ?? "")).position, "completed");
	});

begunScans(
	"whose record was cleared away before it was accepted end unnoticed, and the start makes another",
	async () => {
		const dropped: string[] = [];
		const { start, asked, runtime } = process({
			starting: {
				async begin(scan, claim) {
					const decided = await store.writer.begin(scan, claim);
					if (dropped.length === 0) {
						assert.ok(await store.writer.drop(scan.scan_id));
						dropped.push(scan.scan_id);
					}
					return decided;
				},
			},
		});
		const scanId = await start();
		assert.not(dropped.includes(scanId));
		await untilRecord(store, scanId, ({ position }) => position === "completed");
		assert.equal(asked, ["run as claimed", "run as claimed"]);
		await until(async () => runtime.active() === 0, "both runs are over");
		assert.is(await store.reader.read(String(dropped[0])), null);
	},
);

begunScans("whose first commit was written but not answered go on under the same claim", async () => {
	let lost = false;
	const commit: ScanWriter["commit"] = async (...given) => {
		const answer = await store.writer.commit(...given);
		if (lost) return answer;
		lost = true;
		throw new Error("Connection is closed.");
	};
	const { start } = process({ writer: { commit } });
	const scanId = await start();
	const ended = await untilRecord(store, scanId, ({ terminal }) => terminal);
	assert.equal([ended.epoch, ended.position], [1, "completed"]);
	assert.is((await typesOf(store, scanId)).filter((type) => type === "scan.claimed").length, 1);
});

begunScans("are handed over when the process is about to end, also in the middle of their start", async () => {
	for (const when of ["start", "run"] as const) {
		const { go, effects } = waiting();
		const reached = deferred<void>();
		const start = deferred<void>();
		const held = process({
			effects,
			starting: {
				async begin(scan, claim) {
					const decided = await store.writer.begin(scan, claim);
					reached.resolve();
					if (when === "start") await start.promise;
					return decided;
				},
			},
		});
		const starting = held.start();
		await reached.promise;
		if (when === "run") await starting;
		const over = held.runtime.handOver();
		start.resolve();
		const scanId = await starting;
		await within(over, "the hand-over");
		go.resolve();
		assert.is(await runtimeOn(store, quick).run(scanId), "ended");
		const { epoch, context } = await recordOf(store, scanId);
		assert.equal([epoch, context.resumes], [2, 0], "a lease that was given back");
		assert.is(held.runtime.reserve("scan_late"), null, "nothing more is taken");
	}
});

begunScans("are let go when nobody answers for the whole lease, and lose no time of their phases by it", async () => {
	const { runtime, start } = process({
		writer: { commit: away, heartbeat: away },
		limits: { portfolio_timeout_ms: 300, budget_ms: 6_000 },
		settings: SHORT,
	});
	const startedAt = store.clock.now();
	const scanId = await start();
	assert.is(await within(runtime.run(scanId), "the end of the lease"), "given_up");
	// Longer than the limit of the phase.
	assert.ok(store.clock.now() - startedAt >= SHORT.lease_ms - 100);
	await until(async () => (await runtimeOn(store, quick).run(scanId)) === "ended", "another has it");
	assert.is((await recordOf(store, scanId)).position, "completed");
});

begunScans.run();
