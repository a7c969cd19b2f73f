import type { Market, Series } from "../../market/contract.ts";
import { at, type Column, last } from "../columns.ts";
import type { MarketView, Opportunity } from "../contract.ts";
import { roundTripCosts, tierHalfSpread, tierPriority } from "../costs.ts";
import { chosenWithHindsight } from "../evidence/measure.ts";
import { quantileOf } from "../evidence/trades.ts";
import { E8, PAST_UNITS, pastWindow } from "../funding-rates.ts";
import { riskLevelOf } from "../risk-level.ts";
import { buildRow } from "../row.ts";
import { type Book, joinCloses, RETURNS_MIN, simpleReturns } from "./book.ts";
import { rSquared, slopeOf } from "./covariance.ts";
import { bookReturns, historicalTail } from "./measures.ts";
import { RISK_ID, shownConfidence } from "./mitigation.ts";
import { frequencyEvidence, hedgedWindows } from "./windows.ts";

const BETA_MIN = 0.5;
const R_SQUARED_MIN = 0.3;
const LEVERAGE = 2;
/** 8-hour units of the thirty days a hedge is costed for. */
const HORIZON_UNITS = 90;
/** Perps a book is hedged with, if the source has them. */
export const HEDGES = ["BTC/USDT:USDT", "ETH/USDT:USDT"] as const;

interface Fit {
	symbol: string;
	market: Market;
	series: Series;
	beta: number;
	r2: number;
	/** Daily returns of book and hedge on common days. */
	book: Column;
	hedge: Column;
	days: number[];
}

export type HedgeOutcome = { row: Opportunity } | { symbol: string; reason: string; detail: string };

/** A short BTC or ETH perp against the book's common risk, whichever explains more of it. */
export function hedgeProposal(book: Book, view: MarketView, urgency: number, assumed: boolean): HedgeOutcome {
	const fits = HEDGES.flatMap((symbol) => fitOf(book, view, symbol)).sort((a, b) => b.r2 - a.r2);
	const best = fits[0];
	const [fallback] = HEDGES;
	if (!best) {
		const error = HEDGES.map((symbol) => view.errors[symbol]).find((text) => text !== undefined);
		if (error !== undefined) return { symbol: fallback, reason: "fetch_failed", detail: error };
		const undescribed = HEDGES.find((symbol) => view.series[symbol] && !view.markets[symbol]);
		if (undescribed !== undefined) {
			return { symbol: fallback, reason: "fetch_failed", detail: `no market description of ${undescribed} was read` };
		}
		return {
			symbol: fallback,
			reason: "no_derivative_market",
			detail: "the source has no BTC or ETH perpetual with enough days",
		};
	}
	if (!(best.beta > BETA_MIN && best.r2 >= R_SQUARED_MIN)) {
		return {
			symbol: best.symbol,
			reason: "hedge_ineffective",
			detail: `beta ${best.beta.toFixed(2)}, R2 ${best.r2.toFixed(2)}`,
		};
	}
	const record = hedgedWindows(best.book, best.hedge, best.days);
	const measured = frequencyEvidence(record, book.holdings.length, chosenWithHindsight(view.data_source));
	if (measured.evidence.grade === "D") {
		return {
			symbol: best.symbol,
			reason: "hedge_ineffective",
			detail: `${record.wins} of ${record.n} windows were calmer`,
		};
	}
	return {
		row: hedgeRow(best, measured, quantileOf(Float64Array.from(record.effects), 0.5), { book, view, urgency, assumed }),
	};
}

function fitOf(book: Book, view: MarketView, symbol: string): Fit[] {
	const [series, market] = [view.series[symbol], view.markets[symbol]];
	if (!series || !market) return [];
	const joined = joinCloses([series, ...book.holdings.map((holding) => holding.series)]);
	const [hedge, ...held] = joined.columns.map(simpleReturns);
	if (!hedge || hedge.length < RETURNS_MIN) return [];
	const whole = bookReturns(book.weights, held);
	const [y, x] = [whole.subarray(-RETURNS_MIN), hedge.subarray(-RETURNS_MIN)];
	return [
		{ symbol, market, series, beta: slopeOf(y, x), r2: rSquared(y, x), book: whole, hedge, days: joined.days.slice(1) },
	];
}

/** What a hedge costs over thirty days, and how deep the book's tail is with and without it. */
function hedgeTerms(fit: Fit, view: MarketView, notionalUsd: number) {
	const { series, market } = fit;
	const advUsd = market.volume_usd_24h ?? last(series.quote_volume);
	const funding = view.funding[fit.symbol];
	const [y, x] = [fit.book.subarray(-RETURNS_MIN), fit.hedge.subarray(-RETURNS_MIN)];
	const leg = {
		market,
		halfSpread: tierHalfSpread(advUsd),
		sigmaDay: Math.sqrt(varianceDaily(x)),
		notionalUsd,
		advUsd,
	};
	return {
		advUsd,
		price: last(series.close),
		exchange: market.venue,
		fundingKnown: funding !== undefined,
		costs: roundTripCosts({
			legs: [leg],
			// A short receives positive funding: income is a negative cost.
			funding: funding ? (-pastWindow(funding, view.as_of_ms).sumE8 / PAST_UNITS / E8) * HORIZON_UNITS : 0,
		}),
		before: historicalTail(y).cvar95,
		after: historicalTail(y.map((value, i) => value - fit.beta * at(x, i))).cvar95,
	};
}

function hedgeRow(
	fit: Fit,
	{ evidence, confidence }: ReturnType<typeof frequencyEvidence>,
	medianEffect: number,
	{ book, view, urgency, assumed }: { book: Book; view: MarketView; urgency: number; assumed: boolean },
): Opportunity {
	const notionalUsd = fit.beta * book.equity;
	const terms = hedgeTerms(fit, view, notionalUsd);
	return buildRow({
		strategyId: RISK_ID,
		type: "risk_hedge",
		symbol: fit.symbol,
		exchange: terms.exchange,
		side: "short",
		timeframe: "1-3 months",
		view,
		asOfMs: book.asOfMs ?? view.as_of_ms,
		capitalUsd: book.equity,
		notionalUsd,
		requiredCapitalUsd: notionalUsd / LEVERAGE,
		profitUsd: 0,
		confidence: shownConfidence(confidence),
		riskLevel: riskLevelOf({
			shortfallShare: Math.max(0, terms.after),
			leverage: LEVERAGE,
			tierPriority: tierPriority(terms.advUsd),
		}),
		entry: terms.price,
		stop: null,
		target: null,
		costs: terms.costs,
		evidence,
		strength: 1 + urgency,
		reasoning: `The book moves ${fit.beta.toFixed(2)} times with ${fit.symbol} (R2 ${fit.r2.toFixed(2)}); a short of that size took away ${(100 * medianEffect).toFixed(0)} % of its variance in the median past window.`,
		indicators: { beta: fit.beta, r_squared: fit.r2, variance_reduction_median: medianEffect },
		extra: {
			leverage_perp: LEVERAGE,
			risk_reduction_usd: Math.max(0, (terms.before - terms.after) * book.equity),
			funding_known: terms.fundingKnown,
			urgency,
			capital_assumed: assumed,
		},
		...(evidence.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

const varianceDaily = (returns: Column): number =>
	returns.reduce((sum, value) => sum + value * value, 0) / returns.length;
