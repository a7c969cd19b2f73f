import { type Market, type OrderBook, type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { at, last } from "./columns.ts";
import { quotedHalfSpread, tierHalfSpread } from "./costs.ts";
import { HORIZON_DAYS } from "./funding-samples.ts";
import { recentVolatility } from "./indicators/volatility.ts";
import { type Refusal, STALE_STEPS_MAX } from "./quality.ts";
import { joinCloses } from "./risk/book.ts";

const DAY_MS = TIMEFRAME_MS["1d"];
const SIGMA_DAYS = 60;
/** Daily bars of a leg below which neither its volatility nor the basis is known. */
export const LEG_BARS_MIN = 38;
/** Days of closes that make the basis. */
export const BASIS_DAYS = 365;
/** Overlapping changes below which their deviation says nothing. */
const BASIS_CHANGES_MIN = 30;

/** The same deviation on 15 majors, for what has no spot market beside it to be measured against. */
export const BASIS_DEVIATION = 0.00064;

/** One leg of a carry trade and what was read of its market. */
export interface CarryLeg {
	market: Market;
	side: "long" | "short";
	series: Series | null;
	book: OrderBook | null;
}

/** What a leg costs and moves. */
export interface LegQuote {
	/** Where its order would be filled: the ask of a buyer, the bid of a seller, else the newest close. */
	price: number;
	from: "order book" | "newest close";
	/** Fractions. */
	sigmaDay: number;
	advUsd: number;
}

/** Half the quoted spread, or the usual one of the market's tier. */
export const legHalfSpread = ({ market, book }: CarryLeg): number =>
	quotedHalfSpread(book ?? undefined) ?? tierHalfSpread(market.volume_usd_24h ?? 0);

/** Price and volatility of a leg, or why the trade cannot be priced. */
export function quoteLeg({ market, side, series, book }: CarryLeg, asOfMs: number): LegQuote | Refusal {
	const quoted = book?.[side === "long" ? "asks" : "bids"][0]?.[0] ?? null;
	const price = quoted ?? currentClose(series, asOfMs);
	if (price === null) {
		return { reason: "missing_orderbook", detail: `${market.symbol} has neither a book nor a current close` };
	}
	if (!series || series.length < LEG_BARS_MIN) {
		const detail = `${series?.length ?? 0} of ${LEG_BARS_MIN} daily bars of ${market.symbol}`;
		return { reason: "insufficient_history", detail };
	}
	const sigmaDay = recentVolatility(series.close, SIGMA_DAYS);
	const from = quoted === null ? "newest close" : "order book";
	return { price, from, sigmaDay, advUsd: market.volume_usd_24h ?? 0 };
}

function currentClose(series: Series | null, asOfMs: number): number | null {
	if (!series || series.length === 0) return null;
	const step = TIMEFRAME_MS[series.timeframe];
	return asOfMs - (last(series.open_time) + step) <= STALE_STEPS_MAX * step ? last(series.close) : null;
}

/**
 * Sample deviation of the 7-day change of ln(a/b) over the newest year of common daily closes: what a trade of these
 * two legs risks though their coin is the same. Fraction; or why it is not known.
 */
export function basisDeviation(a: Series, b: Series): number | Refusal {
	const { days, columns } = joinCloses([a, b]);
	const [closeA, closeB] = columns as [Float64Array, Float64Array];
	const basis = new Map<number, number>();
	for (let t = Math.max(0, days.length - BASIS_DAYS); t < days.length; t++) {
		basis.set(days[t] ?? Number.NaN, Math.log(at(closeA, t) / at(closeB, t)));
	}
	const changes = [...basis].flatMap(([day, value]) => {
		const before = basis.get(day - HORIZON_DAYS * DAY_MS);
		return before === undefined ? [] : [value - before];
	});
	if (changes.length < BASIS_CHANGES_MIN) {
		const detail = `${changes.length} of ${BASIS_CHANGES_MIN} changes of the basis between ${a.symbol} and ${b.symbol}`;
		return { reason: "insufficient_history", detail };
	}
	const mean = changes.reduce((sum, change) => sum + change, 0) / changes.length;
	const squares = changes.reduce((sum, change) => sum + (change - mean) ** 2, 0);
	const deviation = Math.sqrt(squares / (changes.length - 1));
	if (deviation > 0) return deviation;
	return { reason: "insufficient_history", detail: `the basis between ${a.symbol} and ${b.symbol} never moved` };
}
