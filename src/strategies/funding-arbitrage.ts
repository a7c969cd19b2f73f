import type { Candidate, Opportunity, Strategy } from "./contract.ts";
import { fundingEvidence } from "./funding-evidence.ts";
import {
	carryGate,
	OPEN_INTEREST_USD_MIN,
	readCarry,
	SETTLEMENTS_MIN,
	spotLeg,
	VOLUME_USD_MIN,
} from "./funding-gates.ts";
import { AGREEING_MIN } from "./funding-rates.ts";
import { BREAK_EVEN_SHARE_MAX, carryRow, FUNDING_ID, type FundingSetting } from "./funding-row.ts";
import { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";

const THRESHOLDS = {
	mean_bps_per_8h_min: 1,
	volume_usd_24h_min: VOLUME_USD_MIN,
	open_interest_usd_min: OPEN_INTEREST_USD_MIN,
	settlements_min: SETTLEMENTS_MIN,
	agreeing_of_9_min: AGREEING_MIN,
	break_even_share_max: BREAK_EVEN_SHARE_MAX,
};

/**
 * Funding of perpetual contracts against a spot leg (STRATEGIES 6.1): long spot and short perp while
 * the 3-day mean is positive; the reverse needs borrowed spot, which no source here offers.
 */
export const fundingArbitrage: Strategy = {
	id: FUNDING_ID,
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
		const setting = { evidence: fundingEvidence(view), view, portfolio, limits, ledger };
		for (const candidate of candidates) {
			const outcome = examine(candidate, setting);
			if ("reason" in outcome) ledger.reject(candidate.symbol, outcome.reason, outcome.detail);
			else ledger.add(outcome);
		}
		return ledger.close("symbol", limits, THRESHOLDS, setting.evidence.report);
	},
};

function examine(candidate: Candidate, setting: FundingSetting): Opportunity | Refusal {
	const carry = readCarry(candidate, setting.view, setting.ledger);
	if ("reason" in carry) return carry;
	const refusal = carryGate(carry, setting.ledger);
	if (refusal) return refusal;
	const spot = spotLeg(carry);
	return spot ? carryRow(carry, spot, setting) : { reason: "no_spot_market", detail: "the source lists no spot leg" };
}
