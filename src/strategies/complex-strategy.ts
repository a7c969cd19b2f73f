import type { Opportunity, Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import { readUnderlying, type Underlying } from "./options/asset.ts";
import { calendarIdea } from "./options/calendar.ts";
import { premiumEvidence } from "./options/premium-evidence.ts";
import { premiumIdea } from "./options/premium-idea.ts";
import type { PremiumName } from "./options/premium-rules.ts";
import { compareStructures, type OptionSetting } from "./options/structure-row.ts";
import { OPTION_NEEDS, OPTION_THRESHOLDS } from "./options/thresholds.ts";
import { violationRow } from "./options/violation-row.ts";
import { FORWARD_LEG_COST, findViolations, type Violation, type ViolationName } from "./options/violations.ts";
import type { Refusal } from "./quality.ts";

const ID = "ai_complex_strategy";
const RULES: readonly PremiumName[] = ["iron_condor", "iron_butterfly"];
const VIOLATIONS: readonly ViolationName[] = ["box", "butterfly", "parity"];

/**
 * Structures of several legs on a quoted chain: premium sold with bounded loss where
 * volatility is dear, calendars where the near end is, and violations of arbitrage bounds that pay at the
 * quotes after fees. One candidate is one kind of structure on one asset; of those on one side of an
 * asset the best is listed.
 */
export const complexStrategy: Strategy = {
	id: ID,
	needs: OPTION_NEEDS,
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const evidences = premiumEvidence(RULES, view);
		const setting = { strategyId: ID, type: "complex_derivative", evidences, view, portfolio, limits, ledger };
		/** Best of each kind of violation by symbol, basis points of the forward after fees: above 0 it pays. */
		const nearest: [symbol: string, nets: Record<string, number>][] = [];
		for (const candidate of candidates) {
			const { symbol } = candidate;
			const underlying = readUnderlying(candidate, view, ledger);
			if ("reason" in underlying) {
				ledger.reject(symbol, underlying.reason, underlying.detail);
				continue;
			}
			const violations = findViolations(underlying.board);
			nearest.push([
				symbol,
				Object.fromEntries([...violations].map(([name, { net, expiry }]) => [name, (10_000 * net) / expiry.forward])),
			]);
			settle(symbol, propose(underlying, violations, setting), ledger);
		}
		const thresholds = {
			...OPTION_THRESHOLDS,
			violation_net_bps_min: 0,
			forward_leg_cost_bps: FORWARD_LEG_COST * 10_000,
		};
		const violation_net_bps = Object.fromEntries(nearest.sort(([a], [b]) => (a < b ? -1 : 1)));
		return ledger.close("structure", limits, thresholds, { ...evidences.report, violation_net_bps });
	},
};

function propose(
	underlying: Underlying,
	violations: ReadonlyMap<ViolationName, Violation>,
	setting: OptionSetting,
): (Opportunity | Refusal)[] {
	return [
		...RULES.map((name) => premiumIdea(name, underlying, null, setting)),
		calendarIdea(underlying, setting),
		...VIOLATIONS.map((name) => violationRow(name, violations.get(name), underlying, setting)),
	];
}

/** Rows of one side of an asset are one bet under one id: the best is kept. */
function settle(symbol: string, outcomes: readonly (Opportunity | Refusal)[], ledger: Ledger): void {
	const rows: Opportunity[] = [];
	for (const outcome of outcomes) {
		if ("reason" in outcome) ledger.reject(symbol, outcome.reason, outcome.detail);
		else rows.push(outcome);
	}
	const listed = new Map<string, Opportunity>();
	for (const row of rows.sort(compareStructures)) {
		const better = listed.get(row.opportunity_id);
		if (!better) listed.set(row.opportunity_id, row);
		else
			ledger.reject(
				symbol,
				"cluster_limit",
				`${row.metadata.structure}: ${better.metadata.structure} is the better one`,
			);
	}
	for (const row of listed.values()) ledger.add(row);
}
