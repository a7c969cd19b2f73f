import {
	type FundingSeries,
	type Market,
	type MarketData,
	MarketError,
	type Series,
} from "../../src/market/contract.ts";
import { fundingUpTo, seriesUpTo } from "../../src/market/series.ts";
import { carrySeries, venueFunding } from "./carry-legs.ts";
import { marketOf } from "./synthetic-market.ts";

export const VENUES = ["alpha", "beta"] as const;
/** Hours between the settlements of each venue. */
export const INTERVAL_HOURS = { alpha: 8, beta: 4 } as const;
type Venue = (typeof VENUES)[number];

/** Rate of one settlement of a base at a venue: its number and how many settlements there are, fraction. */
export type RateOf = (base: string, venue: Venue, i: number, count: number) => number;

interface Listed {
	market: Market;
	series: Series;
	funding: FundingSeries;
}

/**
 * A source whose two venues list the same symbols: every read must name its venue, and a read that does not is
 * refused, because it could only guess. Candles and funding; no books.
 */
export function twoVenues(
	bases: readonly string[],
	asOfMs: number,
	rateOf: RateOf,
	extra: Partial<Market> = {},
	days = 500,
): MarketData & { unnamed: string[] } {
	const listed = new Map<string, Listed>();
	bases.forEach((base, k) => {
		const symbol = `${base}/USDT:USDT`;
		const places = VENUES.map((venue) => ({ symbol, venue, tremor: 0.0004 }));
		const series = carrySeries(places, asOfMs, 40 + k);
		VENUES.forEach((venue, i) => {
			const hours = INTERVAL_HOURS[venue];
			const count = Math.floor((days * 24) / hours);
			const market = marketOf(symbol, {
				venue,
				funding_interval_hours: hours,
				taker_fee: 0.0003,
				volume_usd_24h: venue === "alpha" ? 400_000_000 : 300_000_000,
				...extra,
			});
			const funding = venueFunding({ symbol, venue }, hours, asOfMs, days, (n) => rateOf(base, venue, n, count));
			listed.set(`${symbol}@${venue}`, { market, series: series[i] as Series, funding });
		});
	});
	const unnamed: string[] = [];
	const find = (symbol: string, venue: string | undefined): Listed => {
		const found = listed.get(`${symbol}@${venue}`);
		if (found) return found;
		unnamed.push(symbol);
		throw new MarketError("bad_symbol", `which venue's ${symbol}?`, false);
	};
	return {
		unnamed,
		source: { kind: "simulated", name: "simulated:two-venues" },
		now: () => asOfMs,
		venues: () => VENUES,
		markets: async (venue) => [...listed.values()].map(({ market }) => market).filter((one) => one.venue === venue),
		candles: async (symbol, timeframe, { venue, as_of_ms }) => {
			const { series } = find(symbol, venue);
			return seriesUpTo(
				{ ...series, duplicates: 0 },
				{ symbol, venue: series.venue, market: "perp", timeframe },
				as_of_ms,
			);
		},
		funding: async (symbol, { venue, as_of_ms }) => {
			const { funding } = find(symbol, venue);
			return fundingUpTo(funding, funding, funding.interval_hours, as_of_ms);
		},
		tickers: async () => [],
		orderBook: async () => null,
		openInterest: async () => null,
		trades: async () => null,
		optionChain: async () => null,
		volatilityHistory: async () => null,
		check: async () => ({ ok: true, error: null }),
		close: async () => undefined,
	};
}
