import { suite } from "uvu";
import * as assert from "uvu/assert";
import { processAtRest } from "../../bench/timing/garbage.ts";
import { leastBars } from "../../bench/timing/measure.ts";
import { addedExponent, exponentFrom, exponentOf, growthOf, isLinear, medianOf } from "../../bench/timing/powers.ts";
import { syntheticRequest } from "../../bench/timing/synthetic.ts";
import { startThread } from "../../bench/timing/thread.ts";
import { workGrowths, workPlanOf } from "../../bench/timing/verdict.ts";
import { executed } from "../../bench/timing/work.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { builtStrategyIds, findBuiltStrategy } from "../../src/strategies/registry.ts";
import { evaluationSchema } from "../../src/strategies/schema.ts";

const test = suite("timing of strategies");

test("the power of growth and the median", () => {
	const sizes = [25, 50, 100, 200];
	const power = (exponent: number) =>
		exponentOf(
			sizes,
			sizes.map((size) => 0.3 * size ** exponent),
		);
	for (const exponent of [0, 1, 2]) assert.ok(Math.abs(power(exponent) - exponent) < 1e-9);
	// The step from no record to having one is none of growth; where it leaves one size, all are fitted.
	const stepped = [1, 1, 40, 80];
	assert.ok(Math.abs(exponentFrom(100, sizes, stepped) - 1) < 1e-9);
	for (const least of [0, 200, 1000]) assert.is(exponentFrom(least, sizes, stepped), exponentOf(sizes, stepped));
	assert.equal([medianOf([3, 1, 2]), medianOf([4, 1, 2, 3]), medianOf([])], [2, 2.5, 0]);
});

test("linear is what adds the same for each size more, whatever it begins with", () => {
	const sizes = [25, 50, 100, 200];
	const grown = (value: (size: number) => number) => growthOf(sizes, [sizes.map(value)], 0);
	for (const base of [-500, 0, 10_000]) {
		const growth = grown((size) => base + 30 * size);
		assert.ok(Math.abs(growth.added - 1) < 1e-9 && isLinear(growth), String(base));
		assert.is(growth.spread, 0);
	}
	assert.ok(grown((size) => 30 * size - 500).power > 1.2);
	for (const value of [(size: number) => size ** 2, (size: number) => size ** 2 + 20 * size])
		assert.not.ok(isLinear(grown(value)));
	// What does not grow has no power of its own.
	assert.ok(Number.isNaN(addedExponent(0, sizes, [7, 7, 7, 7])));
	// The least of the runs counts, and their disagreement is told.
	const noisy = growthOf(sizes, [sizes, sizes.map((size) => size * 1.3), [25, 50, 100, 400]], 0);
	assert.equal(noisy.values, sizes);
	assert.ok(noisy.spread > 0.1 && Math.abs(noisy.power - 1) < 1e-9);
});

test("executed source: an inner block counts for itself, what it covers not for the outer one", () => {
	const range = (startOffset: number, endOffset: number, count: number) => ({ startOffset, endOffset, count });
	assert.is(executed([range(0, 100, 1), range(20, 40, 5), range(30, 35, 0), range(60, 70, 2)]), 70 + 15 * 5 + 20);
	assert.is(executed([range(0, 10, 1), range(10, 20, 3)]), 40);
	assert.is(executed([]), 0);
});

test("work that chance has a part in is the mean over markets, and their disagreement is told", () => {
	const pairs = findBuiltStrategy("ai_pairs_trading");
	assert.ok(pairs);
	const plan = workPlanOf(pairs);
	assert.ok(plan.barsMarkets > 1);
	const counted = (figures: readonly number[]) => {
		const counts = figures.map((source) => ({ source, elements: source / 2 }));
		return { cold: counts, warm: counts };
	};
	const symbols = counted([1, 2, 4, 8]);
	const growths = (markets: number[][]) => workGrowths(pairs, plan, { symbols, bars: markets.map(counted) });
	// Of 2,000, 3,000 and 4,000 bars: one market adds more and more, the other less and less.
	const { bars } = growths([
		[5, 20, 29, 40],
		[5, 20, 31, 40],
	]);
	assert.equal(bars.cold.source.values, [5, 20, 30, 40]);
	assert.equal(bars.warm.elements.values, [2.5, 10, 15, 20]);
	assert.ok(Math.abs(bars.cold.source.added - 1) < 1e-9 && bars.cold.source.spread >= 0);
	assert.ok(growths([[5, 20, 29, 40]]).bars.cold.source.added > 1.2);
	assert.is(growths([[5, 20, 29, 40]]).symbols.cold.source.spread, 0);
});

test("a record of days of trades begins with the second of them", () => {
	const least = (id: string) => {
		const strategy = findBuiltStrategy(id);
		return strategy && leastBars(strategy);
	};
	assert.equal(["ai_market_making", "ai_pairs_trading", "ai_hedge_position"].map(least), [(2 * 86_400) / 300, 1501, 0]);
});

test("a measurement begins when the process has been at rest for three polls, or never is", async () => {
	const polled = async (used: (poll: number) => number): Promise<number> => {
		let [clock, polls] = [0, 0];
		await processAtRest(
			() => clock,
			async () => {
				clock += used(polls++);
			},
		);
		return polls;
	};
	// Swept for two polls, a moment of rest, swept again.
	assert.is(await polled((poll) => [8, 3, 0, 0.2, 2, 0, 0.1, 0][poll] ?? 9), 8);
	assert.is(await polled(() => 0), 3);
	assert.is(await polled(() => 5), 100);
});

test("a market twice as large has the same signals a coin; in another unit of price it has the same ones", () => {
	const strategy = findBuiltStrategy("ai_futures_trade");
	assert.ok(strategy);
	const counts = (symbols: number, unit: number) => {
		const size = { symbols, bars: 400, seed: 12, unit, alike: true };
		const { evaluated, published, unproven } = evaluate(syntheticRequest(strategy, size));
		return [evaluated, published.length + unproven.length];
	};
	const [small, large] = [counts(25, 1), counts(50, 1)];
	assert.ok((small[1] ?? 0) > 0);
	assert.ok(Math.abs((large[1] ?? 0) - 2 * (small[1] ?? 0)) <= 2);
	assert.equal(counts(25, 2 ** 10), small);
});

test("every registered strategy can be timed on a synthetic market, the same from the same seed", () => {
	for (const id of builtStrategyIds()) {
		const strategy = findBuiltStrategy(id);
		assert.ok(strategy);
		const request = syntheticRequest(strategy, { symbols: 4, bars: 400, seed: 5 });
		const evaluation = evaluate(request);
		assert.ok(evaluationSchema.safeParse(evaluation).success, id);
		assert.ok(evaluation.evaluated > 0, id);
		assert.equal(evaluate(syntheticRequest(strategy, { symbols: 4, bars: 400, seed: 5 })), evaluation, id);
	}
});

test("a thread of its own answers with times", async () => {
	const strategy = findBuiltStrategy("ai_portfolio_optimization");
	assert.ok(strategy);
	const thread = await startThread();
	try {
		const { cpuMs, wallMs, keptMb, candidates, evaluated } = await thread.time(
			syntheticRequest(strategy, { symbols: 4, bars: 400, seed: 5 }),
		);
		assert.ok(cpuMs >= 0 && wallMs > 0 && Number.isFinite(keptMb));
		assert.is(candidates, 4);
		assert.is(evaluated, 4 + 6);
	} finally {
		await thread.close();
	}
});

test.run();
