import type { NearMiss } from "../../machines/types.ts";
import type { Candidate, Opportunity, Strategy } from "./contract.ts";
import { fundingEvidence, venueEvidence } from "./funding-evidence.ts";
import {
	type Carry,
	type FundedPerp,
	type Notes,
	noteCarry,
	OPEN_INTEREST_USD_MIN,
	readCarry,
	readPerp,
	SETTLEMENTS_MIN,
	spotLeg,
	VOLUME_USD_MIN,
} from "./funding-gates.ts";
import { BASIS_DAYS, LEG_BARS_MIN } from "./funding-quotes.ts";
import { AGREEING_MIN } from "./funding-rates.ts";
import { aprPercent, BREAK_EVEN_SHARE_MAX, carryRow, FUNDING_ID, type FundingSetting } from "./funding-row.ts";
import { crossVenue, type VenueOutcome } from "./funding-venues.ts";
import { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";
import { compareRows } from "./ranking.ts";

const THRESHOLDS = {
	mean_bps_per_8h_min: 1,
	volume_usd_24h_min: VOLUME_USD_MIN,
	open_interest_usd_min: OPEN_INTEREST_USD_MIN,
	settlements_min: SETTLEMENTS_MIN,
	agreeing_of_9_min: AGREEING_MIN,
	break_even_share_max: BREAK_EVEN_SHARE_MAX,
};

/**
 * Funding of perpetual contracts: against a spot leg (long spot and short perp while the 3-day mean is positive;
 * the reverse needs borrowed spot, which no source here offers), or against a perp of the same coin at another
 * venue, where the difference of both rates is collected. One trade a candidate, the better one.
 */
export const fundingArbitrage: Strategy = {
	id: FUNDING_ID,
	needs: {
		candidates: "perp",
		timeframe: "1d",
		candles: true,
		funding: true,
		orderBook: true,
		evidence: { market: "perp", timeframe: "1d", bars_min: 200, funding: true },
		benchmarks: [],
		companions: ["spot"],
		rival_venues: true,
		history: { bars_min: LEG_BARS_MIN, bars_settled: BASIS_DAYS },
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const [evidence, venues] = [fundingEvidence(view), venueEvidence(view)];
		for (const candidate of candidates) {
			const misses: NearMiss[] = [];
			const notes: Notes = {
				sawDatumAt: (ms) => ledger.sawDatumAt(ms),
				nearMiss: (miss) => void misses.push(miss),
			};
			const outcome = examine(candidate, { evidence, venues, view, portfolio, limits, ledger: notes });
			if (!("reason" in outcome)) {
				ledger.add(outcome);
				continue;
			}
			ledger.reject(candidate.symbol, outcome.reason, outcome.detail);
			// Two trades were looked at, but one candidate is missed once.
			const miss = misses.find(({ reason }) => reason === outcome.reason);
			if (miss) ledger.nearMiss(miss);
		}
		const several = (view.evidence.venue_funding ?? []).length > 0;
		const report = several ? { ...evidence.report, cross_venue: venues.report } : evidence.report;
		return ledger.close("symbol", limits, THRESHOLDS, report);
	},
};

function examine(candidate: Candidate, setting: FundingSetting): Opportunity | Refusal {
	const perp = readPerp(candidate, setting.view, setting.ledger);
	if ("reason" in perp) return perp;
	const own = cashAndCarry(candidate, perp, setting);
	const across = crossVenue(candidate, perp, setting);
	return across ? better(own, across) : own;
}

function cashAndCarry(candidate: Candidate, perp: FundedPerp, setting: FundingSetting): Opportunity | Refusal {
	const { view, ledger } = setting;
	const carry = readCarry(candidate, perp, view, ledger);
	if ("reason" in carry) return carry;
	const outcome = carryRow(tradeOf(carry, setting), setting);
	if ("reason" in outcome) noteCarry(candidate.symbol, carry.past, outcome.reason, ledger);
	return outcome;
}

function tradeOf(carry: Carry, { evidence, view }: FundingSetting): Parameters<typeof carryRow>[0] {
	const { candidate, market, past, window, funding } = carry;
	const spot = spotLeg(candidate);
	if (!spot) throw new RangeError(`${candidate.symbol} came past its gates without a spot leg`);
	const legOf = (of: typeof market, side: "long" | "short") => ({
		market: of,
		side,
		series: view.series[of.symbol] ?? null,
		book: view.books[of.symbol] ?? null,
	});
	return {
		symbol: candidate.symbol,
		kind: "cash_and_carry",
		legs: [legOf(spot, "long"), legOf(market, "short")],
		past,
		window,
		evidence,
		recordName: market.symbol,
		reasoning: `Funding averaged ${(past * 10_000).toFixed(2)} bp per 8 hours over three days (${aprPercent(carry).toFixed(2)} % a year); long spot and short perpetual collect it.`,
		indicators: { interval_hours: funding.interval_hours },
		extra: {
			exit_rule: "the 24-hour mean falls below 0.3 bp per 8 h, or 7 days have passed",
			risks: "counterparty of the venue; auto-deleveraging of the short leg",
		},
	};
}

/**
 * Of two trades the better row. Without one, the reason of the trade that came further: a difference between
 * venues above the threshold counts more than a missing leg or a small rate of the candidate alone.
 */
function better(own: Opportunity | Refusal, { outcome, tradable }: VenueOutcome): Opportunity | Refusal {
	if (!("reason" in outcome)) return "reason" in own || compareRows(outcome, own) < 0 ? outcome : own;
	if (!("reason" in own)) return own;
	const [first, second] = tradable && !SIZED.has(own.reason) ? [outcome, own] : [own, outcome];
	return { reason: first.reason, detail: `${first.detail}; the other trade: ${second.reason}, ${second.detail}` };
}

/** Reasons of a trade against spot that had its leg and its rate. */
const SIZED: ReadonlySet<string> = new Set([
	"cost_exceeds_edge",
	"negative_expectancy",
	"insufficient_evidence",
	"insufficient_history",
	"missing_orderbook",
	"capital_below_min_notional",
]);
