import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import type { Evaluation, PortfolioSnapshot, Position } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { pastMonths } from "../../src/strategies/portfolio/months.ts";
import { planAll } from "../../src/strategies/portfolio/plan.ts";
import { rebalanceTo } from "../../src/strategies/portfolio/rebalance.ts";
import { type AssetUniverse, assetUniverse, COINS_MAX } from "../../src/strategies/portfolio/universe.ts";
import { checked } from "../support/checked-evaluation.ts";
import { seriesOf } from "../support/recorded-bars.ts";
import { barsFrom, candidateOf, gaussian, marketOf, requestOf } from "../support/synthetic-market.ts";

const test = suite("portfolio optimisation");
const ID = "ai_portfolio_optimization";
const BARS = 1300;

/** A coin with its own share of a common factor; the last price is `price`. */
function coin(symbol: string, seed: number, { beta = 1, own = 0.01, bars = BARS, price = 100 } = {}): Series {
	const factor = gaussian(7);
	const noise = gaussian(seed);
	const logs = [0];
	while (logs.length < BARS) logs.push((logs.at(-1) ?? 0) + beta * 0.02 * factor() + own * noise());
	const end = logs.at(-1) ?? 0;
	const rows = barsFrom(
		logs.map((value) => value - end + Math.log(price)),
		{ seed, sigma: 0.01 },
	);
	return seriesOf(rows.slice(-bars), { symbol });
}

const BTC = coin("BTC/USDT", 90, { own: 0.002 });
const ETH = coin("ETH/USDT", 91, { beta: 1.2 });
/** Two calm coins and one wild one. */
const CALM = coin("AAA/USDT", 20, { beta: 0.3, own: 0.004 });
const TAME = coin("BBB/USDT", 21, { beta: 0.4, own: 0.005 });
const WILD = coin("CCC/USDT", 22, { beta: 2.5, own: 0.03 });

interface Setup {
	/** Symbol -> USD held. */
	held: Record<string, number>;
	cash?: number;
	coins?: Series[];
	volume?: number;
	minNotional?: number;
	errors?: Record<string, string>;
	extra?: Position[];
	tags?: Record<string, "stablecoin">;
	capital?: number;
}

function requestFor({ held, cash = 0, coins = [BTC, ETH, CALM, TAME, WILD], errors = {}, ...setup }: Setup) {
	const priceOf = (symbol: string) => coins.find((one) => one.symbol === symbol)?.close.at(-1) ?? 1;
	const positions = Object.entries(held).map(([symbol, usd]): Position => {
		return { symbol, quantity: usd / priceOf(symbol), entry_price: null };
	});
	const capital_usd = setup.capital ?? cash + Object.values(held).reduce((sum, usd) => sum + usd, 0);
	const all = [...positions, ...(setup.extra ?? [])];
	const portfolio: PortfolioSnapshot = { positions: all, cash_usd: cash, version: 1, capital_usd, assumed: false };
	const candidates = all.map(({ symbol }) =>
		candidateOf(
			marketOf(symbol, {
				volume_usd_24h: setup.volume ?? 200_000_000,
				min_notional: setup.minNotional ?? 5,
				tags: setup.tags?.[symbol] ? ["stablecoin"] : [],
			}),
		),
	);
	const series = coins.filter(({ symbol }) => !(symbol in errors));
	const markets = series.map(({ symbol }) => marketOf(symbol));
	return requestOf({ strategyId: ID, series, candidates, portfolio, evidence: [], errors, markets });
}

const run = (setup: Setup): Evaluation => checked(evaluate(requestFor(setup)));
const rowsOf = ({ published, unproven }: Evaluation) => [...published, ...unproven];
const reasons = ({ rejected }: Evaluation) => new Set(rejected.map(({ reason }) => reason));
const universeOf = (setup: Setup): AssetUniverse => {
	const { candidates, view, portfolio } = requestFor(setup);
	return assetUniverse(candidates, view, portfolio);
};

const UNBALANCED: Setup = { held: { "AAA/USDT": 500, "BBB/USDT": 500, "CCC/USDT": 9000 }, cash: 1000 };

test("a wild book: trades and analyses are published, nothing is earned, the trades fit together", () => {
	const evaluation = run(UNBALANCED);
	const trades = evaluation.published.filter(({ opportunity_type }) => opportunity_type === "portfolio_rebalance");
	const analyses = rowsOf(evaluation).filter(({ opportunity_type }) => opportunity_type === "optimization_analysis");
	assert.ok(trades.length >= 2 && analyses.length >= 4, `${trades.length} trades, ${analyses.length} analyses`);
	const sale = trades.find(({ symbol }) => symbol === "CCC/USDT");
	assert.ok(sale);
	assert.equal([sale.side, sale.metadata.reduce_only, sale.required_capital_usd], ["short", true, 0]);
	const signed = trades.reduce(
		(sum, row) => sum + (row.side === "long" ? 1 : -1) * (row.metadata.amount_usd as number),
		0,
	);
	assert.ok(Math.abs(signed) < 1e-6, "what is sold pays for what is bought");
	const weights = Object.values(analyses[0]?.metadata.weights_after as Record<string, number>);
	assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 10 / 11) < 1e-9, "cash stays cash");
	for (const row of rowsOf(evaluation)) {
		assert.is(row.profit_potential_usd, 0);
		assert.is(row.metadata.executable, false);
		assert.ok(row.confidence_score !== null && row.confidence_score > 90 && row.evidence.n >= 30);
	}
	assert.is(evaluation.evaluated, 6 + 5, "six methods, three holdings and two majors");
	const total = trades.reduce((sum, row) => sum + (row.metadata.risk_reduction_usd as number), 0);
	const chosen = analyses.find(({ metadata }) => metadata.method === trades[0]?.metadata.method);
	assert.ok(chosen && Math.abs(total - (chosen.metadata.risk_reduction_usd as number)) < 1e-6);
});

test("confidence counts past months that were calmer, and only those", () => {
	const evaluation = run(UNBALANCED);
	const methods = evaluation.report.methods as { method: string; months: number; months_calmer: number }[];
	for (const { months } of methods.slice(0, 5)) assert.is(months, Math.floor((BARS - 1 - 180) / 30));
	const row = evaluation.published[0];
	assert.ok(row);
	assert.is(row.confidence_score, (100 * row.evidence.wins) / row.evidence.n);
});

test("maximum Sharpe is flagged and never traded on", () => {
	const rising = [BTC, ETH, CALM, TAME, WILD].map((one, i) =>
		i < 2 ? one : coin(one.symbol, 60 + i, { beta: 0.5, own: 0.01 }),
	);
	for (const coins of [rising, [BTC, ETH, CALM, TAME, WILD]]) {
		const evaluation = run({ ...UNBALANCED, coins });
		for (const row of rowsOf(evaluation)) {
			if (row.metadata.method === "maximum_sharpe") assert.is(row.opportunity_type, "optimization_analysis");
			assert.is(row.metadata.method === "maximum_sharpe", row.metadata.flag !== undefined);
		}
	}
});

test("a book at its target stays: nothing is proposed and the nearest method is named", () => {
	const first = run(UNBALANCED);
	const chosen = first.published.find(({ opportunity_type }) => opportunity_type === "portfolio_rebalance");
	const analysis = rowsOf(first).find(
		({ metadata, opportunity_type }) =>
			opportunity_type === "optimization_analysis" && metadata.method === chosen?.metadata.method,
	);
	const weights = analysis?.metadata.weights_after as Record<string, number>;
	const held = Object.fromEntries(Object.entries(weights).map(([symbol, weight]) => [symbol, weight * 11_000]));
	const evaluation = run({ held: Object.fromEntries(Object.entries(held).filter(([, usd]) => usd > 0)), cash: 1000 });
	const trades = rowsOf(evaluation).filter(({ opportunity_type }) => opportunity_type === "portfolio_rebalance");
	assert.equal(trades, []);
	assert.ok(reasons(evaluation).has("already_at_target") || reasons(evaluation).has("cost_exceeds_edge"));
	assert.ok(evaluation.near_misses.length > 0);
});

test("costs above the month's benefit stop the trades", () => {
	const evaluation = run({ held: { "AAA/USDT": 2000, "BBB/USDT": 8000 }, volume: 5_000 });
	assert.is(rowsOf(evaluation).filter(({ opportunity_type }) => opportunity_type === "portfolio_rebalance").length, 0);
	assert.ok(reasons(evaluation).has("cost_exceeds_edge"), [...reasons(evaluation)].join());
});

test("orders below the smallest are dropped and the others fill the budget", () => {
	const universe = universeOf({ ...UNBALANCED, minNotional: 400 });
	const { covariance } = planAll(universe, false);
	const index = (symbol: string) => universe.assets.findIndex((asset) => asset.symbol === symbol);
	const target = universe.assets.map(() => 0);
	// 300 USD of BBB would be bought: too little. The sale of CCC goes to AAA alone.
	target[index("AAA/USDT")] = 0.35;
	target[index("BBB/USDT")] = 0.08;
	target[index("CCC/USDT")] = 0.57;
	const found = rebalanceTo(universe, target, covariance, 1);
	assert.equal(found.trades.map(({ asset }) => asset.symbol).sort(), ["AAA/USDT", "CCC/USDT"]);
	assert.ok(Math.abs(found.weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-12);
	assert.is(found.weights[index("BBB/USDT")], universe.current[index("BBB/USDT")]);
});

test("weights inside the no-trade band are left alone", () => {
	const universe = universeOf({ held: { "AAA/USDT": 4000, "BBB/USDT": 3000, "CCC/USDT": 3000 } });
	const { covariance } = planAll(universe, false);
	const near = universe.current.map((weight, i) => weight + (weight > 0 ? 0.01 * ((i % 3) - 1) : 0));
	assert.is(rebalanceTo(universe, near, covariance, 1).trades.length, 0);
});

test("what cannot be weighed has its reason", () => {
	assert.equal([...reasons(run({ held: {}, capital: 5000 }))], ["portfolio_too_small"]);
	assert.equal([...reasons(run({ held: { "AAA/USDT": 50 } }))], ["portfolio_too_small"]);
	const reasonOf = (evaluation: Evaluation, symbol: string) =>
		evaluation.rejected.find((one) => one.symbol === symbol)?.reason;
	const mixed = run({
		...UNBALANCED,
		extra: [
			{ symbol: "USDC/USDT", quantity: 100, entry_price: 1 },
			{ symbol: "DDD/USDT:USDT", quantity: -3, entry_price: 10 },
			{ symbol: "EEE/USDT", quantity: 3, entry_price: 10 },
			{ symbol: "FFF/USDT", quantity: 3, entry_price: 10 },
		],
		coins: [BTC, ETH, CALM, TAME, WILD, coin("EEE/USDT", 40, { bars: 100 }), coin("FFF/USDT", 41)],
		errors: { "FFF/USDT": "timeout" },
		tags: { "USDC/USDT": "stablecoin" },
	});
	assert.is(reasonOf(mixed, "USDC/USDT"), "pegged_or_wrapped");
	assert.is(reasonOf(mixed, "DDD/USDT:USDT"), "no_spot_market");
	assert.is(reasonOf(mixed, "EEE/USDT"), "insufficient_history");
	assert.is(reasonOf(mixed, "FFF/USDT"), "fetch_failed");
	assert.ok(mixed.published.length > 0, "the rest is weighed");
	const lost = run({ held: { "AAA/USDT": 5000 }, errors: { "AAA/USDT": "timeout" } });
	assert.equal([...reasons(lost)], ["fetch_failed"]);
});

test("the order of positions does not matter, nor the price of a unit", () => {
	const request = requestFor(UNBALANCED);
	const turned = {
		...request,
		candidates: [...request.candidates].reverse(),
		portfolio: { ...request.portfolio, positions: [...request.portfolio.positions].reverse() },
	};
	assert.equal(evaluate(turned), evaluate(request));
	const cheap = [BTC, ETH, CALM, TAME, coin("CCC/USDT", 22, { beta: 2.5, own: 0.03, price: 0.001 })];
	const [a, b] = [run(UNBALANCED), run({ ...UNBALANCED, coins: cheap })];
	const amounts = (evaluation: Evaluation) =>
		Object.fromEntries(
			evaluation.published.map((row) => [row.opportunity_id, Number(row.metadata.amount_usd ?? 0).toFixed(4)]),
		);
	assert.equal(amounts(b), amounts(a));
});

test("the majors and the largest holdings are weighed, as many as the days bear; the others stay and are named", () => {
	// 40 coins; those around the border are of equal value, and the least ones come first by symbol.
	const symbols = Array.from({ length: 40 }, (_, i) => `C${i + 10}/USDT`);
	const usdOf = (i: number) => (i < 3 ? 100 : i < 13 ? 300 : 500 + i);
	const held = Object.fromEntries(symbols.map((symbol, i) => [symbol, usdOf(i)]));
	const own = symbols.map((symbol, i) => coin(symbol, 100 + i, { bars: 260, beta: 0.3 + (i % 7) / 3 }));
	const setup: Setup = { held, coins: [BTC, ETH, ...own], cash: 1000 };
	const universe = universeOf(setup);
	assert.equal(universe.assets.length, COINS_MAX);
	const left = [...symbols.slice(0, 3), ...symbols.slice(10, 13)];
	assert.equal(
		universe.left.map(({ symbol }) => symbol),
		left,
	);
	assert.ok(universe.assets.some(({ symbol, value }) => symbol === "ETH/USDT" && value === 0));
	const evaluation = run(setup);
	assert.is(evaluation.evaluated, 6 + 2 + symbols.length);
	const told = evaluation.rejected.filter(({ reason }) => reason === "insufficient_history");
	assert.equal(told.map(({ symbol }) => symbol).sort(), [...left].sort());
	assert.ok(told.every(({ detail }) => detail?.includes(`${COINS_MAX} coins`)));
	// What is left out is neither sold nor spent: the weights are those of the others, as shares of the whole.
	const weighed = symbols.filter((symbol) => !left.includes(symbol)).reduce((sum, one) => sum + (held[one] ?? 0), 0);
	const share = weighed / (1000 + Object.values(held).reduce((sum, usd) => sum + usd, 0));
	const weights = Object.values(evaluation.report.weights as Record<string, number>);
	assert.ok(Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - share) < 1e-12);
	const analyses = rowsOf(evaluation).filter(({ opportunity_type }) => opportunity_type === "optimization_analysis");
	assert.ok(analyses.length > 0);
	for (const { metadata } of analyses) {
		const after = metadata.weights_after as Record<string, number>;
		assert.ok(Math.abs(Object.values(after).reduce((sum, weight) => sum + weight, 0) - share) < 1e-12);
		assert.ok(left.every((symbol) => !(symbol in after)));
	}
	const turned = { ...setup, held: Object.fromEntries(Object.entries(held).reverse()) };
	assert.equal(run(turned), evaluation);
});

test("a major that is held takes part however little it is", () => {
	const symbols = Array.from({ length: COINS_MAX }, (_, i) => `C${i + 10}/USDT`);
	const own = symbols.map((symbol, i) => coin(symbol, 100 + i, { bars: 200 }));
	const held = { "BTC/USDT": 1, ...Object.fromEntries(symbols.map((symbol) => [symbol, 500])) };
	const { assets, left } = universeOf({ held, coins: [BTC, ETH, ...own] });
	assert.ok(assets.some(({ symbol }) => symbol === "BTC/USDT"));
	// Of equals the first by symbol stay.
	assert.equal(
		left.map(({ symbol }) => symbol),
		symbols.slice(-2),
	);
});

test("a month is weighed on what came before it and nothing else", () => {
	const { logs, simple } = universeOf(UNBALANCED);
	const months = pastMonths("whole", { logs, simple });
	for (const from of [...months.variances.keys()].filter((_, i) => i % 6 === 0)) {
		const later = logs.map((column, i) => column.map((value, t) => (t < from ? value : value * (i + 2) - 0.01)));
		assert.equal(pastMonths(`later ${from}`, { logs: later, simple }).variances.get(from), months.variances.get(from));
		const earlier = logs.map((column) => column.map((value, t) => (t < from - 180 ? 0.5 * value : value)));
		assert.equal(
			pastMonths(`earlier ${from}`, { logs: earlier, simple }).variances.get(from),
			months.variances.get(from),
		);
	}
});

test("twice the capital doubles amounts and moves no weight where impact is nothing", () => {
	const held = Object.fromEntries(Object.entries(UNBALANCED.held).map(([symbol, usd]) => [symbol, 2 * usd]));
	const [one, two] = [run({ ...UNBALANCED, volume: 1e15 }), run({ ...UNBALANCED, held, cash: 2000, volume: 1e15 })];
	const ids = (evaluation: Evaluation) => evaluation.published.map(({ opportunity_id }) => opportunity_id);
	assert.equal(ids(two), ids(one));
});

test.run();
