import type { Clock } from "../../clock.ts";
import { abortable } from "../abortable.ts";
import type { MarketData, ReadOptions } from "../contract.ts";
import { MarketError, TIMEFRAME_MS } from "../contract.ts";
import { fundingIntervalHours } from "../funding.ts";
import { openGate, type SourceGate } from "../gate.ts";
import { fundingUpTo, seriesUpTo } from "../series.ts";
import type { VenueSharing } from "../venue-sharing.ts";
import { venuesOf } from "./profiles.ts";
import { createServerClock, type MeasureTime, SECOND_LOOK_MS, type ServerClock } from "./server-clock.ts";
import { isDoubted, slowestTime } from "./source-time.ts";
import { createExchangeThread, type ExchangeThread } from "./thread.ts";

/** An instant that is not older counts as the present for what moves. */
export const PRESENT_MS = 10 * 60_000;
/** Loading the exchanges' code and asking for their time, at start. */
const OPEN_LIMIT_MS = 20_000;

export interface CcxtOptions {
	/** Exchange ids of ccxt; `binance` opens its spot and its USD-M markets as two venues. */
	exchanges: readonly string[];
	/** Every request goes to this origin, its path kept; null: to the exchanges. */
	baseUrl: string | null;
	gate?: SourceGate;
	/** Where what is kept of an exchange is shared with other processes; absent: there is none. */
	sharing?: VenueSharing;
	clock: Clock;
	/** Epoch ms that count while no exchange has told the time: those of a clock that all processes share. Absent: `clock`. */
	unknownNow?: () => number;
}

export const ccxtSourceName = (exchanges: readonly string[]): string => `ccxt:${exchanges.join(",")}`;

interface Venue {
	name: string;
	time: ServerClock;
}

/**
 * Live public data of exchanges through ccxt; no key is known and nothing but reading is possible.
 *
 * `now()` is the slowest exchange's own time, rounded down to LIVE_SLICE_MS unless that clock stands still (a replay).
 * An exchange whose clock contradicts those of the others does not count, and its markets are not given.
 * Bars, settlements and trades are exactly those up to as_of. What moves (tickers, books, open interest, chains,
 * descriptions of markets) is the newest at the moment of asking when as_of is not older than PRESENT_MS, and
 * carries its own time, which may lie after as_of by the length of a slice and of a scan. Of what moved before, only
 * open interest is known, where the exchange keeps its history; the rest is null or not_supported.
 * Rejects with an Error for an exchange that ccxt does not have; one that does not answer is no reason.
 */
export async function createCcxtMarketData(options: CcxtOptions): Promise<MarketData> {
	const { clock, baseUrl, gate = openGate, sharing = null, unknownNow = clock.now } = options;
	const thread = createExchangeThread({ baseUrl, gate, sharing, clock });
	const lifetime = new AbortController();
	try {
		const venues = venuesOf(options.exchanges).map((name): Venue => {
			const read = () => thread.read(name, "time", {}, { signal: lifetime.signal });
			const share =
				sharing && ((freshMs: number, own: MeasureTime) => sharing.time(name, freshMs, own, lifetime.signal));
			return { name, time: createServerClock(clock, read, share, unknownNow) };
		});
		await Promise.all(venues.map(({ name }) => thread.open(name, AbortSignal.timeout(OPEN_LIMIT_MS))));
		await abortable(firstLook(venues), AbortSignal.timeout(OPEN_LIMIT_MS)).catch(() => undefined);
		const second = clock.setTimeout(() => void follow(venues), SECOND_LOOK_MS);
		const close = async () => {
			clock.clearTimeout(second);
			lifetime.abort(new MarketError("fetch_failed", "the market is closed", false));
			await thread.close();
		};
		return assemble(ccxtSourceName(options.exchanges), venues, thread, unknownNow, close);
	} catch (error) {
		await thread.close();
		throw error;
	}
}

const follow = (venues: readonly Venue[]): Promise<PromiseSettledResult<void>[]> =>
	Promise.allSettled(venues.map(({ time }) => time.follow()));

/** An exchange that cannot be reached now is asked again when its time is needed. */
const firstLook = (venues: readonly Venue[]): Promise<unknown> =>
	Promise.allSettled(venues.map(({ time }) => time.measure()));

function assemble(
	name: string,
	venues: readonly Venue[],
	thread: ExchangeThread,
	unknownNow: () => number,
	close: () => Promise<void>,
): MarketData {
	const names = venues.map((venue) => venue.name);
	const find = createPlaces(names, thread);
	const now = (agoMs = 0) => sourceTime(venues, unknownNow, agoMs);
	const isPresent = (asOfMs: number) => now() - asOfMs <= PRESENT_MS;
	const onlyPresent = (asOfMs: number, what: string): void => {
		if (!isPresent(asOfMs)) throw new MarketError("not_supported", `a live exchange has no ${what} of the past`, false);
	};

	return {
		source: { kind: "live", name },
		now,
		venues: () => names,
		async markets(venue, read) {
			const { as_of_ms } = read;
			if (!names.includes(venue)) throw new MarketError("not_supported", `no venue '${venue}' is open`, false);
			if (isDoubted(venue, venues, unknownNow())) throw new MarketError("fetch_failed", doubtOf(venue), true);
			onlyPresent(as_of_ms, "list of markets");
			return thread.read(venue, "markets", { as_of_ms }, read);
		},
		async candles(symbol, timeframe, { limit, since_ms, ...read }) {
			const { venue, type } = await find(symbol, read);
			const { as_of_ms } = read;
			const unknown =
				since_ms === undefined ? null : Math.max(1, Math.ceil((as_of_ms - since_ms) / TIMEFRAME_MS[timeframe]));
			const asked = { symbol, timeframe, as_of_ms, limit: limit ?? unknown };
			const bars = await thread.read(venue, "candles", asked, read);
			return seriesUpTo(bars, { symbol, venue, market: type, timeframe }, as_of_ms, limit);
		},
		async tickers(symbols, read) {
			onlyPresent(read.as_of_ms, "tickers");
			const places = await Promise.all(symbols.map((symbol) => find(symbol, read)));
			const asked = names.map((venue) => ({
				venue,
				symbols: symbols.filter((_, i) => places[i]?.venue === venue),
			}));
			const { as_of_ms } = read;
			const found = await Promise.all(
				asked
					.filter((of) => of.symbols.length > 0)
					.map((of) => thread.read(of.venue, "tickers", { symbols: of.symbols, as_of_ms }, read)),
			);
			const bySymbol = new Map(found.flat().map((ticker) => [ticker.symbol, ticker]));
			return symbols.flatMap((symbol) => bySymbol.get(symbol) ?? []);
		},
		async funding(symbol, read) {
			const { venue, type } = await find(symbol, read);
			if (type !== "perp") return null;
			const { as_of_ms } = read;
			const columns = await thread.read(venue, "funding", { symbol, as_of_ms }, read);
			const interval = columns && fundingIntervalHours(columns, as_of_ms);
			return columns && interval ? fundingUpTo(columns, { symbol, venue }, interval, as_of_ms) : null;
		},
		async orderBook(symbol, read) {
			const { venue } = await find(symbol, read);
			if (!isPresent(read.as_of_ms)) return null;
			return thread.read(venue, "orderBook", { symbol, as_of_ms: read.as_of_ms }, read);
		},
		async openInterest(symbol, read) {
			const { venue } = await find(symbol, read);
			const present = isPresent(read.as_of_ms);
			return thread.read(venue, "openInterest", { symbol, as_of_ms: read.as_of_ms, present }, read);
		},
		async trades(symbol, { since_ms, ...read }) {
			const { venue } = await find(symbol, read);
			const { as_of_ms } = read;
			const tape = isPresent(as_of_ms)
				? await thread.read(venue, "trades", { symbol, as_of_ms, since_ms }, read)
				: null;
			return tape && { symbol, venue, ...tape, as_of_ms };
		},
		async optionChain(base, read) {
			const { as_of_ms } = read;
			if (!isPresent(as_of_ms)) return null;
			const failures: unknown[] = [];
			for (const venue of names) {
				try {
					const chain = await thread.read(venue, "optionChain", { base, as_of_ms }, read);
					if (chain) return chain;
				} catch (error) {
					read.signal.throwIfAborted();
					failures.push(error);
				}
			}
			// What one venue could not say is no answer of the others.
			if (failures.length > 0) throw failures[0];
			return null;
		},
		// No exchange keeps the implied volatility of its past chains.
		async volatilityHistory(_base, { signal }) {
			signal.throwIfAborted();
			return null;
		},
		check: (signal) => check(venues, unknownNow, signal),
		close,
	};
}

function sourceTime(venues: readonly Venue[], unknownNow: () => number, agoMs: number): number {
	for (const { time } of venues) if (time.stale()) void time.follow().catch(() => undefined);
	return slowestTime(venues, unknownNow(), agoMs);
}

const doubtOf = (venue: string): string => `the clock of ${venue} contradicts those of the other exchanges`;

/** Whether each exchange has told its time lately, to this process or another: each asks every few seconds. */
async function check(
	venues: readonly Venue[],
	unknownNow: () => number,
	signal: AbortSignal,
): Promise<{ ok: boolean; error: string | null }> {
	const looks = await abortable(follow(venues), signal);
	const failed = venues.filter((_, i) => looks[i]?.status === "rejected");
	const doubted = venues.filter(({ name }) => isDoubted(name, venues, unknownNow()));
	const errors = [
		...(failed.length > 0 ? [`no answer from ${failed.map(({ name }) => name).join(", ")}`] : []),
		...doubted.map(({ name }) => doubtOf(name)),
	];
	return errors.length === 0 ? { ok: true, error: null } : { ok: false, error: errors.join("; ") };
}

interface Place {
	venue: string;
	type: "spot" | "perp";
}
/** Symbols whose venue is remembered: a market does not move. More than any exchange lists. */
const PLACES_MAX = 20_000;

/**
 * Where a symbol is listed: at the venue that is asked for, else at the first one that lists it. A venue whose list
 * cannot be read does not hide the others; only what none of them lists waits for it.
 */
function createPlaces(names: readonly string[], thread: ExchangeThread) {
	const known = new Map<string, Place>();
	return async (symbol: string, read: ReadOptions): Promise<Place> => {
		const { venue: asked, signal } = read;
		signal.throwIfAborted();
		const key = asked === undefined ? symbol : `${symbol}@${asked}`;
		const place = known.get(key);
		if (place) return place;
		let failure: unknown = null;
		for (const venue of names) {
			if (asked !== undefined && venue !== asked) continue;
			try {
				const listed = await thread.read(venue, "place", { symbol }, read);
				if (!listed) continue;
				if (known.size >= PLACES_MAX) known.clear();
				const found = { venue, type: listed.type };
				// With an earlier venue unread this one is not sure to be the first.
				if (failure === null) known.set(key, found);
				return found;
			} catch (error) {
				signal.throwIfAborted();
				failure = error;
			}
		}
		throw failure ?? new MarketError("bad_symbol", `no market '${symbol}' is listed`, false);
	};
}
