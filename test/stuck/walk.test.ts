/** The walk over all records lists what the indexes have lost, and nothing else. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { globalKeys } from "../../src/store/keys.ts";
import { walk } from "../../src/store/scan-index.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { acceptedScan, untilRecord } from "../support/stuck.ts";
import { never, quickEffects, runtimeOn } from "../support/system.ts";

const test = suite("stuck: the walk over all records");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;
let client: Redis;

test.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
test.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

/** Does `between` after the next records were read, and before anything is made of them. */
function betweenReads(redis: Redis, between: () => Promise<unknown>): Redis {
	let first: Promise<unknown> | null = null;
	const hmget = async (...args: Parameters<Redis["hmget"]>) => {
		const fields = await redis.hmget(...args);
		first ??= between();
		await first;
		return fields;
	};
	return new Proxy(redis, {
		get: (target, name) => {
			if (name === "hmget") return hmget;
			const member: unknown = Reflect.get(target, name);
			return typeof member === "function" ? member.bind(target) : member;
		},
	});
}

test("a scan that is claimed or ends while the walk looks at it has not been lost", async () => {
	const everything = async (reader: Redis): Promise<string[]> => {
		const relisted: string[] = [];
		let from = "0";
		do {
			const page = await walk(reader, from, store.clock.now(), 1_000);
			relisted.push(...page.relisted);
			from = page.cursor;
		} while (from !== "0");
		return relisted;
	};
	await everything(client);
	const [claimed, toEnd] = [await acceptedScan(store), await acceptedScan(store)];
	const hanging = runtimeOn(store, quickEffects({ evaluateStrategy: (_, { signal }) => never(signal) }));
	const runs: Promise<unknown>[] = [];
	const relisted = await everything(
		betweenReads(client, async () => {
			runs.push(hanging.run(claimed));
			await untilRecord(store, claimed, ({ position }) => position === "strategies_scan");
			assert.is(await runtimeOn(store, quickEffects()).run(toEnd), "ended");
			await store.writer.unlist(toEnd);
		}),
	);
	assert.equal(relisted, []);
	assert.is(await client.zscore(globalKeys.unclaimed, claimed), null);
	assert.is(await client.zscore(globalKeys.due, toEnd), null);
	await hanging.handOver();
	await Promise.all(runs);
	await store.writer.unlist(claimed);
	assert.equal(await everything(client), [claimed], "one that both indexes have lost is listed again");
});

test.run();
