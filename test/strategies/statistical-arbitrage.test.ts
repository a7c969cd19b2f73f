import { EigenvalueDecomposition, Matrix } from "ml-matrix";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import { at } from "../../src/strategies/columns.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { measure } from "../../src/strategies/evidence/measure.ts";
import { EVIDENCE_BARS_MIN, evidencePanel } from "../../src/strategies/statistical-arbitrage-evidence.ts";
import {
	FACTOR_BARS,
	FactorWalk,
	hedgeWeights,
	portfolioReturns,
} from "../../src/strategies/statistical-arbitrage-model.ts";
import { replayPanel, stepsOf } from "../../src/strategies/statistical-arbitrage-replay.ts";
import { dot, leastSquares } from "../../src/strategies/statistics/least-squares.ts";
import { RollingCovariance } from "../../src/strategies/statistics/rolling-covariance.ts";
import { checked, reasonCounts } from "../support/checked-evaluation.ts";
import { coinOf, cutAtClose, factorMarket } from "../support/pair-market.ts";
import { seriesOf } from "../support/recorded-bars.ts";
import { DAY_MS, portfolioOf, RECORDED, randomWalk, requestOf } from "../support/synthetic-market.ts";

const test = suite("statistical arbitrage");
const strategyId = "ai_statistical_arbitrage";
const BASES = ["BTC", "ETH", ..."ABCDEFGHIJKL"];
const BARS = 1850;
const FOREVER = Number.POSITIVE_INFINITY;

const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);
const candidatesOf = (series: readonly Series[]) => series.map(({ symbol }) => coinOf(symbol.split("/")[0] ?? symbol));
const request = (series: Series[], extra: Partial<Parameters<typeof requestOf>[0]> = {}) =>
	requestOf({ strategyId, series, candidates: candidatesOf(series), ...extra });

/** One coin is far below and one far above where its factors put it; in this market that is taken back. */
const REVERTING = factorMarket(BASES, BARS, 3, { ends: { C: -2.2, D: 2.2 } });

test("coins far off their factors are published on both sides with hedge, exits and record", () => {
	const evaluation = checked(evaluate(request(REVERTING)));
	assert.is(evaluation.evaluated, BASES.length);
	const bySymbol = new Map(evaluation.published.map((row) => [row.symbol, row]));
	const [cheap, dear] = [bySymbol.get("C/USDT"), bySymbol.get("D/USDT")];
	assert.ok(cheap && dear, JSON.stringify([reasonCounts(evaluation), [...bySymbol.keys()], evaluation.report]));
	assert.equal([cheap.side, dear.side], ["long", "short"]);
	for (const row of [cheap, dear]) {
		const side = row.side === "long" ? 1 : -1;
		const { entry_price: entry, stop_price: stop, target_price: target } = row;
		assert.ok(entry !== null && stop !== null && target !== null);
		assert.ok(side * (target - entry) > 0 && side * (entry - stop) > 0);
		const { s_score: s, deviation } = row.metadata.indicators as Record<string, number>;
		assert.ok(s !== undefined && deviation !== undefined && side * s < -1.25);
		near(target / entry - 1, ((side === 1 ? -0.5 : 0.75) - s) * deviation, 1e-12, "target");
		near(stop / entry - 1, (-3 * side - s) * deviation, 1e-12, "stop");
		const legs = row.metadata.legs as { symbol: string; side: string; share: number }[];
		assert.ok(legs.length >= 2 && legs.slice(1).every(({ symbol }) => /^(BTC|ETH)\//.test(symbol)));
		assert.ok(
			legs.every((leg) => leg.side === "long" || leg.symbol.endsWith(":USDT")),
			"shorts are perps",
		);
		near(
			row.required_capital_usd,
			Number(row.metadata.notional_usd) * legs.reduce((sum, l) => sum + l.share, 0),
			1e-6,
			"capital",
		);
		assert.is(Object.keys(row.metadata.factor_basket as object).length, BASES.length);
		const { hit_rate: hit, n } = row.evidence;
		assert.ok(hit !== null && n > 100 && Math.abs((row.confidence_score ?? 0) / 100 - hit) < 0.15);
	}
});

test("residuals that do not revert end as negative expectancy with their numbers", () => {
	const series = BASES.map((base, i) => randomWalk(`${base}/USDT`, BARS, 500 + i));
	const factor = randomWalk("F/USDT", BARS, 499);
	const joint = series.map((one) => {
		const times = (column: Float64Array) => column.map((value, t) => (value * at(factor.close, t)) / 100);
		return { ...one, open: times(one.open), high: times(one.high), low: times(one.low), close: times(one.close) };
	});
	const evaluation = checked(evaluate(request(joint)));
	assert.is(evaluation.published.length, 0);
	const losing = evaluation.rejected.filter(({ reason }) => reason === "negative_expectancy");
	assert.ok(losing.length > 0, JSON.stringify(reasonCounts(evaluation)));
	assert.match(losing[0]?.detail ?? "", /mean net -\d.*bp over \d+ trades/);
	assert.is((evaluation.report.evidence as { grade: string }).grade, "D");
});

test("placebo: on independent random walks neither side looks like an edge", () => {
	const seeds = Number(process.env.PLACEBO_SEEDS ?? 4);
	const fooled = { long: [] as number[], short: [] as number[] };
	for (let seed = 1; seed <= seeds; seed++) {
		// As many days as a record asks for: shorter ones are never graded.
		const panel = evidencePanel(
			BASES.slice(0, 12).map((base, i) => randomWalk(`${base}/USDT`, EVIDENCE_BARS_MIN, seed * 1000 + i)),
			FOREVER,
		);
		const replay = replayPanel(panel, stepsOf(panel), { holdBars: () => 30, embargoMs: FOREVER, placebo: true });
		for (const side of ["long", "short"] as const) {
			const { grade, evidence } = measure({
				rule: "placebo",
				method: "placebo",
				trades: replay.trades[side],
				placebo: replay.placebo[side],
				universeSize: 12,
				hindsight: false,
			});
			assert.ok(evidence.n > 50, `${side}: only ${evidence.n} trades`);
			if (grade === "A" || grade === "B") fooled[side].push(seed);
		}
	}
	for (const [side, by] of Object.entries(fooled))
		assert.ok(by.length <= Math.floor(0.05 * seeds), `${side}: fooled by seeds ${by.join(", ")}`);
});

test("the answer does not depend on the order of candidates and universe", () => {
	assert.equal(evaluate(request([...REVERTING].reverse())), evaluate(request(REVERTING)));
});

test("the unit of prices does not matter", () => {
	const scaled = REVERTING.map((one, i) => {
		const times = (column: Float64Array) => column.map((value) => value * 4 ** (i % 3));
		return { ...one, open: times(one.open), high: times(one.high), low: times(one.low), close: times(one.close) };
	});
	const [a, b] = [evaluate(request(REVERTING)), evaluate(request(scaled))];
	assert.equal(b.rejected, a.rejected);
	assert.equal(
		b.published.map((row) => [row.symbol, row.confidence_score, row.evidence]),
		a.published.map((row) => [row.symbol, row.confidence_score, row.evidence]),
	);
});

test("capital moves sizes, never confidence; a hindsight universe is never graded A", () => {
	const [small, large] = [10_000, 640_000].map((capital) =>
		evaluate(request(REVERTING, { portfolio: portfolioOf(capital) })),
	);
	assert.equal(
		large?.published.map((row) => [row.symbol, row.confidence_score]),
		small?.published.map((row) => [row.symbol, row.confidence_score]),
	);
	const hindsight = evaluate(request(REVERTING, { source: RECORDED }));
	assert.ok(hindsight.published.length > 0 && hindsight.published.every((row) => row.evidence.grade === "B"));
});

test("without perps there is nothing to hedge or sell short with", () => {
	const evaluation = checked(evaluate(requestOf({ strategyId, series: REVERTING })));
	assert.is(evaluation.published.length, 0);
	assert.ok((reasonCounts(evaluation).no_derivative_market ?? 0) >= 2);
});

test("no look-ahead: fits of bar t and trades that ended by it are the same on data cut at t", () => {
	const whole = evidencePanel(REVERTING, FOREVER);
	const steps = stepsOf(whole);
	const options = { holdBars: () => 30, embargoMs: FOREVER, placebo: false };
	const all = replayPanel(whole, steps, options).trades;
	for (const length of [400, 777, 1200]) {
		const panel = evidencePanel(
			REVERTING.map((series) => cutAtClose(series, length)),
			FOREVER,
		);
		const short = stepsOf(panel);
		assert.equal(short.at(-1), steps[length - 1 - FACTOR_BARS]);
		const end = at(panel.times, length - 1);
		for (const side of ["long", "short"] as const) {
			assert.equal(
				replayPanel(panel, short, options).trades[side],
				all[side].filter(({ exitTime }) => exitTime <= end),
			);
		}
	}
});

test("no look-ahead: bars after the instant change neither the record nor the answer", () => {
	const asOfMs = at(REVERTING[0]?.open_time ?? new Float64Array(), BARS - 30) + DAY_MS;
	const short = REVERTING.map((series) => cutAtClose(series, BARS - 29));
	assert.equal(evaluate(request(short, { asOfMs, evidence: REVERTING })), evaluate(request(short, { asOfMs })));
});

test("the residual is orthogonal to the factors, whatever the order of assets", () => {
	const panel = evidencePanel(REVERTING, FOREVER);
	const walk = new FactorWalk(panel, 600);
	const step = walk.step();
	const window = panel.returns.map((column) => column.subarray(541, 601));
	const factors = step.portfolios.map((weights) => portfolioReturns(window, weights));
	step.fits.forEach((fit, i) => {
		const own = window[i] ?? new Float64Array();
		const basket = portfolioReturns(window, hedgeWeights(step, fit));
		const residual = own.map((value, t) => value - fit.alpha - at(basket, t));
		for (const factor of factors) near(dot(residual, factor), 0, 1e-12, "cross product");
		near(fit.r2, leastSquares(own, factors, true).r2, 1e-12, "R2");
	});
	const order = [...panel.symbols.keys()].reverse();
	const pick = <T>(list: readonly T[]): T[] => order.flatMap((i) => list.slice(i, i + 1));
	const turned = new FactorWalk(
		{ ...panel, symbols: pick(panel.symbols), closes: pick(panel.closes), returns: pick(panel.returns) },
		600,
	).step();
	pick(step.fits).forEach((fit, i) => {
		near(turned.fits[i]?.s ?? 0, fit.s, 1e-9, "s after permutation");
	});
});

test("data gates have their reasons; fewer than twelve assets are no universe", () => {
	const series = REVERTING.map((one) => cutAtClose(one, 1850));
	const drop = (one: Series, hole: number) =>
		seriesOf(
			Array.from({ length: one.length - 1 }, (_, i) => {
				const t = i < hole ? i : i + 1;
				return [at(one.open_time, t), at(one.open, t), at(one.high, t), at(one.low, t), at(one.close, t), 1000];
			}),
			{ symbol: one.symbol },
		);
	const [a, b] = [series[2], series[3]];
	assert.ok(a && b);
	const damaged = series.map((one) => (one === a ? drop(a, 1700) : one === b ? cutAtClose(b, 1849) : one));
	const evaluation = checked(evaluate(request(damaged, { errors: { "L/USDT": "connection reset" } })));
	const of = (symbol: string) => evaluation.rejected.find((rejection) => rejection.symbol === symbol)?.reason;
	assert.equal([of(a.symbol), of(b.symbol), of("L/USDT")], ["gaps", "stale_data", "fetch_failed"]);
	assert.is(reasonCounts(evaluation).insufficient_history, 11);
	const few = checked(evaluate(request(series.slice(0, 5))));
	assert.equal(reasonCounts(few), { insufficient_history: 5 });
	assert.is((few.report.evidence as { n: number }).n, 0);
});

test("factors are those of the full decomposition within 1e-9, also where three are kept", () => {
	const loose = evidencePanel(
		BASES.map((base, i) => randomWalk(`${base}/USDT`, 700, 900 + i)),
		FOREVER,
	);
	const kept = new Set<number>();
	for (const panel of [evidencePanel(REVERTING, FOREVER), loose]) {
		for (let bar = 300; bar < panel.times.length; bar += 97) {
			const { portfolios, explained } = new FactorWalk(panel, bar).step();
			const { deviations, correlation } = new RollingCovariance(panel.returns, FACTOR_BARS, bar - 251).standardised();
			const n = panel.symbols.length;
			const full = new EigenvalueDecomposition(Matrix.from1DArray(n, n, correlation), { assumeSymmetric: true });
			kept.add(portfolios.length);
			const largest = full.realEigenvalues.slice(-portfolios.length);
			near(explained, largest.reduce((sum, value) => sum + value, 0) / n, 1e-9, "variance explained");
			portfolios.forEach((weights, k) => {
				const vector = full.eigenvectorMatrix.getColumn(n - 1 - k);
				const sign = Math.sign(dot(weights, Float64Array.from(vector)));
				weights.forEach((weight, i) => {
					near(weight * at(deviations, i), sign * (vector[i] ?? 0), 1e-9, `entry ${i} of factor ${k}`);
				});
			});
		}
	}
	assert.equal([...kept].sort(), [1, 3]);
});

test.run();
