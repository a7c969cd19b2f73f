import type { Costs, MarketView, Opportunity, PortfolioSnapshot, StrategyLimits } from "./contract.ts";
import { roundTripCosts, tierPriority } from "./costs.ts";
import { type Measurement, recordOf, symbolConfidence } from "./evidence/measure.ts";
import type { FundingEvidence } from "./funding-evidence.ts";
import { basisDeviation, type CarryLeg, type LegQuote, legHalfSpread, quoteLeg } from "./funding-quotes.ts";
import { breakEvenIntervals, type FundingWindow, simpleApr } from "./funding-rates.ts";
import { bucketOf, HORIZON_DAYS, HORIZON_UNITS } from "./funding-samples.ts";
import type { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";
import { riskLevelOf } from "./risk-level.ts";
import { buildRow } from "./row.ts";
import { sizePosition } from "./sizing.ts";

export const FUNDING_ID = "ai_funding_arbitrage";
/** Of each perp leg. */
const LEVERAGE = 2;
/** Earned back within half the horizon. */
export const BREAK_EVEN_SHARE_MAX = 0.5;
/** The trade ends when the basis widens by so many of its deviations: its unit of risk. */
const STOP_DEVIATIONS = 3;

export interface FundingSetting {
	/** Perp against spot, and perp against perp. */
	evidence: FundingEvidence;
	venues: FundingEvidence;
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
	ledger: Pick<Ledger, "nearMiss" | "sawDatumAt">;
}

/** A trade of two legs of one coin that collects funding: what differs between spot and perp, and perp and perp. */
export interface CarryTrade {
	/** The candidate's symbol. */
	symbol: string;
	kind: "cash_and_carry" | "cross_venue";
	/** The bought leg first. */
	legs: readonly [CarryLeg, CarryLeg];
	/** 3-day mean per 8 hours that the trade collects, fraction, above 0. */
	past: number;
	window: FundingWindow;
	evidence: FundingEvidence;
	/** By what its own record is named in the evidence. */
	recordName: string;
	reasoning: string;
	indicators: Record<string, number>;
	extra: Record<string, unknown>;
}

interface Economics {
	/** Expected funding per 8 hours over the horizon. */
	forward: number;
	/** Round trip without impact: depends on nobody's capital. */
	fixedCost: number;
	/** 8-hour units until it is earned back. */
	breakEven: number;
	/** Lower quartile of the 7-day net. */
	lowerNet: number;
}

/** What the row says once a size is known. */
interface Position {
	quotes: [LegQuote, LegQuote];
	/** Distance at which the basis ends the trade, fraction. */
	stopDistance: number;
	notionalUsd: number;
	/** Smaller of the two legs' 24 h volumes, USD. */
	advUsd: number;
	costs: Costs;
	/** Expected 7-day net, fraction. */
	net: number;
}

/** Annual rate of a mean per 8 hours, percent. */
export const aprPercent = ({ past }: Pick<CarryTrade, "past">): number => 100 * simpleApr(Math.abs(past), 8);

/** What the trade earns at fixed costs, or the first economic gate that it fails. */
function economicsOf({ legs, past, evidence: { forecast } }: CarryTrade): Economics | Refusal {
	const fixedCost = 2 * legs.reduce((sum, leg) => sum + leg.market.taker_fee + legHalfSpread(leg), 0);
	const breakEven = breakEvenIntervals(fixedCost, past);
	const detail = `break-even after ${(breakEven * 8).toFixed(0)} h`;
	if (breakEven > BREAK_EVEN_SHARE_MAX * HORIZON_UNITS) return { reason: "cost_exceeds_edge", detail };
	const doubt = forecast?.residualQuartile[bucketOf(past)] ?? null;
	if (!forecast || doubt === null) {
		return { reason: "insufficient_evidence", detail: "no past like it was recorded: nothing says how it goes on" };
	}
	const forward = forecast.a + forecast.b * past;
	const lowerNet = HORIZON_UNITS * (forward + doubt) - fixedCost;
	if (lowerNet > 0) return { forward, fixedCost, breakEven, lowerNet };
	return {
		reason: "cost_exceeds_edge",
		detail: `${detail}; lower quartile of the 7-day net ${(lowerNet * 10_000).toFixed(1)} bp`,
	};
}

/** The row of a trade whose gates hold, or the economic reason against it. */
export function carryRow(trade: CarryTrade, setting: FundingSetting): Opportunity | Refusal {
	const economics = economicsOf(trade);
	if ("reason" in economics) return economics;
	const measurement = trade.evidence.bucket(bucketOf(trade.past), economics.fixedCost);
	if (measurement.grade === "D") {
		return {
			reason: "negative_expectancy",
			detail: `mean net ${measurement.evidence.mean_net_bps?.toFixed(1)} bp over ${measurement.evidence.n} windows`,
		};
	}
	const position = positionOf(trade, economics, measurement, setting);
	return "reason" in position ? position : rowOf(trade, economics, position, measurement, setting);
}

function positionOf(
	trade: CarryTrade,
	{ forward }: Economics,
	measurement: Measurement,
	{ view, portfolio, limits }: FundingSetting,
): Position | Refusal {
	const [bought, sold] = trade.legs;
	const [long, short] = [quoteLeg(bought, view.as_of_ms), quoteLeg(sold, view.as_of_ms)];
	if ("reason" in long) return long;
	if ("reason" in short) return short;
	// Both have bars, or they would have no quote.
	const deviation = bought.series && sold.series ? basisDeviation(sold.series, bought.series) : 0;
	if (typeof deviation !== "number") return deviation;
	const stopDistance = STOP_DEVIATIONS * deviation;
	const markets = [bought.market, sold.market];
	const quotes: [LegQuote, LegQuote] = [long, short];
	const advUsd = Math.min(long.advUsd, short.advUsd);
	const sizing = sizePosition({
		capitalUsd: portfolio.capital_usd,
		stopDistance,
		advUsd,
		grade: measurement.grade,
		p: symbolConfidence(measurement, trade.recordName).p,
		payoff: measurement.payoff,
		limits,
		// Each leg must reach its own least order and step.
		market: {
			min_notional: Math.max(...markets.map(({ min_notional }) => min_notional ?? 0)),
			quantity_step: Math.max(...markets.map((market, i) => (market.quantity_step ?? 0) * (quotes[i]?.price ?? 0))),
		},
		price: 1,
	});
	if (!sizing.ok) return sizing;
	const { notionalUsd } = sizing;
	const costs = roundTripCosts({
		legs: trade.legs.map((leg, i) => {
			const { sigmaDay, advUsd: own } = quotes[i] as LegQuote;
			return { market: leg.market, halfSpread: legHalfSpread(leg), sigmaDay, notionalUsd, advUsd: own };
		}),
	});
	const net = HORIZON_UNITS * forward - costs.total_bps / 10_000;
	if (!(net > 0)) return { reason: "cost_exceeds_edge", detail: `expected 7-day net ${(net * 10_000).toFixed(1)} bp` };
	return { quotes, stopDistance, notionalUsd, advUsd, costs, net };
}

function rowOf(
	trade: CarryTrade,
	economics: Economics,
	position: Position,
	measurement: Measurement,
	{ view, portfolio }: FundingSetting,
): Opportunity {
	const { symbol, kind, past, legs, window } = trade;
	const { notionalUsd, advUsd, net, costs, quotes } = position;
	const capitalUsd = portfolio.capital_usd;
	const own = legs.findIndex(({ market }) => market.symbol === symbol);
	const venues = new Set(legs.map(({ market }) => market.venue));
	const { p: _, ...confidence } = symbolConfidence(measurement, trade.recordName);
	// r of the record is the net itself: without a loss on record the basis' own stop is what may be lost.
	const shortfall = measurement.shortfallR === null ? position.stopDistance : Math.max(0, -measurement.shortfallR);
	const margins = legs.reduce((sum, { market }) => sum + (market.type === "perp" ? 1 / LEVERAGE : 1), 0);
	return buildRow({
		strategyId: FUNDING_ID,
		type: "funding_arbitrage",
		symbol,
		exchange: venues.size === 1 ? ([...venues][0] ?? "multiple") : "multiple",
		side: "neutral",
		timeframe: `${HORIZON_DAYS}d`,
		view,
		asOfMs: window.newestMs,
		capitalUsd,
		notionalUsd,
		requiredCapitalUsd: notionalUsd * margins,
		profitUsd: notionalUsd * net,
		confidence,
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? (shortfall * notionalUsd) / capitalUsd : 1,
			leverage: LEVERAGE,
			tierPriority: tierPriority(advUsd),
			atLeast: kind === "cross_venue" ? "high" : "medium",
		}),
		entry: quotes[own < 0 ? 1 : own]?.price ?? null,
		stop: null,
		target: null,
		costs,
		...recordOf(measurement),
		strength: past * 10_000,
		reasoning: trade.reasoning,
		indicators: {
			mean_bps_per_8h: past * 10_000,
			forecast_bps_per_8h: economics.forward * 10_000,
			agreeing_of_9: window.agreeing,
			...trade.indicators,
		},
		extra: { ...termsOf(trade, economics, position), capital_assumed: portfolio.assumed, ...trade.extra },
		...(kind === "cross_venue" ? { variant: [...venues].sort().join("/") } : {}),
		...(measurement.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

/** Legs, yield and risk of the trade as a reader needs them. */
function termsOf(trade: CarryTrade, economics: Economics, position: Position): Record<string, unknown> {
	const { net, quotes, stopDistance } = position;
	const [long, short] = quotes;
	return {
		trade: trade.kind,
		legs: trade.legs.map(({ market, side }, i) => ({
			symbol: market.symbol,
			exchange: market.venue,
			side,
			price: quotes[i]?.price,
			price_from: quotes[i]?.from,
		})),
		basis_bps: (short.price / long.price - 1) * 10_000,
		basis_deviation_7d_bps: (stopDistance / STOP_DEVIATIONS) * 10_000,
		apr_gross_percent: aprPercent(trade),
		expected_apr_net: (100 * net * 365) / HORIZON_DAYS,
		expected_net_bps: net * 10_000,
		break_even_hours: economics.breakEven * 8,
		lower_quartile_net_bps: economics.lowerNet * 10_000,
		evidence_cost_bps: economics.fixedCost * 10_000,
		leverage_perp: LEVERAGE,
		risk_distance_bps: stopDistance * 10_000,
		stop_rule: `the basis widens by ${STOP_DEVIATIONS} deviations, or a perp's margin falls below three times maintenance`,
	};
}
