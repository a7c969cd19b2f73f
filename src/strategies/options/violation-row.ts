import type { Evidence, Opportunity } from "../contract.ts";
import type { Refusal } from "../quality.ts";
import type { Underlying } from "./asset.ts";
import { NO_CONFIDENCE, type OptionSetting, structureRow, unmeasured } from "./structure-row.ts";
import type { Violation, ViolationName } from "./violations.ts";

const CERTAIN = { confidence_score: 100, confidence_low: 100, confidence_high: 100 };
const MEANING: Record<ViolationName, string> = {
	box: "At expiry the difference of the strikes changes hands at any price",
	butterfly: "At expiry it pays nothing or more at any price, and it is paid for being held",
	parity: "A call and a put make a forward at another price than the chain states",
};

/** The payoff follows from the contracts and the quotes: there is nothing to sample. */
const certain = (netBps: number): Evidence => ({
	...unmeasured("deterministic: payoff fixed by the contracts, prices as quoted; nothing is sampled"),
	mean_net_bps: netBps,
	median_net_bps: netBps,
	grade: "A",
});

/** The row of a violation that pays after fees, or why there is none. */
export function violationRow(
	name: ViolationName,
	violation: Violation | undefined,
	underlying: Underlying,
	setting: OptionSetting,
): Opportunity | Refusal {
	if (!violation) return unpriced(name, underlying);
	const { combination, net, expiry } = violation;
	const netBps = (10_000 * net) / expiry.forward;
	if (!(net > 0)) {
		return { reason: "edge_below_threshold", detail: `${name}: ${netBps.toFixed(2)} bp of the forward after fees` };
	}
	const contracts = contractsOf(violation, underlying, setting);
	if (contracts < 1) {
		return { reason: "capital_below_min_notional", detail: `${name}: one contract binds more than a position may` };
	}
	return structureRow(
		{
			name,
			symbol: underlying.candidate.symbol,
			exchange: underlying.board.chain.venue,
			side: "neutral",
			legs: combination.legs,
			forward: expiry.forward,
			days: expiry.days,
			contracts,
			debit: combination.debit,
			fees: combination.fees,
			spread: combination.spread,
			maxLoss: 0,
			capital: violation.capital,
			expected: net,
			evidence: violation.executable
				? certain(netBps)
				: unmeasured("none: the forward leg is stated by the chain but not quoted"),
			confidence: violation.executable ? CERTAIN : NO_CONFIDENCE,
			strength: netBps,
			reasoning: `${MEANING[name]}; at the quotes this leaves ${netBps.toFixed(2)} bp of the forward after fees.`,
			indicators: { net_bps: netBps },
			extra: {
				profit_basis: "deterministic",
				quoted_contracts_max: combination.contractsMax,
				exit_rule: "held to expiry",
				condition: "every leg is filled at the price and size quoted; a leg that moves first ends it",
				...(violation.executable ? {} : { forward_leg: "at the stated forward, neither bid nor ask is known" }),
			},
		},
		underlying,
		setting,
	);
}

function unpriced(name: ViolationName, { board }: Underlying): Refusal {
	if (name === "parity" && board.expiries.every((expiry) => expiry.forward_implied))
		return { reason: "no_options_market", detail: "parity: the venue states no forward that it could be held against" };
	return { reason: "spread_too_wide", detail: `${name}: its legs are not quoted on the sides it needs` };
}

/** Nothing can be lost, so capital and quotes bound the size, not the risk per trade. */
function contractsOf({ combination, capital }: Violation, { board }: Underlying, setting: OptionSetting): number {
	const { portfolio, limits } = setting;
	const affordable = (portfolio.capital_usd * limits.max_position_share) / (capital * board.chain.contract_size);
	return Math.min(combination.contractsMax, Math.floor(affordable));
}
