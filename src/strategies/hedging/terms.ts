import { TIMEFRAME_MS } from "../../market/contract.ts";
import { at, type Column, last } from "../columns.ts";
import type { Costs, MarketView } from "../contract.ts";
import { blendedCosts, roundTripCosts, tierHalfSpread } from "../costs.ts";
import { BASIS_DEVIATION, basisDeviation } from "../funding-quotes.ts";
import { E8, PAST_UNITS, pastWindow } from "../funding-rates.ts";
import { HORIZON_DAYS } from "../funding-samples.ts";
import { recentVolatility } from "../indicators/volatility.ts";
import { type Book, joinCloses, RETURNS_MIN, simpleReturns } from "../risk/book.ts";
import { bookReturns, historicalTail } from "../risk/measures.ts";
import { WINDOW_DAYS } from "../risk/windows.ts";
import { ESTIMATION_DAYS } from "./effectiveness.ts";
import { COMMON_HEDGES, type Leg } from "./instruments.ts";

/** 8-hour units of the month a hedge is costed for. */
const HORIZON_UNITS = WINDOW_DAYS * 3;

/** One leg as it would be traded. */
export interface LegTerms {
	leg: Leg;
	/** Units of the leg per unit held; positive = against the position. */
	ratio: number;
	notionalUsd: number;
	price: number;
	advUsd: number;
	fundingKnown: boolean;
	costs: Costs;
}

export interface HedgeTerms {
	legs: LegTerms[];
	notionalUsd: number;
	/** Blended over the legs, 30 days of funding included. */
	costs: Costs;
	/** Fees, spread, impact, funding and one deviation of the basis over 30 days, USD; income counts against it. */
	costUsd: number;
	basisBps: number;
	/** false: a leg has no spot market beside it, and is charged what 15 majors showed. */
	basisMeasured: boolean;
	/** Daily tails of the whole book, shares of equity. */
	before: { var95: number; cvar95: number };
	after: { var95: number; cvar95: number };
}

/** `exposureUsd`: signed value that is to be hedged; a hedge of a long is a short. null: too few common days. */
export function hedgeTerms(
	legs: readonly Leg[],
	ratios: readonly number[],
	exposureUsd: number,
	book: Book,
	view: MarketView,
): HedgeTerms | null {
	const tails = bookTails(legs, ratios, exposureUsd, book);
	if (!tails) return null;
	const priced = legs.map((leg, i) => priceLeg(leg, ratios[i] ?? 0, exposureUsd, view));
	const deviations = legs.map((leg) => spotBasis(leg, book, view));
	const notionalUsd = priced.reduce((sum, { notionalUsd: usd }) => sum + usd, 0);
	const costs = blendedCosts(priced.map((leg) => ({ costs: leg.costs, usd: leg.notionalUsd })));
	const weighted = priced.reduce((sum, leg, i) => sum + leg.notionalUsd * (deviations[i] ?? BASIS_DEVIATION), 0);
	const weekly = notionalUsd > 0 ? weighted / notionalUsd : 0;
	const basis = weekly * Math.sqrt(WINDOW_DAYS / HORIZON_DAYS);
	return {
		legs: priced,
		notionalUsd,
		costs,
		costUsd: notionalUsd * (costs.total_bps / 10_000 + basis),
		basisBps: basis * 10_000,
		basisMeasured: deviations.every((deviation) => deviation !== null),
		...tails,
	};
}

/** Deviation of the 7-day change of the leg against its coin's spot market; null where that was not read. */
function spotBasis({ symbol, series, market }: Leg, book: Book, view: MarketView): number | null {
	const common = COMMON_HEDGES.find(({ perp }) => perp === symbol)?.spot;
	const held = book.holdings.find(
		(holding) => holding.market?.type === "spot" && holding.market.base === market.base,
	)?.series;
	const spot = (common === undefined ? undefined : view.series[common]) ?? held;
	const deviation = spot ? basisDeviation(series, spot) : null;
	return typeof deviation === "number" ? deviation : null;
}

function priceLeg(leg: Leg, ratio: number, exposureUsd: number, view: MarketView): LegTerms {
	const { series, market, symbol } = leg;
	const advUsd = market.volume_usd_24h ?? last(series.quote_volume);
	const funding = view.funding[symbol];
	const notionalUsd = Math.abs(ratio * exposureUsd);
	// A short receives positive funding: income is a negative cost.
	const paid = funding && funding.length > 0 ? -pastWindow(funding, view.as_of_ms).sumE8 / PAST_UNITS / E8 : 0;
	const costs = roundTripCosts({
		legs: [
			{
				market,
				halfSpread: tierHalfSpread(advUsd),
				sigmaDay: recentVolatility(series.close, ESTIMATION_DAYS),
				notionalUsd,
				advUsd,
			},
		],
		funding: paid * HORIZON_UNITS * Math.sign(ratio * exposureUsd),
	});
	return {
		leg,
		ratio,
		notionalUsd,
		price: last(series.close),
		advUsd,
		fundingKnown: funding !== undefined && funding.length > 0,
		costs,
	};
}

/** Tails of the whole book with and without the hedge, over the newest common days (90 to 180). */
function bookTails(
	legs: readonly Leg[],
	ratios: readonly number[],
	exposureUsd: number,
	book: Book,
): Pick<HedgeTerms, "before" | "after"> | null {
	const joined = joinCloses([...book.holdings.map(({ series }) => series), ...legs.map(({ series }) => series)]);
	const columns = joined.columns.map((close) => simpleReturns(close).subarray(-RETURNS_MIN));
	const held = columns.slice(0, book.holdings.length);
	if ((columns[0]?.length ?? 0) < ESTIMATION_DAYS || hasHoles(joined.days)) return null;
	const before = bookReturns(book.weights, held);
	const weight = exposureUsd / book.equity;
	const after = before.map((value, t) =>
		legs.reduce((sum, _, i) => sum - (ratios[i] ?? 0) * weight * at(columns[held.length + i] as Column, t), value),
	);
	return { before: historicalTail(before), after: historicalTail(after) };
}

/** A day is missing among the newest that are measured: the return over the hole is none of a day. */
const hasHoles = (days: readonly number[]): boolean => {
	const newest = days.slice(-(ESTIMATION_DAYS + 1));
	return newest.some((day, i) => i > 0 && day - (newest[i - 1] ?? 0) !== TIMEFRAME_MS["1d"]);
};
