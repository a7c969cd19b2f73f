import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Candidate, MarketView, Opportunity, PortfolioSnapshot, StrategyLimits } from "./contract.ts";
import { roundTripCosts, SPOT_REPLAY_COST, tierHalfSpread, tierPriority } from "./costs.ts";
import type { DirectionalEvidence } from "./directional-evidence.ts";
import { grossBps } from "./directional-row.ts";
import { recordOf, symbolConfidence } from "./evidence/measure.ts";
import { recentVolatility } from "./indicators/volatility.ts";
import { type Refusal, UNDESCRIBED } from "./quality.ts";
import { riskLevelOf } from "./risk-level.ts";
import { buildRow, withoutNull } from "./row.ts";
import { sizePosition } from "./sizing.ts";
import { HOLD_DAYS, type LastSqueeze, ORDER_DAYS, STOP_N, TARGET_N } from "./squeeze-rule.ts";
import { STATEMENT_DAYS, STATEMENT_FACTOR, type VolatilityStatement } from "./volatility-statement.ts";

export const VOLATILITY_ID = "ai_volatility_trading";
const SIGMA_DAYS = 60;

/** A squeezed contract. */
export interface Squeezed {
	candidate: Candidate;
	series: Series;
	reading: LastSqueeze;
	advUsd: number;
}

export interface BracketSetting {
	evidence: DirectionalEvidence;
	statement: VolatilityStatement;
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
}

/** Both waiting orders; prices in quote currency. */
interface Bracket {
	long: { trigger: number; stop: number; target: number };
	short: { trigger: number; stop: number; target: number };
	/** Distance of the upper stop as a fraction of its trigger. */
	stopDistance: number;
}

function bracketOf({ upper, lower, n }: LastSqueeze): Bracket | Refusal {
	const order = (trigger: number, side: 1 | -1) => ({
		trigger,
		stop: trigger - side * STOP_N * n,
		target: trigger + side * TARGET_N * n,
	});
	const [long, short] = [order(upper, 1), order(lower, -1)];
	if (!(long.stop > 0 && short.target > 0)) {
		return { reason: "stop_too_wide", detail: "a level of the order pair would lie below zero" };
	}
	return { long, short, stopDistance: (upper - long.stop) / upper };
}

/** The spot market of the contract's base names the symbol whose own record the pool is shrunk to. */
const recordSymbol = ({ asset, symbol }: Candidate): string =>
	asset?.markets.find((market) => market.type === "spot" && market.tags.length === 0)?.symbol ?? symbol;

/** The row of a squeezed contract, or the economic reason against it. */
export function bracketRow(squeezed: Squeezed, setting: BracketSetting): Opportunity | Refusal {
	const { candidate, series, reading, advUsd } = squeezed;
	const { evidence, portfolio, limits } = setting;
	const bracket = bracketOf(reading);
	if ("reason" in bracket) return bracket;
	const { grade, payoff } = evidence.measurement;
	const { p, ...confidence } = symbolConfidence(evidence.measurement, recordSymbol(candidate));
	const price = bracket.long.trigger;
	const { stopDistance } = bracket;
	const { market } = candidate;
	if (!market) return UNDESCRIBED;
	const capitalUsd = portfolio.capital_usd;
	const sizing = sizePosition({ capitalUsd, stopDistance, advUsd, grade, p, payoff, limits, market, price });
	if (!sizing.ok) return sizing;
	const { notionalUsd } = sizing;
	const leg = {
		market,
		halfSpread: tierHalfSpread(advUsd),
		sigmaDay: recentVolatility(series.close, SIGMA_DAYS),
		notionalUsd,
		advUsd,
	};
	// Which side will be filled is not known, so neither is who pays funding.
	const costs = roundTripCosts({ legs: [leg] });
	const gross = grossBps(evidence.measurement.evidence.mean_net_bps ?? 0, SPOT_REPLAY_COST, 0);
	const expectedNet = (gross - costs.total_bps) / 10_000;
	if (grade !== "C" && expectedNet <= 0) {
		return { reason: "cost_exceeds_edge", detail: `costs of ${costs.total_bps.toFixed(1)} bp leave no expected gain` };
	}
	return rowOf(squeezed, setting, { bracket, confidence, costs, notionalUsd, expectedNet });
}

interface Terms {
	bracket: Bracket;
	confidence: { confidence_score: number; confidence_low: number; confidence_high: number };
	costs: Opportunity["costs"];
	notionalUsd: number;
	expectedNet: number;
}

function rowOf(
	{ candidate, series, reading, advUsd }: Squeezed,
	{ evidence, statement, view, portfolio }: BracketSetting,
	{ bracket, confidence, costs, notionalUsd, expectedNet }: Terms,
): Opportunity {
	const { grade, shortfallR } = evidence.measurement;
	const capitalUsd = portfolio.capital_usd;
	const lossUsd = Math.max(0, -(shortfallR ?? -1)) * bracket.stopDistance * notionalUsd;
	const { trigger, stop, target } = bracket.long;
	return buildRow({
		strategyId: VOLATILITY_ID,
		type: "volatility_breakout",
		symbol: candidate.symbol,
		exchange: candidate.market?.venue ?? series.venue,
		side: "neutral",
		timeframe: `1-${ORDER_DAYS + HOLD_DAYS}d`,
		view,
		asOfMs: last(series.open_time) + TIMEFRAME_MS[series.timeframe],
		capitalUsd,
		notionalUsd,
		requiredCapitalUsd: notionalUsd,
		profitUsd: notionalUsd * expectedNet,
		confidence,
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? lossUsd / capitalUsd : 1,
			leverage: 1,
			tierPriority: tierPriority(advUsd),
		}),
		entry: trigger,
		stop,
		target,
		costs,
		...recordOf(evidence.measurement),
		strength: (1 - reading.percentile) * 10,
		reasoning: `The bands are narrower than on ${(100 * (1 - reading.percentile)).toFixed(0)} % of the last 250 days and lie inside Keltner's channel; whichever extreme of the last 20 days breaks first opens the trade.`,
		indicators: reading.indicators,
		extra: {
			...evidence.extra,
			...ordersOf(bracket),
			expected_move_percent: 100 * reading.forecast * Math.sqrt(STATEMENT_DAYS),
			expected_move_days: STATEMENT_DAYS,
			volatility_statement: statementOf(statement),
			expected_net_bps: expectedNet * 10_000,
			evidence_cost_bps: SPOT_REPLAY_COST * 10_000,
			evidence_market: "spot",
			capital_assumed: portfolio.assumed,
		},
		...(grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

/** Both orders as they would be placed; the one that fills cancels the other. */
const ordersOf = ({ long, short }: Bracket): Record<string, unknown> => ({
	orders: { buy_stop: long, sell_stop: short },
	order_rule: "one cancels the other",
	orders_valid_days: ORDER_DAYS,
	time_stop_bars: HOLD_DAYS,
});

/** The forecast of size beside the trade: its own probability, never the row's confidence. */
const statementOf = ({ squeezed, base }: VolatilityStatement): Record<string, unknown> =>
	withoutNull({
		text: `the volatility of the next ${STATEMENT_DAYS} days exceeds ${STATEMENT_FACTOR} times that of the last 20`,
		probability: squeezed.rate,
		low: squeezed.low,
		high: squeezed.high,
		n: squeezed.n,
		n_effective: squeezed.n_effective,
		base_rate: base.rate,
	});
