import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Evaluation } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { effectivenessOf, hedgeRatios, windowEffect } from "../../src/strategies/hedging/effectiveness.ts";
import { alignedReturns } from "../../src/strategies/hedging/instruments.ts";
import { checked } from "../support/checked-evaluation.ts";
import {
	BARS,
	COMMON,
	FOLLOWER,
	FOLLOWER_PERP,
	LONER_PERP,
	market,
	requestFor,
	type Setup,
} from "../support/hedge-market.ts";
import { fundingOf, seriesOf } from "../support/recorded-bars.ts";
import { barsFrom, DAY_MS, gaussian } from "../support/synthetic-market.ts";

const test = suite("hedge position");
const _ID = "ai_hedge_position";
const near = (actual: number, expected: number, tolerance: number) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not within ${tolerance} of ${expected}`);

const run = (setup: Setup): Evaluation => checked(evaluate(requestFor(setup)));
const rowsOf = ({ published, unproven }: Evaluation) => [...published, ...unproven];
const reasonOf = (evaluation: Evaluation, symbol: string) =>
	evaluation.rejected.find((one) => one.symbol === symbol)?.reason;

test("a coin that follows BTC is hedged with its perpetual, in the planted ratio", () => {
	const evaluation = run({ held: { "AAA/USDT": 8000 }, cash: 2000 });
	const [row] = evaluation.published;
	assert.ok(row, JSON.stringify(evaluation.rejected));
	assert.equal([row.symbol, row.side, row.opportunity_type], ["BTC/USDT:USDT", "short", "hedge"]);
	near(row.metadata.hedge_ratio as number, 1.5, 0.15);
	near(row.metadata.notional_usd as number, 8000 * (row.metadata.hedge_ratio as number), 1e-6);
	assert.is(row.profit_potential_usd, 0);
	near(row.metadata.protected_value_usd as number, 8000, 1e-6);
	assert.ok((row.metadata.cvar95_1d_after_usd as number) < 0.7 * (row.metadata.cvar95_1d_before_usd as number));
	assert.is(row.evidence.n, Math.floor((BARS - 1 - 90) / 30));
	assert.is(row.confidence_score, (100 * row.evidence.wins) / row.evidence.n);
	assert.is(row.evidence.grade, "B");
	assert.is(row.metadata.executable, false);
	near(row.required_capital_usd, (row.metadata.notional_usd as number) / 2, 1e-9);
});

test("the basis a hedge is charged is that of its own contracts", () => {
	const [row] = rowsOf(run({ held: { "AAA/USDT": 8000 }, cash: 2000 }));
	assert.ok(row);
	assert.is(row.metadata.basis_from, "closes of the contracts and their spot markets");
	// The contract trembles by 3 bp a day around its spot market: sqrt(2) of it between two days, sqrt(30/7) to the month.
	near(row.metadata.basis_deviation_bps_30d as number, 3 * Math.sqrt(2) * Math.sqrt(30 / 7), 0.6);
});

test("a hedge costs what its own market charges, and without that knowledge there is none", () => {
	const held = { "AAA/USDT": 8000 };
	const feeOf = (taker_fee: number) => {
		const [row] = rowsOf(run({ held, cash: 2000, common: { taker_fee } }));
		assert.ok(row);
		const [leg] = row.metadata.legs as { taker_fee_bps: number }[];
		near(leg?.taker_fee_bps ?? 0, taker_fee * 10_000, 1e-9);
		return row.costs.fee_bps;
	};
	near(feeOf(0.0005), 10, 1e-9);
	near(feeOf(0.0002), 4, 1e-9);
	const unknown = run({ held, cash: 2000, undescribed: ["BTC/USDT:USDT", "ETH/USDT:USDT"] });
	assert.is(reasonOf(unknown, "AAA/USDT"), "fetch_failed");
});

test("the coin's own contract is preferred, one for one", () => {
	const evaluation = run({ held: { "AAA/USDT": 8000 }, cash: 2000, perps: [FOLLOWER_PERP] });
	const [row] = rowsOf(evaluation);
	assert.ok(row);
	assert.equal([row.symbol, row.metadata.hedge_kind, row.metadata.hedge_ratio], ["AAA/USDT:USDT", "own_perp", 1]);
	const kinds = (row.metadata.alternatives as { kind: string }[]).map(({ kind }) => kind);
	assert.equal(kinds, ["own_perp", "btc_perp", "eth_perp", "btc_eth_perps"]);
});

test("a coin that goes its own way is refused, unless it has a contract of its own", () => {
	const refused = run({ held: { "LLL/USDT": 8000 }, cash: 2000 });
	assert.is(reasonOf(refused, "LLL/USDT"), "hedge_ineffective");
	assert.is(refused.near_misses[0]?.threshold, 0.3);
	const hedged = run({ held: { "LLL/USDT": 8000 }, cash: 2000, perps: [LONER_PERP] });
	assert.is(rowsOf(hedged)[0]?.symbol, "LLL/USDT:USDT");
});

test("a coin of two factors takes both contracts", () => {
	// Mostly the second factor: short ETH and, against ETH's share of the first, long BTC. That is no hedge of two.
	const other = market("DDD/USDT", 30, { beta: 0.2, second: 1.4, own: 0.006 });
	const [single] = rowsOf(run({ held: { "DDD/USDT": 8000 }, series: [...COMMON, other] }));
	assert.is(single?.metadata.hedge_kind, "eth_perp");
	const mixed = market("EEE/USDT", 31, { beta: 1.5, second: 0.8, own: 0.006 });
	const [double] = rowsOf(run({ held: { "EEE/USDT": 8000 }, series: [...COMMON, mixed] }));
	assert.ok(double);
	assert.is(double.metadata.hedge_kind, "btc_eth_perps");
	assert.is((double.metadata.legs as unknown[]).length, 2);
});

test("small positions and small shares of the risk are left alone", () => {
	const evaluation = run({ held: { "AAA/USDT": 30_000, "LLL/USDT": 300 }, cash: 0 });
	assert.is(reasonOf(evaluation, "LLL/USDT"), "below_threshold");
	const shares = run({ held: { "AAA/USDT": 30_000, "LLL/USDT": 1000 }, cash: 0 });
	assert.is(reasonOf(shares, "LLL/USDT"), "within_limits");
});

test("a hedge that is already there is seen", () => {
	const evaluation = run({ held: { "AAA/USDT": 8000, "AAA/USDT:USDT": -7500 }, perps: [FOLLOWER_PERP] });
	assert.equal(
		evaluation.rejected.map(({ symbol, reason }) => [symbol, reason]),
		[
			["AAA/USDT", "already_hedged"],
			["AAA/USDT:USDT", "already_hedged"],
		],
	);
	const part = run({ held: { "AAA/USDT": 8000, "AAA/USDT:USDT": -3000 }, perps: [FOLLOWER_PERP] });
	const [row] = rowsOf(part);
	near(row?.metadata.protected_value_usd as number, 5000, 1e-6);
});

test("a naked short is hedged by buying", () => {
	const evaluation = run({ held: { "AAA/USDT:USDT": -8000 }, cash: 5000, perps: [FOLLOWER_PERP] });
	const [row] = rowsOf(evaluation);
	assert.equal([row?.symbol, row?.side], ["BTC/USDT:USDT", "long"]);
});

test("funding is income for a short where longs pay, a cost where they are paid", () => {
	const newest = FOLLOWER_PERP.as_of_ms;
	const paid = (rate: number) =>
		fundingOf(
			Array.from({ length: 60 }, (_, i) => [newest - (59 - i) * 8 * 3_600_000, rate] as const),
			"AAA/USDT:USDT",
			newest,
		);
	const costOf = (rate: number | null) => {
		const setup: Setup = { held: { "AAA/USDT": 8000 }, cash: 2000, perps: [FOLLOWER_PERP] };
		const [row] = rowsOf(run(rate === null ? setup : { ...setup, funding: [paid(rate)] }));
		assert.ok(row);
		assert.is(row.metadata.funding_known, rate !== null);
		return row.costs;
	};
	near(costOf(0.0001).funding_bps, -90, 1e-9);
	near(costOf(-0.0001).funding_bps, 90, 1e-9);
	assert.is(costOf(null).funding_bps, 0);
});

test("costs above a third of the protection stop the hedge", () => {
	const evaluation = run({ held: { "AAA/USDT": 8000 }, cash: 2000, perps: [FOLLOWER_PERP], volume: 20_000 });
	assert.is(reasonOf(evaluation, "AAA/USDT"), "cost_exceeds_edge");
});

test("missing inputs have their reasons", () => {
	assert.is(run({ held: {} }).rejected[0]?.reason, "no_positions");
	assert.is(reasonOf(run({ held: { "AAA/USDT": 50 } }), "AAA/USDT"), "portfolio_too_small");
	const spotOnly = [FOLLOWER, ...COMMON.filter(({ symbol }) => !symbol.includes(":"))];
	assert.is(reasonOf(run({ held: { "AAA/USDT": 8000 }, series: spotOnly }), "AAA/USDT"), "no_derivative_market");
	const failed = run({ held: { "AAA/USDT": 8000 }, series: spotOnly, errors: { "BTC/USDT:USDT": "timeout" } });
	assert.is(reasonOf(failed, "AAA/USDT"), "fetch_failed");
	assert.is(
		reasonOf(run({ held: { "AAA/USDT": 8000 }, errors: { "AAA/USDT": "timeout" } }), "AAA/USDT"),
		"fetch_failed",
	);
	const young = market("AAA/USDT", 20, { bars: 100 });
	assert.is(
		reasonOf(run({ held: { "AAA/USDT": 8000 }, series: [...COMMON, young] }), "AAA/USDT"),
		"insufficient_history",
	);
});

test("the order of positions does not matter, nor the price of a unit", () => {
	const request = requestFor({ held: { "AAA/USDT": 8000, "LLL/USDT": 8000 }, cash: 2000, perps: [LONER_PERP] });
	const turned = {
		...request,
		candidates: [...request.candidates].reverse(),
		portfolio: { ...request.portfolio, positions: [...request.portfolio.positions].reverse() },
	};
	assert.equal(evaluate(turned), evaluate(request));
	const cheap = [...COMMON, market("AAA/USDT", 20, { beta: 1.5, price: 0.0001 })];
	const [a, b] = [run({ held: { "AAA/USDT": 8000 } }), run({ held: { "AAA/USDT": 8000 }, series: cheap })];
	near(b.published[0]?.metadata.hedge_ratio as number, a.published[0]?.metadata.hedge_ratio as number, 1e-9);
	assert.is(b.published[0]?.confidence_score, a.published[0]?.confidence_score);
});

test("two positions with one hedge are two rows", () => {
	const twin = market("BBB/USDT", 25, { beta: 1.4 });
	const evaluation = run({ held: { "AAA/USDT": 8000, "BBB/USDT": 8000 }, series: [...COMMON, FOLLOWER, twin] });
	const rows = rowsOf(evaluation);
	assert.equal(rows.map(({ symbol, metadata }) => [symbol, metadata.hedged_symbol]).sort(), [
		["BTC/USDT:USDT", "AAA/USDT"],
		["BTC/USDT:USDT", "BBB/USDT"],
	]);
});

test("spot stands in before a listing, and says so", () => {
	const late = COMMON.map((series) =>
		series.symbol === "BTC/USDT:USDT" ? market(series.symbol, 90, { own: 0.003, bars: 400, tremor: 0.0003 }) : series,
	);
	const [row] = rowsOf(run({ held: { "AAA/USDT": 8000 }, cash: 2000, series: [...late, FOLLOWER] }));
	assert.is(row?.evidence.n, Math.floor((BARS - 1 - 90) / 30));
	assert.is(row?.metadata.stand_in_days, BARS - 400);
	const own = market("AAA/USDT:USDT", 20, { beta: 1.5, bars: 400, tremor: 0.0005 });
	const [direct] = rowsOf(run({ held: { "AAA/USDT": 8000 }, cash: 2000, perps: [own] }));
	assert.is(direct?.evidence.n, Math.floor((400 - 1 - 90) / 30), "a coin is no stand-in for its own contract");
	assert.is(direct?.unproven_reason, "insufficient_evidence");
});

test("ratios: one and two legs by least squares; a window knows only the 90 days before it", () => {
	const normal = gaussian(3);
	const [x, z] = [0, 1].map(() => Float64Array.from({ length: 400 }, () => 0.02 * normal())) as [
		Float64Array,
		Float64Array,
	];
	const position = x.map((value, t) => 0.7 * value + 1.3 * (z[t] ?? 0));
	near(hedgeRatios(position, [x, z])[0] ?? 0, 0.7, 1e-12);
	near(hedgeRatios(position, [x, z])[1] ?? 0, 1.3, 1e-12);
	near(hedgeRatios(position, [x, x])[1] ?? 1, 0, 1e-12);
	const days = Array.from({ length: 400 }, (_, t) => t * DAY_MS);
	const returns = { position, legs: [x], days, standInDays: 0 };
	const window = { from: 250, to: 280 };
	const known = windowEffect(returns, window, null);
	const blur = (column: Float64Array) => column.map((v, t) => (t >= 280 || t < 160 ? 9 * v + 0.01 : v));
	near(windowEffect({ ...returns, position: blur(position), legs: [blur(x)] }, window, null), known, 1e-12);
	assert.ok(effectivenessOf("test", () => returns, null).record.n > 0);
});

test("returns are joined on common days and never bridge a hole", () => {
	const rows = barsFrom([0, 0.1, 0.2, 0.3, 0.4], { seed: 1, sigma: 0.01 });
	const whole = seriesOf(rows, { symbol: "A/USDT" });
	const holed = seriesOf(
		rows.filter((_, i) => i !== 2),
		{ symbol: "B/USDT:USDT" },
	);
	const { days, position } = alignedReturns(whole, [{ series: holed }]);
	assert.equal(days, [rows[1]?.[0], rows[4]?.[0]]);
	near(position[0] ?? 0, 0.1, 1e-12);
});

test.run();
