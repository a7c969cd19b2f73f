import type { Candidate, Evidence, MarketView } from "../contract.ts";
import { chosenWithHindsight } from "../evidence/measure.ts";
import type { Ledger } from "../ledger.ts";
import type { Refusal } from "../quality.ts";
import { type Book, bySymbol, type Holding } from "../risk/book.ts";
import { riskShares } from "../risk/measures.ts";
import { frequencyEvidence, WINDOW_DAYS } from "../risk/windows.ts";
import { EFFECTIVENESS_MIN, ESTIMATION_DAYS, RECENT_WINDOWS } from "./effectiveness.ts";
import { COMMON_HEDGES, type HedgeChoice, hedgeChoices } from "./instruments.ts";
import { type HedgeTerms, hedgeTerms } from "./terms.ts";

/** What a proposed hedge must pass. */
export const HEDGE_GATES = {
	position_share_min: 0.02,
	position_usd_min: 500,
	risk_share_min: 0.2,
	effectiveness_min: EFFECTIVENESS_MIN,
	benefit_over_cost_min: 3,
	windows_min: 4,
	/** A position counts as hedged when no more than this share of it is open. */
	open_share_max: 0.2,
	/** Two legs must beat the best single one by this much to be worth their costs. */
	second_leg_gain_min: 0.05,
} as const;

const METHOD = `windows of ${ESTIMATION_DAYS} days estimated, ${WINDOW_DAYS} days measured, not overlapping; success: at least ${100 * EFFECTIVENESS_MIN} % of variance taken away`;

export interface HedgeProposal {
	holding: Holding;
	/** Signed value without a hedge, USD. */
	exposureUsd: number;
	riskShare: number;
	choice: HedgeChoice;
	/** All that the source offered, the chosen one included. */
	choices: HedgeChoice[];
	terms: HedgeTerms;
	evidence: Evidence;
	confidence: ReturnType<typeof frequencyEvidence>["confidence"];
}

export interface HedgeSetting {
	book: Book;
	/** Part of the book's variance of each holding. */
	riskShares: readonly number[];
	view: MarketView;
	candidateOf: ReadonlyMap<string, Candidate>;
	/** Holdings by the coin they are of. */
	ofBase: ReadonlyMap<string, readonly Holding[]>;
	ledger: Ledger;
}

/** What all hedges of a book share, made once: looked up a position, it would cost the square of them. */
export function hedgeSetting(
	book: Book,
	{ view, candidates, ledger }: { view: MarketView; candidates: readonly Candidate[]; ledger: Ledger },
): HedgeSetting {
	const ofBase = new Map<string, Holding[]>();
	for (const holding of book.holdings) {
		const base = holding.market?.base;
		if (base !== undefined) ofBase.set(base, [...(ofBase.get(base) ?? []), holding]);
	}
	const shares = riskShares(book.weights, book.marginal);
	return { book, riskShares: shares, view, candidateOf: bySymbol(candidates), ofBase, ledger };
}

/** The hedge of one position, or the first gate that stops it. */
export function proposeHedge(index: number, setting: HedgeSetting): HedgeProposal | Refusal {
	const { book, view } = setting;
	const holding = book.holdings[index] as Holding;
	const exposureUsd = openExposure(holding, setting);
	const riskShare = setting.riskShares[index] ?? 0;
	const refusal = positionGate(holding, exposureUsd, riskShare, setting);
	if (refusal) return refusal;
	const { symbol } = holding.position;
	const choices = hedgeChoices(holding, setting.candidateOf.get(symbol), view);
	const choice = chooseHedge(choices, symbol, setting);
	if ("reason" in choice) return choice;
	const { effectiveness, legs } = choice;
	const terms = hedgeTerms(legs, effectiveness.ratios, exposureUsd, book, view);
	if (!terms) return { reason: "insufficient_history", detail: `no ${ESTIMATION_DAYS} days common to book and hedge` };
	const gainUsd = (terms.before.cvar95 - terms.after.cvar95) * book.equity;
	if (!(gainUsd > HEDGE_GATES.benefit_over_cost_min * Math.max(0, terms.costUsd))) {
		const value = terms.costUsd > 0 ? gainUsd / terms.costUsd : 0;
		noteMiss(symbol, "cost_exceeds_edge", value, HEDGE_GATES.benefit_over_cost_min, setting);
		const detail = `daily CVaR95 falls by ${gainUsd.toFixed(2)} USD, a month costs ${terms.costUsd.toFixed(2)} USD`;
		return { reason: "cost_exceeds_edge", detail };
	}
	const measured = frequencyEvidence(
		effectiveness.record,
		book.holdings.length,
		chosenWithHindsight(view.data_source),
		METHOD,
	);
	if (measured.evidence.grade === "D") {
		const { wins, n } = effectiveness.record;
		return { reason: "hedge_ineffective", detail: `effective in ${wins} of ${n} past windows only` };
	}
	return { holding, exposureUsd, riskShare, choice, choices, terms, ...measured };
}

/** What positions of the same base leave open of a position; unified symbols carry their base in the market. */
function openExposure(holding: Holding, { ofBase }: HedgeSetting): number {
	const base = holding.market?.base;
	const offset = (base === undefined ? [] : (ofBase.get(base) ?? []))
		.filter((other) => other !== holding)
		.filter((other) => Math.sign(other.value) !== Math.sign(holding.value))
		.reduce((sum, other) => sum + other.value, 0);
	const open = holding.value + offset;
	return Math.sign(open) === Math.sign(holding.value) ? open : 0;
}

function positionGate(holding: Holding, exposureUsd: number, riskShare: number, setting: HedgeSetting): Refusal | null {
	const { book, ledger } = setting;
	const { symbol } = holding.position;
	const size = Math.abs(holding.value);
	if (holding.stablecoin) return { reason: "pegged_or_wrapped", detail: "a stablecoin needs no hedge" };
	if (size < HEDGE_GATES.position_share_min * book.equity && size <= HEDGE_GATES.position_usd_min) {
		return { reason: "below_threshold", detail: `${size.toFixed(2)} USD is too little to hedge` };
	}
	if (Math.abs(exposureUsd) <= HEDGE_GATES.open_share_max * size) {
		const open = ((100 * Math.abs(exposureUsd)) / size).toFixed(0);
		return { reason: "already_hedged", detail: `positions of the same coin leave ${open} % of it open` };
	}
	if (riskShare > HEDGE_GATES.risk_share_min) return null;
	ledger.nearMiss({
		symbol,
		reason: "within_limits",
		value: riskShare,
		threshold: HEDGE_GATES.risk_share_min,
		distance: HEDGE_GATES.risk_share_min - riskShare,
	});
	return { reason: "within_limits", detail: `it carries ${(100 * riskShare).toFixed(1)} % of the book's risk` };
}

/**
 * The coin's own contract if it is effective; else the single one with the best lower quartile, or both
 * common ones where the second clearly adds.
 */
function chooseHedge(choices: readonly HedgeChoice[], symbol: string, setting: HedgeSetting): HedgeChoice | Refusal {
	if (choices.length === 0) return unavailable(setting.view);
	const measured = choices.filter(({ effectiveness }) => effectiveness.recentWindows >= HEDGE_GATES.windows_min);
	if (measured.length === 0) {
		return { reason: "insufficient_history", detail: `fewer than ${HEDGE_GATES.windows_min} windows out of sample` };
	}
	const quartile = ({ effectiveness }: HedgeChoice) => effectiveness.lowerQuartile ?? Number.NEGATIVE_INFINITY;
	const effective = measured.filter((choice) => quartile(choice) >= HEDGE_GATES.effectiveness_min);
	const sound = effective.filter(({ effectiveness }) => effectiveness.ratios.every((ratio) => ratio > 0));
	const own = sound.find(({ kind }) => kind === "own_perp");
	if (own) return own;
	const [single] = sound.filter(({ legs }) => legs.length === 1).sort((a, b) => quartile(b) - quartile(a));
	const double = sound.find(({ legs }) => legs.length === 2);
	if (double && (!single || quartile(double) >= quartile(single) + HEDGE_GATES.second_leg_gain_min)) return double;
	if (single) return single;
	const best = Math.max(...measured.map(quartile));
	if (effective.length > 0) return { reason: "hedge_ratio_invalid", detail: "the fitted ratio is not positive" };
	noteMiss(symbol, "hedge_ineffective", best, HEDGE_GATES.effectiveness_min, setting);
	const detail = `the lower quartile of the newest ${RECENT_WINDOWS} windows is ${best.toFixed(2)} at best`;
	return { reason: "hedge_ineffective", detail };
}

function unavailable(view: MarketView): Refusal {
	const error = COMMON_HEDGES.map(({ perp }) => view.errors[perp]).find((text) => text !== undefined);
	if (error !== undefined) return { reason: "fetch_failed", detail: error };
	const undescribed = COMMON_HEDGES.find(({ perp }) => view.series[perp] && !view.markets[perp]);
	if (undescribed) return { reason: "fetch_failed", detail: `no market description of ${undescribed.perp} was read` };
	return { reason: "no_derivative_market", detail: "the source has no perpetual with enough days" };
}

function noteMiss(symbol: string, reason: string, value: number, threshold: number, { ledger }: HedgeSetting): void {
	if (!Number.isFinite(value)) return;
	ledger.nearMiss({ symbol, reason, value, threshold, distance: Math.max(0, threshold - value) });
}
