import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { FundingSeries } from "../../src/market/contract.ts";
import { at } from "../../src/strategies/columns.ts";
import type { Candidate } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import {
	longBreakoutRule,
	longMomentumRule,
	shortBreakdownRule,
	shortMomentumRule,
} from "../../src/strategies/futures-trade.ts";
import { squeezeRule } from "../../src/strategies/squeeze-rule.ts";
import { checked, reasonCounts } from "../support/checked-evaluation.ts";
import {
	hourlyBases,
	longFunding,
	PEGGED,
	recentFunding,
	recordedPerpDaily,
	SNAPSHOT_MS,
	sharedRoot,
	skipAloud,
	snapshotPerps,
	spotDailyAtSnapshot,
} from "../support/recorded-bars.ts";
import { candidateOf, marketOf, RECORDED, requestOf } from "../support/synthetic-market.ts";
import { breakout } from "../support/table-rules.ts";

const test = suite("futures and volatility at the reference snapshot");

if (!sharedRoot) skipAloud("reference snapshot, perpetuals");
else {
	const perps = recordedPerpDaily();
	const old = perps.filter((series) => series.length >= 120);
	const volumes = new Map(snapshotPerps().map(({ id, quoteVolume }) => [id, quoteVolume]));
	const candidates: Candidate[] = perps.map(({ symbol }) => {
		const market = marketOf(symbol);
		return candidateOf({ ...market, volume_usd_24h: volumes.get(market.id) ?? null });
	});
	const known = new Map<string, FundingSeries>([...recentFunding().values()].map((one) => [one.symbol, one]));
	for (const one of longFunding()) known.set(one.symbol, one);
	const funding = perps.flatMap(({ symbol }) => known.get(symbol) ?? []);
	const evidence = perps.filter((series) => series.length >= 200 && !series.symbol.startsWith("PAXG"));
	const shared = { series: perps, candidates, funding, source: RECORDED, asOfMs: SNAPSHOT_MS };
	const futures = () =>
		checked(evaluate(requestOf({ ...shared, strategyId: "ai_futures_trade", evidence, evidenceFunding: funding })));
	const firing = (rule: typeof longMomentumRule) =>
		old.filter((series) => rule.read(series).gateAt(series.length - 1) === null).length;

	test("12 long and 15 short momentum signals without the gap gate, 11 and 14 with it", () => {
		const trending = (rule: typeof longMomentumRule, side: 1 | -1) =>
			old.filter((series) => {
				const t = series.length - 1;
				const { z28 = 0, ema20 = 0, ema50 = 0 } = rule.read(series).indicatorsAt(t);
				return side * z28 > 0.5 && side * (at(series.close, t) - ema50) > 0 && side * (ema20 - ema50) > 0;
			}).length;
		assert.equal([trending(longMomentumRule, 1), trending(shortMomentumRule, -1)], [12, 15]);
		assert.equal([firing(longMomentumRule), firing(shortMomentumRule)], [11, 14]);
	});

	test("one upward and four downward breaks; one of the four has run too far", () => {
		const breaks = (side: 1 | -1) =>
			old.filter((series) => breakout(20, 20, side)(series).signal[series.length - 1] === 1).length;
		assert.equal([breaks(1), breaks(-1)], [1, 4]);
		assert.equal([firing(longBreakoutRule), firing(shortBreakdownRule)], [1, 3]);
	});

	test("81 contracts: 7 too young, 28 signals of which none is proven", () => {
		const evaluation = futures();
		const counts = reasonCounts(evaluation);
		assert.equal([evaluation.evaluated, counts.insufficient_history, evaluation.published.length], [81, 7, 0]);
		const silent = (counts.no_trigger ?? 0) + (counts.regime_filter ?? 0);
		// 11 + 14 + 1 + 3 signals on 28 contracts: one of them breaks down within its downtrend.
		assert.is(81 - 7 - silent, 28);
		assert.is(counts.negative_expectancy, 2);
		for (const row of evaluation.unproven) {
			assert.equal([row.evidence.grade, row.unproven_reason], ["C", "insufficient_evidence"]);
			assert.ok(Math.abs(Number(row.metadata.funding_expected_bps) - row.costs.funding_bps) < 1e-9);
		}
		assert.is(evaluation.near_misses.length, 3);
	});

	test("momentum is unproven on both sides, breakdowns lose, and funding is charged where it is known", () => {
		const setups = futures().report.setups as Record<
			string,
			{ evidence: { grade: string; n: number; mean_net_bps: number }; funding: Record<string, number> }
		>;
		assert.equal(
			Object.fromEntries(
				Object.entries(setups).map(
					([
						name,
						{
							evidence: { grade },
						},
					]) => [name, grade],
				),
			),
			{ momentum_long: "C", momentum_short: "C", breakout_long: "C", breakdown_short: "D" },
		);
		for (const {
			evidence: { n },
			funding: charged,
		} of Object.values(setups)) {
			assert.is((charged.trades_charged ?? 0) + (charged.trades_without_history ?? 0), n);
			assert.ok((charged.trades_charged ?? 0) > 100);
		}
		assert.ok((setups.momentum_long?.funding.mean_paid_bps ?? 0) > 10, "longs paid");
	});

	test("21 contracts are squeezed by bandwidth, 20 within Keltner's channel, all unproven", () => {
		const spot = spotDailyAtSnapshot().filter((series) => !PEGGED.has(series.symbol.split("/")[0] ?? ""));
		const evaluation = checked(evaluate(requestOf({ ...shared, strategyId: "ai_volatility_trading", evidence: spot })));
		const { squeezed_by_percentile: byPercentile, squeezed } = evaluation.report;
		assert.equal([byPercentile, squeezed, evaluation.unproven.length], [21, 20, 20]);
		assert.equal(reasonCounts(evaluation), { insufficient_history: 18, no_squeeze: 43 });
		for (const row of evaluation.unproven) assert.is(row.evidence.grade, "C");
	});

	test("3 of the 16 current spot coins are squeezed by bandwidth", () => {
		const current = hourlyBases().map((base) => `${base}/USDT`);
		const squeezed = spotDailyAtSnapshot()
			.filter((series) => current.includes(series.symbol))
			.filter((series) => squeezeRule.read(series).percentileAt(series.length - 1) <= 0.1);
		assert.equal(squeezed.map(({ symbol }) => symbol).sort(), ["ADA/USDT", "BCH/USDT", "DOGE/USDT"]);
	});
}

test.run();
