import type { Candidate, Opportunity, PortfolioSnapshot, Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import { readUnderlying, type Underlying } from "./options/asset.ts";
import { premiumEvidence } from "./options/premium-evidence.ts";
import { type Holding, premiumIdea } from "./options/premium-idea.ts";
import type { PremiumName } from "./options/premium-rules.ts";
import { compareStructures, type OptionSetting } from "./options/structure-row.ts";
import { OPTION_NEEDS, OPTION_THRESHOLDS } from "./options/thresholds.ts";
import type { Refusal } from "./quality.ts";

const ID = "ai_options_trade";
const RULES: readonly PremiumName[] = ["straddle", "long_call", "long_put", "covered_call", "protective_put"];

/**
 * Simple ideas on a quoted chain: a straddle or a single option where volatility is
 * offered below its forecast, calls sold and puts bought on coins that are held. One candidate is one
 * structure on one asset; the two single options count as one, the better of them.
 */
export const optionsTrade: Strategy = {
	id: ID,
	needs: OPTION_NEEDS,
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

/** Coins of the asset that are held on a spot market; contracts cover nothing. */
function holdingOf({ asset }: Candidate, portfolio: PortfolioSnapshot): Holding | null {
	const spot = new Set((asset?.markets ?? []).filter(({ type }) => type === "spot").map(({ symbol }) => symbol));
	const held = portfolio.positions.filter(({ symbol, quantity }) => spot.has(symbol) && quantity > 0);
	const symbol = held.map((position) => position.symbol).sort()[0];
	if (symbol === undefined) return null;
	return { symbol, quantity: held.reduce((sum, { quantity }) => sum + quantity, 0) };
}
