import type { FundingSeries, Market } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Candidate, MarketView, Opportunity, PortfolioSnapshot, Strategy, StrategyLimits } from "./contract.ts";
import { quotedHalfSpread, roundTripCosts, tierHalfSpread, tierPriority } from "./costs.ts";
import { symbolConfidence } from "./evidence/measure.ts";
import {
	BASIS_DEVIATION,
	BASIS_STOP,
	bucketOf,
	type FundingEvidence,
	fundingEvidence,
	HORIZON_DAYS,
	HORIZON_UNITS,
} from "./funding-evidence.ts";
import {
	AGREEING_MIN,
	BP_E8,
	breakEvenIntervals,
	E8,
	exceedsThreshold,
	type FundingWindow,
	HOUR_MS,
	isPersistent,
	PAST_UNITS,
	pastWindow,
	simpleApr,
} from "./funding-rates.ts";
import { Ledger } from "./ledger.ts";
import { riskLevelOf } from "./risk-level.ts";
import { buildRow } from "./row.ts";
import { sizePosition } from "./sizing.ts";

const ID = "ai_funding_arbitrage";
const VOLUME_USD_MIN = 10_000_000;
const OPEN_INTEREST_USD_MIN = 5_000_000;
const SETTLEMENTS_MIN = 30;
/** Two of the longest intervals: contracts change theirs, so their usual one is no measure. */
const STALE_HOURS = 16;
const LEVERAGE = 2;
/** Earned back within half the horizon. */
const BREAK_EVEN_SHARE_MAX = 0.5;
/** Percent a year of 1 bp per 8 hours. */
const THRESHOLD_APR_PERCENT = 100 * simpleApr(BP_E8 / E8, 8);

interface Refused {
	reason: string;
	detail: string;
}

/** A perp whose funding is worth a look. */
interface Carry {
	candidate: Candidate;
	market: Market;
	funding: FundingSeries;
	window: FundingWindow;
	/** 3-day mean per 8 hours, fraction, signed. */
	past: number;
}

/**
 * Funding of perpetual contracts against a spot leg (STRATEGIES 6.1): long spot and short perp while
 * the 3-day mean is positive; the reverse needs borrowed spot, which no source here offers.
 */
export const fundingArbitrage: Strategy = {
	id: ID,
	needs: {
		candidates: "perp",
		timeframe: null,
		candles: false,
		funding: true,
		orderBook: true,
		evidence: { market: "perp", timeframe: "1d", bars_min: 200, funding: true },
		benchmarks: [],
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const evidence = fundingEvidence(view);
		for (const candidate of candidates) {
			const outcome = examine(candidate, evidence, view, portfolio, limits, ledger);
			if ("reason" in outcome) ledger.reject(candidate.symbol, outcome.reason, outcome.detail);
			else ledger.add(outcome);
		}
		return ledger.close(
			"symbol",
			limits,
			{
				mean_bps_per_8h_min: 1,
				volume_usd_24h_min: VOLUME_USD_MIN,
				open_interest_usd_min: OPEN_INTEREST_USD_MIN,
				settlements_min: SETTLEMENTS_MIN,
				agreeing_of_9_min: AGREEING_MIN,
				break_even_share_max: BREAK_EVEN_SHARE_MAX,
			},
			evidence.report,
		);
	},
};

function examine(
	candidate: Candidate,
	evidence: FundingEvidence,
	view: MarketView,
	portfolio: PortfolioSnapshot,
	limits: StrategyLimits,
	ledger: Ledger,
): Opportunity | Refused {
	const carry = readCarry(candidate, view, ledger);
	if ("reason" in carry) return carry;
	const missingLeg = legGate(carry);
	if (missingLeg) {
		ledger.nearMiss({
			symbol: candidate.symbol,
			reason: missingLeg.reason,
			value: aprPercent(carry),
			threshold: THRESHOLD_APR_PERCENT,
			distance: 0,
		});
		return missingLeg;
	}
	if (carry.funding.length < SETTLEMENTS_MIN) {
		return { reason: "insufficient_history", detail: `${carry.funding.length} of ${SETTLEMENTS_MIN} settlements` };
	}
	if (!isPersistent(carry.window)) {
		return {
			reason: "below_threshold",
			detail: `${carry.window.agreeing} of the last 9 settlements agree, or one alone makes the mean`,
		};
	}
	return carryRow(carry, evidence, view, portfolio, limits, ledger);
}

const aprPercent = (carry: Pick<Carry, "past">): number => 100 * simpleApr(Math.abs(carry.past), 8);

/** Gates on data, liquidity and size of the rate, in the order in which they are counted. */
function readCarry(candidate: Candidate, view: MarketView, ledger: Ledger): Carry | Refused {
	const { symbol, market } = candidate;
	const error = view.errors[symbol];
	if (error !== undefined || !market)
		return { reason: "fetch_failed", detail: error ?? "no market description was read" };
	if (!((market.volume_usd_24h ?? 0) > VOLUME_USD_MIN) || !((market.open_interest_usd ?? 0) > OPEN_INTEREST_USD_MIN)) {
		return {
			reason: "illiquid",
			detail: `volume ${known(market.volume_usd_24h)} USD, open interest ${known(market.open_interest_usd)} USD`,
		};
	}
	const funding = view.funding[symbol];
	if (!funding || funding.length === 0) return { reason: "fetch_failed", detail: "no funding was read" };
	const newest = last(funding.funding_time);
	if (view.as_of_ms - newest > STALE_HOURS * HOUR_MS) {
		return {
			reason: "stale_data",
			detail: `the last settlement was ${((view.as_of_ms - newest) / HOUR_MS).toFixed(1)} hours ago`,
		};
	}
	ledger.sawDatumAt(newest);
	const window = pastWindow(funding, view.as_of_ms);
	const past = window.sumE8 / PAST_UNITS / E8;
	if (!exceedsThreshold(window.sumE8)) {
		const value = aprPercent({ past });
		ledger.nearMiss({
			symbol,
			reason: "below_threshold",
			value,
			threshold: THRESHOLD_APR_PERCENT,
			distance: THRESHOLD_APR_PERCENT - value,
		});
		return { reason: "below_threshold", detail: `${(past * 10_000).toFixed(3)} bp per 8 h` };
	}
	return { candidate, market, funding, window, past };
}

const known = (value: number | null): string => (value === null ? "unknown" : String(Math.round(value)));

const spotLeg = ({ candidate }: Carry): Market | null =>
	candidate.asset?.markets.find((market) => market.type === "spot" && market.tags.length === 0) ?? null;

function legGate(carry: Carry): Refused | null {
	const detail = `${(carry.past * 10_000).toFixed(2)} bp per 8 h, ${aprPercent(carry).toFixed(1)} % a year`;
	if (carry.past < 0)
		return { reason: "not_borrowable", detail: `${detail}: the short spot leg needs a borrow and its rate` };
	return spotLeg(carry) ? null : { reason: "no_spot_market", detail };
}

interface Economics {
	forward: number;
	/** Round trip without impact: depends on nobody's capital. */
	fixedCost: number;
	breakEven: number;
	lowerNet: number;
}

function economicsOf(carry: Carry, spot: Market, evidence: FundingEvidence, halfSpread: number): Economics {
	const { forecast } = evidence;
	const forward = forecast ? forecast.a + forecast.b * carry.past : carry.past;
	const doubt = forecast?.residualQuartile[bucketOf(carry.past)] ?? 0;
	const fixedCost =
		2 * (spot.taker_fee + carry.market.taker_fee + tierHalfSpread(spot.volume_usd_24h ?? 0) + halfSpread);
	return {
		forward,
		fixedCost,
		breakEven: breakEvenIntervals(fixedCost, carry.past),
		lowerNet: HORIZON_UNITS * (forward + doubt) - fixedCost,
	};
}

function carryRow(
	carry: Carry,
	evidence: FundingEvidence,
	view: MarketView,
	portfolio: PortfolioSnapshot,
	limits: StrategyLimits,
	ledger: Ledger,
): Opportunity | Refused {
	const { candidate, market, past } = carry;
	const { symbol } = candidate;
	const spot = spotLeg(carry);
	if (!spot) return { reason: "no_spot_market", detail: "no spot leg" };
	const halfSpread = quotedHalfSpread(view.books[symbol]) ?? tierHalfSpread(market.volume_usd_24h ?? 0);
	const economics = economicsOf(carry, spot, evidence, halfSpread);
	const { breakEven, lowerNet, forward, fixedCost } = economics;
	if (breakEven > BREAK_EVEN_SHARE_MAX * HORIZON_UNITS || !(lowerNet > 0)) {
		ledger.nearMiss({
			symbol,
			reason: "cost_exceeds_edge",
			value: aprPercent(carry),
			threshold: THRESHOLD_APR_PERCENT,
			distance: 0,
		});
		return {
			reason: "cost_exceeds_edge",
			detail: `break-even after ${(breakEven * 8).toFixed(0)} h; lower quartile of the 7-day net ${(lowerNet * 10_000).toFixed(1)} bp`,
		};
	}
	const measurement = evidence.bucket(bucketOf(past), fixedCost);
	if (measurement.grade === "D") {
		return {
			reason: "negative_expectancy",
			detail: `mean net ${measurement.evidence.mean_net_bps?.toFixed(1)} bp over ${measurement.evidence.n} windows`,
		};
	}
	const { p, ...confidence } = symbolConfidence(measurement, symbol);
	const advUsd = Math.min(market.volume_usd_24h ?? 0, spot.volume_usd_24h ?? 0);
	const price = priceOf(symbol, view);
	const capitalUsd = portfolio.capital_usd;
	const sizing = sizePosition({
		capitalUsd,
		stopDistance: BASIS_STOP,
		advUsd,
		grade: measurement.grade,
		p,
		payoff: measurement.payoff,
		limits,
		market,
		price,
	});
	if (!sizing.ok) return sizing;
	const { notionalUsd } = sizing;
	const leg = { sigmaDay: BASIS_DEVIATION, notionalUsd };
	const costs = roundTripCosts({
		legs: [
			{ ...leg, market: spot, halfSpread: tierHalfSpread(spot.volume_usd_24h ?? 0), advUsd: spot.volume_usd_24h ?? 0 },
			{ ...leg, market, halfSpread, advUsd: market.volume_usd_24h ?? 0 },
		],
	});
	const net = HORIZON_UNITS * forward - costs.total_bps / 10_000;
	if (!(net > 0)) return { reason: "cost_exceeds_edge", detail: `expected 7-day net ${(net * 10_000).toFixed(1)} bp` };
	const spotPrice = priceOf(spot.symbol, view);
	return buildRow({
		strategyId: ID,
		type: "funding_arbitrage",
		symbol,
		exchange: spot.venue === market.venue ? market.venue : "multiple",
		side: "neutral",
		timeframe: `${HORIZON_DAYS}d`,
		view,
		asOfMs: last(carry.funding.funding_time),
		capitalUsd,
		notionalUsd,
		requiredCapitalUsd: notionalUsd * (1 + 1 / LEVERAGE),
		profitUsd: notionalUsd * net,
		confidence,
		riskLevel: riskLevelOf({
			shortfallShare:
				capitalUsd > 0 ? (Math.max(0, -(measurement.shortfallR ?? -1)) * BASIS_STOP * notionalUsd) / capitalUsd : 1,
			leverage: LEVERAGE,
			tierPriority: tierPriority(advUsd),
			atLeast: "medium",
		}),
		entry: price,
		stop: null,
		target: null,
		costs,
		evidence: measurement.evidence,
		strength: past * 10_000,
		reasoning: `Funding averaged ${(past * 10_000).toFixed(2)} bp per 8 hours over three days (${aprPercent(carry).toFixed(2)} % a year); long spot and short perpetual collect it.`,
		indicators: {
			mean_bps_per_8h: past * 10_000,
			forecast_bps_per_8h: forward * 10_000,
			agreeing_of_9: carry.window.agreeing,
			interval_hours: carry.funding.interval_hours,
		},
		extra: {
			legs: [
				{
					symbol: spot.symbol,
					exchange: spot.venue,
					side: "long",
					...(spotPrice === null ? {} : { price: spotPrice }),
				},
				{ symbol, exchange: market.venue, side: "short", ...(price === null ? {} : { price }) },
			],
			basis_bps: price !== null && spotPrice !== null ? (price / spotPrice - 1) * 10_000 : null,
			apr_gross_percent: aprPercent(carry),
			expected_apr_net: (100 * net * 365) / HORIZON_DAYS,
			expected_net_bps: net * 10_000,
			break_even_hours: breakEven * 8,
			lower_quartile_net_bps: lowerNet * 10_000,
			evidence_cost_bps: fixedCost * 10_000,
			leverage_perp: LEVERAGE,
			risk_distance_bps: BASIS_STOP * 10_000,
			exit_rule: "the 24-hour mean falls below 0.3 bp per 8 h, or 7 days have passed",
			stop_rule:
				"the basis widens by three standard deviations, or the perp margin falls below three times maintenance",
			risks: "counterparty of the venue; auto-deleveraging of the short leg",
			capital_assumed: portfolio.assumed,
		},
		...(measurement.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

/** Best bid of a book, else the newest close that was read; null when neither was. */
function priceOf(symbol: string, view: MarketView): number | null {
	const bid = view.books[symbol]?.bids[0]?.[0];
	if (bid !== undefined) return bid;
	const series = view.series[symbol];
	if (!series || series.length === 0) return null;
	return last(series.close);
}
