import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import { at } from "../../src/strategies/columns.ts";
import type { Opportunity } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { simulate } from "../../src/strategies/simulator.ts";
import { squeezeRule, withEntryStop } from "../../src/strategies/squeeze-rule.ts";
import { measureStatement } from "../../src/strategies/volatility-statement.ts";
import { checked, reasonCounts } from "../support/checked-evaluation.ts";
import { cut } from "../support/cut-series.ts";
import {
	candidateOf,
	marketOf,
	portfolioOf,
	RECORDED,
	randomWalk,
	revertingSeries,
	trendingSeries,
} from "../support/synthetic-market.ts";
import { flatSeries, perpRequest, scaled, squeezingSeries } from "../support/synthetic-perps.ts";

const test = suite("volatility trading");
const SYMBOLS = Array.from({ length: 12 }, (_, i) => `C${String(i).padStart(2, "0")}/USDT:USDT`);
const strategyId = "ai_volatility_trading";

const squeezing = SYMBOLS.map((symbol, i) => squeezingSeries(symbol, 1500, 300 + i));
const look = (series: Series[], parts: Parameters<typeof perpRequest>[1] = {}) =>
	checked(evaluate(perpRequest(series, { strategyId, ...parts })));
const [first, second] = squeezed();
const idOf = (row: Opportunity) => row.opportunity_id;

/** Two series whose last bar is squeezed. */
function squeezed(): [Series, Series] {
	const [one, two] = squeezing.filter((series) => squeezeRule.read(series).gateAt(series.length - 1) === null);
	if (!one || !two) throw new Error("the market is not squeezed");
	return [one, two];
}

interface Orders {
	buy_stop: { trigger: number; stop: number; target: number };
	sell_stop: { trigger: number; stop: number; target: number };
}

test("squeezes that are followed by runs are published with both orders", () => {
	const evaluation = look(squeezing);
	assert.ok(evaluation.published.length > 0, JSON.stringify(reasonCounts(evaluation)));
	for (const row of evaluation.published) {
		const { buy_stop: buy, sell_stop: sell } = row.metadata.orders as Orders;
		const series = squeezing.find(({ symbol }) => symbol === row.symbol);
		assert.ok(series);
		assert.is(buy.trigger, Math.max(...series.high.slice(-20)));
		assert.is(sell.trigger, Math.min(...series.low.slice(-20)));
		assert.ok(buy.stop < buy.trigger && buy.trigger < buy.target);
		assert.ok(sell.stop > sell.trigger && sell.trigger > sell.target);
		assert.equal([row.side, row.metadata.executable], ["neutral", false]);
		assert.equal([row.entry_price, row.stop_price, row.exit_price], [buy.trigger, buy.stop, buy.target]);
		assert.ok(Math.abs((row.risk_reward_ratio ?? 0) - 2) < 1e-9);
		assert.ok(Math.abs((row.confidence_score ?? 0) / 100 - (row.evidence.hit_rate ?? 0)) < 0.15);
	}
});

test("the forecast of volatility stands beside the trade and is not its confidence", () => {
	const [row] = look(squeezing).published;
	assert.ok(row);
	const said = row.metadata.volatility_statement as Record<string, number>;
	assert.ok((said.probability ?? 0) > (said.base_rate ?? 1), "a planted squeeze says something");
	assert.ok((said.low ?? 1) <= (said.probability ?? 0) && (said.probability ?? 1) <= (said.high ?? 0));
	assert.is.not(row.confidence_score, 100 * (said.probability ?? 0));
	const { volatility_ewma_94: annual = 0 } = row.metadata.indicators as Record<string, number>;
	const expected = 100 * (annual / Math.sqrt(365)) * Math.sqrt(10);
	assert.ok(Math.abs(Number(row.metadata.expected_move_percent) - expected) < 1e-9);
});

test("trends are no squeeze, and flat prices have no bandwidth percentile to speak of", () => {
	const trends = look(SYMBOLS.map((symbol, i) => trendingSeries(symbol, 1400, 100 + i)));
	assert.equal(reasonCounts(trends), { no_squeeze: SYMBOLS.length });
	assert.is(trends.near_misses.length, 3);
	const flat = look(SYMBOLS.map((symbol) => flatSeries(symbol)));
	assert.is(flat.published.length + flat.unproven.length, 0);
});

test("order, unit of prices, capital and hindsight", () => {
	const straight = look(squeezing);
	assert.equal(look([...squeezing].reverse()), straight);
	const larger = look(squeezing.map((one) => scaled(one, 1024)));
	const judged = (row: Opportunity) => [
		row.symbol,
		row.confidence_score,
		row.evidence,
		row.metadata.volatility_statement,
	];
	assert.equal(larger.published.map(judged), straight.published.map(judged));
	assert.equal(larger.rejected, straight.rejected);
	const rich = look(squeezing, { portfolio: portfolioOf(640_000) });
	assert.equal(rich.published.map(idOf), straight.published.map(idOf));
	for (const row of look(squeezing, { source: RECORDED }).published) assert.is(row.evidence.grade, "B");
});

test("a perp's confidence leans on the record of its own spot market", () => {
	const evidence = squeezing.map((one) => ({ ...one, symbol: one.symbol.replace(":USDT", "") }));
	const market = marketOf(first.symbol);
	const spot = marketOf(first.symbol.replace(":USDT", ""));
	const scoreWith = (others: (typeof market)[]) => {
		const { published, unproven } = look([first], { evidence, candidates: [candidateOf(market, others)] });
		return [...published, ...unproven][0]?.confidence_score;
	};
	assert.is.not(scoreWith([spot]), scoreWith([]));
});

test("missing data are reasons of their own", () => {
	const series = [first, cut(second, 200)];
	const evaluation = look(series, {
		asOfMs: Math.max(...squeezing.map((one) => one.as_of_ms)),
		candidates: [first.symbol, second.symbol, "ERR/USDT:USDT", "NONE/USDT:USDT"].map((symbol) =>
			candidateOf(marketOf(symbol)),
		),
		evidence: squeezing,
		errors: { "ERR/USDT:USDT": "connection reset" },
	});
	assert.equal(Object.fromEntries(evaluation.rejected.map(({ symbol, reason }) => [symbol, reason])), {
		[second.symbol]: "stale_data",
		"ERR/USDT:USDT": "fetch_failed",
		"NONE/USDT:USDT": "insufficient_history",
	});
	const young = look([flatSeries("Y/USDT:USDT", 260)]);
	assert.equal(reasonCounts(young), { insufficient_history: 1 });
});

test("squeezes that lead nowhere are rejected with their numbers", () => {
	// What leaves its range is taken back: both orders buy high and sell low.
	const evidence = SYMBOLS.map((symbol, i) => revertingSeries(symbol, 1500, 500 + i, false));
	const evaluation = look([first, second], { evidence });
	assert.equal(reasonCounts(evaluation), { negative_expectancy: 2 });
	assert.match(evaluation.rejected[0]?.detail ?? "", /mean net -/);
});

test("signal, levels and indicators of bar t are the same on data cut at t", () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 280, max: 499 }), (seed, t) => {
			const series = randomWalk("X/USDT", 500, seed);
			const [whole, short] = [squeezeRule.read(series), squeezeRule.read(cut(series, t + 1))];
			for (const column of ["upper", "lower", "n"] as const)
				assert.is(at(short.plan[column], t), at(whole.plan[column], t));
			assert.is(short.gateAt(t), whole.gateAt(t));
			assert.equal(short.indicatorsAt(t), whole.indicatorsAt(t));
		}),
		{ numRuns: 30, seed: 1 },
	);
});

test("trades and forecasts that ended by bar t are the same on data cut at t", () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 400, max: 799 }), (seed, t) => {
			const series = squeezingSeries("X/USDT", 800, seed);
			const short = cut(series, t + 1);
			for (const rule of [squeezeRule, withEntryStop(squeezeRule)]) {
				const ended = simulate(series, rule.read(series).plan, 0.003).trades.filter((trade) => trade.exitIndex <= t);
				assert.equal(simulate(short, rule.read(short).plan, 0.003).trades, ended);
			}
			const options = { barsMin: 300, percentileMax: 0.1, asOfMs: at(series.open_time, t) + 86_400_000 };
			assert.equal(measureStatement(squeezeRule, [short], options), measureStatement(squeezeRule, [series], options));
		}),
		{ numRuns: 15, seed: 2 },
	);
});

test("the percentile counts the own bandwidth and needs 250 of them", () => {
	const series = randomWalk("X/USDT", 400, 8);
	const reading = squeezeRule.read(series);
	assert.ok(Number.isNaN(reading.percentileAt(267)) && !Number.isNaN(reading.percentileAt(268)));
	const bandwidths = Array.from({ length: 400 }, (_, t) => reading.indicatorsAt(t).bandwidth ?? Number.NaN);
	for (const t of [268, 300, 399]) {
		const window = bandwidths.slice(t - 249, t + 1);
		assert.is(reading.percentileAt(t), window.filter((value) => value <= (bandwidths[t] ?? 0)).length / 250);
	}
});

test.run();
