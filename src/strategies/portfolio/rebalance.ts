import type { Costs } from "../contract.ts";
import { oneWayCosts, tierHalfSpread } from "../costs.ts";
import { quadratic, times } from "../risk/covariance.ts";
import { CONCENTRATION_POSITIONS_MIN, RISK_LIMITS, RISK_SHARE_POSITIONS_MIN } from "../risk/limits.ts";
import { effectiveNumber, riskShares } from "../risk/measures.ts";
import type { Asset, AssetUniverse } from "./universe.ts";

/** What a proposed trade must pass. */
export const REBALANCE = {
	volatility_reduction_min: 0.05,
	drift_points: 0.05,
	drift_relative: 0.2,
	risk_aversion: 3,
	/** Months over which the benefit must pay for the trades. */
	benefit_months: 1,
} as const;

/** Smallest order where the market's own is not known, USD. */
const MIN_NOTIONAL_USD = 5;

export interface RebalanceTrade {
	asset: Asset;
	index: number;
	/** Shares of the invested part. */
	from: number;
	to: number;
	amountUsd: number;
	costs: Costs;
	costUsd: number;
}

export interface Rebalance {
	/** Weights after the trades; sum one. */
	weights: number[];
	trades: RebalanceTrade[];
	costUsd: number;
	/** Annual volatility of the equity, cash included. */
	volatilityBefore: number;
	volatilityAfter: number;
	/** 1/2 lambda (var before - var after) C over one month, USD. */
	utilityGainUsd: number;
}

/**
 * The trades that lead to `target`, without those inside the no-trade band or below the smallest order:
 * what stays keeps its weight and the others share the rest in the proportions of the target.
 */
export function rebalanceTo(
	universe: AssetUniverse,
	target: readonly number[],
	covariance: readonly number[][],
	cap: number,
): Rebalance {
	const { current, assets, investedUsd } = universe;
	let moving = target.map((weight, i) => outsideBand(current[i] ?? 0, weight));
	let weights = settle(current, target, moving, cap);
	for (;;) {
		const next = moving.map(
			(moves, i) => moves && Math.abs((weights[i] ?? 0) - (current[i] ?? 0)) * investedUsd >= leastOrder(assets[i]),
		);
		// One weight cannot move alone.
		const alone = next.filter(Boolean).length < 2;
		if (!alone && next.every((moves, i) => moves === moving[i])) break;
		moving = alone ? next.map(() => false) : next;
		weights = settle(current, target, moving, cap);
		if (alone) break;
	}
	return priced(universe, weights, covariance);
}

const outsideBand = (from: number, to: number): boolean => {
	const drift = Math.abs(to - from);
	return drift > REBALANCE.drift_points || drift > REBALANCE.drift_relative * from;
};

const leastOrder = (asset: Asset | undefined): number => asset?.market?.min_notional ?? MIN_NOTIONAL_USD;

/** Weights that stay are kept; the moving ones fill the rest in the target's proportions, at most `cap` each. */
function settle(
	current: readonly number[],
	target: readonly number[],
	moving: readonly boolean[],
	cap: number,
): number[] {
	const weights = current.map((weight, i) => (moving[i] ? 0 : weight));
	let open = moving.flatMap((moves, i) => (moves ? [i] : []));
	let room = 1 - weights.reduce((sum, weight) => sum + weight, 0);
	while (open.length > 0) {
		const total = open.reduce((sum, i) => sum + (target[i] ?? 0), 0);
		const shareOf = (i: number) => (total > 0 ? (target[i] ?? 0) / total : 1 / open.length) * room;
		// Held weights may leave more than the others may take; then the cap gives way to the budget.
		const limit = Math.max(cap, room / open.length);
		const full = new Set(open.filter((i) => shareOf(i) > limit + 1e-12));
		for (const i of full.size > 0 ? full : open) weights[i] = full.size > 0 ? limit : shareOf(i);
		if (full.size === 0) break;
		room -= limit * full.size;
		open = open.filter((i) => !full.has(i));
	}
	return weights;
}

function priced(universe: AssetUniverse, weights: number[], covariance: readonly number[][]): Rebalance {
	const { current, investedUsd, equityUsd } = universe;
	const trades = universe.assets.flatMap((asset, index): RebalanceTrade[] => {
		const [from, to] = [current[index] ?? 0, weights[index] ?? 0];
		const amountUsd = Math.abs(to - from) * investedUsd;
		if (!(amountUsd > 1e-9)) return [];
		const costs = tradeCosts(asset, amountUsd, Math.sqrt(covariance[index]?.[index] ?? 0));
		return [{ asset, index, from, to, amountUsd, costs, costUsd: (amountUsd * costs.total_bps) / 10_000 }];
	});
	const invested = investedUsd / equityUsd;
	const annual = (of: readonly number[]) => 365 * invested ** 2 * quadratic(covariance, of);
	const [before, after] = [annual(current), annual(weights)];
	return {
		weights,
		trades,
		costUsd: trades.reduce((sum, trade) => sum + trade.costUsd, 0),
		volatilityBefore: Math.sqrt(before),
		volatilityAfter: Math.sqrt(after),
		utilityGainUsd: 0.5 * REBALANCE.risk_aversion * (before - after) * equityUsd * (REBALANCE.benefit_months / 12),
	};
}

/** Traded value of a day, USD. */
export const dailyVolume = ({ market, series }: Asset): number =>
	market?.volume_usd_24h ?? series.quote_volume.at(-1) ?? 0;

function tradeCosts(asset: Asset, notionalUsd: number, sigmaDay: number): Costs {
	const advUsd = dailyVolume(asset);
	const { market } = asset;
	return oneWayCosts({ legs: [{ market, halfSpread: tierHalfSpread(advUsd), sigmaDay, notionalUsd, advUsd }] });
}

/** Limits of the risk strategy that these weights break, as text; limits are shares of equity. */
export function breachedLimits(
	{ assets, investedUsd, equityUsd }: AssetUniverse,
	weights: readonly number[],
	covariance: readonly number[][],
): string[] {
	const held = weights.filter((weight) => weight > 0).length;
	const risk = riskShares(weights, times(covariance, weights));
	const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
	const breaches = assets.flatMap(({ symbol }, i) => {
		const weight = ((weights[i] ?? 0) * investedUsd) / equityUsd;
		const own: string[] = [];
		if (weight > RISK_LIMITS.weight_max) own.push(`weight of ${symbol} ${percent(weight)}`);
		if (held >= RISK_SHARE_POSITIONS_MIN && (risk[i] ?? 0) > RISK_LIMITS.risk_share_max)
			own.push(`${symbol} carries ${percent(risk[i] ?? 0)} of the risk`);
		return own;
	});
	const number = effectiveNumber(weights);
	if (held >= CONCENTRATION_POSITIONS_MIN && number < RISK_LIMITS.effective_number_min)
		breaches.push(`effective number ${number.toFixed(2)}`);
	return breaches;
}
