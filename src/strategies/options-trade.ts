import type { Candidate, Opportunity, PortfolioSnapshot, Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import { readUnderlying, type Underlying } from "./options/asset.ts";
import { EXPIRY_DAYS_MAX, EXPIRY_DAYS_MIN, OPEN_INTEREST_MIN, SPREAD_OF_MID_MAX } from "./options/chain.ts";
import { EVIDENCE_MARKETS, premiumEvidence } from "./options/premium-evidence.ts";
import { type Holding, premiumIdea } from "./options/premium-idea.ts";
import { EDGE_MIN, HORIZON_DAYS, type PremiumName, SELL_PERCENTILE_MIN } from "./options/premium-rules.ts";
import type { OptionSetting } from "./options/structure-row.ts";
import type { Refusal } from "./quality.ts";
import { compareRows } from "./ranking.ts";

const ID = "ai_options_trade";
const RULES: readonly PremiumName[] = ["straddle", "long_call", "long_put", "covered_call", "protective_put"];
export const OPTION_THRESHOLDS = {
	edge_vol_points_min: 100 * EDGE_MIN,
	sell_percentile_min: SELL_PERCENTILE_MIN,
	expiry_days_min: EXPIRY_DAYS_MIN,
	expiry_days_max: EXPIRY_DAYS_MAX,
	expiry_days_aim: HORIZON_DAYS,
	open_interest_min: OPEN_INTEREST_MIN,
	spread_of_mid_max: SPREAD_OF_MID_MAX,
};

/**
 * Simple ideas on a quoted chain (STRATEGIES 6.12): a straddle or a single option where volatility is
 * offered below its forecast, calls sold and puts bought on coins that are held. One candidate is one
 * structure on one asset; the two single options count as one, the better of them.
 */
export const optionsTrade: Strategy = {
	id: ID,
	needs: {
		candidates: "chain",
		chain: true,
		timeframe: "1d",
		candles: true,
		funding: false,
		orderBook: false,
		evidence: null,
		benchmarks: EVIDENCE_MARKETS.map(({ symbol }) => symbol),
		volatility_bases: EVIDENCE_MARKETS.map(({ base }) => base),
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const evidences = premiumEvidence(RULES, view);
		const setting = { strategyId: ID, type: "options", evidences, view, portfolio, limits, ledger };
		for (const candidate of candidates) {
			const underlying = readUnderlying(candidate, view, ledger);
			if ("reason" in underlying) ledger.reject(candidate.symbol, underlying.reason, underlying.detail);
			else propose(underlying, setting);
		}
		return ledger.close("structure", limits, OPTION_THRESHOLDS, evidences.report);
	},
};

function propose(underlying: Underlying, setting: OptionSetting): void {
	const { ledger, portfolio } = setting;
	const { symbol } = underlying.candidate;
	const settle = (outcome: Opportunity | Refusal) => {
		if ("reason" in outcome) ledger.reject(symbol, outcome.reason, outcome.detail);
		else ledger.add(outcome);
	};
	settle(premiumIdea("straddle", underlying, null, setting));
	settle(singleOption(underlying, setting));
	const holding = holdingOf(underlying.candidate, portfolio);
	if (!holding) return;
	settle(premiumIdea("covered_call", underlying, holding, setting));
	settle(premiumIdea("protective_put", underlying, holding, setting));
}

/** The better of a call and a put; if neither holds, what the call failed at. */
function singleOption(underlying: Underlying, setting: OptionSetting): Opportunity | Refusal {
	const call = premiumIdea("long_call", underlying, null, setting);
	const put = premiumIdea("long_put", underlying, null, setting);
	if ("reason" in call) return "reason" in put ? call : put;
	if ("reason" in put) return call;
	return [call, put].sort(compareStructures)[0] ?? call;
}

/** Rows of one id differ by their structure alone. */
export const compareStructures = (a: Opportunity, b: Opportunity): number =>
	compareRows(a, b) ||
	Number(b.metadata.expected_net_bps) - Number(a.metadata.expected_net_bps) ||
	(String(a.metadata.structure) < String(b.metadata.structure) ? -1 : 1);

/** Coins of the asset that are held on a spot market; contracts cover nothing. */
function holdingOf({ asset }: Candidate, portfolio: PortfolioSnapshot): Holding | null {
	const spot = new Set((asset?.markets ?? []).filter(({ type }) => type === "spot").map(({ symbol }) => symbol));
	const held = portfolio.positions.filter(({ symbol, quantity }) => spot.has(symbol) && quantity > 0);
	const symbol = held.map((position) => position.symbol).sort()[0];
	if (symbol === undefined) return null;
	return { symbol, quantity: held.reduce((sum, { quantity }) => sum + quantity, 0) };
}
