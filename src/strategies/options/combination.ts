import { black76, black76Greeks, type Greeks, payoffAt } from "../../pricing/black76.ts";
import { normalDistribution } from "../../pricing/normal.ts";
import type { Refusal } from "../quality.ts";
import { OPEN_INTEREST_MIN, type Option, SPREAD_OF_MID_MAX, volatilityOf } from "./chain.ts";
import { tradeFee } from "./fees.ts";

/** `units` options per unit of the combination: above 0 bought at the ask, below 0 sold at the bid. */
export interface Leg {
	option: Option;
	units: number;
}

/** A combination of one expiry held to it. Quote currency per unit of the base throughout. */
export interface Combination {
	legs: Leg[];
	forward: number;
	years: number;
	/** Paid at the quotes, fees apart; negative = received. */
	debit: number;
	fees: number;
	/** Half spreads of all legs. */
	spread: number;
	/** Contracts that the quotes allow. */
	contractsMax: number;
}

/** Each leg must be quoted on both sides, narrow enough and held by someone; the first gate that fails. */
export function legGate(legs: readonly (Leg | null)[]): Refusal | null {
	for (const leg of legs) {
		if (!leg) return { reason: "spread_too_wide", detail: "a leg is not listed" };
		const { bid, ask, quote } = leg.option;
		if (bid === null || ask === null)
			return { reason: "spread_too_wide", detail: `${quote.symbol} has no bid or no ask` };
		const share = (2 * (ask - bid)) / (ask + bid);
		if (!(share >= 0) || share > SPREAD_OF_MID_MAX) {
			return { reason: "spread_too_wide", detail: `${quote.symbol}: ${(100 * share).toFixed(1)} % of mid` };
		}
	}
	for (const leg of legs) {
		const interest = leg?.option.quote.open_interest ?? 0;
		if (interest < OPEN_INTEREST_MIN) {
			return { reason: "open_interest_low", detail: `${leg?.option.quote.symbol}: ${interest} contracts` };
		}
	}
	return null;
}

/** What the legs cost at bid and ask. null when a side is not quoted. */
export function combine(legs: readonly (Leg | null)[]): Combination | null {
	const known: Leg[] = [];
	let [debit, fees, spread, contractsMax] = [0, 0, 0, Number.POSITIVE_INFINITY];
	for (const leg of legs) {
		if (!leg) return null;
		const { option, units } = leg;
		const price = units > 0 ? option.ask : option.bid;
		const size = units > 0 ? option.quote.ask_quantity : option.quote.bid_quantity;
		if (price === null || size === null) return null;
		debit += units * price;
		fees += Math.abs(units) * tradeFee(price, option.terms.forward);
		if (option.bid !== null && option.ask !== null) spread += (Math.abs(units) * (option.ask - option.bid)) / 2;
		contractsMax = Math.min(contractsMax, Math.floor(size / Math.abs(units)));
		known.push(leg);
	}
	const terms = known[0]?.option.terms;
	if (!terms) return null;
	return { legs: known, forward: terms.forward, years: terms.years, debit, fees, spread, contractsMax };
}

/** What all legs pay at expiry. */
export const payoffOf = (legs: readonly Leg[], price: number): number =>
	legs.reduce((sum, { option, units }) => sum + units * payoffAt(option.kind, option.strike, price), 0);

/** Net result at expiry if the underlying ends at `price`. */
export const netAt = (combination: Combination, price: number): number =>
	payoffOf(combination.legs, price) - combination.debit - combination.fees;

export interface Outcome {
	/** null: without bound. */
	maxProfit: number | null;
	maxLoss: number | null;
	/** Prices at which nothing is won or lost, growing. */
	breakevens: number[];
	/** P(net > 0) under a lognormal with the forward as its mean. */
	probability: number;
	/** Mean net under the same law. */
	expected: number;
}

/**
 * The straight pieces of the result over the price at expiry, and what a lognormal law with `volatility`
 * makes of them. That is a model's statement, not a measured one.
 */
export function outcomeOf(combination: Combination, volatility: number): Outcome {
	const { legs, forward, years } = combination;
	const strikes = [...new Set(legs.map(({ option }) => option.strike))].sort((a, b) => a - b);
	const knots = [0, ...strikes];
	const nets = knots.map((price) => netAt(combination, price));
	/** Beyond the highest strike only calls still move. */
	const slope = legs.reduce((sum, { option, units }) => sum + (option.kind === "call" ? units : 0), 0);
	const breakevens: number[] = [];
	for (let i = 1; i < knots.length; i++) {
		const [x0, x1, y0, y1] = [knots[i - 1] ?? 0, knots[i] ?? 0, nets[i - 1] ?? 0, nets[i] ?? 0];
		if (y0 > 0 !== y1 > 0) breakevens.push(x0 + ((x1 - x0) * y0) / (y0 - y1));
	}
	const [end, endNet] = [knots.at(-1) ?? 0, nets.at(-1) ?? 0];
	const crossing = slope === 0 ? Number.NaN : end - endNet / slope;
	if (crossing > end && endNet > 0 !== slope > 0) breakevens.push(crossing);
	return {
		maxProfit: slope > 0 ? null : Math.max(...nets),
		maxLoss: slope < 0 ? null : Math.max(0, -Math.min(...nets)),
		breakevens,
		probability: gainProbability(combination, breakevens, volatility),
		expected:
			legs.reduce(
				(sum, { option, units }) => sum + units * black76({ ...option.terms, forward, years }, volatility),
				0,
			) -
			combination.debit -
			combination.fees,
	};
}

/** Mass of the lognormal between the breakevens where the result is above 0. */
function gainProbability(combination: Combination, breakevens: readonly number[], volatility: number): number {
	const { forward, years } = combination;
	const deviation = volatility * Math.sqrt(years);
	const below = (price: number) => normalDistribution((Math.log(price / forward) + deviation ** 2 / 2) / deviation);
	const edges = [0, ...breakevens, Number.POSITIVE_INFINITY];
	let total = 0;
	for (let i = 1; i < edges.length; i++) {
		const [from, to] = [edges[i - 1] ?? 0, edges[i] ?? Number.POSITIVE_INFINITY];
		const inside = Number.isFinite(to) ? (from + to) / 2 : 2 * Math.max(from, forward);
		if (netAt(combination, inside) > 0) total += (Number.isFinite(to) ? below(to) : 1) - (from > 0 ? below(from) : 0);
	}
	return Math.min(1, Math.max(0, total));
}

/** Sum over the legs at the middle of their quoted volatilities; legs without any count nothing. */
export function greeksOf(legs: readonly Leg[]): Greeks {
	const total: Greeks = { delta: 0, gamma: 0, vega: 0, theta: 0 };
	for (const { option, units } of legs) {
		const sides = [volatilityOf(option, "bid"), volatilityOf(option, "ask")].filter((value) => value !== null);
		if (sides.length === 0) continue;
		const volatility = sides.reduce((sum, value) => sum + value, 0) / sides.length;
		const greeks = black76Greeks(option.terms, volatility);
		total.delta += units * greeks.delta;
		total.gamma += units * greeks.gamma;
		total.vega += units * greeks.vega;
		total.theta += units * greeks.theta;
	}
	return total;
}
