import type { OpenInterest as CcxtInterest, Exchange } from "ccxt";
import type { Clock } from "../../clock.ts";
import { isDollarQuote } from "../../dollars.ts";
import type { Market, OpenInterest } from "../contract.ts";
import { MarketError, TIMEFRAME_MS } from "../contract.ts";
import { readEach } from "./each.ts";
import { type ListedMarket, tickerTime, unitOf } from "./listing.ts";
import type { ExchangeProfile } from "./profiles.ts";
import { begunIn, keptFor } from "./requests.ts";
import type { TickerTable } from "./tickers.ts";

/** Open interest moves slowly and costs a request per contract: one that is younger is not asked for again. */
export const INTEREST_FRESH_MS = 15 * 60_000;
/** Below this volume over 24 h nothing is decided by open interest, so it is not asked for. */
export const INTEREST_VOLUME_USD_MIN = 10_000_000;
const CALLS_AT_ONCE = 16;
/** Steps of the history, and how far before an instant a measurement may lie. */
const STEPS: readonly { period: "5m" | "1h" | "4h"; stepMs: number }[] = [
	{ period: "5m", stepMs: TIMEFRAME_MS["5m"] },
	{ period: "1h", stepMs: TIMEFRAME_MS["1h"] },
	{ period: "4h", stepMs: TIMEFRAME_MS["4h"] },
];
const STEPS_BACK = 3;

interface Measured {
	interest: OpenInterest | null;
	readAtMs: number;
}

export interface VenueInterests {
	/** By symbol. */
	found: Map<string, OpenInterest>;
	/** Why it is not known of others of which it may be asked, by symbol. Of what is in neither the exchange tells none. */
	missing: Map<string, NonNullable<Market["open_interest_missing"]>>;
}

export interface Interests {
	/** Of one contract: the newest, or the newest that was measured by as_of where that lies in the past. */
	read(
		market: ListedMarket,
		asOfMs: number,
		present: boolean,
		tickers: () => Promise<TickerTable>,
	): Promise<OpenInterest | null>;
	/** Of all perps for which it can be had. Rejects when most of the requests fail. */
	all(
		markets: readonly ListedMarket[],
		volumes: ReadonlyMap<string, number>,
		table: TickerTable,
		asOfMs: number,
	): Promise<VenueInterests>;
}

export function createInterests(exchange: Exchange, profile: ExchangeProfile, clock: Clock): Interests {
	const known = new Map<string, Measured>();

	const present = async (market: ListedMarket, tickers: () => Promise<TickerTable>): Promise<OpenInterest | null> => {
		const fresh = known.get(market.symbol);
		if (fresh && begunIn(clock) - fresh.readAtMs < INTEREST_FRESH_MS) return fresh.interest;
		const read = () => newest(exchange, profile, market, tickers);
		const { value: interest, age_ms } = await keptFor(INTEREST_FRESH_MS, read);
		known.set(market.symbol, { interest, readAtMs: clock.now() - age_ms });
		return interest;
	};

	return {
		async read(market, asOfMs, isPresent, tickers) {
			if (!market.swap) return null;
			if (!isPresent) return profile.interest_history ? before(exchange, market, asOfMs) : null;
			// The history needs no price, so no tickers are read for it.
			const quoted = profile.interest_history ? null : ofTicker(profile, market, await tickers(), asOfMs);
			return quoted ?? present(market, tickers);
		},
		async all(markets, volumes, table, asOfMs) {
			const perps = markets.filter((market) => market.swap && isDollarQuote(market.quote));
			const found = new Map<string, OpenInterest>();
			for (const market of perps) {
				const interest = ofTicker(profile, market, table, asOfMs);
				if (interest) found.set(market.symbol, interest);
			}
			if (found.size > 0) return { found, missing: new Map() };
			if (exchange.has.fetchOpenInterests === true) return { found: await bulk(exchange, perps), missing: new Map() };
			if (profile.interest_calls_max === 0) return { found, missing: missingOf(perps, "unpublished") };
			const wanted = perps
				.filter(({ symbol }) => (volumes.get(symbol) ?? 0) > INTEREST_VOLUME_USD_MIN)
				.sort((a, b) => (volumes.get(b.symbol) ?? 0) - (volumes.get(a.symbol) ?? 0));
			return oneByOne(wanted, profile.interest_calls_max, (market) => present(market, async () => table));
		},
	};
}

const missingOf = (markets: readonly ListedMarket[], why: "unread" | "unpublished"): VenueInterests["missing"] =>
	new Map(markets.map(({ symbol }) => [symbol, why]));

/** What fails, or lies beyond `callsMax`, is marked as unread; with most of them failed nearly all would be. */
async function oneByOne(
	wanted: readonly ListedMarket[],
	callsMax: number,
	read: (market: ListedMarket) => Promise<OpenInterest | null>,
): Promise<VenueInterests> {
	const asked = wanted.slice(0, callsMax);
	const answers = await readEach(asked, CALLS_AT_ONCE, async (market) => ({ interest: await read(market) }));
	const found = answers.flatMap((answer) => answer?.interest ?? []);
	const unread = wanted.filter((_, i) => !answers[i]);
	return {
		found: new Map(found.map((interest) => [interest.symbol, interest])),
		missing: missingOf(unread, "unread"),
	};
}

/** Tickers that carry no time of their own (bybit's) are of the instant that is asked for. */
function ofTicker(
	profile: ExchangeProfile,
	market: ListedMarket,
	table: TickerTable,
	asOfMs: number,
): OpenInterest | null {
	const ticker = table.get(market.symbol);
	const value_usd = ticker ? profile.tickerInterestUsd(ticker) : null;
	if (!ticker || value_usd === null) return null;
	const quantity_base = ticker.last ? value_usd / ticker.last : null;
	return { symbol: market.symbol, value_usd, quantity_base, at_ms: tickerTime(ticker) ?? asOfMs };
}

/** An exchange's structure as the port's; null without a value in dollars or a time of measurement. */
function interestOf(market: ListedMarket, found: CcxtInterest | undefined, price: number | null): OpenInterest | null {
	if (!found || found.timestamp === undefined) return null;
	const contracts = found.openInterestAmount;
	const quantity_base = contracts === undefined ? null : contracts * unitOf(market);
	const value_usd =
		found.openInterestValue ?? (quantity_base === null || price === null ? null : quantity_base * price);
	return value_usd === null ? null : { symbol: market.symbol, value_usd, quantity_base, at_ms: found.timestamp };
}

/** The history's newest point has the exchange's own value in dollars; otherwise the quantity counts at the last price. */
async function newest(
	exchange: Exchange,
	profile: ExchangeProfile,
	market: ListedMarket,
	tickers: () => Promise<TickerTable>,
): Promise<OpenInterest | null> {
	if (profile.interest_history) {
		const rows = await exchange.fetchOpenInterestHistory(market.symbol, "5m", undefined, 1);
		const found = interestOf(market, rows.at(-1), null);
		if (found) return found;
	}
	if (exchange.has.fetchOpenInterest !== true) return null;
	const price = (await tickers()).get(market.symbol)?.last ?? null;
	return interestOf(market, await exchange.fetchOpenInterest(market.symbol), price);
}

/** The newest measurement by then, of the finest step that has one. */
async function before(exchange: Exchange, market: ListedMarket, asOfMs: number): Promise<OpenInterest | null> {
	for (const { period, stepMs } of STEPS.slice(1)) {
		const since = asOfMs - STEPS_BACK * stepMs;
		const rows = await exchange.fetchOpenInterestHistory(market.symbol, period, since, STEPS_BACK + 1, {
			until: asOfMs,
		});
		const found = rows.filter(({ timestamp }) => timestamp !== undefined && timestamp <= asOfMs).at(-1);
		const interest = interestOf(market, found, null);
		if (interest) return interest;
	}
	return null;
}

async function bulk(exchange: Exchange, perps: readonly ListedMarket[]): Promise<Map<string, OpenInterest>> {
	const answer = (await exchange.fetchOpenInterests()) as unknown as Record<string, CcxtInterest | undefined>;
	const found = new Map<string, OpenInterest>();
	for (const market of perps) {
		const interest = interestOf(market, answer[market.symbol], null);
		if (interest) found.set(market.symbol, interest);
	}
	if (perps.length > 0 && found.size === 0) {
		throw new MarketError("fetch_failed", `${exchange.id} sent no open interest that can be read`, true);
	}
	return found;
}
