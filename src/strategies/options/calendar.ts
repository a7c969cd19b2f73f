import { black76, payoffAt } from "../../pricing/black76.ts";
import { normalDensity } from "../../pricing/normal.ts";
import type { Opportunity } from "../contract.ts";
import type { Refusal } from "../quality.ts";
import { sizePosition } from "../sizing.ts";
import type { Underlying } from "./asset.ts";
import { type Expiry, type Option, volatilityOf } from "./chain.ts";
import { type Combination, combine, greeksOf, legGate } from "./combination.ts";
import { EDGE_MIN } from "./premium-rules.ts";
import { NO_CONFIDENCE, type OptionSetting, structureRow, unmeasured } from "./structure-row.ts";

const GAP_DAYS_MIN = 10;
const GRID_POINTS = 201;
const GRID_DEVIATIONS = 5;

/** A near call sold against a later one of the same strike. */
interface Calendar {
	near: Option;
	far: Option;
	farExpiry: Expiry;
	combination: Combination;
	/** Near bid over far ask, volatility. */
	edge: number;
	expected: number;
	probability: number;
}

/**
 * Near volatility dearer than later volatility by more than the threshold. No history of the term
 * structure is kept, so there is nothing to measure it against: the row is never more than unproven.
 */
export function calendarIdea(underlying: Underlying, setting: OptionSetting): Opportunity | Refusal {
	const calendar = readCalendar(underlying);
	if ("reason" in calendar) return calendar;
	const { combination, edge, expected } = calendar;
	if (!(edge > EDGE_MIN) || !(expected > 0)) {
		const detail = `calendar: ${(100 * edge).toFixed(1)} vol points, expected ${expected.toFixed(2)} a unit`;
		return { reason: "edge_below_threshold", detail };
	}
	const maxLoss = Math.max(0, combination.debit) + combination.fees;
	const { contract_size, venue } = underlying.board.chain;
	const sizing = sizePosition({
		capitalUsd: setting.portfolio.capital_usd,
		stopDistance: 1,
		advUsd: underlying.candidate.asset?.volume_usd_24h ?? underlying.candidate.market?.volume_usd_24h ?? 0,
		grade: "C",
		p: 0.5,
		payoff: null,
		limits: setting.limits,
		market: { min_notional: null, quantity_step: 1 },
		price: maxLoss * contract_size,
	});
	if (!sizing.ok) return { reason: sizing.reason, detail: `calendar: ${sizing.detail}` };
	const contracts = Math.min(combination.contractsMax, Math.floor(sizing.notionalUsd / (maxLoss * contract_size)));
	return structureRow(
		{
			name: "calendar",
			symbol: underlying.candidate.symbol,
			exchange: venue,
			side: "long",
			legs: combination.legs,
			forward: combination.forward,
			days: underlying.expiry.days,
			contracts,
			debit: combination.debit,
			fees: combination.fees,
			spread: combination.spread,
			maxLoss,
			capital: maxLoss,
			expected,
			evidence: unmeasured("none: no history of the term structure is kept"),
			confidence: NO_CONFIDENCE,
			strength: 100 * edge,
			reasoning: `The near call is bid ${(100 * edge).toFixed(1)} vol points above the offer of the one ${(calendar.farExpiry.days - underlying.expiry.days).toFixed(0)} days later.`,
			indicators: { edge_vol_points: 100 * edge },
			extra: { ...modelOf(calendar, contracts * contract_size), profit_basis: "model" },
		},
		underlying,
		setting,
	);
}

function readCalendar({ board, expiry, state }: Underlying): Calendar | Refusal {
	if ("reason" in state) return state;
	const farExpiry = board.expiries.find(({ days }) => days >= expiry.days + GAP_DAYS_MIN);
	if (!farExpiry) return { reason: "no_options_market", detail: "calendar: no later expiry within 60 days" };
	const pair = sharedStrike(expiry, farExpiry);
	if (!pair) return { reason: "no_options_market", detail: "calendar: the expiries share no strike near the forward" };
	const { near, far } = pair;
	const legs = [
		{ option: near, units: -1 },
		{ option: far, units: 1 },
	];
	const refusal = legGate(legs);
	if (refusal) return refusal;
	const combination = combine(legs);
	const [bid, ask] = [volatilityOf(near, "bid"), volatilityOf(far, "ask")];
	if (!combination || combination.contractsMax < 1 || bid === null || ask === null) {
		return { reason: "spread_too_wide", detail: "calendar: a leg has no volatility" };
	}
	return {
		near,
		far,
		farExpiry,
		combination,
		edge: bid - ask,
		...modelled(near, far, combination, state.forecast, ask),
	};
}

/** Calls of the strike closest to the near forward that both expiries list, within a twentieth of it. */
function sharedStrike(near: Expiry, far: Expiry): { near: Option; far: Option } | null {
	let best: { near: Option; far: Option } | null = null;
	for (const { strike, call } of near.strikes) {
		const other = far.strikes.find((row) => row.strike === strike)?.call;
		const distance = Math.abs(strike - near.forward);
		if (!call || !other || distance > 0.05 * near.forward) continue;
		if (!best || distance < Math.abs(best.near.strike - near.forward)) best = { near: call, far: other };
	}
	return best;
}

/**
 * The result at the near expiry over a lognormal price with the forecast volatility, the later call still
 * at the volatility it was bought at and the forwards in their present proportion.
 */
function modelled(near: Option, far: Option, combination: Combination, forecast: number, farVolatility: number) {
	const deviation = forecast * Math.sqrt(near.terms.years);
	const carry = far.terms.forward / near.terms.forward;
	let [mass, gain, sum] = [0, 0, 0];
	for (let i = 0; i < GRID_POINTS; i++) {
		const z = GRID_DEVIATIONS * ((2 * i) / (GRID_POINTS - 1) - 1);
		const price = near.terms.forward * Math.exp(deviation * z - deviation ** 2 / 2);
		const later = { ...far.terms, forward: price * carry, years: far.terms.years - near.terms.years };
		const net =
			black76(later, farVolatility) - payoffAt("call", near.strike, price) - combination.debit - combination.fees;
		const weight = normalDensity(z);
		mass += weight;
		sum += weight * net;
		if (net > 0) gain += weight;
	}
	return { expected: sum / mass, probability: gain / mass };
}

function modelOf({ combination, expected, probability, far }: Calendar, size: number): Record<string, unknown> {
	const greeks = greeksOf(combination.legs);
	return {
		model_probability: probability,
		model_expected_net_usd: size * expected,
		model: "lognormal at the near expiry with the forecast volatility; the later call keeps its volatility",
		far_expiry: new Date(far.quote.expiry_ms).toISOString(),
		greeks: {
			delta_base: size * greeks.delta,
			gamma_base_per_usd: size * greeks.gamma,
			vega_usd_per_vol_point: (size * greeks.vega) / 100,
			theta_usd_per_day: (size * greeks.theta) / 365,
		},
		exit_rule: "closed when the near call expires",
		loss_assumes: "the later call is worth at least the near one when that expires",
	};
}
