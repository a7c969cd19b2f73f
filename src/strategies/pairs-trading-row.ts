import { TIMEFRAME_MS } from "../market/contract.ts";
import type { MarketView, Opportunity, PortfolioSnapshot, StrategyLimits } from "./contract.ts";
import { SPOT_REPLAY_COST, tierPriority } from "./costs.ts";
import { type Measurement, recordOf } from "./evidence/measure.ts";
import { exchangeOf, legTerms, tradedLeg } from "./legs.ts";
import { holdDaysOf, stopDistanceOf, Z_EXIT, Z_STOP } from "./pairs-trading-rule.ts";
import type { PairTest } from "./pairs-trading-scan.ts";
import type { Refusal } from "./quality.ts";
import { riskLevelOf } from "./risk-level.ts";
import { buildRow } from "./row.ts";
import { type LegsTrade, sizeLegs } from "./sized-legs.ts";
import { betterOfTwo } from "./statistics/false-discovery.ts";

export const PAIRS_ID = "ai_pairs_trading";
const DAY_MS = TIMEFRAME_MS["1d"];

export interface PairSetting {
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
	measurement: Measurement;
}

/** The row of a pair whose gates hold, or the reason against it. */
export function pairRow(test: PairTest, setting: PairSetting): Opportunity | Refusal {
	const { fit } = test;
	const { measurement, portfolio, limits } = setting;
	const share = 1 / (1 + fit.slope);
	const legs = [
		tradedLeg(test.y.candidate, test.y.series, fit.z > 0 ? "short" : "long", share),
		tradedLeg(test.x.candidate, test.x.series, fit.z > 0 ? "long" : "short", 1 - share),
	].filter((leg) => leg !== null);
	if (legs.length < 2) return { reason: "no_derivative_market", detail: "the source lists no perp for the short leg" };
	const { evidence, grade } = measurement;
	if (grade === "D") {
		const detail = `mean net ${evidence.mean_net_bps?.toFixed(1)} bp over ${evidence.n} trades of this half-life`;
		return { reason: "negative_expectancy", detail };
	}
	const trade = sizeLegs({
		legs,
		capitalUsd: portfolio.capital_usd,
		stopDistance: stopDistanceOf(fit, fit.z),
		name: test.name,
		measurement,
		replayCost: SPOT_REPLAY_COST,
		limits,
	});
	return "reason" in trade ? trade : rowOf(test, setting, trade);
}

/**
 * The spread y / x^b is quoted as a price: its level now, at |z| = 0.5 and at |z| = 4. A move of the
 * spread is earned on the y leg, so distances are shown as shares of the spread and money on the gross.
 */
function rowOf(test: PairTest, { view, portfolio, measurement }: PairSetting, trade: LegsTrade): Opportunity {
	const { fit } = test;
	const { notionalUsd: grossUsd, expectedNet, legs } = trade;
	const capitalUsd = portfolio.capital_usd;
	const sign = fit.z > 0 ? 1 : -1;
	const level = (z: number) => Math.exp(fit.intercept + z * fit.deviation);
	const stopShare = stopDistanceOf(fit, fit.z);
	const targetShare = ((Math.abs(fit.z) - Z_EXIT) * fit.deviation) / (1 + fit.slope);
	const costShare = trade.costs.total_bps / 10_000;
	const shortfall = Math.max(1, -(measurement.shortfallR ?? -1)) * stopShare * grossUsd;
	const holdDays = holdDaysOf(fit.halfLife);
	return buildRow({
		strategyId: PAIRS_ID,
		type: "pairs_trading",
		symbol: test.name,
		exchange: exchangeOf(legs),
		side: sign > 0 ? "short" : "long",
		timeframe: `1-${Math.ceil(holdDays)}d`,
		view,
		asOfMs: test.newestMs + DAY_MS,
		capitalUsd,
		notionalUsd: grossUsd,
		requiredCapitalUsd: grossUsd,
		profitUsd: grossUsd * expectedNet,
		confidence: trade.confidence,
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? shortfall / capitalUsd : 1,
			leverage: 1,
			tierPriority: Math.max(...legs.map(({ advUsd }) => tierPriority(advUsd))),
			// Two legs and a relation that may break.
			atLeast: "high",
		}),
		entry: level(fit.z),
		stop: level(sign * Z_STOP),
		target: level(sign * Z_EXIT),
		costs: trade.costs,
		...recordOf(measurement),
		strength: Math.abs(fit.z),
		reasoning: `${test.y.base} against ${test.x.base} is cointegrated over 365 days (p = ${fit.p.toPrecision(2)}) and the spread stands ${Math.abs(fit.z).toFixed(2)} standard deviations ${sign > 0 ? "above" : "below"} its mean.`,
		indicators: indicatorsOf(test),
		extra: {
			legs: legs.map((leg) => legTerms(leg, grossUsd)),
			max_risk_usd: grossUsd * (stopShare + costShare),
			max_risk_percent: capitalUsd > 0 ? (100 * grossUsd * (stopShare + costShare)) / capitalUsd : null,
			potential_gain_percent: 100 * targetShare,
			profit_at_target_usd: grossUsd * (targetShare - costShare),
			loss_at_stop_usd: -grossUsd * (stopShare + costShare),
			expected_net_bps: expectedNet * 10_000,
			risk_distance_bps: stopShare * 10_000,
			evidence_cost_bps: SPOT_REPLAY_COST * 10_000,
			time_stop_days: holdDays,
			price_is: "spread y / x^hedge_ratio",
			exit_rule: `|z| falls to ${Z_EXIT}, parameters frozen`,
			stop_rule: `|z| exceeds ${Z_STOP}, or ${holdDays.toFixed(1)} days have passed`,
			risks: "two legs; the relation may break; funding of the short perp is not included",
			capital_assumed: portfolio.assumed,
		},
		...(measurement.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

const indicatorsOf = ({ fit }: PairTest): Record<string, number> => ({
	z: fit.z,
	hedge_ratio: fit.slope,
	intercept: fit.intercept,
	p_value: fit.p,
	p_value_both_directions: betterOfTwo(fit.p),
	adf_t: fit.tau,
	half_life_days: fit.halfLife,
	spread_deviation: fit.deviation,
	return_correlation: fit.correlation,
});
