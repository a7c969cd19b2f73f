import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { newScan } from "../../src/commands/plan.ts";
import type { Effects } from "../../src/effects/contract.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { projections } from "../../src/views/projections.ts";
import { NOTHING_STORED, quick } from "../support/begun.ts";
import { scanInput } from "../support/scan-input.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, watchdogOn } from "../support/stuck.ts";
import { assumedPortfolio, quickEffects, runtimeOn } from "../support/system.ts";
import { until } from "../support/wait.ts";

/** A process that dies between making a scan as claimed and accepting it: whoever is left finishes its start. */
const dead = suite("runtime: scans made as claimed, whose starts died");

let redis: TestRedis;
let store: ScanStore;
let client: Redis;
let scans = 0;
dead.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
});
dead.after(async () => {
	client.disconnect();
	await redis.close();
});

/** By the index, which has the start's clock, and by the record, which has the server's. */
async function isLost(scanId: string): Promise<boolean> {
	const [lease, [seconds = 0, microseconds = 0]] = await Promise.all([
		client.hget(scanKeys(scanId).scan, "lease"),
		client.time(),
	]);
	const isOver = Number(lease) < Number(seconds) * 1_000 + Number(microseconds) / 1_000;
	return isOver && (await store.writer.leaseless(1_000)).includes(scanId);
}

/**
 * @param isNamed its start had come as far as the user's claim
 * @param portfolioAtOnce how it came by the portfolio that it was made with
 */
async function deadStart(isNamed: boolean, agoMs = 0, portfolioAtOnce?: Effects["portfolioAtOnce"]): Promise<string> {
	scans += 1;
	const scan_id = `scan_${String(scans).padStart(32, "0")}`;
	const [user_id, filter_key] = [`dead-${scans}`, "all"];
	const accepted_at_ms = store.clock.now() - agoMs;
	const input = {
		...scanInput({ scan_id, accepted_at_ms, deadline_at_ms: accepted_at_ms + 150_000 }),
		user_id,
		filter_key,
	};
	const taker = { worker_id: "dead", nonce: "n", lease_ms: 20, portfolioAtOnce };
	const scan = newScan(input, projections, {}, taker, NOTHING_STORED);
	const rest = { force: false, force_join_ms: 0, fresh_ms: 0, fingerprint: "f", accepted_at_ms };
	if (isNamed)
		assert.is((await store.writer.begin(scan, { user_id, filter_key, scan_id, ...rest }))?.decision, "created");
	else await store.writer.create(scan);
	await until(() => isLost(scan_id), "its lease is over");
	return scan_id;
}

const full = { hasRoom: () => false, hasRoomBeside: () => false, workerId: "full" } as unknown as Runtime;

for (const [name, runtime] of [
	["runs no scans", () => null],
	["has no place left", () => full],
	["could run it", () => runtimeOn(store, quick)],
] as const) {
	dead(`a process that ${name} finishes the start of one that a claim names`, async () => {
		const scanId = await deadStart(true);
		assert.is(await store.reader.read(scanId), null, "nobody was told of it");
		const { watchdog, queued } = watchdogOn(store, runtime());
		await watchdog.pass();
		assert.ok(queued.includes(scanId));
		assert.not(await store.writer.isUnaccepted(scanId));
		assert.is(await runtimeOn(store, quick).run(scanId), "ended");
		const { epoch, position } = await recordOf(store, scanId);
		assert.equal([epoch, position], [2, "completed"]);
	});
}

dead("whoever goes on with one that was made with its portfolio finds it in the store", async () => {
	const fetched = assumedPortfolio();
	const scanId = await deadStart(true, 0, () => fetched);
	await watchdogOn(store, null).watchdog.pass();
	const found: unknown[] = [];
	const effects = quickEffects({
		fetchPortfolio: () => Promise.reject(new Error("it was fetched before")),
		async evaluateStrategy(effect, context) {
			found.push(await context.portfolio());
			return await quick.evaluateStrategy(effect, context);
		},
	});
	assert.is(await runtimeOn(store, effects).run(scanId), "ended");
	const { epoch, position, context } = await recordOf(store, scanId);
	assert.equal([epoch, position, context.portfolio], [2, "completed", fetched.portfolio]);
	assert.equal(found, Array(context.strategies.length).fill(fetched.attachments.portfolio));
});

dead("one that no claim names is cleared away when its start has had its time", async () => {
	const [young, old] = [await deadStart(false), await deadStart(false, 11_000)];
	const { watchdog, queued } = watchdogOn(store, null);
	await watchdog.pass();
	assert.equal([queued.includes(young), queued.includes(old)], [false, false]);
	assert.ok(await store.writer.isUnaccepted(young), "a slow start is not disturbed");
	assert.not(await store.writer.isUnaccepted(old), "there is no such record any more");
	assert.not((await store.writer.leaseless(1_000)).includes(old));
});

dead.run();
