import { setTimeout as pause } from "node:timers/promises";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { eraseScans } from "../../src/commands/remove-user.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { book } from "../../src/runtime/booking.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import { globalKeys } from "../../src/store/keys.ts";
import { startTestRedis, testLogger } from "../support/store.ts";
import { commandDeps, commandsOn, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const removed = suite("commands: removal of a user");

removed(
	"a scan that has just ended is left to its worker until it is booked, so that the booking names nobody afterwards",
	async () => {
		const redis = await startTestRedis();
		const client = createRedisClient(redis.connection, "commands", testLogger());
		try {
			const store = await redis.store();
			const { user_id } = viewer(1);
			const { scan_id } = await commandsOn(store, async () => {}).startScan(viewer(1), startRequest());
			let booked = Promise.resolve();
			const onEnded = async (record: ScanRecord) => {
				booked = pause(20).then(() => book(store.writer, record, 1_000));
			};
			assert.is(await runtimeOn(store, quickEffects(), { onEnded }).run(scan_id), "ended");
			await eraseScans(
				commandDeps(store, async () => {}),
				user_id,
				user_id,
			);
			await booked;
			assert.equal(await store.statistics.recentScans(10), []);
			assert.is(await store.statistics.latestScan(), null);
			assert.is(await client.zcard(globalKeys.tombstones), 0);
			assert.is(await client.zscore(globalKeys.due, scan_id), null);
			assert.equal(await client.keys(`*${scan_id}*`), []);
		} finally {
			await closeRedisClient(client);
			await redis.close();
		}
	},
);

removed.run();
