import type { Opportunity } from "../contract.ts";
import { symbolConfidence } from "../evidence/measure.ts";
import type { Ledger } from "../ledger.ts";
import type { Refusal } from "../quality.ts";
import { sizePosition } from "../sizing.ts";
import type { Underlying } from "./asset.ts";
import { optionNear } from "./chain.ts";
import { type Combination, combine, greeksOf, type Leg, legGate, type Outcome, outcomeOf } from "./combination.ts";
import { deliveryFee } from "./fees.ts";
import type { PremiumEvidence } from "./premium-evidence.ts";
import {
	EDGE_MIN,
	edgeOf,
	PREMIUM_RULES,
	type PremiumName,
	type PremiumRule,
	SELL_PERCENTILE_MIN,
	type VolatilityState,
} from "./premium-rules.ts";
import { NO_CONFIDENCE, type OptionSetting, structureRow, unmeasured } from "./structure-row.ts";

/** Coins that an overlay stands beside. */
export interface Holding {
	symbol: string;
	/** Base units. */
	quantity: number;
}

/** An idea whose gates hold, priced at the quotes. */
interface Idea {
	rule: PremiumRule;
	underlying: Underlying;
	state: VolatilityState;
	combination: Combination;
	outcome: Outcome;
	holding: Holding | null;
}

/** Rules whose near misses are listed: the others of an asset would repeat them. */
const PLAIN: ReadonlySet<PremiumName> = new Set(["straddle", "iron_condor"]);

/** A distance in vol points from the edge that an idea needs. */
export function noteEdge(underlying: Underlying, edge: number, ledger: Ledger): void {
	ledger.nearMiss({
		symbol: underlying.candidate.symbol,
		reason: "edge_below_threshold",
		value: 100 * edge,
		threshold: 100 * EDGE_MIN,
		distance: Math.max(0, 100 * (EDGE_MIN - edge)),
	});
}

/** The row of one premium rule on one asset, or its first failing gate. */
export function premiumIdea(
	name: PremiumName,
	underlying: Underlying,
	holding: Holding | null,
	setting: OptionSetting,
): Opportunity | Refusal {
	const idea = readIdea(PREMIUM_RULES[name], underlying, holding, setting);
	if ("reason" in idea) return idea;
	const evidence = setting.evidences.of(name);
	if (evidence?.measurement.grade === "D") {
		const { mean_net_bps, n } = evidence.measurement.evidence;
		return {
			reason: "negative_expectancy",
			detail: `${name}: mean net ${mean_net_bps?.toFixed(1)} bp over ${n} trades`,
		};
	}
	return settle(idea, evidence, setting);
}

function readIdea(
	rule: PremiumRule,
	underlying: Underlying,
	holding: Holding | null,
	{ ledger }: OptionSetting,
): Idea | Refusal {
	const { state, expiry } = underlying;
	if ("reason" in state) return state;
	const legs = legsOf(rule, underlying, (state.bid + state.ask) / 2);
	if (new Set(legs.map((leg) => leg?.option)).size < legs.length) {
		return {
			reason: "no_options_market",
			detail: `${rule.name}: the strikes listed are too few to tell its legs apart`,
		};
	}
	const refusal = legGate(legs);
	if (refusal) return refusal;
	const combination = combine(legs);
	if (!combination || combination.contractsMax < 1)
		return { reason: "illiquid", detail: `${rule.name}: no size is quoted` };
	combination.fees += deliveredMost(rule) * deliveryFee(expiry.forward);
	const outcome = outcomeOf(combination, state.forecast);
	const edge = edgeOf(rule, state);
	const dear = state.percentile === null || state.percentile > SELL_PERCENTILE_MIN;
	if (edge > EDGE_MIN && (rule.trade === "buy" || dear) && outcome.expected > 0) {
		return { rule, underlying, state, combination, outcome, holding };
	}
	if (PLAIN.has(rule.name)) noteEdge(underlying, edge, ledger);
	const rank = state.percentile === null ? "" : `, the bid above ${(100 * state.percentile).toFixed(0)} % of its year`;
	return {
		reason: "edge_below_threshold",
		detail: `${rule.name}: ${(100 * edge).toFixed(1)} vol points${rule.trade === "sell" ? rank : ""}, expected ${outcome.expected.toFixed(2)} a unit`,
	};
}

/** Options that can end in the money together: all calls or all puts. */
const deliveredMost = ({ legs }: PremiumRule): number =>
	Math.max(
		...(["call", "put"] as const).map((kind) =>
			legs.reduce((sum, leg) => sum + (leg.kind === kind ? Math.abs(leg.units) : 0), 0),
		),
	);

function legsOf(rule: PremiumRule, { expiry }: Underlying, volatility: number): (Leg | null)[] {
	const deviation = volatility * Math.sqrt(expiry.years);
	return rule.legs.map(({ kind, deviations, units }) => {
		const option = optionNear(expiry, kind, expiry.forward * Math.exp(deviations * deviation));
		return option && { option, units };
	});
}

/** Money per contract: what sizing counts as the price of one. */
interface Stake {
	contracts: number;
	maxLoss: number;
	capital: number;
}

function settle(idea: Idea, evidence: PremiumEvidence | null, setting: OptionSetting): Opportunity | Refusal {
	const { rule, combination, outcome } = idea;
	const stake = stakeOf(idea, evidence, setting);
	if ("reason" in stake) return stake;
	const measured = evidence && evidence.measurement.evidence.n > 0 ? evidence : null;
	const { forward, fees, spread } = combination;
	const liveBps = (10_000 * (fees + spread)) / forward;
	const meanBps = measured ? (measured.measurement.evidence.mean_net_bps ?? 0) + measured.costBps - liveBps : null;
	if (measured && measured.measurement.grade !== "C" && !((meanBps ?? 0) > 0)) {
		return {
			reason: "cost_exceeds_edge",
			detail: `${rule.name}: costs of ${liveBps.toFixed(1)} bp leave no expected gain`,
		};
	}
	const confidence = measured ? symbolConfidence(measured.measurement, idea.underlying.base) : null;
	const { p: _, ...percent } = confidence ?? { p: 0, ...NO_CONFIDENCE };
	const expected = meanBps === null ? outcome.expected : (forward * meanBps) / 10_000;
	return structureRow(
		{
			name: rule.name,
			symbol: idea.holding?.symbol ?? idea.underlying.candidate.symbol,
			exchange: idea.holding ? "multiple" : idea.underlying.board.chain.venue,
			side: rule.side,
			legs: combination.legs,
			forward,
			days: idea.underlying.expiry.days,
			...stake,
			debit: combination.debit,
			fees,
			spread,
			expected,
			evidence: measured?.measurement.evidence ?? unmeasured("none: the chain has no history of implied volatility"),
			reliability: measured?.measurement.reliability,
			confidence: percent,
			strength: 100 * edgeOf(rule, idea.state),
			reasoning: reasoningOf(idea),
			indicators: indicatorsOf(idea.state),
			extra: {
				...modelOf(idea, stake),
				profit_basis: meanBps === null ? "model" : "walk_forward",
				...(meanBps === null ? {} : { evidence_cost_bps: evidence?.costBps }),
			},
		},
		idea.underlying,
		setting,
	);
}

/** Contracts by risk, capital, quotes and coins held. */
function stakeOf(idea: Idea, evidence: PremiumEvidence | null, setting: OptionSetting): Stake | Refusal {
	const { rule, combination, outcome, holding, underlying } = idea;
	const { contract_size } = underlying.board.chain;
	const held = holding ? Math.floor(holding.quantity / contract_size) : Number.POSITIVE_INFINITY;
	if (held < 1)
		return { reason: "capital_below_min_notional", detail: `${rule.name}: less is held than one contract covers` };
	if (holding) {
		const contracts = Math.min(held, combination.contractsMax);
		// The coins stand behind a call that is sold on them; a put bought for them costs its premium.
		if (rule.trade === "sell") {
			const loss = Math.max(0, combination.forward + combination.debit + combination.fees);
			return { contracts, maxLoss: loss, capital: combination.forward };
		}
		const cost = combination.debit + combination.fees;
		return { contracts, maxLoss: cost, capital: cost };
	}
	const { maxLoss } = outcome;
	if (maxLoss === null || !(maxLoss > 0))
		return { reason: "negative_expectancy", detail: `${rule.name}: the loss has no bound` };
	const { portfolio, limits } = setting;
	const measurement = evidence?.measurement;
	const sizing = sizePosition({
		capitalUsd: portfolio.capital_usd,
		stopDistance: 1,
		advUsd: underlying.candidate.asset?.volume_usd_24h ?? underlying.candidate.market?.volume_usd_24h ?? 0,
		grade: measurement && measurement.evidence.n > 0 ? measurement.grade : "C",
		p: measurement ? symbolConfidence(measurement, underlying.base).p : 0.5,
		payoff: measurement?.payoff ?? null,
		limits,
		market: { min_notional: null, quantity_step: 1 },
		price: maxLoss * contract_size,
	});
	if (!sizing.ok) return { reason: sizing.reason, detail: `${rule.name}: ${sizing.detail}` };
	const contracts = Math.min(combination.contractsMax, Math.floor(sizing.notionalUsd / (maxLoss * contract_size)));
	return { contracts, maxLoss, capital: maxLoss };
}

const indicatorsOf = ({ bid, ask, forecast, percentile }: VolatilityState): Record<string, number> => ({
	atm_bid_volatility: bid,
	atm_ask_volatility: ask,
	forecast_volatility: forecast,
	...(percentile === null ? {} : { volatility_percentile: percentile }),
});

/** What the model says of the combination at expiry: statements of a model, not of a record. */
function modelOf(
	{ rule, underlying, combination, outcome, holding }: Idea,
	{ contracts }: Stake,
): Record<string, unknown> {
	const size = contracts * underlying.board.chain.contract_size;
	const greeks = greeksOf(combination.legs);
	return {
		model_probability: outcome.probability,
		model_expected_net_usd: size * outcome.expected,
		model: "lognormal at expiry with the forward as mean and the forecast volatility",
		breakevens: outcome.breakevens,
		max_profit_usd: outcome.maxProfit === null ? null : size * outcome.maxProfit,
		profit_unbounded: outcome.maxProfit === null,
		greeks: {
			delta_base: size * greeks.delta,
			gamma_base_per_usd: size * greeks.gamma,
			vega_usd_per_vol_point: (size * greeks.vega) / 100,
			theta_usd_per_day: (size * greeks.theta) / 365,
		},
		exit_rule: "held to expiry",
		...(holding === null ? {} : overlayOf(rule, combination, holding)),
	};
}

/** What the coins and the option come to together. */
function overlayOf({ trade }: PremiumRule, { legs, debit, fees }: Combination, { quantity }: Holding) {
	const strike = legs[0]?.option.strike ?? 0;
	return {
		held_base_units: quantity,
		...(trade === "buy" ? { floor_price: strike - debit - fees } : { ceiling_price: strike - debit - fees }),
	};
}

function reasoningOf({ rule, state, underlying }: Idea): string {
	const percent = (value: number) => `${(100 * value).toFixed(1)} %`;
	const quoted = rule.trade === "sell" ? `bid at ${percent(state.bid)}` : `offered at ${percent(state.ask)}`;
	const dear = rule.trade === "sell" ? "dearer" : "cheaper";
	return `Volatility at the money of ${underlying.base} is ${quoted} for ${underlying.expiry.days.toFixed(0)} days, ${dear} than the ${percent(state.forecast)} forecast.`;
}
