import { type Market, type OrderBook, type Series, TIMEFRAME_MS } from "../../market/contract.ts";
import { last } from "../columns.ts";
import type { Candidate, MarketView } from "../contract.ts";
import type { Ledger } from "../ledger.ts";
import { checkSeries, type Refusal } from "../quality.ts";
import { ATR_COSTS_MIN, atrShare, BARS_MIN, FLOW_MIN, newestBars, type ScalpSide, SLIPPAGE } from "./rules.ts";

/** Levels of each side that the imbalance is taken over. */
export const IMBALANCE_LEVELS = 10;
export const SPREAD_ATR_MAX = 0.15;
const BOOK_AGE_MS_MAX = 5 * 60_000;

/** A market in which a few minutes move more than a round trip costs. */
export interface Scalpable {
	candidate: Candidate;
	market: Market;
	series: Series;
	/** The newest bars of it, enough for every average to be warm. */
	recent: Series;
	book: OrderBook;
	bid: number;
	ask: number;
	/** ATR14 of the newest bar as a fraction of its close. */
	atr: number;
}

/** Gates in the order in which they are counted: the read, the bars, the book, then whether a move can pay. */
export function readScalpable(candidate: Candidate, view: MarketView, ledger: Ledger): Scalpable | Refusal {
	const { symbol, market } = candidate;
	const error = view.errors[symbol];
	if (error !== undefined || !market) return refuse("fetch_failed", error ?? "no market description was read");
	if (!view.series[symbol]) return refuse("insufficient_history", "the source has no 5-minute bars of this time");
	const check = checkSeries(candidate, view, BARS_MIN);
	if (!check.ok) return refuse(check.reason, check.detail);
	const { series } = check;
	ledger.sawDatumAt(last(series.open_time) + TIMEFRAME_MS[series.timeframe]);
	const book = view.books[symbol];
	const [bid, ask] = [book?.bids[0]?.[0], book?.asks[0]?.[0]];
	if (!book || bid === undefined || ask === undefined || !(bid > 0) || !(ask > bid)) {
		return refuse("missing_orderbook", "the source has no two-sided book");
	}
	if (Math.min(book.bids.length, book.asks.length) < IMBALANCE_LEVELS) {
		return refuse("missing_orderbook", `fewer than ${IMBALANCE_LEVELS} levels on a side`);
	}
	if (view.as_of_ms - book.at_ms > BOOK_AGE_MS_MAX) {
		return refuse("stale_data", `the book is ${Math.round((view.as_of_ms - book.at_ms) / 1000)} seconds old`);
	}
	ledger.sawDatumAt(book.at_ms);
	const recent = newestBars(series);
	const found: Scalpable = { candidate, market, series, recent, book, bid, ask, atr: atrShare(recent) };
	return feasibility(found, ledger) ?? found;
}

const refuse = (reason: string, detail: string): Refusal => ({ reason, detail });
const bps = (fraction: number): number => fraction * 10_000;

/** ATR of at least two round trips, spread of at most 0.15 ATR. */
function feasibility({ candidate, market, bid, ask, atr }: Scalpable, ledger: Ledger): Refusal | null {
	const { symbol } = candidate;
	const cost = 2 * market.taker_fee + SLIPPAGE;
	const needed = ATR_COSTS_MIN * cost;
	if (!(atr >= needed)) {
		const value = bps(atr);
		ledger.nearMiss({
			symbol,
			reason: "cost_exceeds_edge",
			value,
			threshold: bps(needed),
			distance: bps(needed) - value,
		});
		return refuse(
			"cost_exceeds_edge",
			`ATR14 of ${value.toFixed(1)} bp, a round trip costs ${bps(cost).toFixed(1)} bp`,
		);
	}
	const spread = (ask - bid) / ((ask + bid) / 2);
	if (spread <= SPREAD_ATR_MAX * atr) return null;
	const [value, threshold] = [spread / atr, SPREAD_ATR_MAX];
	ledger.nearMiss({ symbol, reason: "spread_too_wide", value, threshold, distance: value - threshold });
	return refuse("spread_too_wide", `spread of ${bps(spread).toFixed(1)} bp at an ATR14 of ${bps(atr).toFixed(1)} bp`);
}

/** (bid quantity - ask quantity) over both, of the ten best levels: -1 .. 1. */
export function bookImbalance(book: OrderBook): number {
	const depth = (levels: OrderBook["bids"]) =>
		levels.slice(0, IMBALANCE_LEVELS).reduce((sum, [, quantity]) => sum + quantity, 0);
	const [bids, asks] = [depth(book.bids), depth(book.asks)];
	return (bids - asks) / (bids + asks);
}

/** The touch weighted by the size on the other side (Stoikov 2018 calls its refinement the micro-price). */
export function microPrice(book: OrderBook): number {
	const [bid, ask] = [book.bids[0], book.asks[0]];
	return bid && ask ? (ask[0] * bid[1] + bid[0] * ask[1]) / (bid[1] + ask[1]) : Number.NaN;
}

/** The book leans beyond 0.4 to a side and its micro-price lies beyond the mid. */
export const bookConfirms = ({ book, bid, ask }: Scalpable, side: ScalpSide): boolean =>
	side * bookImbalance(book) > FLOW_MIN && side * (microPrice(book) - (bid + ask) / 2) > 0;

/** Value resting at the best level that an entry of this side would stand on, USD. */
export const touchDepthUsd = ({ book }: Scalpable, side: ScalpSide): number => {
	const level = side === 1 ? book.bids[0] : book.asks[0];
	return level ? level[0] * level[1] : 0;
};
