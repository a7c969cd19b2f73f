import type { FundingSeries } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Candidate, Opportunity, Rival } from "./contract.ts";
import { differenceWindow, venuePairName } from "./funding-difference.ts";
import { type FundedPerp, fundedPerp, historyGate, noteCarry, tooSmall } from "./funding-gates.ts";
import type { CarryLeg } from "./funding-quotes.ts";
import { E8, exceedsThreshold, type FundingWindow, PAST_UNITS, pastWindow } from "./funding-rates.ts";
import { type CarryTrade, carryRow, type FundingSetting } from "./funding-row.ts";
import type { Refusal } from "./quality.ts";

/** The two perps with the rate that one pays more. */
interface Spread {
	rival: Rival;
	other: FundedPerp;
	/** Of the candidate's perp over the rival's. */
	window: FundingWindow;
}

export interface VenueOutcome {
	outcome: Opportunity | Refusal;
	/** The difference came past the threshold: the refusal is about this trade, not about its size. */
	tradable: boolean;
}

/**
 * Perp against perp: the one that pays more is sold, the other bought, so that the difference is collected and
 * prices cancel but for the basis between the venues. Of several venues the one that differs most. null where no
 * other venue lists the base.
 */
export function crossVenue(candidate: Candidate, perp: FundedPerp, setting: FundingSetting): VenueOutcome | null {
	const { view, ledger } = setting;
	const rivals = view.rivals?.[candidate.symbol] ?? [];
	if (rivals.length === 0) return null;
	const spreads: Spread[] = [];
	const refusals: Refusal[] = [];
	for (const rival of rivals) {
		const found = spreadOf(perp, rival, view.as_of_ms);
		if ("reason" in found) refusals.push({ ...found, detail: `${rival.market.venue}: ${found.detail}` });
		else spreads.push(found);
	}
	const [widest] = spreads.sort(
		(a, b) =>
			Math.abs(b.window.sumE8) - Math.abs(a.window.sumE8) || (a.rival.market.venue < b.rival.market.venue ? -1 : 1),
	);
	const [refusal] = refusals;
	if (!widest) return refusal ? { outcome: refusal, tradable: false } : null;
	const { symbol } = candidate;
	const past = Math.abs(widest.window.sumE8) / PAST_UNITS / E8;
	if (!exceedsThreshold(widest.window.sumE8)) return { outcome: tooSmall(symbol, past, ledger), tradable: false };
	ledger.sawDatumAt(last(widest.other.funding.funding_time));
	const outcome =
		historyGate([perp.funding, widest.other.funding], widest.window) ??
		carryRow(tradeOf(candidate, perp, widest, past, setting), setting);
	if ("reason" in outcome) noteCarry(symbol, past, outcome.reason, ledger);
	return { outcome, tradable: true };
}

function spreadOf(perp: FundedPerp, rival: Rival, asOfMs: number): Spread | Refusal {
	if (rival.error !== null) return { reason: "fetch_failed", detail: rival.error };
	const other = fundedPerp(rival.market, rival.funding, asOfMs);
	if ("reason" in other) return other;
	const window = differenceWindow(perp.funding, other.funding, asOfMs);
	return window ? { rival, other, window } : { reason: "insufficient_history", detail: "no three days in common" };
}

function tradeOf(
	{ symbol }: Candidate,
	perp: FundedPerp,
	{ rival, other, window }: Spread,
	past: number,
	{ view, venues }: FundingSetting,
): CarryTrade {
	const sellsOwn = window.sumE8 > 0;
	const own: CarryLeg = {
		market: perp.market,
		side: sellsOwn ? "short" : "long",
		series: view.series[symbol] ?? null,
		book: view.books[symbol] ?? null,
	};
	const away: CarryLeg = {
		market: rival.market,
		side: sellsOwn ? "long" : "short",
		series: rival.series,
		book: rival.book,
	};
	const [bought, sold] = sellsOwn ? [away, own] : [own, away];
	const [low, high] = sellsOwn ? [other.funding, perp.funding] : [perp.funding, other.funding];
	return {
		symbol,
		kind: "cross_venue",
		legs: [bought, sold],
		past,
		window: { ...window, sumE8: Math.abs(window.sumE8), largestE8: window.largestE8 * (sellsOwn ? 1 : -1) },
		evidence: venues,
		recordName: venuePairName(perp.market.base, perp.market.venue, rival.market.venue),
		reasoning: `${sold.market.venue} paid ${(past * 10_000).toFixed(2)} bp per 8 hours more than ${bought.market.venue} over three days; short there and long here collect the difference.`,
		indicators: {
			mean_bps_per_8h_short: meanOf(high, window.newestMs),
			mean_bps_per_8h_long: meanOf(low, window.newestMs),
			interval_hours_short: high.interval_hours,
			interval_hours_long: low.interval_hours,
		},
		extra: {
			exit_rule: "the 24-hour difference falls below 0.3 bp per 8 h or turns, or 7 days have passed",
			risks: "counterparty of two venues; margin does not move between them; auto-deleveraging of either leg",
		},
	};
}

/** 3-day mean of one perp, basis points per 8 hours. */
const meanOf = (funding: FundingSeries, atMs: number): number =>
	(pastWindow(funding, atMs).sumE8 / PAST_UNITS / E8) * 10_000;
