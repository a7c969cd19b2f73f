import { suite } from "uvu";
import * as assert from "uvu/assert";
import { leastBars } from "../../bench/timing/measure.ts";
import { type Growth, isLinear } from "../../bench/timing/powers.ts";
import { workGrowths } from "../../bench/timing/verdict.ts";
import { countedWork, type WorkPlan } from "../../bench/timing/work-growth.ts";
import type { Strategy } from "../../src/strategies/contract.ts";
import { builtStrategyIds, findBuiltStrategy } from "../../src/strategies/registry.ts";

const test = suite("growth of strategies");

const COUNT_LIMIT_MS = 120_000;
const SYMBOLS = [25, 50, 100];
/** Few bars, but enough for a record; the longest ones are left to the benchmark. */
const BARS_MIN = 260;
const BARS_MAX = 340;
const BARS_SPARE = 40;

const planOf = (strategy: Strategy): WorkPlan => ({
	symbols: SYMBOLS,
	symbolsBars: Math.min(
		BARS_MAX,
		Math.max(BARS_MIN, leastBars(strategy) + BARS_SPARE, (strategy.needs.history?.bars_min ?? 0) + BARS_SPARE),
	),
	bars: [],
	barsSymbols: 0,
	barsMarkets: 0,
});

test("counted work of every strategy grows no faster than linearly with symbols, cold and warm", async () => {
	const strategies = builtStrategyIds().flatMap((id) => findBuiltStrategy(id) ?? []);
	const orders = strategies.map((strategy) => ({ id: strategy.id, plan: planOf(strategy) }));
	const counted = await countedWork(orders, COUNT_LIMIT_MS);
	assert.is(counted.length, strategies.length);
	for (const [i, strategy] of strategies.entries()) {
		const [order, work] = [orders[i], counted[i]];
		assert.ok(order && work);
		const { symbols } = workGrowths(strategy, order.plan, work);
		for (const kind of ["cold", "warm"] as const)
			for (const of of ["source", "elements"] as const) {
				const growth: Growth = symbols[kind][of];
				const { power, added, values } = growth;
				const figures = `${strategy.id} ${kind} ${of}: ${values.join(", ")}; power ${power.toFixed(3)}, of what is added ${added.toFixed(3)}`;
				assert.ok(
					values.every((value) => value > 0),
					figures,
				);
				assert.ok(isLinear(growth), figures);
			}
	}
	// From 25 symbols on there are more pairs than the 300 that are looked at.
	const pairs = counted[strategies.findIndex(({ id }) => id === "ai_pairs_trading")]?.symbols;
	const [first, , most] = pairs?.cold ?? [];
	assert.ok(first && most && most.source < 1.05 * first.source);
});

test.run();
