import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Universe } from "../../src/market/contract.ts";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { globalKeys } from "../../src/store/keys.ts";
import { isStoreFailure } from "../../src/store-failure.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { acceptedScan, ended, recordOf, untilRecord, watchdogOn } from "../support/stuck.ts";
import { commandsOn, never, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";
import { within } from "../support/wait.ts";

const full = suite("stuck: a full Redis");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;
let client: Redis;
let canBeFull = false;

full.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
	// Only a real server from 7.0 on can be filled and told what may still be written.
	const version = /redis_version:(\d+)/.exec(await client.info("server").catch(() => ""))?.[1];
	canBeFull = redis.kind !== "memory" && Number(version) >= 7;
	if (!canBeFull) process.stdout.write("  skipped: a full Redis needs a redis-server 7 or newer on PATH\n");
});
full.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

const setFull = (isFull: boolean) => client.config("SET", "maxmemory", isFull ? "1" : "0");

/** Resolves when the operators' list names these ended scans. Nobody waits for it, so it may be a moment late. */
async function untilListed(scanIds: readonly string[]): Promise<void> {
	const listed = async (): Promise<string[]> =>
		(await client.lrange(globalKeys.recent, 0, -1)).map((text) => JSON.parse(text).scan_id);
	const all = async (): Promise<void> => {
		for (let known: string[] = []; !scanIds.every((id) => known.includes(id)); known = await listed()) await pause(10);
	};
	await within(all(), `the list of ended scans with ${scanIds}`, 5_000);
	const latest = (await client.get(globalKeys.latest)) ?? "";
	assert.ok(scanIds.includes(JSON.parse(latest).scan_id));
}

full("a scan in hand goes on without a place for its universe", async () => {
	if (!canBeFull) return;
	const universe = { assets: [] } as unknown as Universe;
	await setFull(true);
	try {
		await store.universes.put("refused", universe);
		assert.is(await store.universes.get("refused"), null, "who needs it discovers again");
	} finally {
		await setFull(false);
	}
	await store.universes.put("kept", universe);
	assert.equal(await store.universes.get("kept"), universe);
});

full("new scans are refused, scans in hand are carried on, cancelled and ended, and nothing is lost", async () => {
	if (!canBeFull) return;
	let go: () => void = () => {};
	const held = new Promise<void>((resolve) => {
		go = resolve;
	});
	const effects = quickEffects({
		async evaluateStrategy(effect, context) {
			await held;
			return quickEffects().evaluateStrategy(effect, context);
		},
	});
	const running = await acceptedScan(store);
	const run = runtimeOn(store, effects).run(running);
	const toCancel = await acceptedScan(store);
	const hanging = runtimeOn(store, quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) }));
	const cancelledRun = hanging.run(toCancel);
	const dead = await acceptedScan(store);
	assert.is((await store.writer.claim(dead, "dead", "nonce", 1, "normal")).kind, "granted");
	const overdue = await acceptedScan(store, { budget_ms: 500, ranking_reserve_ms: 50 }, 5_000);
	for (const scanId of [running, toCancel])
		await untilRecord(store, scanId, ({ position }) => position === "strategies_scan");
	await setFull(true);
	try {
		const commands = commandsOn(store, async () => {});
		const refused = await commands.startScan(viewer(77), startRequest()).then(
			() => null,
			(error: unknown) => error,
		);
		assert.ok(isStoreFailure(refused), `a start is refused as store_unavailable: ${String(refused)}`);
		assert.ok(
			await store.probe().then(
				() => false,
				() => true,
			),
			"/readyz sees it",
		);
		go();
		assert.is(await run, "ended");
		await commands.cancelScan(viewer(1), toCancel);
		assert.ok(["ended", "fenced"].includes(await cancelledRun));
		await watchdogOn(store, runtimeOn(store, quickEffects())).watchdog.pass();
		assert.is((await untilRecord(store, dead, ended)).position, "completed");
		assert.is((await untilRecord(store, overdue, ended)).context.end?.error?.code, "not_claimed");
		assert.is((await recordOf(store, toCancel)).position, "cancelled");
		const { position, context } = await recordOf(store, running);
		assert.is(position, "completed");
		await untilListed([running, dead, overdue, toCancel]);
		assert.is((await store.reader.rows(running, context.strategies[0]?.tally.row_ids ?? [])).length, 1);
	} finally {
		await setFull(false);
	}
	const after = await acceptedScan(store);
	assert.is(await runtimeOn(store, quickEffects()).run(after), "ended", "with room again everything is as before");
});

full.run();
