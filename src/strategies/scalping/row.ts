import { TIMEFRAME_MS } from "../../market/contract.ts";
import { last } from "../columns.ts";
import type { Costs, MarketView, Opportunity, PortfolioSnapshot, StrategyLimits } from "../contract.ts";
import { marketImpact, tierPriority } from "../costs.ts";
import { type Measurement, recordOf, symbolConfidence } from "../evidence/measure.ts";
import { recentVolatility } from "../indicators/volatility.ts";
import type { Refusal } from "../quality.ts";
import { riskLevelOf } from "../risk-level.ts";
import { buildRow } from "../row.ts";
import { sizePosition } from "../sizing.ts";
import { breakEvenFee } from "./evidence.ts";
import { bookImbalance, type Scalpable, touchDepthUsd } from "./gates.ts";
import { HORIZON_BARS, SCALP_COST } from "./rules.ts";
import type { Fired } from "./signals.ts";

export const SCALPING_ID = "ai_scalping_strategy";
/** The best level must hold this many times the position. */
export const DEPTH_MULTIPLE_MIN = 5;
const BARS_PER_DAY = 288;

export interface ScalpSetting {
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
}

const bps = (fraction: number): number => fraction * 10_000;

/** The numbers of a signal that loses, as its rejection tells them. */
export function losingDetail({ signal, side, measurement }: Fired): string {
	const { n, mean_net_bps } = measurement.evidence;
	const fee = breakEvenFee(measurement);
	return `${signal} ${side === 1 ? "long" : "short"}: mean net ${mean_net_bps?.toFixed(1)} bp over ${n} trades, break-even fee = ${fee?.toFixed(1)} bp per side`;
}

/** The row of one fired signal that does not lose, or the economic reason against it. */
export function scalpRow(found: Scalpable, fired: Fired, setting: ScalpSetting): Opportunity | Refusal {
	const { portfolio, limits } = setting;
	const { market, bid, ask } = found;
	const { measurement, reading, side } = fired;
	const entry = side === 1 ? bid : ask;
	const { stop } = reading;
	const stopDistance = (side * (entry - stop)) / entry;
	if (!(stop > 0 && stopDistance > 0)) return { reason: "gap_through_stop", detail: "the quote lies beyond the stop" };
	const advUsd = market.volume_usd_24h ?? 0;
	const { p } = symbolConfidence(measurement, market.symbol);
	const sizing = sizePosition({
		capitalUsd: portfolio.capital_usd,
		stopDistance,
		advUsd,
		grade: measurement.grade,
		p,
		payoff: measurement.payoff,
		limits,
		market,
		price: entry,
	});
	if (!sizing.ok) return sizing;
	// Top of the book at least five times the position: the position gives way, down to the least one.
	const depthUsd = touchDepthUsd(found, side);
	const notionalUsd = Math.min(sizing.notionalUsd, depthUsd / DEPTH_MULTIPLE_MIN);
	if (!(notionalUsd > 0 && notionalUsd >= (market.min_notional ?? 0))) {
		return { reason: "illiquid", detail: `${Math.round(depthUsd)} USD at the best level carry no position` };
	}
	const costs = costsOf(found, notionalUsd, advUsd);
	// A limit entry may save what the evidence was charged for taking; it may also be left behind, so only dearer costs count.
	const dearer = Math.max(0, costs.total_bps - bps(SCALP_COST));
	const expectedNet = ((measurement.evidence.mean_net_bps ?? 0) - dearer) / 10_000;
	if (measurement.grade !== "C" && !(expectedNet > 0)) {
		return { reason: "cost_exceeds_edge", detail: `costs of ${costs.total_bps.toFixed(1)} bp leave no expected gain` };
	}
	return rowOf(found, fired, { entry, stop, stopDistance, costs, expectedNet, notionalUsd }, setting);
}

/** Maker in, taker out: the entry waits at the touch, stop and time exit cross the spread once. */
function costsOf({ market, bid, ask, series }: Scalpable, notionalUsd: number, advUsd: number): Costs {
	const fee_bps = bps(market.maker_fee + market.taker_fee);
	const spread_bps = bps((ask - bid) / (ask + bid));
	const sigmaDay = recentVolatility(series.close, BARS_PER_DAY) * Math.sqrt(BARS_PER_DAY);
	const impact_bps = bps(marketImpact(sigmaDay, notionalUsd, advUsd));
	return { fee_bps, spread_bps, impact_bps, funding_bps: 0, total_bps: fee_bps + spread_bps + impact_bps };
}

interface Terms {
	entry: number;
	stop: number;
	stopDistance: number;
	costs: Costs;
	expectedNet: number;
	notionalUsd: number;
}

function rowOf(found: Scalpable, fired: Fired, terms: Terms, { view, portfolio }: ScalpSetting): Opportunity {
	const { market, series, book } = found;
	const { measurement, reading, side, signal } = fired;
	const { grade, shortfallR } = measurement;
	const { notionalUsd, stopDistance } = terms;
	const capitalUsd = portfolio.capital_usd;
	return buildRow({
		strategyId: SCALPING_ID,
		type: "scalping",
		symbol: market.symbol,
		exchange: market.venue,
		side: side === 1 ? "long" : "short",
		timeframe: "5m",
		view,
		asOfMs: Math.max(book.at_ms, last(series.open_time) + TIMEFRAME_MS[series.timeframe]),
		capitalUsd,
		notionalUsd,
		requiredCapitalUsd: notionalUsd,
		profitUsd: notionalUsd * terms.expectedNet,
		confidence: confidenceOf(measurement, market.symbol),
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? (Math.max(0, -(shortfallR ?? -1)) * stopDistance * notionalUsd) / capitalUsd : 1,
			leverage: 1,
			tierPriority: tierPriority(market.volume_usd_24h ?? 0),
		}),
		entry: terms.entry,
		stop: terms.stop,
		target: reading.target,
		costs: terms.costs,
		...recordOf(measurement),
		strength: reading.strength,
		reasoning: reading.reasoning,
		indicators: reading.indicators,
		extra: {
			signal,
			entry_kind: "limit at the touch, maker",
			entry_ttl_bars: 1,
			time_stop_bars: HORIZON_BARS,
			expected_net_bps: bps(terms.expectedNet),
			evidence_cost_bps: bps(SCALP_COST),
			break_even_fee_bps_per_side: breakEvenFee(measurement),
			book_imbalance: bookImbalance(book),
			capital_assumed: portfolio.assumed,
		},
		...(grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

/** Without a single trade there is no probability, not one half. */
function confidenceOf(measurement: Measurement, symbol: string): Parameters<typeof buildRow>[0]["confidence"] {
	if (measurement.evidence.n === 0) return { confidence_score: null, confidence_low: null, confidence_high: null };
	const { p: _, ...confidence } = symbolConfidence(measurement, symbol);
	return confidence;
}
