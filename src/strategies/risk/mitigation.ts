import type { MarketView, Opportunity } from "../contract.ts";
import { oneWayCosts, tierHalfSpread, tierPriority } from "../costs.ts";
import { chosenWithHindsight } from "../evidence/measure.ts";
import { riskLevelOf } from "../risk-level.ts";
import { buildRow } from "../row.ts";
import type { Book, Holding } from "./book.ts";
import { excessOf, type Measure, shortfallUsd, sigmaOf } from "./checks.ts";
import {
	capForConcentration,
	keepForDrawdown,
	keepForLiquidation,
	keepForLiquidity,
	keepForRiskShare,
	keepForShortfall,
	keepForWeight,
} from "./limits.ts";
import { calmerWindows, frequencyEvidence } from "./windows.ts";

export const RISK_ID = "ai_risk_management";
/** Distance of a proposed stop in daily sigmas. */
const STOP_SIGMAS = 3;

interface Proposal {
	book: Book;
	view: MarketView;
	breaches: readonly Measure[];
	assumed: boolean;
}

/** Share of a position to keep so that every breached limit of it holds; a missing stop sells nothing. */
export function keepOf(book: Book, index: number, breaches: readonly Measure[]): number {
	const weight = book.weights[index] ?? 0;
	const shares = breaches.map(({ measure, value }) => {
		if (measure === "weight") return keepForWeight(weight);
		if (measure === "risk_share") return keepForRiskShare(book.weights, book.covariance, index);
		if (measure === "liquidity_days") return keepForLiquidity(value ?? 1);
		return measure === "liquidation_sigmas" ? keepForLiquidation(value ?? 0) : 1;
	});
	return Math.min(1, ...shares);
}

/** Weights after the trades that restore every breached limit of the whole book. */
export function restoredWeights(book: Book, breaches: readonly Measure[]): number[] {
	const broken = new Set(breaches.map((breach) => breach.measure));
	const capped = broken.has("effective_number") ? capForConcentration(book.weights) : book.weights;
	const share = Math.min(
		broken.has("cvar95_1d") ? keepForShortfall(capped, book.returns) : 1,
		broken.has("drawdown") ? keepForDrawdown(capped, book.prices) : 1,
	);
	return capped.map((weight) => weight * share);
}

const describe = (breaches: readonly Measure[]): string =>
	breaches
		.map(({ measure, value, limit }) => `${measure} ${value?.toPrecision(3)} against a limit of ${limit}`)
		.join("; ");

const limitsOf = (breaches: readonly Measure[]) =>
	Object.fromEntries(breaches.map(({ measure, value, limit }) => [measure, { value, limit }]));

function saleCosts(holding: Holding, soldUsd: number, sigmaDay: number) {
	const advUsd = holding.market?.volume_usd_24h ?? 0;
	const leg = {
		market: holding.market ?? { taker_fee: 0.001 },
		halfSpread: tierHalfSpread(advUsd),
		sigmaDay,
		notionalUsd: soldUsd,
		advUsd,
	};
	return oneWayCosts({ legs: [leg] });
}

/** The trade that brings one position back within its limits. */
export function positionRow(index: number, { book, view, breaches, assumed }: Proposal): Opportunity | null {
	const holding = book.holdings[index];
	if (!holding || book.asOfMs === null) return null;
	const keep = keepOf(book, index, breaches);
	const after = book.weights.map((weight, i) => (i === index ? weight * keep : weight));
	const soldUsd = Math.abs(holding.value) * (1 - keep);
	const hindsight = chosenWithHindsight(view.data_source);
	const record = calmerWindows(book.history, book.days, book.weights, after);
	// A stop order changes no weight: its effect cannot be read from past windows.
	const { evidence, confidence } = frequencyEvidence(
		keep < 1 ? record : { ...record, n: 0, wins: 0, firstDay: null, lastDay: null },
		book.holdings.length,
		hindsight,
	);
	if (evidence.grade === "D") return null;
	const reduction = shortfallUsd(book, book.weights) - shortfallUsd(book, after);
	const long = holding.value > 0;
	const missingStop = breaches.some((breach) => breach.measure === "unstopped_weight");
	const stop = missingStop ? holding.price * (1 - (long ? 1 : -1) * STOP_SIGMAS * sigmaOf(book, index)) : null;
	return buildRow({
		strategyId: RISK_ID,
		type: "risk_mitigation",
		symbol: holding.position.symbol,
		exchange: holding.market?.venue ?? holding.series.venue,
		side: keep < 1 ? (long ? "short" : "long") : "neutral",
		timeframe: "immediate",
		view,
		asOfMs: book.asOfMs,
		capitalUsd: book.equity,
		notionalUsd: 0,
		requiredCapitalUsd: 0,
		profitUsd: 0,
		confidence: shownConfidence(confidence),
		riskLevel: riskLevelOf({
			shortfallShare: Math.max(
				0,
				shortfallUsd(
					book,
					book.weights.map((weight, i) => (i === index ? weight : 0)),
				) / book.equity,
			),
			leverage: 1,
			tierPriority: tierPriority(holding.market?.volume_usd_24h ?? 0),
		}),
		entry: holding.price,
		stop: stop !== null && stop > 0 ? stop : null,
		target: null,
		costs: saleCosts(holding, soldUsd, sigmaOf(book, index)),
		evidence,
		strength: 1 + Math.max(...breaches.map(excessOf)),
		reasoning: `${describe(breaches)}. ${keep < 1 ? `Reducing the position to ${(100 * keep).toFixed(1)} % of its size restores the limit.` : "A stop order restores the limit."}`,
		indicators: {},
		extra: {
			reduce_only: keep < 1,
			trade_usd: soldUsd,
			trade_quantity: Math.abs(holding.position.quantity) * (1 - keep),
			keep_share: keep,
			weight_before: book.weights[index] ?? 0,
			weight_after: after[index] ?? 0,
			risk_reduction_usd: Math.max(0, reduction),
			urgency: Math.max(...breaches.map(excessOf)),
			limits: limitsOf(breaches),
			capital_assumed: assumed,
		},
		...(evidence.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

/** The trades that bring the whole book back within its limits, as one row. */
export function portfolioRow({ book, view, breaches, assumed }: Proposal): Opportunity | null {
	if (book.asOfMs === null) return null;
	const after = restoredWeights(book, breaches);
	const { evidence, confidence } = frequencyEvidence(
		calmerWindows(book.history, book.days, book.weights, after),
		book.holdings.length,
		chosenWithHindsight(view.data_source),
	);
	if (evidence.grade === "D") return null;
	const sales = book.holdings.map((holding, i) => {
		const soldUsd = Math.abs(holding.weight - (after[i] ?? 0)) * book.equity;
		return {
			holding,
			soldUsd,
			costs: saleCosts(holding, soldUsd, sigmaOf(book, i)),
			from: holding.weight,
			to: after[i] ?? 0,
		};
	});
	const traded = sales.reduce((sum, sale) => sum + sale.soldUsd, 0);
	const mean = (key: "fee_bps" | "spread_bps" | "impact_bps" | "total_bps") =>
		traded > 0 ? sales.reduce((sum, sale) => sum + (sale.costs[key] * sale.soldUsd) / traded, 0) : 0;
	const venues = new Set(book.holdings.map(({ market, series }) => market?.venue ?? series.venue));
	const [venue = "multiple"] = venues;
	return buildRow({
		strategyId: RISK_ID,
		type: "risk_mitigation",
		symbol: "PORTFOLIO",
		exchange: venues.size === 1 ? venue : "multiple",
		side: "neutral",
		timeframe: "immediate",
		view,
		asOfMs: book.asOfMs,
		capitalUsd: book.equity,
		notionalUsd: 0,
		requiredCapitalUsd: 0,
		profitUsd: 0,
		confidence: shownConfidence(confidence),
		riskLevel: riskLevelOf({
			shortfallShare: Math.max(0, shortfallUsd(book, book.weights) / book.equity),
			leverage: Math.max(
				1,
				book.weights.reduce((sum, weight) => sum + Math.abs(weight), 0),
			),
			tierPriority: Math.max(...book.holdings.map(({ market }) => tierPriority(market?.volume_usd_24h ?? 0))),
		}),
		entry: null,
		stop: null,
		target: null,
		costs: {
			fee_bps: mean("fee_bps"),
			spread_bps: mean("spread_bps"),
			impact_bps: mean("impact_bps"),
			funding_bps: 0,
			total_bps: mean("total_bps"),
		},
		evidence,
		strength: 1 + Math.max(...breaches.map(excessOf)),
		reasoning: `${describe(breaches)}. The listed trades restore the limits.`,
		indicators: {},
		extra: {
			reduce_only: true,
			trade_usd: traded,
			trades: sales
				.filter((sale) => sale.soldUsd > 0)
				.map((sale) => ({
					symbol: sale.holding.position.symbol,
					action: sale.holding.value > 0 ? "SELL" : "BUY",
					amount_usd: sale.soldUsd,
					from_weight: sale.from,
					to_weight: sale.to,
				})),
			risk_reduction_usd: Math.max(0, shortfallUsd(book, book.weights) - shortfallUsd(book, after)),
			urgency: Math.max(...breaches.map(excessOf)),
			limits: limitsOf(breaches),
			capital_assumed: assumed,
		},
		...(evidence.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

/** The three published members of a confidence; null without a measured window. */
export const shownConfidence = (
	confidence: { confidence_score: number; confidence_low: number; confidence_high: number } | null,
) => ({
	confidence_score: confidence?.confidence_score ?? null,
	confidence_low: confidence?.confidence_low ?? null,
	confidence_high: confidence?.confidence_high ?? null,
});
