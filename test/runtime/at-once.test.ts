import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects, Ranked } from "../../src/effects/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { deferred } from "../effects/fake-clock.ts";
import { beginner, type Given, typesOf } from "../support/begun.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, untilRecord } from "../support/stuck.ts";
import { foundReport, never, quickEffects, runtimeOn } from "../support/system.ts";

/** A ranking that has to wait for nothing is committed with what it ranks. */
const atOnce = suite("runtime: ranking at once");

let redis: TestRedis;
let store: ScanStore;
atOnce.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
atOnce.after(() => redis.close());

const rankedNow = (rows: ReadonlyMap<string, unknown>): Ranked => ({
	ranking: {
		ranked_count: rows.size,
		unproven_count: 0,
		cut: {},
		recommendations_count: 0,
		recommendations: "skipped",
		duration_ms: 0,
	},
	attachments: { documents: { ranking: { ranked: [...rows.keys()].sort(), unproven: [], recommendations: [] } } },
});

/** A process whose ranking says which way it went. */
function process(rankAtOnce: NonNullable<Effects["rankAtOnce"]> | null, effects: Partial<Effects> = {}) {
	const ranked: string[] = [];
	const { rankOpportunities } = quickEffects();
	const given: Given = {
		effects: {
			rankOpportunities(context) {
				ranked.push("effect");
				return rankOpportunities(context);
			},
			...(rankAtOnce && {
				rankAtOnce(scan, rows) {
					ranked.push(`at once, ${rows.size} rows`);
					return rankAtOnce(scan, rows);
				},
			}),
			...effects,
		},
	};
	return { ranked, ...beginner(store, given) };
}

const commitOf = async (scanId: string, ...types: string[]): Promise<number[]> => {
	const journal = await store.reader.journal(scanId, 0, 1_000);
	return types.map((type) => journal.findLast((entry) => entry.type === type)?.revision ?? 0);
};

const ENDS = ["strategy.settled", "ranking.completed", "scan.completed"];

atOnce("the commit that settles the last strategy ends the scan, with the same entries and result", async () => {
	const quick = process((_, rows) => rankedNow(rows));
	const one = await quick.start();
	assert.is(await quick.runtime.run(one), "ended");
	assert.equal(quick.ranked, ["at once, 3 rows"]);
	const [settled, ranking, end] = await commitOf(one, ...ENDS);
	assert.equal([ranking, end], [settled, settled]);

	const slow = process(null);
	const other = await slow.start();
	assert.is(await slow.runtime.run(other), "ended");
	assert.equal(slow.ranked, ["effect"]);
	const [before, after] = await commitOf(other, ...ENDS);
	assert.ok(Number(before) < Number(after));

	assert.equal(await typesOf(store, one), await typesOf(store, other));
	const document = (scanId: string) => store.reader.document(scanId, "ranking");
	assert.equal(await document(one), await document(other));
	const [a, b] = [await recordOf(store, one), await recordOf(store, other)];
	assert.equal([a.position, a.context.outcome], [b.position, b.context.outcome]);
	assert.is((await store.reader.rows(one, ["ai_spot_momentum_strategy-row"])).length, 1);
});

atOnce("a ranking that has to wait, or that fails, is an effect after the commit", async () => {
	const fails = () => {
		throw new Error("cannot be compared");
	};
	for (const rankAtOnce of [() => null, fails]) {
		const { ranked, runtime, start } = process(rankAtOnce);
		const scanId = await start();
		assert.is(await runtime.run(scanId), "ended");
		assert.equal(ranked, ["at once, 3 rows", "effect"]);
		const [settled, ranking] = await commitOf(scanId, ...ENDS);
		assert.ok(Number(settled) < Number(ranking));
		assert.is((await recordOf(store, scanId)).position, "completed");
	}
});

atOnce("rows of earlier commits of this run are ranked with those of this turn", async () => {
	const second = deferred<void>();
	const first: string[] = [];
	const { ranked, runtime, start } = process((_, rows) => rankedNow(rows), {
		async evaluateStrategy(effect) {
			first.push(effect.strategy_id);
			if (first[0] !== effect.strategy_id) await second.promise;
			const id = `${effect.strategy_id}-row`;
			const row = { opportunity_id: id, strategy_id: effect.strategy_id };
			return { report: foundReport(effect), attachments: { rows: new Map([[id, row]]) } };
		},
	});
	const scanId = await start();
	const run = runtime.run(scanId);
	await untilRecord(store, scanId, ({ context }) => context.strategies.some(({ verdict }) => verdict !== null));
	second.resolve();
	assert.is(await run, "ended");
	assert.equal(ranked, ["at once, 3 rows"]);
});

atOnce("rows that an earlier holder has committed are read, so that ranking is an effect", async () => {
	let held = 0;
	const { runtime, start } = process((_, rows) => rankedNow(rows), {
		async evaluateStrategy(effect, context) {
			held += 1;
			if (held > 1) return await never(context.signal);
			return await quickEffects().evaluateStrategy(effect, context);
		},
	});
	const scanId = await start();
	const run = runtime.run(scanId);
	await untilRecord(store, scanId, ({ context }) => context.strategies.some(({ verdict }) => verdict !== null));
	await runtime.handOver();
	assert.is(await run, "released");
	const ranked: string[] = [];
	const next = quickEffects({
		rankAtOnce(_, rows) {
			ranked.push("at once");
			return rankedNow(rows);
		},
		rankOpportunities(context) {
			ranked.push("effect");
			return quickEffects().rankOpportunities(context);
		},
	});
	assert.is(await runtimeOn(store, next).run(scanId), "ended");
	assert.equal(ranked, ["effect"]);
	assert.is((await recordOf(store, scanId)).context.ranking?.ranked_count, 3);
});

atOnce.run();
