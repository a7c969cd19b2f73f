import { type Market, type OrderBook, type Series, TIMEFRAME_MS } from "../../market/contract.ts";
import { at, last } from "../columns.ts";
import type { Candidate, MarketView } from "../contract.ts";
import type { Ledger } from "../ledger.ts";
import { checkSeries, type Refusal } from "../quality.ts";
import { adverseSelection } from "./replay.ts";

export const LEVELS_MIN = 10;
export const VOLUME_USD_MIN = 1_000_000;
/** Volatility of an hour in quoted spreads. */
export const SIGMA_SPREADS_MAX = 5;
/** An hour's move beyond so many standard deviations is a jump. */
export const JUMP_SIGMAS = 4;
const BOOK_AGE_MS_MAX = 5 * 60_000;
const SIGMA_BARS = 288;
const HOUR_BARS = 12;
/** A day of 5-minute returns and the hour after it. */
export const LOOKBACK_BARS = SIGMA_BARS + HOUR_BARS + 1;

/** A market whose spread may pay for making it. */
export interface Makeable {
	candidate: Candidate;
	market: Market;
	book: OrderBook;
	series: Series;
	mid: number;
	/** Quoted spread, fraction of the mid. */
	touch: number;
	/** Standard deviation of a minute's log return. */
	sigmaMinute: number;
	adverse: number;
}

/**
 * Gates in the order in which they are counted: the read, the book, liquidity, the bars, jumps, then what
 * the spread must pay for. The book comes first of the market's own: without it nothing
 * else is worth a word.
 */
export function readMakeable(candidate: Candidate, view: MarketView, ledger: Ledger): Makeable | Refusal {
	const { symbol, market } = candidate;
	const error = view.errors[symbol];
	if (error !== undefined || !market) return refuse("fetch_failed", error ?? "no market description was read");
	const quoted = readBook(view, symbol);
	if ("reason" in quoted) return quoted;
	ledger.sawDatumAt(quoted.book.at_ms);
	if (!((market.volume_usd_24h ?? 0) >= VOLUME_USD_MIN)) {
		return refuse("illiquid", `${Math.round(market.volume_usd_24h ?? 0)} USD traded in 24 h`);
	}
	if (!view.series[symbol]) return refuse("insufficient_history", "the source has no 5-minute bars");
	const check = checkSeries(candidate, view, LOOKBACK_BARS);
	if (!check.ok) return refuse(check.reason, check.detail);
	const { series } = check;
	ledger.sawDatumAt(last(series.open_time) + TIMEFRAME_MS[series.timeframe]);
	const sigmaBar = deviationBefore(series.close, HOUR_BARS);
	const sigmaMinute = sigmaBar / Math.sqrt(TIMEFRAME_MS[series.timeframe] / 60_000);
	if (!(sigmaMinute > 0)) return refuse("illiquid", "the price did not move for a day");
	const made = { candidate, market, series, sigmaMinute, adverse: adverseSelection(sigmaMinute), ...quoted };
	return jump(series, sigmaBar) ?? spreadGate(made, ledger) ?? made;
}

const refuse = (reason: string, detail: string): Refusal => ({ reason, detail });

function readBook(view: MarketView, symbol: string): { book: OrderBook; mid: number; touch: number } | Refusal {
	const book = view.books[symbol];
	const [bid, ask] = [book?.bids[0]?.[0], book?.asks[0]?.[0]];
	if (!book || bid === undefined || ask === undefined || !(bid > 0) || !(ask > bid)) {
		return refuse("missing_orderbook", "the source has no two-sided book");
	}
	const levels = Math.min(book.bids.length, book.asks.length);
	if (levels < LEVELS_MIN) return refuse("missing_orderbook", `${levels} of ${LEVELS_MIN} levels on a side`);
	const ageMs = view.as_of_ms - book.at_ms;
	if (ageMs > BOOK_AGE_MS_MAX) return refuse("stale_data", `the book is ${Math.round(ageMs / 1000)} seconds old`);
	const mid = (bid + ask) / 2;
	return { book, mid, touch: (ask - bid) / mid };
}

/** Root mean square of the day's 5-minute returns that end `skip` bars before the last. */
function deviationBefore(close: Float64Array, skip: number): number {
	let squares = 0;
	const end = close.length - skip;
	for (let t = end - SIGMA_BARS; t < end; t++) squares += Math.log(at(close, t) / at(close, t - 1)) ** 2;
	return Math.sqrt(squares / SIGMA_BARS);
}

/** The hour is measured against the day before it, so that a jump does not hide in its own yardstick. */
function jump(series: Series, sigmaBar: number): Refusal | null {
	const move = Math.log(last(series.close) / at(series.close, series.length - 1 - HOUR_BARS));
	const sigmas = Math.abs(move) / (sigmaBar * Math.sqrt(HOUR_BARS));
	return sigmas > JUMP_SIGMAS ? refuse("regime_filter", `the last hour moved by ${sigmas.toFixed(1)} sigmas`) : null;
}

function spreadGate({ candidate, market, touch, adverse, sigmaMinute }: Makeable, ledger: Ledger): Refusal | null {
	const fees = 2 * market.maker_fee;
	const needed = fees + adverse;
	const miss = (reason: string, value: number, threshold: number, distance: number) =>
		ledger.nearMiss({ symbol: candidate.symbol, reason, value, threshold, distance });
	if (!(touch > needed)) {
		const reason = touch > fees ? "adverse_selection" : "spread_too_narrow";
		miss(reason, bps(touch), bps(needed), bps(needed - touch));
		return refuse(
			reason,
			`spread ${bps(touch).toFixed(2)} bp, fees ${bps(fees).toFixed(2)} bp, adverse selection ${bps(adverse).toFixed(2)} bp`,
		);
	}
	const spreads = (sigmaMinute * Math.sqrt(60)) / touch;
	if (spreads < SIGMA_SPREADS_MAX) return null;
	miss("adverse_selection", spreads, SIGMA_SPREADS_MAX, spreads - SIGMA_SPREADS_MAX);
	return refuse("adverse_selection", `an hour moves ${spreads.toFixed(1)} spreads`);
}

const bps = (fraction: number): number => fraction * 10_000;
