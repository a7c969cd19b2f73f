import { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Effects, Ranked } from "../../src/effects/contract.ts";
import { KeptRoom } from "../../src/runtime/kept-results.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { scanKeys } from "../../src/store/keys.ts";
import { deferred } from "../effects/fake-clock.ts";
import { beginner, type Given, typesOf } from "../support/begun.ts";
import { tally } from "../support/scan-input.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { recordOf, untilRecord } from "../support/stuck.ts";
import { foundReport, never, quickEffects, rankedNow, runtimeOn } from "../support/system.ts";

/** A ranking that has to wait for nothing is committed with what it ranks. */
const atOnce = suite("runtime: ranking at once");

let redis: TestRedis;
let store: ScanStore;
let client: Redis;
atOnce.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = new Redis({ ...redis.connection, replyMapping: "legacy" } as object);
});
atOnce.after(async () => {
	client.disconnect();
	await redis.close();
});

/** A process whose ranking says which way it went. */
function process(
	rankAtOnce: NonNullable<Effects["rankAtOnce"]> | null,
	effects: Partial<Effects> = {},
	keptRoom = new KeptRoom(),
) {
	const ranked: string[] = [];
	const { rankOpportunities } = quickEffects();
	const given: Given = {
		keptRoom,
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
	const quick = process(rankedNow);
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

atOnce("a ranking that cuts rows is an effect, so that every row is told and stored as it was found", async () => {
	const cutting: NonNullable<Effects["rankAtOnce"]> = (scan, rows) => {
		const { ranking, attachments } = rankedNow(scan, rows);
		const [strategy] = scan.strategies;
		return {
			ranking: { ...ranking, cut: { [strategy?.strategy_id ?? ""]: strategy?.tally.row_ids ?? [] } },
			attachments,
		};
	};
	const { ranked, runtime, start } = process(cutting, {
		async rankOpportunities(context) {
			return cutting(context.scan, await context.rows()) as Ranked;
		},
	});
	const scanId = await start();
	assert.is(await runtime.run(scanId), "ended");
	assert.equal(ranked, ["at once, 3 rows"]);
	const record = await recordOf(store, scanId);
	assert.is(record.context.strategies[0]?.tally.row_ids.length, 0);
	const told = (await store.reader.journal(scanId, 0, 1_000)).filter(({ type }) => type === "strategy.row_found");
	const ids = told.map(({ payload }) => String(payload.opportunity_id));
	assert.equal([ids.length, (await store.reader.rows(scanId, ids)).length], [3, 3]);
	const debug = await client.hget(scanKeys(scanId).debug, "step_100");
	assert.is(JSON.parse(debug ?? "{}").opportunities_found, 1, "what it found, not what was left of it");
});

atOnce("rows of earlier commits of this run are ranked with those of this turn", async () => {
	const second = deferred<void>();
	const first: string[] = [];
	const { ranked, runtime, start } = process(rankedNow, {
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

atOnce("rows that come to megabytes are ranked without being read again, one scan after the other", async () => {
	const ids = Array.from({ length: 700 }, (_, i) => `row-${i}`);
	const text = "x".repeat(1_400);
	let others = deferred<void>();
	let first: string | null = null;
	const effects: Partial<Effects> = {
		async evaluateStrategy(effect) {
			first ??= effect.strategy_id;
			const report = foundReport(effect);
			if (first !== effect.strategy_id) {
				await others.promise;
				return { report: { ...report, tally: tally() }, attachments: {} };
			}
			const rows = new Map(ids.map((id) => [id, { opportunity_id: id, strategy_id: effect.strategy_id, text }]));
			const found = { candidates_total: 700, evaluated: 700, row_ids: ids, rejected: {} };
			return { report: { ...report, tally: tally(found) }, attachments: { rows } };
		},
	};
	// Enough for one of them.
	const { ranked, runtime, start } = process(rankedNow, effects, new KeptRoom(1_500_000));
	for (let scan = 0; scan < 2; scan++) {
		[others, first] = [deferred<void>(), null];
		const scanId = await start();
		const run = runtime.run(scanId);
		await untilRecord(store, scanId, ({ context }) => context.strategies.some(({ verdict }) => verdict !== null));
		others.resolve();
		assert.is(await run, "ended");
	}
	assert.equal(ranked, ["at once, 700 rows", "at once, 700 rows"]);
});

atOnce("rows that an earlier holder has committed are read, so that ranking is an effect", async () => {
	let held = 0;
	const { runtime, start } = process(rankedNow, {
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
		rankAtOnce(...given) {
			ranked.push("at once");
			return rankedNow(...given);
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
