import { TIMEFRAME_MS } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Costs, Opportunity } from "./contract.ts";
import { roundTripCosts, tierHalfSpread, tierPriority } from "./costs.ts";
import type { DirectionalSpec, Setting, Signal } from "./directional.ts";
import { type Confidence, recordOf, symbolConfidence } from "./evidence/measure.ts";
import { recentVolatility } from "./indicators/volatility.ts";
import { type Refusal, UNDESCRIBED } from "./quality.ts";
import { riskLevelOf } from "./risk-level.ts";
import { buildRow } from "./row.ts";
import { sizePosition } from "./sizing.ts";

/** Days whose returns make the daily sigma of the impact term. */
const SIGMA_DAYS = 60;

/** A sized trade before its margin is known. Prices in quote currency. */
export interface Trade {
	side: 1 | -1;
	entry: number;
	stop: number;
	target: number | null;
	notionalUsd: number;
	costs: Costs;
}

/** What contracts add to a directional trade. */
export interface ContractTerms {
	/** Expected funding over the holding time, fraction of notional (negative: received), or why it forbids the trade. */
	funding(signal: Signal): { paid: number; extra: Record<string, unknown> } | Refusal;
	/** Leverage and the capital it asks for, or why none is allowed. */
	margin(trade: Trade): { leverage: number; requiredUsd: number; extra: Record<string, unknown> } | Refusal;
	/** Facts beside the trade that decide nothing. */
	context(signal: Signal): Record<string, unknown>;
	/** Time of the newest datum among these, epoch ms. */
	newestMs(signal: Signal): number;
}

/** The row of a signal whose record does not lose, or the reason against it. */
export function directionalRow(spec: DirectionalSpec, signal: Signal, setting: Setting): Opportunity | Refusal {
	const funding = setting.terms?.funding(signal) ?? { paid: 0, extra: {} };
	if ("reason" in funding) return funding;
	const confidence = symbolConfidence(signal.evidence.measurement, signal.candidate.symbol);
	const trade = sizeTrade(signal, setting, { p: confidence.p, fundingPaid: funding.paid });
	if ("reason" in trade) return trade;
	const margin = setting.terms?.margin(trade) ?? { leverage: 1, requiredUsd: trade.notionalUsd, extra: {} };
	if ("reason" in margin) return margin;
	const expectedNet = expectedNetOf(spec, signal, trade);
	if (signal.evidence.measurement.grade !== "C" && expectedNet <= 0) {
		const detail = `costs of ${trade.costs.total_bps.toFixed(1)} bp leave no expected gain`;
		return { reason: "cost_exceeds_edge", detail };
	}
	const extra = { ...funding.extra, ...margin.extra, ...(setting.terms?.context(signal) ?? {}) };
	const barEnd = last(signal.series.open_time) + TIMEFRAME_MS[signal.series.timeframe];
	const asOfMs = Math.max(barEnd, setting.terms?.newestMs(signal) ?? barEnd);
	setting.ledger.sawDatumAt(asOfMs);
	return rowOf(spec, signal, setting, { trade, confidence, expectedNet, asOfMs, ...margin, extra });
}

/** Notional and costs of the trade at the last close, or the first level or cap that forbids it. */
function sizeTrade(
	{ candidate, series, reading, advUsd, evidence }: Signal,
	{ portfolio, limits }: Setting,
	{ p, fundingPaid }: { p: number; fundingPaid: number },
): Trade | Refusal {
	const entry = last(series.close);
	const { side, stop, target } = reading;
	if (!(stop > 0)) return { reason: "stop_too_wide", detail: "the stop would lie below zero" };
	if (target !== null && !(target > 0)) {
		return { reason: "stop_too_wide", detail: "the target that belongs to the stop would lie below zero" };
	}
	const { grade, payoff } = evidence.measurement;
	const { market } = candidate;
	if (!market) return UNDESCRIBED;
	const sizing = sizePosition({
		capitalUsd: portfolio.capital_usd,
		stopDistance: (side * (entry - stop)) / entry,
		advUsd,
		grade,
		p,
		payoff,
		limits,
		market,
		price: entry,
	});
	if (!sizing.ok) return sizing;
	const { notionalUsd } = sizing;
	const leg = {
		market,
		halfSpread: tierHalfSpread(advUsd),
		sigmaDay: recentVolatility(series.close, SIGMA_DAYS),
		notionalUsd,
		advUsd,
	};
	return { side, entry, stop, target, notionalUsd, costs: roundTripCosts({ legs: [leg], funding: fundingPaid }) };
}

/** Measured mean, with the record's own costs and funding taken out and this trade's put in. Fraction. */
function expectedNetOf(spec: DirectionalSpec, { evidence }: Signal, { costs }: Trade): number {
	const gross = grossBps(evidence.measurement.evidence.mean_net_bps ?? 0, spec.market.replayCost, evidence.meanFunding);
	return (gross - costs.total_bps) / 10_000;
}

/** A mean net (bp) before the costs and funding (fractions) it was charged. */
export const grossBps = (netBps: number, cost: number, funding: number): number =>
	netBps + cost * 10_000 + funding * 10_000;

interface Terms {
	trade: Trade;
	confidence: Confidence;
	expectedNet: number;
	/** Newest datum used, epoch ms. */
	asOfMs: number;
	leverage: number;
	requiredUsd: number;
	extra: Record<string, unknown>;
}

function rowOf(
	spec: DirectionalSpec,
	{ candidate, series, setup, reading, evidence, advUsd, alsoFiring }: Signal,
	{ view, portfolio }: Setting,
	{ trade, confidence: { p: _, ...confidence }, expectedNet, asOfMs, leverage, requiredUsd, extra }: Terms,
): Opportunity {
	const { entry, stop, target, side, notionalUsd, costs } = trade;
	const { grade, shortfallR } = evidence.measurement;
	const capitalUsd = portfolio.capital_usd;
	const stopDistance = (side * (entry - stop)) / entry;
	return buildRow({
		strategyId: spec.id,
		type: spec.type,
		symbol: candidate.symbol,
		exchange: candidate.market?.venue ?? series.venue,
		side: side === 1 ? "long" : "short",
		timeframe: setup.timeframeLabel,
		view,
		asOfMs,
		capitalUsd,
		notionalUsd,
		requiredCapitalUsd: requiredUsd,
		profitUsd: notionalUsd * expectedNet,
		confidence,
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? (Math.max(0, -(shortfallR ?? -1)) * stopDistance * notionalUsd) / capitalUsd : 1,
			leverage,
			tierPriority: tierPriority(advUsd),
			...(spec.riskAtLeast ? { atLeast: spec.riskAtLeast } : {}),
		}),
		entry,
		stop,
		target,
		costs,
		...recordOf(evidence.measurement),
		strength: reading.strength,
		reasoning: reading.reasoning,
		indicators: reading.indicators,
		extra: {
			...evidence.extra,
			time_stop_bars: setup.rule.horizonBars,
			expected_net_bps: expectedNet * 10_000,
			evidence_cost_bps: spec.market.replayCost * 10_000,
			capital_assumed: portfolio.assumed,
			indicators_settled: series.length >= setup.rule.settledBars,
			...(spec.setups.length > 1 ? { setup: setup.rule.name, also_firing: alsoFiring } : {}),
			...extra,
		},
		...(grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}
