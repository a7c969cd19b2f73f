import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { OptionChain, Series } from "../../src/market/contract.ts";
import type { Evaluation, EvaluationRequest, Opportunity } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { volatilityForecast } from "../../src/strategies/options/volatility-forecast.ts";
import { checked } from "../support/checked-evaluation.ts";
import { holding, optionRequest, simulatedAt } from "../support/option-market.ts";
import { type ChainParts, quotedChain } from "../support/quoted-chain.ts";
import { candidateOf, gaussian, marketOf, portfolioOf, randomWalk, requestOf } from "../support/synthetic-market.ts";

const test = suite("options trade");
const ID = "ai_options_trade";
const near = (actual: unknown, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(Number(actual) - expected) <= tolerance, `${actual} is not ${expected}`);

const evaluatedAndChecked = (request: EvaluationRequest) => checked(evaluate(request));
const reasonsOf = ({ rejected }: Evaluation) => rejected.map(({ reason }) => reason);
const rowsOf = ({ published, unproven }: Evaluation) => [...published, ...unproven];
const named = (evaluation: Evaluation, structure: string): Opportunity => {
	const row = rowsOf(evaluation).find(({ metadata }) => metadata.structure === structure);
	if (!row) throw new Error(`no ${structure}: ${JSON.stringify(evaluation.rejected)}`);
	return row;
};

const series = randomWalk("BTC/USDT", 800, 11);
const close = series.close.at(-1) ?? 1;
const forecast = volatilityForecast(series.close, 14).at(-1) ?? Number.NaN;
const btc = candidateOf(marketOf("BTC/USDT"));

/** One asset with a flat chain `points` vol points beside the forecast. */
function quoted(
	points: number,
	parts: Partial<ChainParts> = {},
	extra: Partial<EvaluationRequest> = {},
): EvaluationRequest {
	const chain = quotedChain({
		base: "BTC",
		atMs: series.as_of_ms,
		forward: close,
		contractSize: 0.01,
		volatility: () => forecast + points / 100,
		...parts,
	});
	const request = requestOf({ strategyId: ID, series: [series], candidates: [btc], evidence: [] });
	return { ...request, ...extra, view: { ...request.view, chains: { BTC: chain }, ...extra.view } };
}

test("volatility far below its forecast: a straddle, and never confident without a history", () => {
	const evaluation = evaluatedAndChecked(quoted(-10));
	assert.is(evaluation.candidate_unit, "structure");
	assert.is(evaluation.evaluated, 2);
	assert.equal(evaluation.published, []);
	const row = named(evaluation, "straddle");
	assert.is(row.unproven_reason, "insufficient_evidence");
	assert.equal([row.confidence_score, row.evidence.grade, row.evidence.n], [null, "C", 0]);
	const { model_probability, max_loss_usd, legs, breakevens, net_debit_usd, fees_usd, contracts } = row.metadata;
	assert.ok(Number(model_probability) > 0.4 && Number(model_probability) < 0.7);
	near(max_loss_usd, Number(net_debit_usd) + Number(fees_usd));
	near(row.required_capital_usd, Number(max_loss_usd));
	assert.ok(Number(max_loss_usd) <= 100, "more than a hundredth of the capital is at risk");
	assert.is((legs as unknown[]).length, 2);
	const [low = 0, high = 0] = breakevens as number[];
	const strike = (legs as { strike: number }[])[0]?.strike ?? 0;
	const unit = Number(max_loss_usd) / (Number(contracts) * 0.01);
	near(low, strike - unit, 1e-9 * strike);
	near(high, strike + unit, 1e-9 * strike);
	assert.ok(row.profit_potential_usd > 0);
	assert.is(row.metadata.profit_basis, "model");
});

test("volatility at its forecast: nothing, and the near miss says by how much", () => {
	const evaluation = evaluatedAndChecked(quoted(0));
	assert.equal(reasonsOf(evaluation), ["edge_below_threshold", "edge_below_threshold"]);
	const [miss] = evaluation.near_misses;
	near(miss?.value, -0.5, 1e-6);
	near(miss?.distance, 5.5, 1e-6);
});

test("coins held: calls sold on them when volatility is dear, puts bought when it is cheap", () => {
	const portfolio = holding({ BTC: 0.335 }, 50_000);
	const dear = evaluatedAndChecked(quoted(12, {}, { portfolio }));
	assert.is(dear.evaluated, 4);
	const call = named(dear, "covered_call");
	assert.equal([call.side, call.symbol, call.exchange], ["short", "BTC/USDT", "multiple"]);
	assert.is(call.metadata.contracts, 33, "whole contracts within what is held");
	assert.ok(Number(call.metadata.net_debit_usd) < 0);
	const cheap = evaluatedAndChecked(quoted(-12, {}, { portfolio }));
	const put = named(cheap, "protective_put");
	assert.equal([put.side, put.metadata.contracts], ["long", 33]);
	assert.ok(Number(put.metadata.floor_price) < close);
	const little = evaluatedAndChecked(quoted(12, {}, { portfolio: holding({ BTC: 0.009 }, 50_000) }));
	assert.ok(reasonsOf(little).includes("capital_below_min_notional"));
});

test("each gate has its reason", () => {
	const cases: [string, EvaluationRequest][] = [
		["spread_too_wide", quoted(-10, { halfSpread: 0.08 })],
		["spread_too_wide", quoted(-10, { change: (quote) => ({ ...quote, bid: null, bid_quantity: null }) })],
		["open_interest_low", quoted(-10, { openInterest: 9 })],
		["open_interest_low", quoted(-10, { change: (quote) => ({ ...quote, open_interest: null }) })],
		["no_options_market", quoted(-10, { days: [3, 90] })],
		["capital_below_min_notional", quoted(-10, { contractSize: 100 })],
		["capital_below_min_notional", quoted(-10, {}, { portfolio: portfolioOf(1) })],
	];
	for (const [reason, request] of cases) {
		const evaluation = evaluatedAndChecked(request);
		assert.equal([...new Set(reasonsOf(evaluation))], [reason]);
	}
});

test("missing data are reasons: chain, freshness, reads, history", () => {
	const base = quoted(-10);
	const withView = (view: Partial<EvaluationRequest["view"]>) =>
		evaluatedAndChecked({ ...base, view: { ...base.view, ...view } });
	assert.equal(reasonsOf(withView({ chains: {} })), ["no_options_market"]);
	assert.equal(reasonsOf(withView({ as_of_ms: base.view.as_of_ms + 11 * 60_000 })), ["stale_data"]);
	assert.equal(reasonsOf(withView({ errors: { "BTC/USDT": "timeout" } })), ["fetch_failed"]);
	assert.equal([...new Set(reasonsOf(withView({ series: {} })))], ["insufficient_history"]);
	const young = { ...randomWalk("BTC/USDT", 100, 3), as_of_ms: series.as_of_ms };
	const shift = series.as_of_ms - ((young.open_time.at(-1) ?? 0) + 86_400_000);
	const recent: Series = { ...young, open_time: young.open_time.map((time) => time + shift) };
	assert.equal([...new Set(reasonsOf(withView({ series: { "BTC/USDT": recent } })))], ["insufficient_history"]);
});

test("an inverse chain of the same prices says the same", () => {
	const [linear, inverse] = [evaluatedAndChecked(quoted(-10)), evaluatedAndChecked(quoted(-10, { inverse: true }))];
	for (const name of ["straddle"]) {
		const [a, b] = [named(linear, name), named(inverse, name)];
		near(b.profit_potential_usd, a.profit_potential_usd, 1e-6);
		near(b.metadata.max_loss_usd, Number(a.metadata.max_loss_usd), 1e-6);
		assert.is(b.metadata.premium_currency, "BTC");
	}
});

test("the scale of prices and the order of candidates do not matter", async () => {
	const market = simulatedAt(42, Date.UTC(2025, 1, 11, 15));
	const request = await optionRequest(ID, market, holding({ ETH: 10 }, 100_000));
	const evaluation = evaluatedAndChecked(request);
	assert.ok(rowsOf(evaluation).length > 0);
	assert.equal(evaluatedAndChecked({ ...request, candidates: [...request.candidates].reverse() }), evaluation);
	const [plain, scaled] = [quoted(-10), quoted(-10)];
	const times = (column: Float64Array) => column.map((value) => value * 1024);
	const dear = (chain: OptionChain | undefined): OptionChain => ({
		...(chain ?? quotedChain({ base: "BTC", atMs: 0 })),
		contract_size: 0.01 / 1024,
		quotes: (chain?.quotes ?? []).map((quote) => ({
			...quote,
			strike: quote.strike * 1024,
			forward: (quote.forward ?? 0) * 1024,
			bid: (quote.bid ?? 0) * 1024,
			ask: (quote.ask ?? 0) * 1024,
		})),
	});
	scaled.view = {
		...scaled.view,
		series: {
			"BTC/USDT": {
				...series,
				open: times(series.open),
				high: times(series.high),
				low: times(series.low),
				close: times(series.close),
			},
		},
		chains: { BTC: dear(scaled.view.chains?.BTC) },
	};
	const [a, b] = [named(evaluatedAndChecked(plain), "straddle"), named(evaluatedAndChecked(scaled), "straddle")];
	near(b.profit_potential_usd, a.profit_potential_usd, 1e-6);
	near(b.metadata.model_probability, Number(a.metadata.model_probability), 1e-9);
	assert.is(b.opportunity_id, a.opportunity_id);
});

test("the record knows no later day and not who asks", async () => {
	const atMs = Date.UTC(2025, 1, 11, 15);
	const request = await optionRequest(ID, simulatedAt(42, atMs));
	const later = await optionRequest(ID, simulatedAt(42, atMs + 90 * 86_400_000));
	const mixed = { ...request, view: { ...request.view, volatility: later.view.volatility ?? {} } };
	mixed.view.series = later.view.series;
	assert.equal(evaluatedAndChecked(mixed).report, evaluatedAndChecked(request).report, "later bars changed the record");
	const alone = evaluatedAndChecked(await optionRequest(ID, simulatedAt(42, atMs), portfolioOf(500), ["ETH"]));
	assert.equal(alone.report, evaluatedAndChecked(request).report, "the record depends on who asks");
	const measured = (evaluation: Evaluation) =>
		rowsOf(evaluation)
			.filter(({ symbol }) => symbol === "ETH/USDT")
			.map((row) => [row.metadata.structure, row.confidence_score, row.evidence]);
	assert.equal(
		measured(evaluatedAndChecked(request)),
		measured(evaluatedAndChecked(await optionRequest(ID, simulatedAt(42, atMs), portfolioOf(100_000), ["ETH"]))),
	);
});

test("options priced at the true volatility of a random walk never look proven", () => {
	const seeds = Number(process.env.PLACEBO_SEEDS ?? 20);
	const graded = new Map<string, number[]>();
	for (let seed = 1; seed <= seeds; seed++) {
		const walks = ["BTC", "ETH"].map((base, i) => ({
			base,
			walk: randomWalk(`${base}/USDT`, 1500, 7000 + 2 * seed + i),
		}));
		// The rule fires because its forecast errs: whoever quotes the true volatility gives nothing away.
		const volatility = Object.fromEntries(
			walks.map(({ base, walk }, i) => {
				const noise = gaussian(9000 + 2 * seed + i);
				const atm_iv = Float64Array.from(walk.close, () => 0.04 * Math.sqrt(365) * (1 + 0.01 * noise()));
				const time = walk.open_time.map((open) => open + 86_400_000);
				return [base, { base, venue: "test", length: 1500, time, atm_iv, as_of_ms: walk.as_of_ms }];
			}),
		);
		const request = requestOf({ strategyId: ID, series: walks.map(({ walk }) => walk), candidates: [], evidence: [] });
		const { report } = evaluatedAndChecked({ ...request, view: { ...request.view, volatility } });
		const rules = report.rules as Record<string, { grade: string; n: number }>;
		if (seed === 1) assert.ok(Number(rules.straddle?.n) > 20, "the rule never fired");
		for (const [name, { grade }] of Object.entries(rules))
			if (grade === "A" || grade === "B") graded.set(name, [...(graded.get(name) ?? []), seed]);
	}
	const allowed = Math.max(1, Math.floor(0.05 * seeds));
	for (const [name, by] of graded) assert.ok(by.length <= allowed, `${name} was fooled by seeds ${by.join(", ")}`);
});

test.run();
