import { isDollarQuote } from "../dollars.ts";
import type { Market, MarketData, ReadOptions } from "../market/contract.ts";
import type { Candidate, DataNeeds, Rival } from "../strategies/contract.ts";
import { readOf } from "./candidates.ts";
import { failureOf, isAbsence } from "./errors.ts";

/** Other venues of one base that are looked at, the busiest first. */
const RIVALS_MAX = 4;

/**
 * Perps of the candidate's base at other venues. One that cannot be read does not cost the candidate, whose own
 * market may do without it: it says why it is missing. Rejects only when the read as a whole is aborted.
 */
export async function readRivals(
	market: MarketData,
	needs: DataNeeds,
	{ asset, market: own }: Candidate,
	options: ReadOptions,
): Promise<Rival[]> {
	const listed = asset?.markets ?? [];
	const others = listed.filter(
		({ type, venue, quote, tags }) =>
			type === "perp" && venue !== own?.venue && tags.length === 0 && isDollarQuote(quote),
	);
	return Promise.all(
		others.slice(0, RIVALS_MAX).map((of) => readRival(market, needs, of, readOf(of, listed, options))),
	);
}

async function readRival(market: MarketData, needs: DataNeeds, of: Market, read: ReadOptions): Promise<Rival> {
	const { symbol } = of;
	try {
		const [funding, series, book] = await Promise.all([
			needs.funding ? orNull(market.funding(symbol, read)) : null,
			needs.timeframe ? orNull(market.candles(symbol, needs.timeframe, read)) : null,
			needs.orderBook ? orNull(market.orderBook(symbol, read)) : null,
		]);
		return { market: of, funding, series, book, error: null };
	} catch (error) {
		read.signal.throwIfAborted();
		return { market: of, funding: null, series: null, book: null, error: failureOf(error, "fetch_failed").message };
	}
}

/** What the venue does not have is null. */
const orNull = <T>(work: Promise<T | null>): Promise<T | null> =>
	work.catch((error: unknown) => {
		if (isAbsence(error)) return null;
		throw error;
	});
