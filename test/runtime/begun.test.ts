import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects } from "../../src/effects/contract.ts";
import { replay } from "../../src/runtime/replay.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { globalKeys, scanKeys } from "../../src/store/keys.ts";
import { beginner, type Given, quick, typesOf, waiting } from "../support/begun.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, untilRecord } from "../support/stuck.ts";
import { assumedPortfolio, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";
import { until, within } from "../support/wait.ts";

/** A scan that is run by the process that starts it is made as claimed by it. */
const begunScans = suite("runtime: scans made as claimed");

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
const completed = (scanId: string) => untilRecord(store, scanId, ({ position }) => position === "completed");
const unqueued: Given = { reserve: () => null };

begunScans("are neither claimed nor read", async () => {
	const { asked, runtime, start } = process();
	const scanId = await start();
	const ended = await completed(scanId);
	assert.equal(asked, ["run as claimed"]);
	assert.is(ended.epoch, 1);
	assert.is(ended.worker_id, runtime.workerId);
	const [created, claimed, ...rest] = await typesOf(store, scanId);
	assert.equal([created, claimed, rest.at(-1)], ["scan.created", "scan.claimed", "scan.completed"]);
	await runtime.run(scanId);
	assert.not((await store.writer.leaseless(100)).includes(scanId));
});

begunScans("are accepted and told of before their first phase is over", async () => {
	const { go, effects } = waiting();
	const { asked, runtime, start } = process({ effects });
	const scanId = await within(start(), "the answer");
	assert.equal(asked, ["run as claimed"]);
	assert.is((await recordOf(store, scanId)).position, "portfolio_fetch");
	assert.not(await store.writer.isUnaccepted(scanId));
	go.resolve();
	assert.is(await runtime.run(scanId), "ended");
});

/** Everything that is stored of a scan but its rows, with moments and ids that differ from scan to scan taken out. */
async function storedOf(scanId: string): Promise<Record<string, Record<string, string>>> {
	const { scan, lifecycle, debug } = scanKeys(scanId);
	const { context } = await recordOf(store, scanId);
	const same = (text: string) =>
		text
			.replaceAll(scanId, "id")
			.replaceAll(context.input.user_id, "user")
			.replaceAll(context.worker_id ?? "nobody", "worker")
			.replaceAll(context.input.filter_key, "key")
			.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "then")
			.replaceAll(/\b1[5-9]\d{11}\b/g, "now")
			.replaceAll(/\[\d+,\d+\]/g, "from, to")
			.replaceAll(/"start_time(_monotonic)?":[\d.]+/g, "then")
			.replaceAll(/"duration_ms":\d+|"(\w+_)?ms":\d+/g, "ms");
	const parts = await Promise.all(
		Object.entries({ scan, lifecycle, debug }).map(async ([name, key]) => {
			const hash = await client.hgetall(key);
			delete hash.nonce;
			return [name, Object.fromEntries(Object.entries(hash).map(([field, text]) => [same(field), same(text)]))];
		}),
	);
	return Object.fromEntries(parts);
}

begunScans("leave the same record as those that are claimed and read", async () => {
	const taking = process();
	const taken = await taking.start();
	await completed(taken);
	const other = process(unqueued);
	const claimed = await other.start();
	assert.is(await runtimeOn(store, quickEffects(), { workerId: taking.runtime.workerId }).run(claimed), "ended");
	assert.equal(other.asked, []);
	assert.equal(await typesOf(store, taken), await typesOf(store, claimed));
	assert.equal(await storedOf(taken), await storedOf(claimed));
});

begunScans("with a portfolio that is known at once leave the same record as with one that is fetched", async () => {
	const asked: string[] = [];
	const fetched = assumedPortfolio();
	const strategies: Partial<Effects> = {
		async evaluateStrategy(effect, context) {
			assert.equal(await context.portfolio(), fetched.attachments.portfolio);
			return await quick.evaluateStrategy(effect, context);
		},
	};
	const fetchPortfolio: Effects["fetchPortfolio"] = async () => {
		asked.push("effect");
		return fetched;
	};
	const fails = () => {
		throw new Error("cannot be told");
	};
	const unwritable = { ...fetched, attachments: { documents: { portfolio: 1n } } };
	const scans: string[] = [];
	for (const portfolioAtOnce of [() => fetched, () => null, fails, () => unwritable, undefined]) {
		const given = { ...strategies, fetchPortfolio, ...(portfolioAtOnce && { portfolioAtOnce }) };
		const { start } = process({ effects: given });
		scans.push(await start());
		asked.push((await completed(scans.at(-1) ?? "")).position);
	}
	assert.equal(asked, ["completed", ...scans.slice(1).flatMap(() => ["effect", "completed"])]);
	const [first, ...rest] = await Promise.all(scans.map((scanId) => storedOf(scanId)));
	const types = await Promise.all(scans.map((scanId) => typesOf(store, scanId)));
	for (const one of rest) assert.equal(one, first);
	for (const one of types) assert.equal(one, types[0]);
	const documents = scans.map((scanId) => store.reader.document(scanId, "portfolio"));
	for (const document of await Promise.all(documents)) assert.equal(document, fetched.attachments.portfolio);
});

begunScans("can be replayed from their journal from the first entry on", async () => {
	const scanId = await process().start();
	const { context, revision } = await completed(scanId);
	const events = await store.reader.events(scanId, revision);
	const journal = await store.reader.journal(scanId, 0, 1_000);
	assert.equal(
		journal.map(({ seq }) => seq),
		Array.from({ length: revision }, (_, i) => i + 1),
	);
	const at = (seq: number) => replay(context.input, events, seq);
	assert.is(at(1)?.position, "queued");
	assert.is(at(2)?.position, "portfolio_fetch");
	assert.equal(at(revision)?.context, context);
});

begunScans("are held by heartbeats before their first commit", async () => {
	const { go, effects } = waiting();
	const { runtime, start } = process({ effects });
	const scanId = await start();
	try {
		const first = await recordOf(store, scanId);
		assert.equal([first.epoch, first.position], [1, "portfolio_fetch"]);
		const renewed = await untilRecord(
			store,
			scanId,
			(now) => Number(now.lease_until_ms) > Number(first.lease_until_ms),
		);
		assert.is(renewed.revision, first.revision, "not by a commit");
	} finally {
		go.resolve();
		await runtime.run(scanId);
	}
});

begunScans("stand in the index of leases and no longer among the unclaimed while they run", async () => {
	const { go, effects } = waiting();
	const { runtime, start } = process({ effects });
	const scanId = await start();
	try {
		assert.ok(await client.zscore(globalKeys.leases, scanId));
		// Nobody waits for that, so it may be done a moment later.
		await until(async () => (await client.zscore(globalKeys.unclaimed, scanId)) === null, "off that list");
		assert.ok(await client.zscore(globalKeys.leases, scanId));
	} finally {
		go.resolve();
		await runtime.run(scanId);
	}
});

begunScans("under a reserved id are claimed and read, because another process may have begun them too", async () => {
	const reserved = `scan_${"e".repeat(32)}`;
	const { asked, commands } = process();
	await commands.startScan(viewer(30_000), startRequest(), reserved);
	await completed(reserved);
	assert.equal(asked, ["run", "claim"]);
});

begunScans("that supersede another are run when that one has ended", async () => {
	const { go, effects } = waiting();
	const old = process({ effects });
	const first = await old.commands.startScan(viewer(30_001), startRequest());
	const { asked, commands } = process({ forceJoinMs: 0 });
	const forced = await commands.startScan(viewer(30_001), startRequest({ force_refresh: true }));
	assert.equal([forced.decision, forced.superseded_scan_id], ["superseded", first.scan_id]);
	assert.is((await recordOf(store, first.scan_id)).position, "cancelled");
	await completed(forced.scan_id);
	assert.equal(asked, ["run", "claim"], "it is claimed when it can run");
	go.resolve();
});

begunScans("that redrive another are claimed once, when they have been accepted", async () => {
	const { asked, commands, start } = process({
		effects: { evaluateStrategy: () => Promise.reject(new Error("as planned")) },
	});
	const failed = await start();
	assert.is((await untilRecord(store, failed, ({ terminal }) => terminal)).position, "failed");
	const { user_id } = await recordOf(store, failed);
	const { scan_id } = await commands.redriveScan({ user_id, role: "trader" }, failed, null);
	await untilRecord(store, scan_id, ({ terminal }) => terminal);
	assert.equal(asked, ["run as claimed", "run", "claim"]);
});

begunScans.run();
