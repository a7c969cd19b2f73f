import type { Opportunity } from "../contract.ts";
import { tierPriority } from "../costs.ts";
import { shownConfidence } from "../risk/mitigation.ts";
import { WINDOW_DAYS } from "../risk/windows.ts";
import { riskLevelOf } from "../risk-level.ts";
import { buildRow } from "../row.ts";
import { ESTIMATION_DAYS } from "./effectiveness.ts";
import type { HedgeProposal, HedgeSetting } from "./proposal.ts";
import type { LegTerms } from "./terms.ts";

export const HEDGE_ID = "ai_hedge_position";
const LEVERAGE = 2;
/** A ratio that has moved by this share is no longer the hedge that was measured. */
const DRIFT_MAX = 0.2;
const DAYS_PER_WEEK = 7;

/** A hedge as a row: it opens a contract, earns nothing, and says what it takes away and costs. */
export function hedgeRow(proposal: HedgeProposal, { book, view }: HedgeSetting, assumed: boolean): Opportunity {
	const { holding, exposureUsd, choice, terms, evidence } = proposal;
	const { symbol } = holding.position;
	const [main] = [...terms.legs].sort((a, b) => b.notionalUsd - a.notionalUsd) as [LegTerms, ...LegTerms[]];
	const short = exposureUsd > 0;
	const { effectiveness } = choice;
	const names = terms.legs.map(({ leg }) => leg.symbol).join(" and ");
	return buildRow({
		strategyId: HEDGE_ID,
		type: "hedge",
		variant: symbol,
		symbol: main.leg.symbol,
		exchange: main.leg.market.venue,
		side: short ? "short" : "long",
		timeframe: "1-3 months",
		view,
		asOfMs: book.asOfMs ?? view.as_of_ms,
		capitalUsd: book.equity,
		notionalUsd: terms.notionalUsd,
		requiredCapitalUsd: terms.notionalUsd / LEVERAGE,
		profitUsd: 0,
		confidence: shownConfidence(proposal.confidence),
		riskLevel: riskLevelOf({
			shortfallShare: Math.max(0, terms.after.cvar95),
			leverage: LEVERAGE,
			tierPriority: Math.max(...terms.legs.map(({ advUsd }) => tierPriority(advUsd))),
		}),
		entry: main.price,
		stop: null,
		target: null,
		costs: terms.costs,
		evidence,
		strength: effectiveness.lowerQuartile ?? 0,
		reasoning: `${symbol} carries ${(100 * proposal.riskShare).toFixed(0)} % of the book's risk; ${short ? "selling" : "buying"} ${terms.notionalUsd.toFixed(2)} USD of ${names} took away ${(100 * (effectiveness.median ?? 0)).toFixed(0)} % of its variance in the median of the newest ${effectiveness.recentWindows} windows out of sample.`,
		indicators: {
			effectiveness_median: effectiveness.median ?? Number.NaN,
			effectiveness_lower_quartile: effectiveness.lowerQuartile ?? Number.NaN,
			risk_share: proposal.riskShare,
		},
		extra: { ...riskFigures(proposal, book.equity), ...legFigures(proposal, symbol), capital_assumed: assumed },
		...(evidence.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

function riskFigures({ terms, exposureUsd }: HedgeProposal, equity: number) {
	const { before, after } = terms;
	return {
		protected_value_usd: Math.abs(exposureUsd),
		var95_1d_before_usd: before.var95 * equity,
		var95_1d_after_usd: after.var95 * equity,
		cvar95_1d_before_usd: before.cvar95 * equity,
		cvar95_1d_after_usd: after.cvar95 * equity,
		risk_reduction_usd: (before.cvar95 - after.cvar95) * equity,
		cost_usd_30d: terms.costUsd,
		cost_usd_per_week: (terms.costUsd * DAYS_PER_WEEK) / WINDOW_DAYS,
		basis_deviation_bps_30d: terms.basisBps,
		basis_from: terms.basisMeasured ? "closes of the contracts and their spot markets" : "15 majors",
	};
}

function legFigures({ holding, choice, choices, terms }: HedgeProposal, symbol: string) {
	const { ratios, standInDays } = choice.effectiveness;
	const total = ratios.reduce((sum, ratio) => sum + ratio, 0);
	return {
		hedged_symbol: symbol,
		hedged_value_usd: holding.value,
		hedge_kind: choice.kind,
		hedge_ratio: total,
		ratio_method:
			choice.kind === "own_perp"
				? "one unit of the coin's own contract"
				: `least squares on ${ESTIMATION_DAYS} daily log returns`,
		leverage_perp: LEVERAGE,
		legs: terms.legs.map(({ leg, ratio, notionalUsd, price, fundingKnown }) => ({
			symbol: leg.symbol,
			ratio,
			notional_usd: notionalUsd,
			quantity: notionalUsd / price,
			funding_known: fundingKnown,
			taker_fee_bps: leg.market.taker_fee * 10_000,
		})),
		funding_known: terms.legs.every(({ fundingKnown }) => fundingKnown),
		...(standInDays > 0 ? { stand_in_days: standInDays, stand_in: "spot days before the contract was listed" } : {}),
		exit_rule: `unwind or resize when the ratio leaves ${((1 - DRIFT_MAX) * total).toFixed(3)} to ${((1 + DRIFT_MAX) * total).toFixed(3)}`,
		alternatives: choices.map(({ kind, effectiveness }) => ({
			kind,
			windows: effectiveness.record.n,
			...(effectiveness.median === null ? {} : { effectiveness_median: effectiveness.median }),
			...(effectiveness.lowerQuartile === null ? {} : { effectiveness_lower_quartile: effectiveness.lowerQuartile }),
		})),
	};
}
