import type { Market } from "../market/contract.ts";
import type { Grade, StrategyLimits } from "./contract.ts";

/** Largest share of a day's volume one position may be. */
const VOLUME_SHARE_MAX = 0.01;
/** Positions without proof stay this small and get no Kelly cap. */
const UNPROVEN_SHARE_MAX = 0.05;

/** Kelly fraction of a bet that wins `b` times its stake with probability `p`; never below 0. */
export const kellyFraction = (p: number, b: number): number => (b > 0 ? Math.max(0, (p * b - (1 - p)) / b) : 0);

export interface SizingInput {
	capitalUsd: number;
	/** |entry - stop| / entry. */
	stopDistance: number;
	/** 24 h traded value, USD. */
	advUsd: number;
	grade: Grade;
	p: number;
	/** Mean gain over mean loss; null = not measured. */
	payoff: number | null;
	limits: StrategyLimits;
	market: Pick<Market, "min_notional" | "quantity_step"> | null;
	/** Price of one base unit, quote currency; null when unknown. */
	price: number | null;
}

export type Sizing = { ok: true; notionalUsd: number } | { ok: false; reason: string; detail: string };

/** Notional of a new position, USD: the smallest of the caps, or why none fits. */
export function sizePosition(input: SizingInput): Sizing {
	const { capitalUsd, limits, p, payoff } = input;
	const kelly = input.grade === "C" || payoff === null ? null : 0.5 * kellyFraction(p, payoff);
	if (kelly === 0) {
		const odds = `a chance of ${(100 * p).toFixed(1)} % at ${payoff?.toFixed(2)} to 1`;
		return { ok: false, reason: "negative_expectancy", detail: `${odds} leaves nothing to stake` };
	}
	const caps = [
		capitalUsd * limits.max_position_share,
		(capitalUsd * limits.risk_per_trade) / input.stopDistance,
		input.advUsd * VOLUME_SHARE_MAX,
		capitalUsd * (kelly ?? UNPROVEN_SHARE_MAX),
	];
	const notionalUsd = Math.min(...caps);
	const step = input.market?.quantity_step;
	const oneStep = step && input.price ? step * input.price : 0;
	const least = Math.max(input.market?.min_notional ?? 0, oneStep);
	if (notionalUsd > 0 && notionalUsd >= least) return { ok: true, notionalUsd };
	return {
		ok: false,
		reason: "capital_below_min_notional",
		detail: `the size allowed is ${Math.max(0, notionalUsd).toFixed(2)} USD, the least order ${least.toFixed(2)} USD`,
	};
}
