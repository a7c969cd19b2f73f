import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import type { Evaluation, PortfolioSnapshot, Position } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { readBook } from "../../src/strategies/risk/book.ts";
import { bookMeasures, type Measure, positionMeasures } from "../../src/strategies/risk/checks.ts";
import { RISK_LIMITS } from "../../src/strategies/risk/limits.ts";
import { effectiveNumber } from "../../src/strategies/risk/measures.ts";
import { evaluationSchema } from "../../src/strategies/schema.ts";
import { seriesOf } from "../support/recorded-bars.ts";
import { barsFrom, candidateOf, gaussian, marketOf, requestOf } from "../support/synthetic-market.ts";

const test = suite("risk management");
const ID = "ai_risk_management";
const BARS = 1300;
const near = (actual: number, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

/** Coins that share a common factor, as the hedge has it; the last price of each is 100. */
function coin(symbol: string, seed: number, beta = 1, own = 0.01, factorSigma = 0.02): Series {
	const factor = gaussian(7);
	const noise = gaussian(seed);
	const logs = [0];
	while (logs.length < BARS) logs.push((logs.at(-1) ?? 0) + beta * factorSigma * factor() + own * noise());
	const end = logs.at(-1) ?? 0;
	return seriesOf(
		barsFrom(
			logs.map((value) => value - end + Math.log(100)),
			{ seed, sigma: 0.01 },
		),
		{ symbol },
	);
}

const COINS = ["AAA", "BBB", "CCC", "DDD", "EEE"].map((base, i) => coin(`${base}/USDT`, 20 + i));
const calm = ["AAA", "BBB", "CCC", "DDD", "EEE"].map((base, i) => coin(`${base}/USDT`, 20 + i, 0, 0.002));
const hedges = [
	coin("BTC/USDT", 90, 1, 0.002),
	coin("BTC/USDT:USDT", 91, 1, 0.002),
	coin("ETH/USDT:USDT", 92, 1, 0.02),
];

interface Setup {
	quantities: number[];
	cash: number;
	coins?: Series[];
	extra?: Partial<Position>;
	volume?: number;
	errors?: Record<string, string>;
	hedged?: boolean;
	described?: boolean;
}

function setup({
	quantities,
	cash,
	coins = COINS,
	extra = {},
	volume = 200_000_000,
	errors = {},
	hedged = true,
	described = true,
}: Setup) {
	const positions = quantities.flatMap((quantity, i): Position[] =>
		quantity === 0 ? [] : [{ symbol: coins[i]?.symbol ?? "", quantity, entry_price: null, ...extra }],
	);
	const capital_usd = cash + 100 * quantities.reduce((sum, quantity) => sum + Math.abs(quantity), 0);
	const portfolio: PortfolioSnapshot = { positions, cash_usd: cash, version: 1, capital_usd, assumed: false };
	const series = [...coins.filter(({ symbol }) => !(symbol in errors)), ...(hedged ? hedges : [])];
	const candidates = positions.map(({ symbol }) => candidateOf(marketOf(symbol, { volume_usd_24h: volume })));
	if (!described) for (const candidate of candidates) candidate.market = null;
	const markets = (described ? hedges : []).map(({ symbol }) => marketOf(symbol));
	return requestOf({ strategyId: ID, series, candidates, portfolio, evidence: [], errors, markets });
}

function run(parts: Setup): Evaluation {
	const evaluation = evaluate(setup(parts));
	const result = evaluationSchema.safeParse(evaluation);
	assert.ok(result.success, JSON.stringify(result.error?.issues.slice(0, 3)));
	return evaluation;
}
const rowsOf = (evaluation: Evaluation) => [...evaluation.published, ...evaluation.unproven];
const measuresOf = (evaluation: Evaluation) => evaluation.report.measures as Measure[];
const breachedOf = (evaluation: Evaluation) =>
	measuresOf(evaluation)
		.filter((measure) => measure.breached)
		.map(({ measure, symbol }) => `${measure} ${symbol}`);

/** Measures after each position was brought to `weights`. */
function after(parts: Setup, weights: readonly number[]): Measure[] {
	const { quantities, cash } = parts;
	const equity = cash + 100 * quantities.reduce((sum, quantity) => sum + Math.abs(quantity), 0);
	const request = setup(parts);
	const changed = weights.map((weight) => (weight * equity) / 100);
	const positions = request.portfolio.positions.map((position, i) => ({ ...position, quantity: changed[i] ?? 0 }));
	const book = readBook(request.candidates, request.view, { ...request.portfolio, positions });
	return [...bookMeasures(book, null), ...positionMeasures(book).flat()];
}

test("no positions and a portfolio below 100 USD", () => {
	const none = run({ quantities: [], cash: 5000 });
	assert.equal([none.evaluated, none.rejected[0]?.reason, none.report.status], [1, "no_positions", "no_positions"]);
	const small = run({ quantities: [0.5], cash: 0 });
	assert.is(small.rejected[0]?.reason, "portfolio_too_small");
});

test("within all limits: every measure is listed with value and limit, and that is good news", () => {
	const evaluation = run({ quantities: [10, 10, 10, 10, 10], cash: 5000, coins: calm });
	assert.is(rowsOf(evaluation).length, 0);
	assert.equal(new Set(evaluation.rejected.map(({ reason }) => reason)), new Set(["within_limits"]));
	assert.is(evaluation.report.status, "within_limits");
	assert.is(evaluation.evaluated, 7, "five positions, the book, the hedge");
	const listed = new Set(measuresOf(evaluation).map(({ measure }) => measure));
	for (const name of [
		"volatility_annual",
		"beta_btc",
		"var95_1d",
		"cvar95_1d",
		"var95_1d_cornish_fisher",
		"var95_10d",
		"cvar95_10d",
		"drawdown",
		"hhi",
		"effective_number",
		"volatility_annual_correlation_0.9",
		"loss_btc_minus_30_percent",
		"leverage",
		"stablecoin_and_cash_share",
		"largest_venue_share",
		"weight",
		"risk_share",
		"liquidity_days",
		"unstopped_weight",
		"liquidation_sigmas",
	]) {
		assert.ok(listed.has(name), name);
	}
	assert.is(evaluation.near_misses.length, 3);
});

test("what the portfolio does not record is null with a note, never guessed", () => {
	const evaluation = run({ quantities: [10, 10, 10, 10, 10], cash: 5000, coins: calm });
	const stop = measuresOf(evaluation).find(({ measure }) => measure === "unstopped_weight");
	assert.equal([stop?.value, stop?.note], [null, "the portfolio does not record stops"]);
});

test("weight above 30 %: the trade restores it", () => {
	const parts: Setup = { quantities: [40, 10, 10, 10, 10], cash: 2000, coins: calm };
	const evaluation = run(parts);
	assert.ok(breachedOf(evaluation).includes("weight AAA/USDT"));
	const row = rowsOf(evaluation).find(({ symbol }) => symbol === "AAA/USDT");
	assert.ok(row);
	assert.is(row.opportunity_type, "risk_mitigation");
	assert.equal(
		[row.profit_potential_usd, row.required_capital_usd, row.metadata.signal_action, row.metadata.executable],
		[0, 0, "SELL", false],
	);
	const weight = row.metadata.weight_after as number;
	assert.ok(weight <= RISK_LIMITS.weight_max + 1e-12);
	const restored = after(parts, [weight, 0.1, 0.1, 0.1, 0.1]).filter(({ symbol }) => symbol === "AAA/USDT");
	assert.equal(
		restored.filter(({ breached }) => breached).map(({ measure }) => measure),
		[],
	);
});

test("share of risk above 35 %: the trade restores it", () => {
	// One wild coin of small weight among calm ones.
	const coins = [coin("AAA/USDT", 20, 0, 0.03), ...calm.slice(1)];
	const parts: Setup = { quantities: [10, 20, 20, 20, 20], cash: 1000, coins };
	const evaluation = run(parts);
	assert.equal(breachedOf(evaluation), ["risk_share AAA/USDT"]);
	const row = rowsOf(evaluation).find(({ symbol }) => symbol === "AAA/USDT");
	const weight = row?.metadata.weight_after as number;
	const share = after(parts, [weight, 0.2, 0.2, 0.2, 0.2]).find(
		({ measure, symbol }) => measure === "risk_share" && symbol === "AAA/USDT",
	);
	near(share?.value ?? 1, RISK_LIMITS.risk_share_max, 1e-6);
	assert.is(share?.breached, false);
});

test("liquidity above one day: the trade restores it", () => {
	const parts: Setup = { quantities: [20, 20, 20, 20], cash: 2000, coins: calm.slice(0, 4), volume: 10_000 };
	const evaluation = run(parts);
	assert.ok(breachedOf(evaluation).every((name) => name.startsWith("liquidity_days")));
	const row = rowsOf(evaluation)[0];
	const weight = row?.metadata.weight_after as number;
	const days = after(parts, [weight, weight, weight, weight]).filter(({ measure }) => measure === "liquidity_days");
	for (const { value } of days) near(value ?? 9, 1, 1e-9);
});

test("no stop above 5 %: a stop is proposed and nothing is sold", () => {
	const evaluation = run({
		quantities: [10, 10, 10, 10],
		cash: 6000,
		coins: calm.slice(0, 4),
		extra: { stop_price: null },
	});
	const row = rowsOf(evaluation)[0];
	assert.ok(row);
	assert.equal([row.metadata.trade_usd, row.side, row.unproven_reason], [0, "neutral", "insufficient_evidence"]);
	assert.ok(row.stop_price !== null && row.entry_price !== null && row.stop_price < row.entry_price);
	const stopped = run({ quantities: [10, 10, 10, 10], cash: 6000, coins: calm.slice(0, 4), extra: { stop_price: 90 } });
	assert.is(rowsOf(stopped).length, 0);
});

test("liquidation within three daily sigmas: the position shrinks until it is not", () => {
	const evaluation = run({
		quantities: [10, 10, 10, 10],
		cash: 6000,
		coins: calm.slice(0, 4),
		extra: { liquidation_price: 99.8 },
	});
	const measure = measuresOf(evaluation).find((one) => one.measure === "liquidation_sigmas");
	assert.ok(measure?.breached);
	const row = rowsOf(evaluation).find(({ symbol }) => symbol === "AAA/USDT");
	near((row?.metadata.keep_share as number) * 3, measure?.value ?? 0, 1e-9);
});

test("CVaR and drawdown of the book: the trades restore both, and a hedge is offered", () => {
	const coins = COINS.map((_, i) => coin(`${["AAA", "BBB", "CCC", "DDD", "EEE"][i]}/USDT`, 20 + i, 2.5, 0.01));
	const parts: Setup = { quantities: [18, 18, 18, 18, 18], cash: 1000, coins };
	const evaluation = run(parts);
	assert.equal(breachedOf(evaluation).sort(), ["cvar95_1d PORTFOLIO", "drawdown PORTFOLIO"]);
	const row = rowsOf(evaluation).find(({ symbol }) => symbol === "PORTFOLIO");
	assert.ok(row);
	assert.equal([row.side, row.metadata.signal_action, row.profit_potential_usd], ["neutral", "NEUTRAL", 0]);
	const trades = row.metadata.trades as { to_weight: number }[];
	const restored = after(
		parts,
		trades.map((trade) => trade.to_weight),
	);
	for (const name of ["cvar95_1d", "drawdown"])
		assert.is(restored.find(({ measure }) => measure === name)?.breached, false, name);
	assert.ok((row.metadata.risk_reduction_usd as number) > 0 && (row.metadata.urgency as number) > 0);
	const hedge = rowsOf(evaluation).find(({ opportunity_type }) => opportunity_type === "risk_hedge");
	assert.ok(hedge, "hedge");
	assert.equal([hedge.symbol, hedge.side], ["BTC/USDT:USDT", "short"]);
	assert.ok(hedge.required_capital_usd > 0 && (hedge.metadata.risk_reduction_usd as number) > 0);
	assert.ok((hedge.confidence_score ?? 0) > 90 && hedge.evidence.n >= 30);
	assert.is(hedge.evidence.grade, "B");
});

test("nothing is sold nor hedged at fees that nobody knows; what is measured is shown all the same", () => {
	const coins = COINS.map((_, i) => coin(`${["AAA", "BBB", "CCC", "DDD", "EEE"][i]}/USDT`, 20 + i, 2.5, 0.01));
	const parts: Setup = { quantities: [60, 8, 8, 8, 8], cash: 0, coins };
	const unknown = run({ ...parts, described: false });
	assert.equal(breachedOf(unknown), breachedOf(run(parts)));
	assert.is(rowsOf(unknown).length, 0);
	const reasonOf = (symbol: string) => unknown.rejected.find((one) => one.symbol === symbol)?.reason;
	assert.equal(["AAA/USDT", "PORTFOLIO", "BTC/USDT:USDT"].map(reasonOf), [
		"fetch_failed",
		"fetch_failed",
		"fetch_failed",
	]);
});

test("effective number below three with more than three positions: the cap restores it", () => {
	const parts: Setup = { quantities: [29, 29, 2, 2], cash: 3800, coins: calm.slice(0, 4) };
	const evaluation = run(parts);
	assert.ok(breachedOf(evaluation).includes("effective_number PORTFOLIO"));
	const row = rowsOf(evaluation).find(({ symbol }) => symbol === "PORTFOLIO");
	const weights = ((row?.metadata.trades ?? []) as { symbol: string; to_weight: number }[]).map(
		(trade) => trade.to_weight,
	);
	assert.ok(effectiveNumber([...weights, 0.02, 0.02]) >= RISK_LIMITS.effective_number_min);
	const hedge = evaluation.rejected.find(({ symbol }) => symbol === "BTC/USDT:USDT");
	assert.is(hedge?.reason, "within_limits", "a hedge does not spread a book");
});

test("a failed read is named and the rest is measured; no perp is no_derivative_market", () => {
	const coins = COINS.map((_, i) => coin(`${["AAA", "BBB", "CCC", "DDD", "EEE"][i]}/USDT`, 20 + i, 2.5, 0.01));
	const evaluation = run({
		quantities: [18, 18, 18, 18, 18],
		cash: 1000,
		coins,
		errors: { "BBB/USDT": "timeout" },
		hedged: false,
	});
	assert.equal(
		evaluation.rejected.find(({ symbol }) => symbol === "BBB/USDT"),
		{ symbol: "BBB/USDT", reason: "fetch_failed", detail: "timeout" },
	);
	assert.is(evaluation.rejected.find(({ symbol }) => symbol === "BTC/USDT:USDT")?.reason, "no_derivative_market");
	assert.is(evaluation.evaluated, 7);
	const lost = run({ quantities: [18], cash: 1000, errors: { "AAA/USDT": "timeout" } });
	assert.equal(
		lost.rejected.map(({ reason }) => reason),
		["fetch_failed", "fetch_failed", "fetch_failed"],
	);
});

test.run();
