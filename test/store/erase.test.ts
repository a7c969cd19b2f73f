import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isoOf } from "../../src/clock.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { endedScan } from "../../src/runtime/booking.ts";
import { sampleRecord } from "../support/records.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";

const erase = suite("store: what erasing a user's scans leaves");

let redis: TestRedis;
let client: Redis;
erase.before(async () => {
	redis = await startTestRedis();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
erase.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

const DAY_MS = 86_400_000;

/** Keys of sets that hold any of the ids, with how many. */
async function setsWith(ids: readonly string[]): Promise<string[]> {
	const found: string[] = [];
	for (const key of await client.keys("*")) {
		if ((await client.type(key)) !== "set") continue;
		const held = (await client.smembers(key)).filter((id) => ids.includes(id));
		if (held.length > 0) found.push(`${key} ${held.length}`);
	}
	return found;
}

for (const retentionDays of [1, 7, 30]) {
	erase(`no guard of the statistics names them, with ${retentionDays} days of retention`, async () => {
		const store = await redis.store({ retention_ms: retentionDays * DAY_MS });
		// A guard lives a day longer than records, seven days at least, from when the last scan of its day was counted,
		// which may be late on that day or, after midnight, on the next.
		const daysBack = Math.max(7, retentionDays + 1) + 1;
		const record = sampleRecord();
		const ids: string[] = [];
		for (let day = 0; day <= daysBack; day++) {
			const scan_id = `scan_${String(retentionDays)}_${day}`;
			const timestamp = isoOf(store.clock.now() - day * DAY_MS);
			const figures = { ...endedScan(record), scan_id, timestamp, failed: true };
			await store.writer.finish({ ...record, scan_id }, figures, 1_000);
			ids.push(scan_id);
		}
		assert.is((await setsWith(ids)).length, 3 * ids.length);
		await store.writer.erase(record.user_id, ids);
		assert.equal(await setsWith(ids), []);
	});
}

erase.run();
