import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createCommands } from "../../src/commands.ts";
import type { Effects } from "../../src/effects/contract.ts";
import { createBegunScans } from "../../src/runtime/begun-scans.ts";
import type { ScanStore } from "../../src/store/index.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import { deferred } from "../effects/fake-clock.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, untilRecord } from "../support/stuck.ts";
import { commandDeps, commandsOn, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

/** A scan that is run by the process that began it: its first commit is its claim. */
const begunScans = suite("runtime: scans begun here");

let redis: TestRedis;
let store: ScanStore;
begunScans.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
begunScans.after(() => redis.close());

let users = 20_000;
const quick = quickEffects();

/** A process that starts scans and runs them; what it asks of the store is noted. */
function process(overrides: Partial<ScanWriter> = {}, effects: Partial<Effects> = {}) {
	const asked: string[] = [];
	const writer: ScanWriter = { ...store.writer, ...overrides };
	const noting: ScanWriter = {
		...writer,
		claim: (...given) => {
			asked.push("claim");
			return writer.claim(...given);
		},
		take: async (...given) => {
			const taken = await writer.take(...given);
			asked.push(`take ${taken.result}`);
			return taken;
		},
	};
	const begun = createBegunScans();
	const runtime = runtimeOn(store, quickEffects(effects), { writer: noting, begun });
	const commands = createCommands({ ...commandDeps(store, async () => {}), begun });
	const start = async (): Promise<string> => {
		users += 1;
		return (await commands.startScan(viewer(users), startRequest())).scan_id;
	};
	return { asked, runtime, start };
}

const typesOf = async (scanId: string): Promise<string[]> =>
	(await store.reader.journal(scanId, 0, 1_000)).map(({ type }) => type);

begunScans("are claimed by their first commit, without being read", async () => {
	const { asked, runtime, start } = process();
	const scanId = await start();
	assert.is(await runtime.run(scanId), "ended");
	assert.equal(asked, ["take ok"]);
	const ended = await recordOf(store, scanId);
	assert.is(ended.position, "completed");
	assert.is(ended.epoch, 1);
	assert.is(ended.worker_id, runtime.workerId);
	const [created, claimed, ...rest] = await typesOf(scanId);
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
	assert.equal(await typesOf(taken), await typesOf(claimed));
	const [a, b] = [await recordOf(store, taken), await recordOf(store, claimed)];
	assert.equal(Object.keys(a.context), Object.keys(b.context));
	const found = (record: typeof a) =>
		record.context.strategies.map(({ strategy_id, tally }) => ({ strategy_id, tally }));
	assert.equal(found(a), found(b));
	assert.equal([a.epoch, a.revision, a.position], [b.epoch, b.revision, b.position]);
});

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
	await commandsOn(store, async () => {}).cancelScan(viewer(users), scanId);
	const before = await typesOf(scanId);
	assert.is(await runtime.run(scanId), "ended");
	assert.equal(asked, ["take refused", "claim"]);
	assert.is((await recordOf(store, scanId)).position, "cancelled");
	assert.equal(await typesOf(scanId), before);
});

begunScans("see a command that came before they were claimed", async () => {
	const { runtime, start } = process();
	const scanId = await start();
	const event = { type: "scan.cancel_requested", by: "somebody", reason: null, superseded_by: null };
	assert.is(await store.writer.send(scanId, event), "ok");
	assert.is(await runtime.run(scanId), "ended");
	assert.is((await recordOf(store, scanId)).position, "cancelled");
});

begunScans("whose first commit was written but not answered go on under the same claim", async () => {
	let lost = false;
	const { asked, runtime, start } = process({
		take: async (...given) => {
			const taken = await store.writer.take(...given);
			if (lost) return taken;
			lost = true;
			throw new Error("Connection is closed.");
		},
	});
	const scanId = await start();
	assert.is(await runtime.run(scanId), "ended");
	assert.equal(asked, ["take duplicate"]);
	const ended = await recordOf(store, scanId);
	assert.equal([ended.epoch, ended.position], [1, "completed"]);
	assert.is((await typesOf(scanId)).filter((type) => type === "scan.claimed").length, 1);
});

begunScans("are held by heartbeats from their first commit on", async () => {
	const go = deferred<void>();
	const { runtime, start } = process(
		{},
		{ fetchPortfolio: (...given) => go.promise.then(() => quick.fetchPortfolio(...given)) },
	);
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

begunScans("are forgotten when too many others were begun since", async () => {
	const begun = createBegunScans();
	for (let n = 0; n < 300; n++) begun.note({ scan_id: `scan_${n}` } as never);
	assert.is(begun.take("scan_0"), null);
	assert.ok(begun.take("scan_299"));
	assert.is(begun.take("scan_299"), null, "given out once");
});

begunScans.run();
