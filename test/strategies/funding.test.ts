import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { FundingSeries, Market } from "../../src/market/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { bucketTable, fitForecast } from "../../src/strategies/funding-evidence.ts";
import { simpleApr } from "../../src/strategies/funding-rates.ts";
import { samplesOf } from "../../src/strategies/funding-samples.ts";
import { createRandom } from "../../src/strategies/random.ts";
import { carryLegs } from "../support/carry-legs.ts";
import { checked, reasonCounts } from "../support/checked-evaluation.ts";
import {
	fundingOf,
	longFunding,
	recentFunding,
	SNAPSHOT_MS,
	sharedRoot,
	skipAloud,
	snapshotPerps,
} from "../support/recorded-bars.ts";
import { settlements } from "../support/settlements.ts";
import { candidateOf, gaussian, marketOf, RECORDED, requestOf } from "../support/synthetic-market.ts";

const test = suite("funding arbitrage");
const ID = "ai_funding_arbitrage";
const HOUR = 3_600_000;
const near = (actual: number, expected: number, tolerance = 1e-12) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

/** Calm and hot spells of a month each: hot ones pay 4-8 bp, calm ones about 0.5. */
function spells(symbol: string, seed: number, count = 1500): FundingSeries {
	const random = createRandom(seed);
	const normal = gaussian(seed);
	let hot = random() < 0.5;
	let level = 0.0006;
	return settlements(symbol, count, (i) => {
		if (random() < 1 / 90) {
			hot = !hot;
			level = 0.0004 + 0.0004 * random();
		}
		return (hot || i > count - 60 ? level : 0.00005) + 0.00002 * normal();
	});
}

const SYMBOLS = Array.from({ length: 12 }, (_, i) => `F${String(i).padStart(2, "0")}`);
const spot = (base: string) => marketOf(`${base}/USDT`);
const perp = (base: string) => marketOf(`${base}/USDT:USDT`);

test("fires on persistent funding with a spot leg, both legs named", () => {
	const funding = SYMBOLS.map((base, i) => spells(`${base}/USDT:USDT`, 300 + i));
	const asOfMs = funding[0]?.as_of_ms ?? 0;
	const series = SYMBOLS.flatMap((base, i) => carryLegs(base, asOfMs, 700 + i));
	const candidates = SYMBOLS.map((base) => candidateOf(perp(base), [spot(base)]));
	const evaluation = checked(
		evaluate(requestOf({ strategyId: ID, series, funding, evidenceFunding: funding, candidates, asOfMs })),
	);
	assert.ok(
		evaluation.published.length > 0,
		JSON.stringify([reasonCounts(evaluation), evaluation.unproven.map((row) => row.evidence)]),
	);
	for (const row of evaluation.published) {
		assert.is(row.side, "neutral");
		assert.ok((row.entry_price ?? 0) > 0, "the perp's price");
		assert.ok((row.metadata.basis_deviation_7d_bps as number) > 2 && row.costs.impact_bps > 0);
		assert.is(row.estimated_timeframe, "7d");
		assert.is(row.exit_price, null);
		const legs = row.metadata.legs as { symbol: string; side: string; price: number; price_from: string }[];
		assert.ok(legs.every(({ price, price_from }) => price > 0 && price_from === "newest close"));
		assert.equal(
			legs.map((leg) => leg.side),
			["long", "short"],
		);
		assert.is(row.required_capital_usd, (row.metadata.notional_usd as number) * 1.5);
		assert.ok((row.confidence_score ?? 0) > 50 && row.profit_potential_usd > 0);
	}
});

test("constant funding of 3 bp is found with its annual rate of 32.85 %", () => {
	const funding = [settlements("F00/USDT:USDT", 300, () => 0.0003)];
	const cheap = { taker_fee: 0.0002, volume_usd_24h: 500_000_000 };
	const candidates = [candidateOf(marketOf("F00/USDT:USDT", cheap), [marketOf("F00/USDT", cheap)])];
	const evaluation = checked(
		evaluate(
			requestOf({
				strategyId: ID,
				series: carryLegs("F00", funding[0]?.as_of_ms ?? 0, 3),
				funding,
				evidenceFunding: funding,
				candidates,
				asOfMs: funding[0]?.as_of_ms ?? 0,
			}),
		),
	);
	const [row] = [...evaluation.published, ...evaluation.unproven];
	assert.ok(row, JSON.stringify(evaluation.rejected));
	near(row.metadata.apr_gross_percent as number, 32.85, 1e-9);
});

test("stays empty on the venue's default rate of exactly 1 bp", () => {
	const funding = SYMBOLS.map((base) => settlements(`${base}/USDT:USDT`, 300, () => 0.0001));
	const candidates = SYMBOLS.map((base) => candidateOf(perp(base), [spot(base)]));
	const evaluation = checked(
		evaluate(
			requestOf({ strategyId: ID, funding, evidenceFunding: funding, candidates, asOfMs: funding[0]?.as_of_ms ?? 0 }),
		),
	);
	assert.equal(reasonCounts(evaluation), { below_threshold: SYMBOLS.length });
	assert.equal(
		evaluation.near_misses.map((miss) => miss.distance),
		[0, 0, 0],
	);
});

test("one spike, missing legs, thin markets and failed reads have their reasons", () => {
	const spike = settlements("SPIKE/USDT:USDT", 300, (i) => (i === 297 ? 0.02 : 0.00001));
	const mixed = settlements("MIXED/USDT:USDT", 300, (i) => (i % 2 === 0 ? 0.001 : -0.0002));
	const negative = settlements("NEG/USDT:USDT", 300, () => -0.0005);
	const alone = settlements("ALONE/USDT:USDT", 300, () => 0.0005);
	const young = settlements("YOUNG/USDT:USDT", 20, () => 0.0005);
	const old = settlements("OLD/USDT:USDT", 200, () => 0.0005);
	const mild = settlements("MILD/USDT:USDT", 300, () => 0.00012);
	const asOfMs = spike.as_of_ms;
	const late = fundingOf(
		Array.from({ length: 20 }, (_, i) => [asOfMs - (20 - i) * 8 * HOUR, 0.0005] as const),
		young.symbol,
		asOfMs,
	);
	const candidates = [
		...["SPIKE", "MIXED", "NEG", "YOUNG", "OLD", "MILD", "GONE"].map((base) => candidateOf(perp(base), [spot(base)])),
		candidateOf(perp("ALONE")),
		candidateOf(marketOf("THIN/USDT:USDT", { open_interest_usd: 5_000_000 }), [spot("THIN")]),
		candidateOf(perp("ERR"), [spot("ERR")]),
	];
	const funding = [spike, mixed, negative, alone, late, old, mild];
	const evaluation = checked(
		evaluate(
			requestOf({
				strategyId: ID,
				funding,
				evidenceFunding: [spike, mixed],
				candidates,
				asOfMs,
				errors: { "ERR/USDT:USDT": "timeout" },
			}),
		),
	);
	assert.equal(Object.fromEntries(evaluation.rejected.map(({ symbol, reason }) => [symbol.split("/")[0], reason])), {
		ALONE: "no_spot_market",
		ERR: "fetch_failed",
		GONE: "fetch_failed",
		MILD: "cost_exceeds_edge",
		MIXED: "below_threshold",
		NEG: "not_borrowable",
		OLD: "stale_data",
		SPIKE: "below_threshold",
		THIN: "illiquid",
		YOUNG: "insufficient_history",
	});
});

test("open interest that could not be read, or that a venue never tells, is not called a thin market", () => {
	const own = settlements("X/USDT:USDT", 300, () => 0.0005);
	const reasonOf = (change: Partial<Market>) => {
		const market = marketOf(own.symbol, { open_interest_usd: null, open_interest_at_ms: null, ...change });
		const candidates = [candidateOf(market, [spot("X")])];
		const request = requestOf({ strategyId: ID, funding: [own], candidates, asOfMs: own.as_of_ms });
		return checked(evaluate(request)).rejected.map(({ reason }) => reason);
	};
	assert.equal(reasonOf({ open_interest_missing: "unread" }), ["fetch_failed"]);
	assert.equal(reasonOf({ open_interest_missing: "unpublished" }), ["missing_open_interest"]);
	assert.equal(reasonOf({}), ["illiquid"], "the source has what there is");
	assert.equal(reasonOf({ open_interest_missing: "unread", volume_usd_24h: 1 }), ["illiquid"], "nothing hangs on it");
});

if (!sharedRoot) skipAloud("reference snapshot, funding");
else {
	const long = longFunding();

	test("BTC by year", () => {
		const btc = long.find((series) => series.symbol === "BTC/USDT:USDT");
		assert.ok(btc);
		const apr = (year: number) => {
			const rates = [...btc.rate_e8].filter((_, i) => new Date(btc.funding_time[i] ?? 0).getUTCFullYear() === year);
			return 100 * simpleApr(rates.reduce((sum, rate) => sum + rate, 0) / rates.length / 1e8, 8);
		};
		near(apr(2021), 30.6, 0.1);
		near(apr(2024), 11.9, 0.1);
		near(apr(2025), 5.1, 0.1);
		near(apr(2026), 1.5, 0.1);
	});

	test("the forecast and the buckets measured on 32 symbols", () => {
		const samples = long.flatMap((one) => samplesOf(one));
		const fit = fitForecast(samples);
		assert.ok(fit);
		near(fit.b, 0.66, 0.01);
		near(fit.a * 10_000, 0.27, 0.01);
		near(fit.correlation, 0.72, 0.01);
		const expected = [
			[0.03, 0.38],
			[0.5, 0.93],
			[0.76, 0.95],
			[0.85, 0.96],
			[0.96, 0.99],
		];
		bucketTable(samples).forEach((bucket, i) => {
			near(bucket.p_above_30_bps as number, expected[i]?.[0] ?? 0, 0.025);
			near(bucket.p_above_14_bps as number, expected[i]?.[1] ?? 0, 0.015);
		});
	});

	test("snapshot: 539 perps are 425 illiquid, 67 below, 14 without spot, 33 without borrow", () => {
		const recent = recentFunding();
		const candidates = snapshotPerps().map((one) => {
			const base = one.id.replace(/USDT$/, "");
			return candidateOf(
				marketOf(`${base}/USDT:USDT`, {
					volume_usd_24h: one.quoteVolume,
					open_interest_usd: one.openInterestUsd,
					open_interest_at_ms: one.openInterestAtMs,
					funding_interval_hours: one.intervalHours,
				}),
			);
		});
		for (const one of snapshotPerps()) assert.ok(one.openInterestAtMs <= SNAPSHOT_MS, "a field from the future");
		const request = requestOf({
			strategyId: ID,
			funding: [...recent.values()],
			evidenceFunding: long,
			candidates,
			asOfMs: SNAPSHOT_MS,
			source: RECORDED,
		});
		const evaluation = checked(evaluate(request));
		assert.is(evaluation.evaluated, 539);
		assert.equal(reasonCounts(evaluation), {
			illiquid: 425,
			below_threshold: 67,
			no_spot_market: 14,
			not_borrowable: 33,
		});
		assert.is(evaluation.near_misses.length, 3);
		const means = new Map(
			evaluation.rejected
				.filter(({ reason }) => reason === "no_spot_market")
				.map(({ symbol, detail }) => [symbol.split("/")[0], Number.parseFloat(detail ?? "")]),
		);
		const expected = {
			LYN: 21.9,
			POWER: 7.3,
			AIN: 7.3,
			PTB: 6.6,
			M: 5.8,
			BTR: 5.1,
			BAN: 5.1,
			TRIA: 4.5,
			Q: 3.2,
			UAI: 2.4,
			ARC: 2.2,
			BEAT: 1.9,
			APR: 1.7,
			ARIA: 1.1,
		};
		assert.equal([...means.keys()].sort(), Object.keys(expected).sort());
		for (const [base, mean] of Object.entries(expected)) near(means.get(base) ?? 0, mean, 0.055);
	});
}

test.run();
