import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { CATALOGUE } from "../../src/catalogue.ts";
import type { Opportunity } from "../../src/strategies/contract.ts";
import {
	marketImpact,
	oneWayCosts,
	quotedHalfSpread,
	roundTripCosts,
	SPOT_REPLAY_COST,
	tierHalfSpread,
} from "../../src/strategies/costs.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { WilderMean } from "../../src/strategies/indicators/averages.ts";
import { trueRange } from "../../src/strategies/indicators/range.ts";
import { Ledger } from "../../src/strategies/ledger.ts";
import { nearest } from "../../src/strategies/near-miss.ts";
import { createRandom, hashText } from "../../src/strategies/random.ts";
import { compareRows } from "../../src/strategies/ranking.ts";
import { builtStrategyIds, findBuiltStrategy } from "../../src/strategies/registry.ts";
import { riskLevelOf } from "../../src/strategies/risk-level.ts";
import { opportunityId, withoutNull } from "../../src/strategies/row.ts";
import { evaluationSchema, opportunitySchema } from "../../src/strategies/schema.ts";
import { kellyFraction, sizePosition } from "../../src/strategies/sizing.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { LIMITS, requestOf, trendingSeries } from "../support/synthetic-market.ts";

const test = suite("strategy machinery");
const near = (actual: number, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

const sample = evaluate(
	requestOf({
		strategyId: "ai_spot_momentum_strategy",
		series: Array.from({ length: 12 }, (_, i) => trendingSeries(`C${i}/USDT`, 1200, 100 + i)),
	}),
);
const [row] = sample.published;

test("every entry of the catalogue is built", () => {
	assert.equal(builtStrategyIds().sort(), CATALOGUE.map((entry) => entry.id).sort());
	for (const id of builtStrategyIds()) {
		assert.ok(CATALOGUE.some((entry) => entry.id === id));
		assert.is(findBuiltStrategy(id)?.id, id);
	}
	assert.is(findBuiltStrategy("ai_of_no_build"), undefined);
	assert.throws(() => evaluate(requestOf({ strategyId: "ai_of_no_build" })), /not part of this build/);
});

test("costs: fees both ways, two half spreads, square-root impact with its cap", () => {
	const leg = { market: { taker_fee: 0.001 }, halfSpread: 0.0005, sigmaDay: 0.04, notionalUsd: 0, advUsd: 1e7 };
	const costs = roundTripCosts({ legs: [leg] });
	assert.equal([costs.fee_bps, costs.spread_bps, costs.impact_bps], [20, 10, 0]);
	near(costs.total_bps, SPOT_REPLAY_COST * 10_000);
	near(marketImpact(0.04, 1e5, 1e7), 0.004);
	assert.is(marketImpact(0.5, 1e9, 1e6), 0.02);
	assert.is(marketImpact(0.04, 1, 0), 0.02);
	near(roundTripCosts({ legs: [leg, leg], funding: -0.001 }).total_bps, 60 - 10);
	near(oneWayCosts({ legs: [leg], funding: 0.001 }).total_bps, 15 + 10);
	assert.is(tierHalfSpread(200_000_000), 0.0001);
	assert.is(tierHalfSpread(5), 0.01);
	near(quotedHalfSpread({ symbol: "X", bids: [[99, 1]], asks: [[101, 1]], at_ms: 0 }) ?? 0, 0.01);
	assert.is(quotedHalfSpread({ symbol: "X", bids: [], asks: [[101, 1]], at_ms: 0 }), null);
});

if (!sharedRoot) skipAloud("published Kelly and Turtle numbers");
else {
	test("Kelly fractions and the Turtle unit", () => {
		const golden = JSON.parse(readFileSync(join(sharedRoot ?? "", "reference/kelly_sizing.json"), "utf8")) as {
			cases: { kind: string; p?: number; b?: number; f?: number }[];
			turtle: {
				account: number;
				dollars_per_point: number;
				risk: number;
				N: number;
				unit: number;
				contracts: number;
				rows: { high: number; low: number; close: number; tr: number; N: number }[];
			};
		};
		const binary = golden.cases.filter(({ kind }) => kind === "binary");
		assert.is(binary.length, 4);
		for (const { p = 0, b = 0, f = 0 } of binary) near(kellyFraction(p, b), f);
		const { account, dollars_per_point, risk, N, unit, contracts, rows } = golden.turtle;
		const column = (key: "high" | "low" | "close") => Float64Array.from(rows, (row) => row[key]);
		const ranges = trueRange({ high: column("high"), low: column("low"), close: column("close") });
		let n = rows[0]?.N ?? 0;
		const smoothed = new WilderMean(20, { bar: 0, value: n });
		rows.forEach((row, i) => {
			near(ranges[i] ?? 0, row.tr, 1e-4);
			// Printed values are rounded, so that the recursion starts from the first of them.
			if (i > 0) n = smoothed.update(row.tr, false) ?? Number.NaN;
			near(n, row.N, 1e-4);
		});
		near(n, N, 1e-4);
		// Risked is the distance to a stop 2 N away, which is half a Turtle's unit; caps out of the way.
		const price = rows.at(-1)?.close ?? 0;
		const sized = sizePosition({
			capitalUsd: account,
			stopDistance: (2 * N) / price,
			advUsd: 1e12,
			grade: "A",
			p: 0.99,
			payoff: 10,
			limits: { rows_max: 1, risk_per_trade: risk, max_position_share: 1 },
			market: null,
			price,
		});
		assert.ok(sized.ok);
		const units = (2 * sized.notionalUsd) / (price * dollars_per_point);
		near(units, unit, 0.01);
		assert.is(Math.floor(units), contracts);
	});
}

const sizing = {
	capitalUsd: 10_000,
	stopDistance: 0.1,
	advUsd: 1e8,
	grade: "B" as const,
	p: 0.5,
	payoff: 2,
	limits: LIMITS,
	market: { min_notional: 5, quantity_step: null },
	price: 100,
};
const sized = (change: Partial<typeof sizing> | Record<string, unknown>) =>
	sizePosition({ ...sizing, ...change } as typeof sizing);

test("sizing: the smallest cap decides", () => {
	assert.equal(sized({}), { ok: true, notionalUsd: 1000 }, "risk");
	assert.equal(sized({ stopDistance: 0.01, p: 0.9 }), { ok: true, notionalUsd: 2500 }, "position share");
	assert.equal(sized({ advUsd: 10_000 }), { ok: true, notionalUsd: 100 }, "volume");
	const kelly = sized({ stopDistance: 0.01, p: 0.4, payoff: 2 });
	near(kelly.ok ? kelly.notionalUsd : 0, 500);
	assert.equal(sized({ stopDistance: 0.01, grade: "C" }), { ok: true, notionalUsd: 500 }, "unproven");
	for (const change of [
		{ capitalUsd: 0 },
		{ advUsd: 0 },
		{ market: { min_notional: 1001, quantity_step: null } },
		{ market: { min_notional: null, quantity_step: 11 } },
	]) {
		const refused = sized(change);
		assert.is(refused.ok ? "" : refused.reason, "capital_below_min_notional", JSON.stringify(change));
	}
});

test("a symbol whose odds leave nothing to stake is a matter of expectancy, not of capital", () => {
	const refused = sized({ p: 0.2 });
	assert.is(refused.ok ? "" : refused.reason, "negative_expectancy");
});

test("risk level: the worst of loss, leverage and liquidity", () => {
	assert.is(riskLevelOf({ shortfallShare: 0.005, leverage: 1, tierPriority: 1 }), "low");
	assert.is(riskLevelOf({ shortfallShare: 0.02, leverage: 1, tierPriority: 1 }), "medium");
	assert.is(riskLevelOf({ shortfallShare: 0.005, leverage: 3, tierPriority: 1 }), "high");
	assert.is(riskLevelOf({ shortfallShare: 0.005, leverage: 1, tierPriority: 5 }), "very_high");
	assert.is(riskLevelOf({ shortfallShare: 0.07, leverage: 1, tierPriority: 1 }), "very_high");
	assert.is(riskLevelOf({ shortfallShare: 0.02, leverage: 1, tierPriority: 3, legRisk: true }), "high");
	assert.is(riskLevelOf({ shortfallShare: 0, leverage: 1, tierPriority: 1, atLeast: "high" }), "high");
});

test("opportunity ids are 12 hex characters that know side and venue", () => {
	const id = opportunityId("a", "t", "BTC/USDT", "binance", "long");
	assert.match(id, /^[0-9a-f]{12}$/);
	assert.is(opportunityId("a", "t", "BTC/USDT", "binance", "long"), id);
	assert.is.not(opportunityId("a", "t", "BTC/USDT", "binance", "short"), id);
});

test("ranking: grade, net per risk, effective trades, id; total and repeatable", () => {
	assert.ok(row);
	const variants = ["A", "B"].flatMap((grade) =>
		[100, 300].flatMap((net) =>
			[50, 90].flatMap((n) =>
				["aaaaaaaaaaaa", "bbbbbbbbbbbb"].map(
					(id) =>
						({
							...row,
							opportunity_id: id,
							evidence: { ...row.evidence, grade, mean_net_bps: net, n_effective: n },
						}) as Opportunity,
				),
			),
		),
	);
	const key = (one: Opportunity) =>
		`${one.evidence.grade} ${one.evidence.mean_net_bps} ${one.evidence.n_effective} ${one.opportunity_id[0]}`;
	const ordered = [...variants].sort(compareRows).map(key);
	assert.equal(ordered.slice(0, 5), ["A 300 90 a", "A 300 90 b", "A 300 50 a", "A 300 50 b", "A 100 90 a"]);
	fc.assert(
		fc.property(fc.shuffledSubarray(variants, { minLength: variants.length }), (shuffled) => {
			assert.equal(shuffled.sort(compareRows).map(key), ordered);
		}),
		{ numRuns: 30 },
	);
});

test("near misses: nearest first, three at most", () => {
	const miss = (symbol: string, distance: number | null, value = 1) => ({
		symbol,
		reason: "no_trigger",
		value,
		threshold: 0,
		distance,
	});
	assert.equal(
		nearest([miss("d", null), miss("c", 2), miss("b", 1), miss("a", 1), miss("z", 1, 5)]).map((one) => one.symbol),
		["z", "a", "b"],
	);
});

test("seeded randomness repeats, fills [0, 1) and differs by seed", () => {
	const take = (seed: number) => Array.from({ length: 2000 }, createRandom(seed));
	assert.equal(take(1), take(1));
	assert.is.not(take(1)[0], take(2)[0]);
	assert.ok(take(3).every((value) => value >= 0 && value < 1));
	near(take(4).reduce((sum, value) => sum + value, 0) / 2000, 0.5, 0.03);
	assert.is(hashText("a"), 0xe40c292c, "FNV-1a of 'a'");
});

test("metadata loses null, undefined and what JSON cannot hold", () => {
	assert.equal(withoutNull({ a: 1, b: null, c: Number.NaN, d: { e: null, f: "x" }, g: undefined, h: [1] }), {
		a: 1,
		d: { f: "x" },
		h: [1],
	});
});

test("the schema takes what strategies give and names what is wrong", () => {
	assert.ok(row && evaluationSchema.safeParse(sample).success);
	const wrong: [string, Record<string, unknown>][] = [
		["confidence_score", { confidence_score: 101 }],
		["confidence_score", { confidence_low: 90, confidence_high: 95 }],
		["confidence_score", { confidence_low: null }],
		["symbol", { symbol: " " }],
		["risk_level", { risk_level: "medium_high" }],
		["profit_potential_usd", { profit_potential_usd: Number.NaN }],
		["strategy_id", { strategy_id: "ai_unknown" }],
		["opportunity_type", { opportunity_type: "scalping" }],
		["target_price", { target_price: 1 }],
		["metadata.note", { metadata: { ...row.metadata, note: null } }],
		["metadata.deep.0", { metadata: { ...row.metadata, deep: [Number.POSITIVE_INFINITY] } }],
		["metadata.executable", { stop_price: null }],
		["metadata.signal_action", { side: "short", metadata: { ...row.metadata, side: "short" } }],
		["evidence.grade", { evidence: { ...row.evidence, grade: "D" } }],
		["as_of", { as_of: "yesterday" }],
	];
	for (const [path, change] of wrong) {
		const result = opportunitySchema.safeParse({ ...row, ...change });
		assert.ok(
			result.error?.issues.some((issue) => issue.path.join(".") === path),
			`${path}: ${JSON.stringify(result.error?.issues)}`,
		);
	}
	assert.is(evaluationSchema.safeParse({ ...sample, evaluated: 3 }).success, false);
	assert.is(
		evaluationSchema.safeParse({ ...sample, published: [row, row], evaluated: 2, rejected: [], unproven: [] }).success,
		false,
	);
});

test("the ledger refuses a row of grade D", () => {
	assert.ok(row);
	assert.throws(() => new Ledger().add({ ...row, evidence: { ...row.evidence, grade: "D" } }), /grade D/);
});

test.run();
