import { at, type Column } from "../columns.ts";
import type { Side } from "../contract.ts";

/** Days an idea is held: from today to the expiry closest to so many days. */
export const HORIZON_DAYS = 14;
/** Distance of implied volatility and forecast, as a fraction: five vol points. */
export const EDGE_MIN = 0.05;
/** Premium is sold only in the dear quarter of its own history. */
export const SELL_PERCENTILE_MIN = 0.75;
export const HISTORY_DAYS = 365;
const HISTORY_DAYS_MIN = 90;

export type PremiumName =
	| "straddle"
	| "long_call"
	| "long_put"
	| "covered_call"
	| "protective_put"
	| "iron_condor"
	| "iron_butterfly";

/** A combination of one expiry that is bought when options are cheap or sold when they are dear. */
export interface PremiumRule {
	name: PremiumName;
	trade: "buy" | "sell";
	side: Side;
	/** Strikes in standard deviations from the forward; units above 0 are bought. */
	legs: readonly { kind: "call" | "put"; deviations: number; units: number }[];
	/** Stands beside coins that are held. */
	overlay: boolean;
}

const rule = (
	name: PremiumName,
	trade: "buy" | "sell",
	side: Side,
	legs: readonly (readonly ["call" | "put", number, number])[],
	overlay = false,
): PremiumRule => ({
	name,
	trade,
	side,
	legs: legs.map(([kind, deviations, units]) => ({ kind, deviations, units })),
	overlay,
});

/** Side says what is bought or sold; two-sided combinations without a direction are neutral. */
export const PREMIUM_RULES: Readonly<Record<PremiumName, PremiumRule>> = {
	straddle: rule("straddle", "buy", "neutral", [
		["call", 0, 1],
		["put", 0, 1],
	]),
	long_call: rule("long_call", "buy", "long", [["call", 0.5, 1]]),
	long_put: rule("long_put", "buy", "long", [["put", -0.5, 1]]),
	covered_call: rule("covered_call", "sell", "short", [["call", 1, -1]], true),
	protective_put: rule("protective_put", "buy", "long", [["put", -1, 1]], true),
	iron_condor: rule("iron_condor", "sell", "short", [
		["put", -2, 1],
		["put", -1, -1],
		["call", 1, -1],
		["call", 2, 1],
	]),
	iron_butterfly: rule("iron_butterfly", "sell", "short", [
		["put", -1.5, 1],
		["put", 0, -1],
		["call", 0, -1],
		["call", 1.5, 1],
	]),
};

/** At-the-money volatility as quoted against what is expected, fractions a year. */
export interface VolatilityState {
	bid: number;
	ask: number;
	forecast: number;
	/** Share of the last year's values at or below the bid, 0..1; null without such a history. */
	percentile: number | null;
}

/** What the rule earns in volatility: bid - forecast when selling, forecast - ask when buying. */
export const edgeOf = ({ trade }: PremiumRule, { bid, ask, forecast }: VolatilityState): number =>
	trade === "sell" ? bid - forecast : forecast - ask;

/** The same trigger live and in the walk-forward. NaN never fires. */
export const fires = (of: PremiumRule, state: VolatilityState): boolean =>
	edgeOf(of, state) > EDGE_MIN &&
	(of.trade === "buy" || state.percentile === null || state.percentile > SELL_PERCENTILE_MIN);

/** Share of the values of the year up to index `t` that are at or below `value`; null when they are too few. */
export function percentileAt(history: Column, t: number, value: number): number | null {
	const from = Math.max(0, t + 1 - HISTORY_DAYS);
	const count = t + 1 - from;
	if (count < HISTORY_DAYS_MIN) return null;
	let below = 0;
	for (let i = from; i <= t; i++) if (at(history, i) <= value) below++;
	return below / count;
}
