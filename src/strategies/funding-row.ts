import type { Market } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Costs, MarketView, Opportunity, PortfolioSnapshot, StrategyLimits } from "./contract.ts";
import { quotedHalfSpread, roundTripCosts, tierHalfSpread, tierPriority } from "./costs.ts";
import { type Measurement, symbolConfidence } from "./evidence/measure.ts";
import {
	BASIS_DEVIATION,
	BASIS_STOP,
	bucketOf,
	type FundingEvidence,
	HORIZON_DAYS,
	HORIZON_UNITS,
} from "./funding-evidence.ts";
import { aprPercent, type Carry, noteCarry } from "./funding-gates.ts";
import { breakEvenIntervals } from "./funding-rates.ts";
import type { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";
import { riskLevelOf } from "./risk-level.ts";
import { buildRow, type RowInput } from "./row.ts";
import { sizePosition } from "./sizing.ts";

export const FUNDING_ID = "ai_funding_arbitrage";
const LEVERAGE = 2;
/** Earned back within half the horizon. */
export const BREAK_EVEN_SHARE_MAX = 0.5;

export interface FundingSetting {
	evidence: FundingEvidence;
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
	ledger: Ledger;
}

interface Economics {
	halfSpread: number;
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
	notionalUsd: number;
	/** Smaller of the two legs' 24 h volumes, USD. */
	advUsd: number;
	costs: Costs;
	/** Expected 7-day net, fraction. */
	net: number;
	price: number | null;
	spotPrice: number | null;
}

function economicsOf(carry: Carry, spot: Market, { evidence, view }: FundingSetting): Economics {
	const { forecast } = evidence;
	const { market, past } = carry;
	const halfSpread = quotedHalfSpread(view.books[market.symbol]) ?? tierHalfSpread(market.volume_usd_24h ?? 0);
	const forward = forecast ? forecast.a + forecast.b * past : past;
	const doubt = forecast?.residualQuartile[bucketOf(past)] ?? 0;
	const fixedCost = 2 * (spot.taker_fee + market.taker_fee + tierHalfSpread(spot.volume_usd_24h ?? 0) + halfSpread);
	return {
		halfSpread,
		forward,
		fixedCost,
		breakEven: breakEvenIntervals(fixedCost, past),
		lowerNet: HORIZON_UNITS * (forward + doubt) - fixedCost,
	};
}

/** The row of a cash-and-carry trade whose gates hold, or the economic reason against it. */
export function carryRow(carry: Carry, spot: Market, setting: FundingSetting): Opportunity | Refusal {
	const economics = economicsOf(carry, spot, setting);
	const { breakEven, lowerNet, fixedCost } = economics;
	if (breakEven > BREAK_EVEN_SHARE_MAX * HORIZON_UNITS || !(lowerNet > 0)) {
		noteCarry(carry, "cost_exceeds_edge", setting.ledger);
		return {
			reason: "cost_exceeds_edge",
			detail: `break-even after ${(breakEven * 8).toFixed(0)} h; lower quartile of the 7-day net ${(lowerNet * 10_000).toFixed(1)} bp`,
		};
	}
	const measurement = setting.evidence.bucket(bucketOf(carry.past), fixedCost);
	if (measurement.grade === "D") {
		return {
			reason: "negative_expectancy",
			detail: `mean net ${measurement.evidence.mean_net_bps?.toFixed(1)} bp over ${measurement.evidence.n} windows`,
		};
	}
	const position = positionOf(carry, spot, economics, measurement, setting);
	if ("reason" in position) return position;
	return buildRow(rowInput(carry, spot, economics, position, measurement, setting));
}

function positionOf(
	carry: Carry,
	spot: Market,
	{ halfSpread, forward }: Economics,
	{ grade, payoff, ...measurement }: Measurement,
	{ view, portfolio, limits }: FundingSetting,
): Position | Refusal {
	const { market } = carry;
	const advOf = (leg: Market) => leg.volume_usd_24h ?? 0;
	const advUsd = Math.min(advOf(market), advOf(spot));
	const price = priceOf(market.symbol, view);
	const { p } = symbolConfidence({ grade, payoff, ...measurement }, market.symbol);
	const sizing = sizePosition({
		capitalUsd: portfolio.capital_usd,
		stopDistance: BASIS_STOP,
		advUsd,
		grade,
		p,
		payoff,
		limits,
		market,
		price,
	});
	if (!sizing.ok) return sizing;
	const { notionalUsd } = sizing;
	const leg = { sigmaDay: BASIS_DEVIATION, notionalUsd };
	const costs = roundTripCosts({
		legs: [
			{ ...leg, market: spot, halfSpread: tierHalfSpread(advOf(spot)), advUsd: advOf(spot) },
			{ ...leg, market, halfSpread, advUsd: advOf(market) },
		],
	});
	const net = HORIZON_UNITS * forward - costs.total_bps / 10_000;
	if (!(net > 0)) return { reason: "cost_exceeds_edge", detail: `expected 7-day net ${(net * 10_000).toFixed(1)} bp` };
	return { notionalUsd, advUsd, costs, net, price, spotPrice: priceOf(spot.symbol, view) };
}

function rowInput(
	carry: Carry,
	spot: Market,
	economics: Economics,
	position: Position,
	measurement: Measurement,
	{ view, portfolio }: FundingSetting,
): RowInput {
	const { market, past, window, funding } = carry;
	const { notionalUsd, advUsd, net, costs } = position;
	const capitalUsd = portfolio.capital_usd;
	const { p: _, ...confidence } = symbolConfidence(measurement, market.symbol);
	const shortfallUsd = Math.max(0, -(measurement.shortfallR ?? -1)) * BASIS_STOP * notionalUsd;
	return {
		strategyId: FUNDING_ID,
		type: "funding_arbitrage",
		symbol: market.symbol,
		exchange: spot.venue === market.venue ? market.venue : "multiple",
		side: "neutral",
		timeframe: `${HORIZON_DAYS}d`,
		view,
		asOfMs: last(funding.funding_time),
		capitalUsd,
		notionalUsd,
		requiredCapitalUsd: notionalUsd * (1 + 1 / LEVERAGE),
		profitUsd: notionalUsd * net,
		confidence,
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? shortfallUsd / capitalUsd : 1,
			leverage: LEVERAGE,
			tierPriority: tierPriority(advUsd),
			atLeast: "medium",
		}),
		entry: position.price,
		stop: null,
		target: null,
		costs,
		evidence: measurement.evidence,
		strength: past * 10_000,
		reasoning: `Funding averaged ${(past * 10_000).toFixed(2)} bp per 8 hours over three days (${aprPercent(carry).toFixed(2)} % a year); long spot and short perpetual collect it.`,
		indicators: {
			mean_bps_per_8h: past * 10_000,
			forecast_bps_per_8h: economics.forward * 10_000,
			agreeing_of_9: window.agreeing,
			interval_hours: funding.interval_hours,
		},
		extra: { ...termsOf(carry, spot, economics, position), capital_assumed: portfolio.assumed },
		...(measurement.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	};
}

/** Legs, yield, exit and risk of the trade as a reader needs them. */
function termsOf(carry: Carry, spot: Market, economics: Economics, position: Position): Record<string, unknown> {
	const { price, spotPrice, net } = position;
	const { market } = carry;
	const leg = (of: Market, side: string, at: number | null) => ({
		symbol: of.symbol,
		exchange: of.venue,
		side,
		...(at === null ? {} : { price: at }),
	});
	return {
		legs: [leg(spot, "long", spotPrice), leg(market, "short", price)],
		basis_bps: price !== null && spotPrice !== null ? (price / spotPrice - 1) * 10_000 : null,
		apr_gross_percent: aprPercent(carry),
		expected_apr_net: (100 * net * 365) / HORIZON_DAYS,
		expected_net_bps: net * 10_000,
		break_even_hours: economics.breakEven * 8,
		lower_quartile_net_bps: economics.lowerNet * 10_000,
		evidence_cost_bps: economics.fixedCost * 10_000,
		leverage_perp: LEVERAGE,
		risk_distance_bps: BASIS_STOP * 10_000,
		exit_rule: "the 24-hour mean falls below 0.3 bp per 8 h, or 7 days have passed",
		stop_rule: "the basis widens by three standard deviations, or the perp margin falls below three times maintenance",
		risks: "counterparty of the venue; auto-deleveraging of the short leg",
	};
}

/** Best bid of a book, else the newest close that was read; null when neither was. */
function priceOf(symbol: string, view: MarketView): number | null {
	const bid = view.books[symbol]?.bids[0]?.[0];
	if (bid !== undefined) return bid;
	const series = view.series[symbol];
	if (!series || series.length === 0) return null;
	return last(series.close);
}
