import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import type { EvaluationRequest } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import {
	assetPanel,
	FactorWalk,
	hedgeWeights,
	portfolioReturns,
} from "../../src/strategies/statistical-arbitrage-model.ts";
import { BARS_MIN, presentModel } from "../../src/strategies/statistical-arbitrage-present.ts";
import { coinOf, cutAtClose, factorMarket } from "../support/pair-market.ts";
import { portfolioOf, requestOf } from "../support/synthetic-market.ts";

/**
 * What closed bars alone decide is computed once per closed bar. What is kept must be what would have been computed,
 * to the last bit, and nobody's portfolio may leave a trace in it.
 */
const test = suite("kept models");
const BASES = ["BTC", "ETH", ..."ABCDEFGHIJ"];
const BARS = 420;
const MARKET = factorMarket(BASES, BARS, 3);

/** As a source answers: columns of its own each time. */
const answered = (length: number): Series[] => MARKET.map((series) => cutAtClose(series, length));

/** The model without anything kept. */
function fromScratch(series: readonly Series[]) {
	const recent = (column: Float64Array) => column.slice(-BARS_MIN);
	const panel = assetPanel(
		series.map(({ symbol }) => symbol),
		recent(series[0]?.open_time ?? new Float64Array()),
		series.map(({ close }) => recent(close)),
	);
	return {
		step: new FactorWalk(panel, BARS_MIN - 1).step(),
		windows: panel.returns.map((column) => column.slice(-60)),
	};
}

test("the present factor model is kept by the content of its bars, and is the one from scratch", () => {
	const change = fc.record({ asset: fc.nat(BASES.length - 1), bar: fc.integer({ min: 1, max: BARS_MIN - 2 }) });
	const changes = fc.option(change, { nil: null });
	fc.assert(
		fc.property(fc.integer({ min: BARS_MIN, max: BARS }), changes, fc.boolean(), (length, revised, turned) => {
			const series = answered(length);
			if (turned) series.reverse();
			const kept = presentModel(series);
			assert.is(presentModel(turned ? answered(length).reverse() : answered(length)), kept, "computed again");
			if (revised) {
				const { close } = series[revised.asset] as Series;
				const bar = length - 1 - revised.bar;
				close[bar] = 1.01 * (close[bar] ?? 0);
				assert.is.not(presentModel(series), kept, "a revised bar went unnoticed");
			}
			const model = presentModel(series);
			const { step, windows } = fromScratch(series);
			assert.equal(model.step, step);
			assert.equal(model.windows, windows);
			assert.equal([model.members, model.fits], [[...series.keys()], step.fits]);
			step.fits.forEach((fit, i) => {
				const weights = hedgeWeights(step, fit);
				for (const hedge of [model.hedgeOf(i), model.hedgeOf(i)])
					assert.equal(hedge, { weights, returns: portfolioReturns(windows, weights) });
			});
		}),
		{ numRuns: 30, seed: 11 },
	);
});

/** A portfolio of all coins in unequal amounts; `venue` names histories under which nothing is kept yet. */
function held(
	strategyId: string,
	venue: string,
	amounts: readonly number[],
	bars: readonly Series[] = MARKET,
): EvaluationRequest {
	const series = bars.map((one): Series => ({ ...one, venue }));
	const usd = series.map((_, i) => amounts[i % amounts.length] ?? 0);
	const positions = series.map(({ symbol, close }, i) => {
		return { symbol, quantity: (usd[i] ?? 0) / (close.at(-1) ?? 1), entry_price: null };
	});
	const capital_usd = usd.reduce((sum, value) => sum + value, 0);
	const portfolio = { ...portfolioOf(), positions, cash_usd: 0, capital_usd };
	const candidates = BASES.map((base) => coinOf(base));
	const markets = candidates.flatMap(({ market }) => (market ? [market] : []));
	return requestOf({ strategyId, series, candidates, markets, portfolio, evidence: [] });
}

for (const strategyId of ["ai_portfolio_optimization", "ai_risk_management", "ai_hedge_position"]) {
	test(`${strategyId}: an answer does not depend on the portfolios that were asked for before`, () => {
		const [even, uneven] = [[1_000], [9_000, 500, 200, 4_000, 0.5]];
		const first = evaluate(held(strategyId, "first", uneven));
		evaluate(held(strategyId, "second", even));
		for (const time of ["once", "again"])
			assert.equal(evaluate(held(strategyId, "second", uneven)), first, `asked ${time} after another portfolio`);
		assert.is.not(JSON.stringify(evaluate(held(strategyId, "second", even))), JSON.stringify(first));
	});

	test(`${strategyId}: a revised history is read anew`, () => {
		const revised = answered(BARS);
		for (const { close } of revised) for (let t = BARS - 90; t < BARS - 1; t += 7) close[t] = 1.02 * (close[t] ?? 0);
		const before = evaluate(held(strategyId, "known", [3_000, 1_000]));
		const after = evaluate(held(strategyId, "known", [3_000, 1_000], revised));
		assert.equal(after, evaluate(held(strategyId, "unknown", [3_000, 1_000], revised)));
		assert.is.not(JSON.stringify(after), JSON.stringify(before));
	});
}

test.run();
