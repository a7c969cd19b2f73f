import type { OptionChain, OptionQuote } from "../../market/contract.ts";
import { type OptionTerms, YEAR_MS } from "../../pricing/black76.ts";
import { impliedVolatility } from "../../pricing/implied-volatility.ts";

const DAY_MS = 86_400_000;
export const EXPIRY_DAYS_MIN = 7;
export const EXPIRY_DAYS_MAX = 60;
export const OPEN_INTEREST_MIN = 10;
export const SPREAD_OF_MID_MAX = 0.15;

/** A quote in one currency: premiums in quote currency per unit of the base, whatever they are paid in. */
export interface Option {
	quote: OptionQuote;
	kind: "call" | "put";
	strike: number;
	terms: OptionTerms;
	/** null: that side is not quoted with a price and a size. */
	bid: number | null;
	ask: number | null;
}

export interface Expiry {
	expiryMs: number;
	days: number;
	years: number;
	forward: number;
	/** Strikes growing; an option that is not quoted is absent. */
	strikes: { strike: number; call?: Option; put?: Option }[];
}

/** The usable part of a chain: expiries of 7 to 60 days, soonest first. */
export interface Board {
	chain: OptionChain;
	expiries: Expiry[];
	/** Lowest and highest forward up to 60 days: what one unit of the base costs, now or later. */
	forwardLow: number;
	forwardHigh: number;
}

/**
 * Reads a chain as of `asOfMs`. Premiums of an inverse chain become premium times forward, the
 * convention of Black-76 on such markets. Quotes without a forward or beyond 60 days are left out.
 */
export function readBoard(chain: OptionChain, asOfMs: number): Board {
	const byExpiry = new Map<number, OptionQuote[]>();
	const forwards: number[] = [];
	for (const quote of chain.quotes) {
		const days = (quote.expiry_ms - asOfMs) / DAY_MS;
		if (!(days > 0) || days > EXPIRY_DAYS_MAX || !(quote.forward !== null && quote.forward > 0)) continue;
		forwards.push(quote.forward);
		if (days < EXPIRY_DAYS_MIN) continue;
		const quotes = byExpiry.get(quote.expiry_ms);
		if (quotes) quotes.push(quote);
		else byExpiry.set(quote.expiry_ms, [quote]);
	}
	return {
		chain,
		expiries: [...byExpiry].sort(([a], [b]) => a - b).map(([ms, quotes]) => readExpiry(ms, quotes, chain, asOfMs)),
		forwardLow: Math.min(...forwards),
		forwardHigh: Math.max(...forwards),
	};
}

function readExpiry(expiryMs: number, quotes: readonly OptionQuote[], chain: OptionChain, asOfMs: number): Expiry {
	const years = (expiryMs - asOfMs) / YEAR_MS;
	// Quotes of one expiry share its forward; the median makes one odd quote harmless.
	const forwards = quotes.flatMap(({ forward }) => forward ?? []).sort((a, b) => a - b);
	const forward = forwards[Math.floor(forwards.length / 2)] ?? Number.NaN;
	const strikes = new Map<number, Expiry["strikes"][number]>();
	for (const quote of quotes) {
		const row = strikes.get(quote.strike) ?? { strike: quote.strike };
		const unit = chain.inverse ? forward : 1;
		const side = (price: number | null, size: number | null) =>
			price !== null && price > 0 && size !== null && size > 0 ? price * unit : null;
		row[quote.kind] = {
			quote,
			kind: quote.kind,
			strike: quote.strike,
			terms: { kind: quote.kind, forward, strike: quote.strike, years },
			bid: side(quote.bid, quote.bid_quantity),
			ask: side(quote.ask, quote.ask_quantity),
		};
		strikes.set(quote.strike, row);
	}
	return {
		expiryMs,
		days: (expiryMs - asOfMs) / DAY_MS,
		years,
		forward,
		strikes: [...strikes.values()].sort((a, b) => a.strike - b.strike),
	};
}

/** Implied volatility of one side; null when it is not quoted or no volatility gives its price. */
export function volatilityOf(option: Option, side: "bid" | "ask"): number | null {
	const premium = option[side];
	return premium === null ? null : impliedVolatility(option.terms, premium);
}

/** The expiry closest to a tenor; the sooner of two equally close ones. null without any. */
export function expiryNear(board: Board, days: number): Expiry | null {
	return board.expiries.reduce<Expiry | null>(
		(best, expiry) => (best && Math.abs(best.days - days) <= Math.abs(expiry.days - days) ? best : expiry),
		null,
	);
}

/** The option of a kind whose strike is closest to `strike`; the lower of two. */
export function optionNear(expiry: Expiry, kind: "call" | "put", strike: number): Option | null {
	return expiry.strikes.reduce<Option | null>((best, row) => {
		const option = row[kind];
		if (!option) return best;
		return best && Math.abs(best.strike - strike) <= Math.abs(option.strike - strike) ? best : option;
	}, null);
}
