import type { Column } from "../columns.ts";
import type { Book, Holding } from "./book.ts";
import { slopeOf } from "./covariance.ts";
import { CONCENTRATION_POSITIONS_MIN, DAILY_VOLUME_SHARE, RISK_LIMITS, RISK_SHARE_POSITIONS_MIN } from "./limits.ts";
import {
	bookReturns,
	cornishFisherVar,
	effectiveNumber,
	equityPath,
	historicalTail,
	maxDrawdown,
	overlapping,
	riskShares,
	stressedVariance,
	varianceWith,
} from "./measures.ts";

/** One measure as it is shown; `value` null = cannot be known from what is recorded. */
export interface Measure {
	measure: string;
	symbol: string;
	value: number | null;
	/** null: shown without a limit. */
	limit: number | null;
	bound: "max" | "min" | "none";
	breached: boolean;
	/** Why the value is null. */
	note?: string;
}

const STRESS_CORRELATION = 0.9;
const BTC_SHOCK = -0.3;

function limited(
	measure: string,
	symbol: string,
	value: number | null,
	bound: "max" | "min",
	limit: number,
	note?: string,
): Measure {
	const breached = value !== null && (bound === "max" ? value > limit : value < limit);
	return { measure, symbol, value, limit, bound, breached, ...(value === null && note ? { note } : {}) };
}

const shown = (measure: string, symbol: string, value: number | null, note?: string): Measure => ({
	measure,
	symbol,
	value,
	limit: null,
	bound: "none",
	breached: false,
	...(value === null && note ? { note } : {}),
});

/** By how much a breached limit is passed, as a share of the limit; 0 within it. */
export function excessOf({ breached, value, limit, bound }: Measure): number {
	if (!breached || value === null || !limit) return 0;
	return bound === "max" ? value / limit - 1 : 1 - value / limit;
}

/** Days to sell a position at a tenth of the daily volume; null when the volume is not known. */
export function liquidityDays(holding: Holding): number | null {
	const volume = holding.market?.volume_usd_24h ?? null;
	return volume === null || volume <= 0 ? null : Math.abs(holding.value) / (DAILY_VOLUME_SHARE * volume);
}

/** How many daily sigmas lie between price and liquidation; null when no such price is recorded. */
export function liquidationSigmas(book: Book, index: number): number | null {
	const holding = book.holdings[index];
	const price = holding?.position.liquidation_price;
	const sigma = Math.sqrt(book.variances[index] ?? 0);
	if (!holding || price === null || price === undefined || !(sigma > 0)) return null;
	return Math.abs(holding.price - price) / holding.price / sigma;
}

/** Measures of each position against their limits, in the order of the holdings. */
export function positionMeasures(book: Book): Measure[][] {
	const shares = riskShares(book.weights, book.marginal);
	return book.holdings.map((holding, i) => measuresOf(book, holding, i, shares[i] ?? 0));
}

function measuresOf(book: Book, holding: Holding, index: number, share: number): Measure[] {
	const { symbol, stop_price: stop } = holding.position;
	const weight = Math.abs(holding.weight);
	const judged = !holding.stablecoin;
	const enough = book.holdings.length >= RISK_SHARE_POSITIONS_MIN;
	const unstopped = stop === undefined ? null : stop === null ? weight : 0;
	return [
		judged ? limited("weight", symbol, weight, "max", RISK_LIMITS.weight_max) : shown("weight", symbol, weight),
		enough
			? limited("risk_share", symbol, share, "max", RISK_LIMITS.risk_share_max)
			: shown("risk_share", symbol, share),
		limited(
			"liquidity_days",
			symbol,
			liquidityDays(holding),
			"max",
			RISK_LIMITS.liquidity_days_max,
			"the 24-hour volume is not known",
		),
		limited(
			"unstopped_weight",
			symbol,
			unstopped,
			"max",
			RISK_LIMITS.unstopped_weight_max,
			"the portfolio does not record stops",
		),
		limited(
			"liquidation_sigmas",
			symbol,
			liquidationSigmas(book, index),
			"min",
			RISK_LIMITS.liquidation_sigmas_min,
			"no liquidation price is recorded",
		),
	];
}

/** Measures of the whole book; `benchmark` are daily BTC returns of the same days, null when unread. */
export function bookMeasures(book: Book, benchmark: Column | null): Measure[] {
	const { weights, returns, variances, marginal } = book;
	const daily = bookReturns(weights, returns);
	const tail = historicalTail(daily);
	const tenDays = historicalTail(overlapping(daily, 10));
	const number = effectiveNumber(weights);
	const many = book.holdings.length >= CONCENTRATION_POSITIONS_MIN;
	const annual = (variance: number) => Math.sqrt(365 * variance);
	const portfolio = "PORTFOLIO";
	const missing = "the benchmark could not be read";
	return [
		shown("volatility_annual", portfolio, annual(varianceWith(weights, marginal))),
		shown("beta_btc", portfolio, benchmark && slopeOf(daily, benchmark), missing),
		shown("var95_1d", portfolio, tail.var95),
		limited("cvar95_1d", portfolio, tail.cvar95, "max", RISK_LIMITS.cvar95_1d_max),
		shown("var95_1d_cornish_fisher", portfolio, cornishFisherVar(daily)),
		shown("var95_10d", portfolio, tenDays.var95),
		shown("cvar95_10d", portfolio, tenDays.cvar95),
		limited("drawdown", portfolio, maxDrawdown(equityPath(weights, book.prices)), "max", RISK_LIMITS.drawdown_max),
		shown("hhi", portfolio, number > 0 ? 1 / number : null),
		many
			? limited("effective_number", portfolio, number, "min", RISK_LIMITS.effective_number_min)
			: shown("effective_number", portfolio, number),
		shown(
			"volatility_annual_correlation_0.9",
			portfolio,
			annual(stressedVariance(weights, variances, STRESS_CORRELATION)),
		),
		shown("loss_btc_minus_30_percent", portfolio, benchmark && -BTC_SHOCK * slopeOf(daily, benchmark), missing),
		shown(
			"leverage",
			portfolio,
			weights.reduce((sum, weight) => sum + Math.abs(weight), 0),
		),
		shown(
			"stablecoin_and_cash_share",
			portfolio,
			1 - book.holdings.filter((h) => !h.stablecoin).reduce((sum, h) => sum + h.weight, 0),
		),
		shown("largest_venue_share", portfolio, largestVenueShare(book)),
	];
}

function largestVenueShare(book: Book): number | null {
	const venues = new Map<string, number>();
	for (const { market, series, weight } of book.holdings) {
		const venue = market?.venue ?? series.venue;
		venues.set(venue, (venues.get(venue) ?? 0) + Math.abs(weight));
	}
	return venues.size === 0 ? null : Math.max(...venues.values());
}

/** Daily expected shortfall of a book with these daily returns, USD. */
export const shortfallUsd = ({ equity }: Book, daily: Column): number => equity * historicalTail(daily).cvar95;

/** Newest daily sigma of a holding, fraction. */
export const sigmaOf = (book: Book, index: number): number => Math.sqrt(book.variances[index] ?? Number.NaN);
