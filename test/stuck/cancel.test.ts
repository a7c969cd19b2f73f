import { randomUUID } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { createCommitHub } from "../../src/store/commit-hub.ts";
import { channels, scanKeys } from "../../src/store/keys.ts";
import { ManualClock } from "../effects/fake-clock.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { acceptedScan, ended, recordOf, untilRecord } from "../support/stuck.ts";
import { commandsOn, never, quickEffects, runtimeOn } from "../support/system.ts";

const cancel = suite("stuck: cancel within a second, whatever the holder does");
const LIMIT_MS = 1_000;

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;

cancel.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
cancel.after(() => redis.close());

const admin = () => ({ user_id: randomUUID(), role: "admin" as const });

/** Cancels from another process than the holder's and measures on the store's clock. */
async function cancelled(scanId: string): Promise<void> {
	const api = await redis.store();
	const commands = commandsOn(api, async () => {});
	const startedAtMs = performance.now();
	const answer = await commands.cancelScan(admin(), scanId);
	const tookMs = performance.now() - startedAtMs;
	assert.is(answer.reason, "admin_request");
	const record = await recordOf(store, scanId);
	assert.is(record.position, "cancelled");
	assert.ok(tookMs < LIMIT_MS, `${Math.round(tookMs)} ms`);
	assert.ok(record.context.strategies.every(({ verdict }) => verdict !== null));
}

cancel("a healthy holder takes it from its inbox, keeping what was found", async () => {
	const scanId = await acceptedScan(store);
	const effects = quickEffects({
		evaluateStrategy: (effect, context) =>
			effect.strategy_id === "ai_spot_momentum_strategy"
				? quickEffects().evaluateStrategy(effect, context)
				: never(context.signal),
	});
	const runtime = runtimeOn(store, effects);
	const stop = store.writer.onInbox((id) => runtime.lookAtInbox(id));
	const run = runtime.run(scanId);
	await untilRecord(store, scanId, ({ context }) => context.opportunities_found === 1);
	await cancelled(scanId);
	assert.is(await run, "ended");
	const { context } = await recordOf(store, scanId);
	assert.equal(context.strategies[0]?.tally.row_ids, ["ai_spot_momentum_strategy-row"]);
	assert.is((await store.reader.rows(scanId, ["ai_spot_momentum_strategy-row"])).length, 1);
	stop();
});

cancel("a holder whose effect ignores its signal", async () => {
	const scanId = await acceptedScan(store);
	const runtime = runtimeOn(store, quickEffects({ evaluateStrategy: () => new Promise(() => {}) }));
	const stop = store.writer.onInbox((id) => runtime.lookAtInbox(id));
	const run = runtime.run(scanId);
	await untilRecord(store, scanId, ({ position }) => position === "strategies_scan");
	await cancelled(scanId);
	assert.is(await run, "ended");
	stop();
});

cancel("a dead holder whose lease still runs, a frozen one that wakes up later, and a scan nobody holds", async () => {
	const dead = await acceptedScan(store);
	const claim = await store.writer.claim(dead, "dead", randomUUID(), 60_000, "normal");
	assert.is(claim.kind, "granted");
	await cancelled(dead);
	await cancelled(await acceptedScan(store));
	// Frozen: neither its inbox nor its heartbeat turns, its effects answer after the cancel.
	const frozen = await acceptedScan(store);
	let thaw: () => void = () => {};
	const thawed = new Promise<void>((resolve) => {
		thaw = resolve;
	});
	const run = runtimeOn(
		store,
		quickEffects({
			async evaluateStrategy(effect, context) {
				await thawed;
				return quickEffects().evaluateStrategy(effect, context);
			},
		}),
		{ settings: { lease_ms: 60_000, heartbeat_ms: 600_000 } },
	).run(frozen);
	await untilRecord(store, frozen, ({ position }) => position === "strategies_scan");
	await cancelled(frozen);
	const before = await recordOf(store, frozen);
	thaw();
	assert.is(await run, "fenced");
	assert.equal(await recordOf(store, frozen), before, "what it does late changes nothing");
});

cancel("a lost message: the holder finds the cancel by its heartbeat", async () => {
	const scanId = await acceptedScan(store);
	// No onInbox: the pub/sub message never arrives.
	const run = runtimeOn(store, quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) })).run(scanId);
	await untilRecord(store, scanId, ({ position }) => position === "strategies_scan");
	await store.writer.send(scanId, {
		type: "scan.cancel_requested",
		by: "x",
		reason: "user_request",
		superseded_by: null,
	});
	assert.is(await run, "ended");
	assert.ok(ended(await recordOf(store, scanId)));
});

cancel("an inbox entry that cannot be read does not hide the cancel behind it", async () => {
	const scanId = await acceptedScan(store);
	const run = runtimeOn(store, quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) })).run(scanId);
	await untilRecord(store, scanId, ({ position }) => position === "strategies_scan");
	const client = createRedisClient(redis.connection, "commands", testLogger());
	await client.xadd(scanKeys(scanId).inbox, "*", "event", '{"type":');
	await closeRedisClient(client);
	await store.writer.send(scanId, {
		type: "scan.cancel_requested",
		by: "x",
		reason: "user_request",
		superseded_by: null,
	});
	assert.is(await run, "ended");
});

cancel(
	"a lost outbox entry: whoever waits for a commit whose message is lost looks again within a second",
	async () => {
		const clock = new ManualClock();
		/** A subscription on which nothing ever arrives. */
		const silent = {
			on: () => undefined,
			off: () => undefined,
			subscribe: (name: string) => (name === channels.inbox ? Promise.resolve() : new Promise(() => {})),
			unsubscribe: async () => undefined,
		};
		const hub = await createCommitHub(silent as unknown as Parameters<typeof createCommitHub>[0], clock);
		const woken: boolean[] = [];
		const wait = hub.next("scan_x", 30_000, new AbortController().signal).then((value) => woken.push(value));
		await clock.advance(900);
		assert.equal(woken, []);
		await clock.advance(200);
		await wait;
		assert.equal(woken, [true], "it is told to look, not that there is something");
		hub.close();
	},
);

cancel.run();
