import { at, type Column } from "../columns.ts";
import type { Costs, MarketView, Opportunity } from "../contract.ts";
import { blendedCosts, oneWayCosts, tierHalfSpread, tierPriority } from "../costs.ts";
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
import { bookReturns } from "./measures.ts";
import { calmerWindows, frequencyEvidence, NO_WINDOWS, type WindowRecord } from "./windows.ts";

export const RISK_ID = "ai_risk_management";
/** Distance of a proposed stop in daily sigmas. */
const STOP_SIGMAS = 3;

/** Daily returns of a book: of its whole common history and of the newest RETURNS_MIN days. */
interface Daily {
	history: Column;
	newest: Column;
}

const dailyWith = ({ history, returns }: Book, weights: readonly number[]): Daily => ({
	history: bookReturns(weights, history),
	newest: bookReturns(weights, returns),
});

/** The same with the weight of one holding changed: one column moves, however many there are. */
const dailyMoved = ({ history, returns }: Book, daily: Daily, index: number, change: number): Daily => {
	const moved = (from: Column, column: Column = new Float64Array()) =>
		from.map((value, t) => value + change * at(column, t));
	return { history: moved(daily.history, history[index]), newest: moved(daily.newest, returns[index]) };
};

/** What all proposals for a book are held against. */
export const dailyOf = (book: Book): Daily => dailyWith(book, book.weights);

interface Proposal {
	book: Book;
	/** See dailyOf. */
	daily: Daily;
	view: MarketView;
	breaches: readonly Measure[];
	assumed: boolean;
}

/** Share of a position to keep so that every breached limit of it holds; a missing stop sells nothing. */
export function keepOf(book: Book, index: number, breaches: readonly Measure[]): number {
	const weight = book.weights[index] ?? 0;
	const shares = breaches.map(({ measure, value }) => {
		if (measure === "weight") return keepForWeight(weight);
		if (measure === "risk_share") return keepForRiskShare(book.weights, book, index);
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

/** Without a market description nobody knows what a sale costs, and no trade is proposed. */
export const hasKnownCosts = ({ market }: Holding): boolean => market !== null;

function saleCosts({ market, position }: Holding, soldUsd: number, sigmaDay: number) {
	if (market === null) throw new RangeError(`no market description of ${position.symbol}`);
	const advUsd = market.volume_usd_24h ?? 0;
	const leg = {
		market,
		halfSpread: tierHalfSpread(advUsd),
		sigmaDay,
		notionalUsd: soldUsd,
		advUsd,
	};
	return oneWayCosts({ legs: [leg] });
}

/** What all rows of this kind have in common: nothing is opened, nothing is earned. */
function mitigation({ book, daily, view, breaches, assumed }: Proposal, after: Daily, record: WindowRecord) {
	const hindsight = chosenWithHindsight(view.data_source);
	const { evidence, confidence } = frequencyEvidence(record, book.holdings.length, hindsight);
	const urgency = Math.max(...breaches.map(excessOf));
	return {
		strategyId: RISK_ID,
		type: "risk_mitigation",
		timeframe: "immediate",
		view,
		asOfMs: book.asOfMs ?? view.as_of_ms,
		capitalUsd: book.equity,
		notionalUsd: 0,
		requiredCapitalUsd: 0,
		profitUsd: 0,
		confidence: shownConfidence(confidence),
		target: null,
		evidence,
		strength: 1 + urgency,
		indicators: Object.fromEntries(breaches.map(({ measure, value }) => [measure, value ?? Number.NaN])),
		extra: {
			risk_reduction_usd: Math.max(0, shortfallUsd(book, daily.newest) - shortfallUsd(book, after.newest)),
			urgency,
			limits: limitsOf(breaches),
			capital_assumed: assumed,
		},
		...(evidence.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	};
}

/** The trade that brings one position back within its limits; null where it never calmed the book. */
export function positionRow(index: number, proposal: Proposal): Opportunity | null {
	const { book, daily, breaches } = proposal;
	const holding = book.holdings[index];
	if (!holding) return null;
	const keep = keepOf(book, index, breaches);
	const weight = book.weights[index] ?? 0;
	const after = keep < 1 ? dailyMoved(book, daily, index, weight * keep - weight) : daily;
	const alone = (book.returns[index] ?? new Float64Array()).map((value) => weight * value);
	const soldUsd = Math.abs(holding.value) * (1 - keep);
	// A stop order changes no weight: its effect cannot be read from past windows.
	const record = keep < 1 ? calmerWindows(daily.history, after.history, book.days) : NO_WINDOWS;
	const common = mitigation(proposal, after, record);
	if (common.evidence.grade === "D") return null;
	const long = holding.value > 0;
	return buildRow({
		...common,
		symbol: holding.position.symbol,
		exchange: holding.market?.venue ?? holding.series.venue,
		side: keep < 1 ? (long ? "short" : "long") : "neutral",
		riskLevel: riskLevelOf({
			shortfallShare: Math.max(0, shortfallUsd(book, alone) / book.equity),
			leverage: 1,
			tierPriority: tierPriority(holding.market?.volume_usd_24h ?? 0),
		}),
		entry: holding.price,
		stop: proposedStop(book, index, breaches),
		costs: saleCosts(holding, soldUsd, sigmaOf(book, index)),
		reasoning: `${describe(breaches)}. ${keep < 1 ? `Reducing the position to ${(100 * keep).toFixed(1)} % of its size restores the limit.` : "A stop order restores the limit."}`,
		extra: {
			...common.extra,
			reduce_only: keep < 1,
			trade_usd: soldUsd,
			trade_quantity: Math.abs(holding.position.quantity) * (1 - keep),
			keep_share: keep,
			weight_before: weight,
			weight_after: weight * keep,
		},
	});
}

/** A stop three daily sigmas away where the position is known to have none; else null. */
function proposedStop(book: Book, index: number, breaches: readonly Measure[]): number | null {
	const holding = book.holdings[index];
	if (!holding || !breaches.some((breach) => breach.measure === "unstopped_weight")) return null;
	const stop = holding.price * (1 - Math.sign(holding.value) * STOP_SIGMAS * sigmaOf(book, index));
	return stop > 0 ? stop : null;
}

/** The trades that bring the whole book back within its limits, as one row. */
export function portfolioRow(proposal: Proposal): Opportunity | null {
	const { book, daily, breaches } = proposal;
	const after = restoredWeights(book, breaches);
	const restored = dailyWith(book, after);
	const common = mitigation(proposal, restored, calmerWindows(daily.history, restored.history, book.days));
	if (common.evidence.grade === "D") return null;
	const sales = salesOf(book, after);
	const venues = new Set(book.holdings.map(({ market, series }) => market?.venue ?? series.venue));
	const [venue = "multiple"] = venues;
	const gross = book.weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
	return buildRow({
		...common,
		symbol: "PORTFOLIO",
		exchange: venues.size === 1 ? venue : "multiple",
		side: "neutral",
		riskLevel: riskLevelOf({
			shortfallShare: Math.max(0, shortfallUsd(book, daily.newest) / book.equity),
			leverage: Math.max(1, gross),
			tierPriority: Math.max(...book.holdings.map(({ market }) => tierPriority(market?.volume_usd_24h ?? 0))),
		}),
		entry: null,
		stop: null,
		costs: blendedCosts(sales.map(({ costs, soldUsd: usd }) => ({ costs, usd }))),
		reasoning: `${describe(breaches)}. The listed trades restore the limits.`,
		extra: {
			...common.extra,
			reduce_only: true,
			trade_usd: sales.reduce((sum, sale) => sum + sale.soldUsd, 0),
			trades: sales.map(({ holding, soldUsd, to }) => ({
				symbol: holding.position.symbol,
				action: holding.value > 0 ? "SELL" : "BUY",
				amount_usd: soldUsd,
				from_weight: holding.weight,
				to_weight: to,
			})),
		},
	});
}

interface Sale {
	holding: Holding;
	soldUsd: number;
	to: number;
	costs: Costs;
}

function salesOf(book: Book, after: readonly number[]): Sale[] {
	return book.holdings
		.map((holding, i) => {
			const to = after[i] ?? 0;
			const soldUsd = Math.abs(holding.weight - to) * book.equity;
			return { holding, soldUsd, to, costs: saleCosts(holding, soldUsd, sigmaOf(book, i)) };
		})
		.filter((sale) => sale.soldUsd > 0);
}

/** The three published members of a confidence; null without a measured window. */
export const shownConfidence = (
	confidence: { confidence_score: number; confidence_low: number; confidence_high: number } | null,
) => ({
	confidence_score: confidence?.confidence_score ?? null,
	confidence_low: confidence?.confidence_low ?? null,
	confidence_high: confidence?.confidence_high ?? null,
});
