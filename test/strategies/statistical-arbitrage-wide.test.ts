import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import { at } from "../../src/strategies/columns.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { portfolioReturns } from "../../src/strategies/statistical-arbitrage-model.ts";
import { FACTOR_ASSETS_MAX, presentModel } from "../../src/strategies/statistical-arbitrage-present.ts";
import { leastSquares } from "../../src/strategies/statistics/least-squares.ts";
import { checked, reasonCounts } from "../support/checked-evaluation.ts";
import { coinOf, factorMarket } from "../support/pair-market.ts";
import { requestOf } from "../support/synthetic-market.ts";

/** More coins than factors are made of. */
const test = suite("statistical arbitrage of many coins");
const BARS = 1850;

const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);
const request = (series: Series[]) =>
	requestOf({
		strategyId: "ai_statistical_arbitrage",
		series,
		candidates: series.map(({ symbol }) => coinOf(symbol.split("/")[0] ?? symbol)),
	});

/** Three coins more than factors are made of, three of them hardly traded; the last stands far from its factors. */
function wideMarket(): { series: Series[]; quiet: number[] } {
	const bases = ["BTC", "ETH", ...Array.from({ length: FACTOR_ASSETS_MAX + 1 }, (_, i) => `X${i + 10}`)];
	const quiet = [2, 3, bases.length - 1];
	const market = factorMarket(bases, BARS, 3);
	const series = market.map((one, i) => {
		return quiet.includes(i) ? { ...one, volume: one.volume.map((traded) => traded / 1e6) } : one;
	});
	return { series, quiet };
}

test("factors are made of the most traded coins, and the others are held against them", () => {
	const { series, quiet } = wideMarket();
	const { members, step, fits, windows, hedgeOf } = presentModel(series);
	assert.equal(
		members,
		[...series.keys()].filter((i) => !quiet.includes(i)),
	);
	const alone = presentModel(members.map((i) => series[i] as Series));
	assert.equal(step, alone.step);
	assert.equal(
		members.map((i) => fits[i]),
		alone.fits,
	);
	const factors = step.portfolios.map((weights) =>
		portfolioReturns(
			members.map((i) => windows[i] as Float64Array),
			weights,
		),
	);
	for (const i of quiet) {
		const { slopes, r2 } = leastSquares(windows[i] as Float64Array, factors, true);
		near(fits[i]?.r2 ?? Number.NaN, r2, 1e-12, "r2");
		assert.equal(fits[i]?.betas, slopes);
		const { weights, returns } = hedgeOf(i);
		assert.is(weights.length, FACTOR_ASSETS_MAX);
		returns.forEach((value, t) => {
			near(
				value,
				factors.reduce((sum, factor, k) => sum + at(slopes, k) * at(factor, t), 0),
				1e-12,
				"hedge",
			);
		});
	}
	const evaluation = checked(evaluate(request(series)));
	assert.is(evaluation.evaluated, series.length);
	const row = evaluation.published.find(({ symbol }) => symbol === "X60/USDT");
	assert.ok(row, JSON.stringify(reasonCounts(evaluation)));
	assert.equal(Object.keys(row.metadata.factor_basket as object).sort(), members.map((i) => series[i]?.symbol).sort());
	assert.equal(evaluate(request([...series].reverse())), evaluation);
});

test.run();
