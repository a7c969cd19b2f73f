import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { createRecordedMarketData } from "../../src/market/recorded.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { evaluationSchema } from "../../src/strategies/schema.ts";
import { SNAPSHOT_MS, sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { type SimulatedScan, simulatedRequest } from "../support/simulated-scan.ts";

const test = suite("market making and scalping by seed");

/**
 * Scans of the simulated exchange in which the two strategies publish and in which they do not, with the
 * policy's own limits. `published`: symbol and side; `rejected`: counts of reasons; `unproven`: rows.
 */
const TABLE: (SimulatedScan & {
	why: string;
	published: string[];
	unproven: number;
	rejected: Record<string, number>;
})[] = [
	{
		why: "wide retail contracts, two of which pay for making them on most days",
		strategyId: "ai_market_making",
		seed: 1,
		asOfMs: SNAPSHOT_MS,
		tiers: ["tier_retail"],
		symbolsMax: 10,
		published: ["CRV/USDT:USDT neutral", "MANA/USDT:USDT neutral"],
		unproven: 2,
		rejected: { negative_expectancy: 6 },
	},
	{
		why: "the ten largest contracts quote less than two maker fees",
		strategyId: "ai_market_making",
		seed: 1,
		asOfMs: SNAPSHOT_MS,
		symbolsMax: 10,
		published: [],
		unproven: 0,
		rejected: { spread_too_narrow: 10 },
	},
	{
		why: "informed takers press in two coins whose flow has led the price for a month",
		strategyId: "ai_scalping_strategy",
		seed: 8,
		asOfMs: Date.UTC(2026, 2, 16, 11, 5),
		symbolsMax: 8,
		published: ["1000PEPE/USDT:USDT long", "SOL/USDT:USDT short"],
		unproven: 0,
		rejected: { cost_exceeds_edge: 3, no_trigger: 2, negative_expectancy: 1 },
	},
	{
		why: "a quiet evening: five minutes move less than two round trips cost",
		strategyId: "ai_scalping_strategy",
		seed: 4,
		asOfMs: SNAPSHOT_MS,
		symbolsMax: 8,
		published: [],
		unproven: 0,
		rejected: { cost_exceeds_edge: 8 },
	},
];

for (const { why, published, unproven, rejected, ...scan } of TABLE) {
	test(`${scan.strategyId}, seed ${scan.seed}: ${why}`, async () => {
		const evaluation = evaluate(await simulatedRequest(scan));
		const schema = evaluationSchema.safeParse(evaluation);
		assert.ok(schema.success, JSON.stringify(schema.error?.issues.slice(0, 3)));
		const counts: Record<string, number> = {};
		for (const { reason } of evaluation.rejected) counts[reason] = (counts[reason] ?? 0) + 1;
		assert.equal(
			{
				published: evaluation.published.map((row) => `${row.symbol} ${row.side}`).sort(),
				unproven: evaluation.unproven.length,
				rejected: counts,
			},
			{ published, unproven, rejected },
		);
		assert.is(evaluation.evaluated, scan.symbolsMax);
		for (const row of evaluation.published) assert.is(row.evidence.grade, "B");
	});
}

if (!sharedRoot) skipAloud("reference snapshot, market making and scalping");
else {
	for (const [strategyId, reason] of [
		["ai_market_making", "missing_orderbook"],
		["ai_scalping_strategy", "insufficient_history"],
	] as const) {
		test(`${strategyId} at the recorded snapshot: ${reason} for every symbol`, async () => {
			const market = await createRecordedMarketData({
				dir: `${sharedRoot}/market`,
				asOfMs: SNAPSHOT_MS,
				latencyMs: 0,
				clock: systemClock,
			});
			const request = await simulatedRequest({ strategyId, seed: 0, asOfMs: SNAPSHOT_MS, symbolsMax: null }, market);
			const evaluation = evaluate(request);
			await market.close();
			assert.ok(evaluation.evaluated > 400, `${evaluation.evaluated} candidates`);
			assert.equal(new Set(evaluation.rejected.map((one) => one.reason)), new Set([reason]));
			assert.is(evaluation.rejected.length, evaluation.evaluated);
			assert.ok(evaluationSchema.safeParse(evaluation).success);
		});
	}
}

test.run();
