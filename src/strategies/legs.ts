import { isDollarQuote } from "../dollars.ts";
import type { Market, Series } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Candidate, Costs } from "./contract.ts";
import { roundTripCosts, tierHalfSpread } from "./costs.ts";
import { recentVolatility } from "./indicators/volatility.ts";

const SIGMA_DAYS = 60;

/** One leg of a trade of several markets. */
export interface TradedLeg {
	symbol: string;
	venue: string;
	market: Market;
	side: "long" | "short";
	/** Value of the leg over the value all shares refer to, > 0. */
	share: number;
	/** Newest close of the series the rule reads; a perp of the coin is sized by it too. */
	price: number;
	/** Symbol of that series: no leg passes a price off as another market's. */
	pricedBy: string;
	advUsd: number;
	/** Standard deviation of daily returns. */
	sigmaDay: number;
}

/** A perp the source lists for the base: what is sold short, since no source here lends spot. */
export const perpOf = (candidate: Candidate): Market | null =>
	candidate.asset?.markets.find(
		(market) => market.type === "perp" && market.tags.length === 0 && isDollarQuote(market.quote),
	) ?? null;

/** Long in the candidate's own market, short in the perp of its base; null when that market is not described. */
export function tradedLeg(
	candidate: Candidate,
	series: Series,
	side: "long" | "short",
	share: number,
): TradedLeg | null {
	const market = side === "short" ? perpOf(candidate) : candidate.market;
	if (!market) return null;
	return {
		symbol: market.symbol,
		venue: market.venue,
		market,
		side,
		share,
		price: last(series.close),
		pricedBy: series.symbol,
		advUsd: market.volume_usd_24h ?? last(series.quote_volume),
		sigmaDay: recentVolatility(series.close, SIGMA_DAYS),
	};
}

/** Round trip of all legs in basis points of the value their shares refer to (`valueUsd`). */
export function costsOfLegs(legs: readonly TradedLeg[], valueUsd: number): Costs {
	const total: Costs = { fee_bps: 0, spread_bps: 0, impact_bps: 0, funding_bps: 0, total_bps: 0 };
	for (const { market, share, advUsd, sigmaDay } of legs) {
		const costs = roundTripCosts({
			legs: [
				{
					market,
					halfSpread: tierHalfSpread(advUsd),
					sigmaDay,
					notionalUsd: valueUsd * share,
					advUsd,
				},
			],
		});
		for (const key of Object.keys(total) as (keyof Costs)[]) total[key] += share * costs[key];
	}
	return total;
}

/** The value that brings every leg to its least order and step, in the form position sizing asks for. */
export const leastOrder = (legs: readonly TradedLeg[]): { min_notional: number; quantity_step: number } => ({
	min_notional: Math.max(...legs.map(({ market, share }) => (market.min_notional ?? 0) / share)),
	quantity_step: Math.max(...legs.map(({ market, share, price }) => ((market.quantity_step ?? 0) * price) / share)),
});

/** Where all legs trade: their venue, or `multiple`. */
export function exchangeOf(legs: readonly TradedLeg[]): string {
	const venues = new Set(legs.map(({ venue }) => venue));
	return venues.size === 1 ? ([...venues][0] ?? "multiple") : "multiple";
}

/** A leg as rows show it. */
export const legTerms = (leg: TradedLeg, valueUsd: number): Record<string, unknown> => ({
	symbol: leg.symbol,
	exchange: leg.venue,
	side: leg.side,
	price: leg.price,
	...(leg.pricedBy === leg.symbol ? {} : { price_of: leg.pricedBy }),
	share: leg.share,
	notional_usd: valueUsd * leg.share,
});
