import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { book } from "../../src/runtime/booking.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import { userKeys } from "../../src/store/keys.ts";
import { queriesOn } from "../support/queries.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { commandsOn, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const history = suite("scan history: how many there are");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;
let client: Redis;
history.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
history.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

const DAY_MS = 86_400_000;

/** Index entries of ended scans, accepted a day ago, that expire `leftMs` from now. */
async function booked(userId: string, count: number, leftMs: number, isListed = true): Promise<void> {
	const { scans, ended } = userKeys(userId);
	const nowMs = store.clock.now();
	const ids = Array.from({ length: count }, (_, n) => `scan_${String(leftMs)}_${n}`);
	await client.zadd(ended, ...ids.flatMap((id) => [nowMs + leftMs, id]));
	if (isListed) await client.zadd(scans, ...ids.flatMap((id, n) => [nowMs - DAY_MS + n, id]));
}

history(
	"every retained scan counts, above a thousand too, at each moment of its life; none that has expired",
	async () => {
		const me = viewer(1);
		const { diagnostics } = queriesOn(store);
		const told = async (limit = 2) => {
			const { total_scans, scans } = (await diagnostics.history(me.user_id, limit)) as {
				total_scans: number;
				scans: { scan_id: string }[];
			};
			return { total: total_scans, ids: scans.map(({ scan_id }) => scan_id) };
		};
		const start = async (filter_key: string, force_refresh = false) =>
			(await commandsOn(store, async () => {}).startScan(me, startRequest({ filter_key, force_refresh }))).scan_id;
		assert.equal(await told(), { total: 0, ids: [] });
		await booked(me.user_id, 1_200, DAY_MS);
		await booked(me.user_id, 30, -1_000);
		await booked(me.user_id, 40, -2_000, false);
		assert.is((await told()).total, 1_200);

		const running = await start("one");
		assert.equal(await told(1), { total: 1_201, ids: [running] });
		const onEnded = (record: ScanRecord) => book(store.writer, record, 5_000);
		await runtimeOn(store, quickEffects(), { onEnded }).run(running);
		assert.equal(await told(1), { total: 1_201, ids: [running] });
		const queued = await start("two");
		assert.equal(await told(), { total: 1_202, ids: [queued, running] });
		await store.writer.expireNow(me.user_id, running);
		assert.equal(await told(1), { total: 1_201, ids: [queued] });
	},
);

history("a scan counts until it is booked, though a newer one has taken its claim", async () => {
	const me = viewer(2);
	const { active, scans } = userKeys(me.user_id);
	const { scan_id } = await commandsOn(store, async () => {}).startScan(me, startRequest());
	await client.hset(active, "all", `scan_newer|${store.clock.now()}|${scan_id}`);
	await client.zadd(scans, store.clock.now() + 1, "scan_newer");
	assert.is(await store.reader.countByUser(me.user_id), 2);
});

history.run();
