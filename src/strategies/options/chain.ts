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
	/** The forward is that of put-call parity between the quotes themselves, because the venue states none. */
	forward_implied: boolean;
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
 * convention of Black-76 on such markets. Where an expiry has a stated forward its quotes without one are left out; where
 * it has none put-call parity gives it (impliedForward). Quotes beyond 60 days and expiries without a forward are left out.
 */
export function readBoard(chain: OptionChain, asOfMs: number): Board {
	const byExpiry = new Map<number, OptionQuote[]>();
	const forwards: number[] = [];
	for (const quote of chain.quotes) {
		const days = (quote.expiry_ms - asOfMs) / DAY_MS;
		if (!(days > 0) || days > EXPIRY_DAYS_MAX) continue;
		if (statedForward(quote) !== null) forwards.push(quote.forward as number);
		if (days < EXPIRY_DAYS_MIN) continue;
		const quotes = byExpiry.get(quote.expiry_ms);
		if (quotes) quotes.push(quote);
		else byExpiry.set(quote.expiry_ms, [quote]);
	}
	const expiries = [...byExpiry]
		.sort(([a], [b]) => a - b)
		.flatMap(([ms, quotes]) => readExpiry(ms, quotes, chain, asOfMs) ?? []);
	forwards.push(...expiries.flatMap(({ forward_implied, forward }) => (forward_implied ? forward : [])));
	return { chain, expiries, forwardLow: Math.min(...forwards), forwardHigh: Math.max(...forwards) };
}

const statedForward = ({ forward }: OptionQuote): number | null => (forward !== null && forward > 0 ? forward : null);

const median = (values: readonly number[]): number | null =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;

function readExpiry(expiryMs: number, all: readonly OptionQuote[], chain: OptionChain, asOfMs: number): Expiry | null {
	const years = (expiryMs - asOfMs) / YEAR_MS;
	const stating = all.filter((quote) => statedForward(quote) !== null);
	const quotes = stating.length > 0 ? stating : all;
	// Quotes of one expiry share its forward; the median makes one odd quote harmless.
	const stated = median(stating.flatMap(({ forward }) => forward ?? []));
	const forward = stated ?? impliedForward(quotes, chain.inverse);
	if (forward === null) return null;
	const strikes = new Map<number, Expiry["strikes"][number]>();
	for (const quote of quotes) {
		const row = strikes.get(quote.strike) ?? { strike: quote.strike };
		const unit = chain.inverse ? forward : 1;
		const side = (name: "bid" | "ask") => {
			const price = sidePrice(quote, name);
			return price === null ? null : price * unit;
		};
		row[quote.kind] = {
			quote,
			kind: quote.kind,
			strike: quote.strike,
			terms: { kind: quote.kind, forward, strike: quote.strike, years },
			bid: side("bid"),
			ask: side("ask"),
		};
		strikes.set(quote.strike, row);
	}
	return {
		expiryMs,
		days: (expiryMs - asOfMs) / DAY_MS,
		years,
		forward,
		forward_implied: stated === null,
		strikes: [...strikes.values()].sort((a, b) => a.strike - b.strike),
	};
}

/** Premium of a side that is quoted with a price and a size, in the currency it is paid in; null otherwise. */
function sidePrice(quote: OptionQuote, side: "bid" | "ask"): number | null {
	const [price, size] = [quote[side], side === "bid" ? quote.bid_quantity : quote.ask_quantity];
	return price !== null && price > 0 && size !== null && size > 0 ? price : null;
}

/** Strikes that an implied forward rests on, at most. */
const PARITY_STRIKES = 3;

/**
 * The forward of one expiry by put-call parity, F = K + C - P with the middles of the quotes and no discounting, as
 * elsewhere here; premiums in the base currency are F times as much, so F = K / (1 - (c - p)). Read where call and put cost
 * most alike (Cboe, VIX methodology: the forward index level), where discounting hardly matters; the median of three such
 * strikes makes one odd quote harmless. null: at no strike are both quoted on both sides and as narrowly as legs must be.
 */
function impliedForward(quotes: readonly OptionQuote[], inverse: boolean): number | null {
	const middles = new Map<number, { call?: number; put?: number }>();
	for (const quote of quotes) {
		const [bid, ask] = [sidePrice(quote, "bid"), sidePrice(quote, "ask")];
		if (bid === null || ask === null || !(2 * Math.abs(ask - bid) <= SPREAD_OF_MID_MAX * (ask + bid))) continue;
		middles.set(quote.strike, { ...middles.get(quote.strike), [quote.kind]: (bid + ask) / 2 });
	}
	const found = [...middles].flatMap(([strike, { call, put }]) => {
		if (call === undefined || put === undefined) return [];
		const forward = inverse ? strike / (1 - (call - put)) : strike + call - put;
		return forward > 0 ? [{ forward, unlike: Math.abs(Math.log(forward / strike)) }] : [];
	});
	found.sort((a, b) => a.unlike - b.unlike);
	return median(found.slice(0, PARITY_STRIKES).map(({ forward }) => forward));
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
