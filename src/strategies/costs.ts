import { ASSET_TIERS, type AssetTier, tierOfVolume } from "../catalogue.ts";
import type { Market, OrderBook } from "../market/contract.ts";
import type { Costs } from "./contract.ts";

/** Half spreads where no book is known, fractions (a design choice). */
const HALF_SPREAD: Record<AssetTier, number> = {
	tier_institutional: 0.0001,
	tier_enterprise: 0.0002,
	tier_professional: 0.0005,
	tier_retail: 0.0015,
	tier_emerging: 0.004,
	tier_micro: 0.01,
	tier_any: 0.01,
};
const IMPACT_CAP = 0.02;
/** Y of the square-root law. */
const IMPACT_FACTOR = 1;

/** Half the quoted spread over mid, as a fraction; null without two sides. */
export function quotedHalfSpread(book: OrderBook | undefined): number | null {
	const bid = book?.bids[0]?.[0];
	const ask = book?.asks[0]?.[0];
	if (bid === undefined || ask === undefined || !(bid > 0) || ask < bid) return null;
	return (ask - bid) / (ask + bid);
}

export const tierHalfSpread = (volumeUsd: number): number => HALF_SPREAD[tierOfVolume(volumeUsd)];

/** 1 (institutional) .. 7; by 24 h volume in USD. */
export function tierPriority(volumeUsd: number): number {
	const name = tierOfVolume(volumeUsd);
	return ASSET_TIERS.find((tier) => tier.name === name)?.priority ?? ASSET_TIERS.length;
}

/** Square-root law: Y * sigma_day * sqrt(Q/ADV), at most 2 %. `q` and `adv` in USD. */
export function marketImpact(sigmaDay: number, q: number, adv: number): number {
	if (q <= 0) return 0;
	if (!(adv > 0)) return IMPACT_CAP;
	return Math.min(IMPACT_CAP, IMPACT_FACTOR * sigmaDay * Math.sqrt(q / adv));
}

export interface CostInput {
	/** One entry per leg; a spot trade has one. */
	legs: {
		market: Pick<Market, "taker_fee">;
		halfSpread: number;
		sigmaDay: number;
		notionalUsd: number;
		advUsd: number;
	}[];
	/** Expected funding paid over the holding time, fraction of notional; negative = received. */
	funding?: number;
}

/**
 * Round trip of all legs in basis points of the (one-leg) notional: taker fees in and out, two half
 * spreads and two impacts per leg. The one cost model, live and in replay.
 */
export function roundTripCosts({ legs, funding = 0 }: CostInput): Costs {
	const sum = (of: (leg: CostInput["legs"][number]) => number) =>
		legs.reduce((total, leg) => total + 2 * of(leg), 0) * 10_000;
	const fee_bps = sum((leg) => leg.market.taker_fee);
	const spread_bps = sum((leg) => leg.halfSpread);
	const impact_bps = sum((leg) => marketImpact(leg.sigmaDay, leg.notionalUsd, leg.advUsd));
	const funding_bps = funding * 10_000;
	return { fee_bps, spread_bps, impact_bps, funding_bps, total_bps: fee_bps + spread_bps + impact_bps + funding_bps };
}

/** One way in or out instead of there and back: what a trade costs that only reduces a position. */
export function oneWayCosts(input: CostInput): Costs {
	const { fee_bps, spread_bps, impact_bps, funding_bps, total_bps } = roundTripCosts(input);
	return {
		fee_bps: fee_bps / 2,
		spread_bps: spread_bps / 2,
		impact_bps: impact_bps / 2,
		funding_bps,
		total_bps: (total_bps + funding_bps) / 2,
	};
}

/**
 * Round trip that walk-forwards on spot are charged: 10 bp taker each way and the half spread of the
 * professional tier twice. It depends on nobody's capital.
 */
export const SPOT_REPLAY_COST = 0.003;

/** Costs of several trades in basis points of what they move together; zeros when nothing is moved. */
export function blendedCosts(trades: readonly { costs: Costs; usd: number }[]): Costs {
	const moved = trades.reduce((sum, trade) => sum + trade.usd, 0);
	const mean = (key: keyof Costs) =>
		moved > 0 ? trades.reduce((sum, trade) => sum + (trade.costs[key] * trade.usd) / moved, 0) : 0;
	return {
		fee_bps: mean("fee_bps"),
		spread_bps: mean("spread_bps"),
		impact_bps: mean("impact_bps"),
		funding_bps: mean("funding_bps"),
		total_bps: mean("total_bps"),
	};
}
/** The same for USD-margined perpetuals: 5 bp taker each way and the same half spread twice; funding comes on top. */
export const PERP_REPLAY_COST = 0.002;
