import { suite } from "uvu";
import * as assert from "uvu/assert";
import { exponentFrom, exponentOf, medianOf } from "../../bench/timing/powers.ts";
import { syntheticRequest } from "../../bench/timing/synthetic.ts";
import { startThread } from "../../bench/timing/thread.ts";
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
