import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { createFetchPortfolio } from "../../src/effects/fetch-portfolio.ts";
import { fakeMarket } from "../effects/fake-market.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan, recordOf, untilRecord } from "../support/stuck.ts";
import { never, quickEffects, runtimeOn } from "../support/system.ts";

/** Hiccups and outages of the store in the phases before strategies run, on a real store. */
const phases = suite("runtime: a phase that meets a store in trouble");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;
phases.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
phases.after(() => redis.close());

const BRIEF = { retry_backoff_ms: 20 };

phases("a store that hiccups once while the portfolio is read costs the scan nothing", async () => {
	const scanId = await acceptedScan(store, BRIEF);
	let asked = 0;
	const fetchPortfolio = createFetchPortfolio({
		portfolios: {
			async get() {
				asked += 1;
				if (asked === 1) throw new Error("Connection is closed.");
				return { positions: [], cash_usd: 0, version: 0, updated_at: null };
			},
		},
		market: fakeMarket({}),
		clock: systemClock,
		settings: {},
	});
	assert.is(await runtimeOn(store, quickEffects({ fetchPortfolio })).run(scanId), "ended");
	const { position, context } = await recordOf(store, scanId);
	assert.equal([position, context.outcome, asked], ["completed", "found", 2]);
	const journal = await store.reader.journal(scanId, 0, 1_000);
	const again = journal.find(({ payload }) => payload.cause === "retry");
	assert.is(again?.type, "phase.started");
	assert.equal(again?.payload.error, {
		code: "portfolio_fetch_failed",
		message: "The stored portfolio could not be read",
	});
	const completed = journal.filter(
		({ type, payload }) => type === "phase.completed" && payload.phase === "portfolio_fetch",
	);
	assert.is(completed.length, 1);
});

phases("what discovery writes to the store is written again, too", async () => {
	const scanId = await acceptedScan(store, BRIEF);
	let asked = 0;
	const effects = quickEffects({
		async discoverAssets(context) {
			asked += 1;
			if (asked < 3) throw new Error("Command timed out");
			return quickEffects().discoverAssets(context);
		},
	});
	assert.is(await runtimeOn(store, effects).run(scanId), "ended");
	assert.equal([(await recordOf(store, scanId)).position, asked], ["completed", 3]);
});

phases("a defect is not repeated: the scan fails at once", async () => {
	const scanId = await acceptedScan(store, BRIEF);
	let asked = 0;
	const effects = quickEffects({
		async discoverAssets() {
			asked += 1;
			throw new TypeError("undefined is not a function");
		},
	});
	assert.is(await runtimeOn(store, effects).run(scanId), "ended");
	assert.equal([(await recordOf(store, scanId)).position, asked], ["failed", 1]);
});

phases("an outage longer than the limit of a phase does not fail the scan", async () => {
	const scanId = await acceptedScan(store, { portfolio_timeout_ms: 1_000 });
	let away = false;
	/** The store as this worker sees it: gone as soon as it reads the portfolio. */
	const writer = new Proxy(store.writer, {
		get: (target, name) => {
			const real = target[name as keyof typeof target];
			const refused = () => Promise.reject(new Error("Command timed out"));
			return away && typeof real === "function" && name !== "now" ? refused : real;
		},
	});
	const hanging = quickEffects({
		fetchPortfolio({ signal }) {
			away = true;
			return never(signal);
		},
	});
	const settings = { lease_ms: 1_500, heartbeat_ms: 100 };
	const cutOff = runtimeOn(store, hanging, { writer, settings }).run(scanId);
	await untilRecord(store, scanId, ({ position }) => position === "portfolio_fetch");
	assert.is(await cutOff, "given_up");
	const { lease_until_ms, context } = await recordOf(store, scanId);
	const limitMs = (context.phases.portfolio_fetch?.started_at_ms ?? 0) + 1_000;
	for (const signal = AbortSignal.timeout(10_000); store.clock.now() <= Math.max(limitMs, lease_until_ms ?? 0); ) {
		signal.throwIfAborted();
		await store.reader.nextCommit("scan_none", 50, signal);
	}
	assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended");
	const after = await recordOf(store, scanId);
	assert.is(after.position, "completed");
	assert.ok((after.context.phases.portfolio_fetch?.idle_ms ?? 0) > 500);
});

phases.run();
