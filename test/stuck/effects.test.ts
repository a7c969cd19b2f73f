import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects } from "../../src/effects/contract.ts";
import { failedReport } from "../../src/effects/strategy-reports.ts";
import { createEvaluationPool } from "../../src/strategies/pool.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { acceptedScan, ended, recordOf, untilRecord } from "../support/stuck.ts";
import { foundReport, quickEffects, runtimeOn } from "../support/system.ts";

/** Hangs inside a scan whose worker is alive and goes on with its heartbeat. */
const hangs = suite("stuck: effects that do not answer");

let redis: TestRedis;
let store: Awaited<ReturnType<TestRedis["store"]>>;

hangs.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
hangs.after(() => redis.close());

/** Never settles and does not look at its signal. */
const deaf = (): Promise<never> => new Promise(() => {});

/** The effect whose first issue never answers. */
function firstDeaf<K extends "fetchPortfolio" | "discoverAssets" | "rankOpportunities">(name: K): Partial<Effects> {
	let issues = 0;
	const quick = quickEffects();
	return {
		[name]: (context: Parameters<Effects[K]>[0]) => {
			issues += 1;
			return issues === 1 ? deaf() : (quick[name] as (held: typeof context) => unknown)(context);
		},
	};
}

const CASES = [
	{ effect: "fetchPortfolio", phase: "portfolio_fetch", limits: { portfolio_timeout_ms: 1_000 }, budget: 1_000 },
	{ effect: "discoverAssets", phase: "asset_discovery", limits: { discovery_timeout_ms: 1_000 }, budget: 1_000 },
	{ effect: "rankOpportunities", phase: "ranking", limits: { ranking_reserve_ms: 300 }, budget: 1_200 },
] as const;

for (const { effect, phase, limits, budget } of CASES) {
	hangs(`a promise that never settles: ${effect} is issued again and the scan completes`, async () => {
		const scanId = await acceptedScan(store, { budget_ms: 20_000, ...limits });
		assert.is(await runtimeOn(store, quickEffects(firstDeaf(effect))).run(scanId), "ended");
		const { position, context } = await recordOf(store, scanId);
		assert.is(position, "completed");
		assert.is(context.ranking?.ranked_count, 3);
		const span = context.phases[phase];
		assert.ok((span?.ended_at_ms ?? 0) - (span?.started_at_ms ?? 0) < 2 * budget, "healed within twice its budget");
		const journal = await store.reader.journal(scanId, 0, 1_000);
		const issued = journal.filter(({ type, payload }) => type === "phase.started" && payload.phase === phase);
		assert.equal(
			issued.map(({ payload }) => payload.cause ?? "entered"),
			["entered", "no_answer"],
		);
	});
}

hangs(
	"a promise that never settles: a strategy is cut at its deadline and the scan finishes with the others",
	async () => {
		const scanId = await acceptedScan(store, { strategy_timeout_ms: 600 });
		const effects = quickEffects({
			evaluateStrategy: (effect, context) =>
				effect.strategy_id === "ai_spot_breakout_strategy" ? deaf() : quickEffects().evaluateStrategy(effect, context),
		});
		await runtimeOn(store, effects).run(scanId);
		const { context } = await recordOf(store, scanId);
		assert.is(context.outcome, "found_with_gaps");
		const cut = context.strategies.find(({ strategy_id }) => strategy_id === "ai_spot_breakout_strategy");
		assert.is(cut?.verdict, "timed_out");
		assert.ok((cut?.ended_at_ms ?? 0) - (cut?.started_at_ms ?? 0) < 1_200, "within twice its limit");
		assert.is(context.opportunities_found, 2);
	},
);

hangs("a loop in a strategy: its thread is ended, the others are unharmed, heartbeats go on", async () => {
	const limits: (() => void)[] = [];
	const pool = createEvaluationPool({
		threads: 2,
		workerFile: new URL("./support/looping-worker.ts", import.meta.url).href,
		arm: (callback) => {
			limits.push(callback);
			return () => undefined;
		},
	});
	const scanId = await acceptedScan(store);
	const effects = quickEffects({
		async evaluateStrategy(effect, context) {
			const strategy_id = effect.strategy_id === "ai_spot_momentum_strategy" ? "loop" : effect.strategy_id;
			try {
				await pool.evaluate(
					{
						strategy_id,
						view: { series: {}, funding: {}, evidence: { series: [], funding: [] } },
					} as unknown as Parameters<typeof pool.evaluate>[0],
					context.signal,
				);
			} catch (error) {
				return failedReport(effect, error);
			}
			return { report: foundReport(effect), attachments: {} };
		},
	});
	const run = runtimeOn(store, effects, { settings: { lease_ms: 2_000, heartbeat_ms: 20 } }).run(scanId);
	const { heartbeat_at_ms: before } = await untilRecord(
		store,
		scanId,
		({ context }) => context.strategies.filter(({ verdict }) => verdict === "ok_found").length === 2,
	);
	const beaten = await untilRecord(store, scanId, ({ heartbeat_at_ms }) => (heartbeat_at_ms ?? 0) > (before ?? 0) + 40);
	assert.is(beaten.context.strategies[0]?.verdict, null, "it still loops");
	// The limit of the looping evaluation passes.
	for (const pass of limits) pass();
	assert.is(await run, "ended");
	const { context, position } = await recordOf(store, scanId);
	assert.is(position, "completed");
	assert.is(context.strategies[0]?.verdict, "timed_out");
	assert.is(context.strategies[0]?.error?.code, "evaluation_timeout");
	// The thread was replaced: both are free again.
	const signal = new AbortController().signal;
	const asked = ["a", "b", "c"].map((strategy_id) =>
		pool.evaluate(
			{
				strategy_id,
				view: { series: {}, funding: {}, evidence: { series: [], funding: [] } },
			} as unknown as Parameters<typeof pool.evaluate>[0],
			signal,
		),
	);
	assert.equal(await Promise.all(asked), [{ strategy_id: "a" }, { strategy_id: "b" }, { strategy_id: "c" }]);
	await pool.close();
});

hangs(
	"a run that hangs in a turn while its heartbeat goes on gives the scan back, and another worker ends it",
	async () => {
		const scanId = await acceptedScan(store);
		// What lies in the inbox is asked for in the first turn; this means nothing to a scan.
		assert.is(await store.writer.send(scanId, { type: "unheard_of" }), "ok");
		const hanging = runtimeOn(store, quickEffects(), {
			settings: { lease_ms: 60_000, heartbeat_ms: 5_000 },
			// Timers of this process fire at once: ten seconds of heartbeats pass without waiting.
			clock: {
				now: () => store.clock.now(),
				setTimeout: (callback) => setImmediate(callback),
				clearTimeout: (handle) => clearImmediate(handle as NodeJS.Immediate),
			},
			writer: { ...store.writer, inbox: () => deaf() },
		});
		assert.is(await hanging.run(scanId), "given_up");
		assert.is(await runtimeOn(store, quickEffects()).run(scanId), "ended", "nobody waits for the minute of its lease");
		assert.ok(ended(await recordOf(store, scanId)));
	},
);

hangs.run();
