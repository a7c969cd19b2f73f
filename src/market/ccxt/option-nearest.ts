/** Which contracts and expiries of a chain are worth requests of their own. */
import type { OptionQuote } from "../contract.ts";
import { TIMEFRAME_MS } from "../contract.ts";
import { readEach } from "./each.ts";

/** Contracts of one chain that are asked for one by one; Deribit allows about as many requests in five seconds. */
const CALLS_MAX = 80;
const CALLS_AT_ONCE = 8;
/** Shorter and longer ones than are traded on here: what is told of them apart is not worth a request. */
const DAYS_MIN = 6;
const DAYS_MAX = 62;

/** Fields that replace those of the list, by symbol. */
export type OptionDetails = ReadonlyMap<string, Partial<OptionQuote>>;

export interface ChainOf {
	asOfMs: number;
	/** Base units. */
	contractSize: number;
	/** What the exchange calls the price of the underlying, a forward or an index; null: nothing. */
	priceOf(quote: OptionQuote): number | null;
}

/**
 * What is told of single contracts, of the quoted ones nearest to the money. One that cannot be had leaves its quote as it
 * was listed; when most fail the chain does, for nothing on it could be traded and nobody would be told why.
 */
export async function readNearest(
	quotes: readonly OptionQuote[],
	of: ChainOf,
	read: (quote: OptionQuote) => Promise<Partial<OptionQuote>>,
): Promise<OptionDetails> {
	const asked = nearest(quotes, of);
	const found = await readEach(asked, CALLS_AT_ONCE, read);
	return new Map(asked.flatMap(({ symbol }, i) => (found[i] ? [[symbol, found[i]]] : [])));
}

/** What is told of each expiry that is traded on; null for one that cannot be had. Rejects when most of them cannot. */
export function readTradedExpiries<T>(
	quotes: readonly OptionQuote[],
	{ asOfMs }: ChainOf,
	read: (one: OptionQuote) => Promise<T>,
): Promise<(T | null)[]> {
	const traded = quotes.filter((quote) => isTraded(quote, asOfMs));
	return readEach([...new Map(traded.map((quote) => [quote.expiry_ms, quote])).values()], CALLS_AT_ONCE, read);
}

const daysTo = (quote: OptionQuote, asOfMs: number): number => (quote.expiry_ms - asOfMs) / TIMEFRAME_MS["1d"];

function isTraded(quote: OptionQuote, asOfMs: number): boolean {
	const days = daysTo(quote, asOfMs);
	return days >= DAYS_MIN && days <= DAYS_MAX;
}

/** Quoted contracts by their distance from the underlying's price, in units that grow with the root of their time. */
function nearest(quotes: readonly OptionQuote[], { asOfMs, priceOf }: ChainOf): OptionQuote[] {
	const ranked = quotes.flatMap((quote) => {
		const quoted = quote.bid !== null || quote.ask !== null;
		const price = quote.forward ?? priceOf(quote);
		if (!quoted || price === null || !isTraded(quote, asOfMs)) return [];
		return [{ quote, distance: Math.abs(Math.log(quote.strike / price)) / Math.sqrt(daysTo(quote, asOfMs)) }];
	});
	ranked.sort((a, b) => a.distance - b.distance);
	return ranked.slice(0, CALLS_MAX).map(({ quote }) => quote);
}
