import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { AssetsSummary } from "../../machines/types.ts";
import { queriesOn } from "../support/queries.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan, recordOf } from "../support/stuck.ts";
import { quickEffects, runtimeOn } from "../support/system.ts";

/** A rule of the machine that throws, on a real store. */
const broken = suite("runtime: a rule that throws");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;
broken.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
broken.after(() => redis.close());

broken("the scan fails with the event as its reason, and every entry of its journal can be replayed", async () => {
	const scanId = await acceptedScan(store);
	const effects = quickEffects({
		discoverAssets: async () => ({ assets: null as unknown as AssetsSummary, attachments: {} }),
	});
	assert.is(await runtimeOn(store, effects).run(scanId), "ended");
	const record = await recordOf(store, scanId);
	assert.is(record.position, "failed");
	assert.equal(record.context.end?.error, {
		code: "internal_error",
		message: "A rule of the scan machine failed at assets.discovered",
		phase: "asset_discovery",
	});
	const { journal } = queriesOn(store);
	const owner = { user_id: record.user_id, role: "trader" as const };
	const states = [];
	for (let seq = 1; seq <= record.revision; seq++) {
		states.push(JSON.parse(await journal.stateAt(owner, scanId, seq)).state);
	}
	assert.equal(states.at(-1), JSON.parse(JSON.stringify({ value: record.position, context: record.context })));
});

broken.run();
