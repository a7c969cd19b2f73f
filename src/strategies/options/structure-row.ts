import type { Costs, Evidence, MarketView, Opportunity, PortfolioSnapshot, Side, StrategyLimits } from "../contract.ts";
import { tierPriority } from "../costs.ts";
import type { Reliability } from "../evidence/reliability.ts";
import type { Ledger } from "../ledger.ts";
import { compareRows } from "../ranking.ts";
import { riskLevelOf } from "../risk-level.ts";
import { buildRow } from "../row.ts";
import { asOfOf, type Underlying } from "./asset.ts";
import { volatilityOf } from "./chain.ts";
import type { Leg } from "./combination.ts";
import type { PremiumEvidences } from "./premium-evidence.ts";

export interface OptionSetting {
	strategyId: string;
	type: string;
	evidences: PremiumEvidences;
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
	ledger: Ledger;
}

/** What every row about options states, in quote currency per unit of the base. */
export interface StructureTerms {
	/** Name of the structure, e.g. `iron_condor`. */
	name: string;
	symbol: string;
	exchange: string;
	side: Side;
	legs: readonly Leg[];
	forward: number;
	days: number;
	contracts: number;
	debit: number;
	fees: number;
	spread: number;
	/** Most that can be lost of the money put in; 0 where nothing can. */
	maxLoss: number;
	/** Capital bound. */
	capital: number;
	/** Expected net result. */
	expected: number;
	evidence: Evidence;
	reliability?: Reliability | undefined;
	confidence: { confidence_score: number | null; confidence_low: number | null; confidence_high: number | null };
	strength: number;
	reasoning: string;
	indicators: Record<string, number>;
	extra: Record<string, unknown>;
}

/** Evidence of what nothing has been measured for. */
export const unmeasured = (method: string): Evidence => ({
	method,
	n: 0,
	n_effective: 0,
	wins: 0,
	hit_rate: null,
	mean_net_bps: null,
	median_net_bps: null,
	bootstrap_90: null,
	profit_factor: null,
	avg_hold_bars: null,
	first_trade: null,
	last_trade: null,
	universe_size: 0,
	grade: "C",
	p_placebo: null,
	brier: null,
	ece: null,
});

export const NO_CONFIDENCE = { confidence_score: null, confidence_low: null, confidence_high: null };

export const costsOf = (forward: number, fees: number, spread: number): Costs => {
	const [fee_bps, spread_bps] = [(10_000 * fees) / forward, (10_000 * spread) / forward];
	return { fee_bps, spread_bps, impact_bps: 0, funding_bps: 0, total_bps: fee_bps + spread_bps };
};

/** The row of a structure; money in quote currency, which is a dollar on every chain that is read. */
export function structureRow(terms: StructureTerms, underlying: Underlying, setting: OptionSetting): Opportunity {
	const { view, portfolio } = setting;
	const { chain } = underlying.board;
	const size = terms.contracts * chain.contract_size;
	const capitalUsd = portfolio.capital_usd;
	const lossUsd = size * terms.maxLoss;
	const volumeUsd = underlying.candidate.asset?.volume_usd_24h ?? underlying.candidate.market?.volume_usd_24h ?? 0;
	const implied = underlying.board.expiries.some(({ days, forward_implied }) => forward_implied && days === terms.days);
	const unproven = terms.evidence.grade === "C" || terms.confidence.confidence_score === null;
	return buildRow({
		strategyId: setting.strategyId,
		type: setting.type,
		symbol: terms.symbol,
		exchange: terms.exchange,
		side: terms.side,
		timeframe: `${Math.max(1, Math.round(terms.days))}d`,
		view,
		asOfMs: asOfOf(underlying, view),
		capitalUsd,
		notionalUsd: size * terms.forward,
		requiredCapitalUsd: size * terms.capital,
		profitUsd: size * terms.expected,
		confidence: terms.confidence,
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? lossUsd / capitalUsd : 1,
			leverage: 1,
			tierPriority: tierPriority(volumeUsd),
			legRisk: terms.legs.length > 2,
			atLeast: "medium",
		}),
		entry: null,
		stop: null,
		target: null,
		costs: costsOf(terms.forward, terms.fees, terms.spread),
		evidence: terms.evidence,
		reliability: terms.reliability,
		strength: terms.strength,
		reasoning: terms.reasoning,
		indicators: { forward: terms.forward, days_to_expiry: terms.days, ...terms.indicators },
		extra: {
			structure: terms.name,
			legs: terms.legs.map(legOf),
			contracts: terms.contracts,
			contract_size: chain.contract_size,
			premium_currency: chain.inverse ? chain.base : "quote",
			net_debit_usd: size * terms.debit,
			fees_usd: size * terms.fees,
			expected_net_bps: (10_000 * terms.expected) / terms.forward,
			max_loss_usd: lossUsd,
			max_risk_usd: lossUsd,
			max_risk_percent: capitalUsd > 0 ? (100 * lossUsd) / capitalUsd : null,
			risk_distance_bps: (10_000 * Math.max(terms.maxLoss, terms.capital)) / terms.forward,
			capital_assumed: portfolio.assumed,
			...(implied ? { forward_basis: "put_call_parity" } : {}),
			...terms.extra,
		},
		...(unproven ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

/** One leg as a reader needs it: the contract, the side and the very quote it is traded at. */
function legOf({ option, units }: Leg): Record<string, unknown> {
	const { quote } = option;
	const side = units > 0 ? "ask" : "bid";
	const volatility = volatilityOf(option, side);
	return {
		symbol: quote.symbol,
		side: units > 0 ? "buy" : "sell",
		kind: option.kind,
		strike: option.strike,
		expiry: new Date(quote.expiry_ms).toISOString(),
		units: Math.abs(units),
		price: quote[side] ?? 0,
		price_usd: option[side] ?? 0,
		quoted_contracts: (units > 0 ? quote.ask_quantity : quote.bid_quantity) ?? 0,
		...(volatility === null ? {} : { implied_volatility: volatility }),
		...(quote.open_interest === null ? {} : { open_interest: quote.open_interest }),
	};
}

/** Rows of one id differ by their structure alone. */
export const compareStructures = (a: Opportunity, b: Opportunity): number =>
	compareRows(a, b) ||
	Number(b.metadata.expected_net_bps) - Number(a.metadata.expected_net_bps) ||
	(String(a.metadata.structure) < String(b.metadata.structure) ? -1 : 1);
