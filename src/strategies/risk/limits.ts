import type { Column } from "../columns.ts";
import { bookReturns, effectiveNumber, equityPath, historicalTail, maxDrawdown, varianceWith } from "./measures.ts";

/** Limits of risk management; shares of equity unless the name says otherwise. */
export const RISK_LIMITS = {
	weight_max: 0.3,
	risk_share_max: 0.35,
	effective_number_min: 3,
	cvar95_1d_max: 0.06,
	liquidity_days_max: 1,
	unstopped_weight_max: 0.05,
	liquidation_sigmas_min: 3,
	drawdown_max: 0.2,
} as const;

/** Of 24 h volume a position may sell this share in a day without moving the market. */
export const DAILY_VOLUME_SHARE = 0.1;
/** Risk shares are judged from three positions on: two cannot both stay below 35 %. */
export const RISK_SHARE_POSITIONS_MIN = 3;
/** Concentration is judged above three positions. */
export const CONCENTRATION_POSITIONS_MIN = 4;

/** Solutions stop a hair inside the limit, so that rounding cannot leave them outside. */
const MARGIN = 1e-9;

/** Largest share f in [0, 1] at which `fits` holds; `fits` must be true at 0 and change once. */
export function largestShare(fits: (share: number) => boolean): number {
	if (fits(1)) return 1;
	let low = 0;
	let high = 1;
	for (let i = 0; i < 60; i++) {
		const middle = (low + high) / 2;
		if (fits(middle)) low = middle;
		else high = middle;
	}
	return low;
}

/** Share of position `index` to keep so that its weight is within the limit. */
export const keepForWeight = (weight: number): number => Math.min(1, RISK_LIMITS.weight_max / Math.abs(weight));

/**
 * Share to keep so that its part of the book's variance is within the limit, the others unchanged. `marginal`: the
 * covariance times the weights; one weight moves it along one row, so the variance is a parabola of the share kept.
 */
export function keepForRiskShare(
	weights: readonly number[],
	{ marginal, variances }: { marginal: readonly number[]; variances: readonly number[] },
	index: number,
): number {
	const [weight, own, variance] = [weights[index] ?? 0, marginal[index] ?? 0, variances[index] ?? 0];
	const whole = varianceWith(weights, marginal);
	return largestShare((share) => {
		const change = (share - 1) * weight;
		const total = whole + 2 * change * own + change ** 2 * variance;
		const part = total > 0 ? (weight * share * (own + change * variance)) / total : 0;
		return part <= RISK_LIMITS.risk_share_max - MARGIN;
	});
}

/** Share to keep so that it can be sold within a day. */
export const keepForLiquidity = (liquidityDays: number): number =>
	Math.min(1, RISK_LIMITS.liquidity_days_max / liquidityDays);

/**
 * Share to keep so that liquidation lies three daily sigmas away. With the margin left in place the
 * distance grows as the position shrinks (maintenance margin ignored, so the true distance is larger).
 */
export const keepForLiquidation = (sigmasAway: number): number =>
	Math.min(1, sigmasAway / RISK_LIMITS.liquidation_sigmas_min);

/** Share of the whole book to keep for a 1-day CVaR95 within the limit: linear in exposure. */
export function keepForShortfall(weights: readonly number[], returns: readonly Column[]): number {
	const { cvar95 } = historicalTail(bookReturns(weights, returns));
	return cvar95 > 0 ? Math.min(1, (RISK_LIMITS.cvar95_1d_max * (1 - MARGIN)) / cvar95) : 1;
}

/** Share of the whole book to keep so that today's quantities would not have fallen further than the limit. */
export const keepForDrawdown = (weights: readonly number[], prices: readonly Column[]): number =>
	largestShare(
		(share) =>
			maxDrawdown(
				equityPath(
					weights.map((w) => w * share),
					prices,
				),
			) <=
			RISK_LIMITS.drawdown_max - MARGIN,
	);

/** Weights cut to the highest cap at which the book counts as three positions; signs kept. */
export function capForConcentration(weights: readonly number[]): number[] {
	const largest = Math.max(...weights.map(Math.abs));
	const capped = (share: number) => weights.map((w) => Math.sign(w) * Math.min(Math.abs(w), largest * share));
	// A cap at the smallest weight makes all equal: n positions count as n.
	const smallest = Math.min(...weights.filter((w) => w !== 0).map(Math.abs)) / largest;
	const share = largestShare(
		(s) => effectiveNumber(capped(smallest + (1 - smallest) * s)) >= RISK_LIMITS.effective_number_min + MARGIN,
	);
	return capped(smallest + (1 - smallest) * share);
}
