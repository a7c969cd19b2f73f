import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { OptionQuote } from "../../src/market/contract.ts";
import type { Evaluation, EvaluationRequest, Opportunity } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { readBoard } from "../../src/strategies/options/chain.ts";
import { netAt, outcomeOf, payoffOf } from "../../src/strategies/options/combination.ts";
import { findViolations } from "../../src/strategies/options/violations.ts";
import { volatilityForecast } from "../../src/strategies/options/volatility-forecast.ts";
import { checked } from "../support/checked-evaluation.ts";
import { OPTION_BASES, optionRequest, simulatedAt } from "../support/option-market.ts";
import { type ChainParts, quotedChain } from "../support/quoted-chain.ts";
import { candidateOf, marketOf, portfolioOf, randomWalk, requestOf } from "../support/synthetic-market.ts";

const test = suite("complex strategy");
const ID = "ai_complex_strategy";
const near = (actual: unknown, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(Number(actual) - expected) <= tolerance, `${actual} is not ${expected}`);

const evaluatedAndChecked = (request: EvaluationRequest) => checked(evaluate(request));
const reasonsOf = ({ rejected }: Evaluation) => rejected.map(({ reason }) => reason);
const named = (evaluation: Evaluation, structure: string): Opportunity => {
	const row = [...evaluation.published, ...evaluation.unproven].find(
		({ metadata }) => metadata.structure === structure,
	);
	if (!row) throw new Error(`no ${structure}: ${JSON.stringify(evaluation.rejected)}`);
	return row;
};

const series = randomWalk("ETH/USDT", 800, 21);
const forward = series.close.at(-1) ?? 1;
const forecast = volatilityForecast(series.close, 14).at(-1) ?? Number.NaN;

function quoted(parts: Partial<ChainParts> = {}): EvaluationRequest {
	const chain = quotedChain({
		base: "ETH",
		atMs: series.as_of_ms,
		forward,
		volatility: () => forecast,
		...parts,
	});
	const request = requestOf({
		strategyId: ID,
		series: [series],
		candidates: [candidateOf(marketOf("ETH/USDT"))],
		evidence: [],
		portfolio: portfolioOf(100_000),
	});
	return { ...request, view: { ...request.view, chains: { ETH: chain } } };
}
/** Moves both sides of one option by a share of the forward. */
const moved =
	(kind: "call" | "put", strikeShare: number, days: number, share: number, unit = forward) =>
	(quote: OptionQuote): OptionQuote => {
		const here =
			quote.kind === kind &&
			Math.abs(quote.strike / forward - strikeShare) < 1e-9 &&
			Math.abs(quote.expiry_ms - series.as_of_ms - days * 86_400_000) < 1;
		const by = (price: number | null) => (price === null ? null : price + share * unit);
		return here ? { ...quote, bid: by(quote.bid), ask: by(quote.ask) } : quote;
	};

test("a fair chain at its forecast volatility offers nothing", () => {
	const evaluation = evaluatedAndChecked(quoted());
	assert.is(evaluation.evaluated, 6);
	assert.equal(evaluation.published, []);
	assert.equal(evaluation.unproven, []);
	const reasons = reasonsOf(evaluation);
	assert.ok(
		reasons.every((reason) => reason === "edge_below_threshold" || reason === "spread_too_wide"),
		reasons.join(),
	);
	const nets = (evaluation.report.violation_net_bps as Record<string, Record<string, number>>)["ETH/USDT"] ?? {};
	for (const name of ["box", "butterfly", "parity"]) assert.ok((nets[name] ?? 1) < 0, `${name} ${nets[name]}`);
});

test("dear volatility: a condor with its loss bounded, unproven without a history", () => {
	const evaluation = evaluatedAndChecked(quoted({ volatility: () => forecast + 0.15, halfSpread: 0.001 }));
	const rows = [...evaluation.published, ...evaluation.unproven];
	assert.equal([evaluation.published.length, rows.length], [0, 1], "one row for the side that sells premium");
	const [row] = rows;
	assert.ok(row && /iron_(condor|butterfly)/.test(String(row.metadata.structure)));
	assert.ok(reasonsOf(evaluation).includes("cluster_limit"), "the other of the two");
	assert.is(row?.side, "short");
	const { legs, net_debit_usd, max_loss_usd, max_profit_usd, fees_usd, contracts } = row?.metadata ?? {};
	const strikes = (legs as { strike: number; kind: string }[]).map(({ strike }) => strike);
	const size = Number(contracts) * 0.1;
	assert.is(strikes.length, 4);
	near(max_profit_usd, -Number(net_debit_usd) - Number(fees_usd), 1e-6);
	const [lowest = 0, low = 0, high = 0, highest = 0] = strikes;
	near(max_loss_usd, size * Math.max(low - lowest, highest - high) + Number(net_debit_usd) + Number(fees_usd), 1e-6);
	assert.is(row?.required_capital_usd, max_loss_usd);
});

test("the near end dear: a calendar, never more than unproven", () => {
	const evaluation = evaluatedAndChecked(
		quoted({ volatility: (days) => forecast + (days < 20 ? 0.12 : 0.02), halfSpread: 0.002 }),
	);
	const row = named(evaluation, "calendar");
	assert.equal([row.confidence_score, row.evidence.grade, row.side], [null, "C", "long"]);
	near(row.metadata.max_loss_usd, Number(row.metadata.net_debit_usd) + Number(row.metadata.fees_usd), 1e-9);
	assert.ok(Number(row.metadata.model_probability) > 0.5);
});

test("an option left far too cheap: a violation is published, certain, at the quotes", () => {
	for (const inverse of [false, true]) {
		const change = moved("call", 1, 14, -0.03, inverse ? 1 : forward);
		const evaluation = evaluatedAndChecked(quoted({ inverse, change }));
		assert.is(evaluation.published.length, 1);
		const [row] = evaluation.published;
		assert.equal([row?.confidence_score, row?.evidence.grade, row?.side], [100, "A", "neutral"]);
		assert.ok(/box|butterfly/.test(String(row?.metadata.structure)));
		assert.is(row?.metadata.max_loss_usd, 0);
		assert.ok((row?.profit_potential_usd ?? 0) > 0 && (row?.required_capital_usd ?? 0) > 0);
		assert.ok((row?.required_capital_usd ?? 0) <= 25_000);
		assert.ok(reasonsOf(evaluation).includes("cluster_limit"), "the forward that it makes is not listed beside it");
		assert.is(row?.metadata.profit_basis, "deterministic");
	}
});

test("a box against its arithmetic", () => {
	const chain = quotedChain({
		base: "ETH",
		atMs: 0,
		forward: 100,
		days: [30],
		change: (quote) =>
			quote.kind === "put" && quote.strike === 100
				? { ...quote, bid: (quote.bid ?? 0) + 5, ask: (quote.ask ?? 0) + 5 }
				: quote,
	});
	const box = findViolations(readBoard(chain, 0)).get("box");
	assert.ok(box && box.net > 0);
	const legs = box?.combination.legs ?? [];
	const dear = legs.find(({ option }) => option.kind === "put" && option.strike === 100);
	assert.ok(dear && dear.units === -1, "the dear put is sold");
	const strikes = [...new Set(legs.map(({ option }) => option.strike))].sort((a, b) => a - b);
	const width = (strikes[1] ?? 0) - (strikes[0] ?? 0);
	const paid = legs.reduce((sum, { option, units }) => sum + units * ((units > 0 ? option.ask : option.bid) ?? 0), 0);
	const fees = legs.reduce(
		(sum, { option, units }) => sum + Math.min(0.03, 0.125 * ((units > 0 ? option.ask : option.bid) ?? 0)),
		2 * 0.015,
	);
	near(box?.net, (paid > 0 ? width : -width) - paid - fees, 1e-9);
});

test("parity alone is listed as unproven: the forward is stated, not quoted", () => {
	const only = (quote: OptionQuote): OptionQuote =>
		Math.abs(quote.strike / forward - 1) < 1e-9
			? moved("call", 1, 14, 0.02)(quote)
			: { ...quote, bid: null, ask: null, bid_quantity: null, ask_quantity: null };
	const row = named(evaluatedAndChecked(quoted({ change: only })), "parity");
	assert.equal([row.confidence_score, row.evidence.grade, row.unproven_reason], [null, "C", "insufficient_evidence"]);
	assert.ok(typeof row.metadata.forward_leg === "string");
});

test("what is called certain holds at every price, on every simulated chain that shows one", async () => {
	let shown = 0;
	for (let seed = 1; seed <= 20; seed++) {
		const atMs = Date.UTC(2025, 6, 21, 9) + seed * 86_400_000;
		for (const base of OPTION_BASES) {
			const chain = await simulatedAt(seed, atMs).optionChain(base, {
				signal: new AbortController().signal,
				as_of_ms: atMs,
			});
			if (!chain) continue;
			for (const { name, net, combination, executable } of findViolations(readBoard(chain, chain.at_ms)).values()) {
				if (net <= 0 || !executable) continue;
				shown++;
				assert.ok(combination.contractsMax >= 1);
				for (let price = 0; price <= 4 * combination.forward; price += combination.forward / 50) {
					assert.ok(
						netAt(combination, price) >= net - 1e-9 * combination.forward,
						`${name} ${base} ${seed} at ${price}`,
					);
				}
			}
		}
	}
	assert.ok(shown > 0, "the simulation showed none");
});

test("extremes, breakevens and the mean of the model against a fine grid", () => {
	const board = readBoard(quotedChain({ base: "ETH", atMs: 0, forward: 100, days: [30] }), 0);
	const [expiry] = board.expiries;
	const at = (kind: "call" | "put", strike: number) => {
		const option = expiry?.strikes.find((row) => Math.abs(row.strike - strike) < 1e-9)?.[kind];
		if (!option) throw new Error(`no ${kind} at ${strike}`);
		return option;
	};
	const legs = [
		{ option: at("put", 84), units: 1 },
		{ option: at("put", 92), units: -1 },
		{ option: at("call", 108), units: -1 },
		{ option: at("call", 116), units: 1 },
	];
	const combination = { legs, forward: 100, years: 30 / 365, debit: -3, fees: 0.2, spread: 0, contractsMax: 1 };
	const outcome = outcomeOf(combination, 0.6);
	near(outcome.maxProfit, 2.8);
	near(outcome.maxLoss, 5.2);
	near(outcome.breakevens[0], 89.2);
	near(outcome.breakevens[1], 110.8);
	const deviation = 0.6 * Math.sqrt(30 / 365);
	let [mass, mean, gain] = [0, 0, 0];
	for (let z = -8; z <= 8; z += 0.0005) {
		const weight = Math.exp((-z * z) / 2);
		const net = netAt(combination, 100 * Math.exp(deviation * z - deviation ** 2 / 2));
		mass += weight;
		mean += weight * net;
		if (net > 0) gain += weight;
	}
	near(outcome.expected, mean / mass, 1e-5);
	near(outcome.probability, gain / mass, 1e-4);
	assert.is(outcomeOf({ ...combination, legs: [{ option: at("call", 100), units: -1 }] }, 0.6).maxLoss, null);
	assert.is(payoffOf(legs, 100), 0);
});

test("order of candidates, missing chains and failed reads", async () => {
	const request = await optionRequest(ID, simulatedAt(7, Date.UTC(2025, 1, 11, 15)), portfolioOf(100_000), [
		"BTC",
		"ETH",
		"AVAX",
		"SOL",
	]);
	const evaluation = evaluatedAndChecked(request);
	assert.is(evaluation.evaluated, 3 * 6 + 1);
	assert.is(evaluation.rejected.find(({ symbol }) => symbol === "SOL/USDT")?.reason, "no_options_market");
	assert.equal(evaluatedAndChecked({ ...request, candidates: [...request.candidates].reverse() }), evaluation);
	const failed = evaluatedAndChecked({ ...request, view: { ...request.view, errors: { "BTC/USDT": "timeout" } } });
	assert.equal(
		failed.rejected.filter(({ symbol }) => symbol === "BTC/USDT").map(({ reason }) => reason),
		["fetch_failed"],
	);
	const doubled = evaluatedAndChecked({ ...request, portfolio: portfolioOf(200_000) });
	const ids = ({ published, unproven }: Evaluation) =>
		[published, unproven].map((rows) => rows.map((row) => row.opportunity_id));
	assert.equal(ids(doubled), ids(evaluation), "the order of rows depends on the capital");
});

test.run();
