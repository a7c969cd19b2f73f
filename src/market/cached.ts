import { type Clock, systemClock } from "../clock.ts";
import { bytesOf } from "./answer-bytes.ts";
import { ByteLru } from "./byte-lru.ts";
import { sealColumns } from "./content.ts";
import type { FundingSeries, MarketData, ReadOptions, Series, StaleNote, TradeTape } from "./contract.ts";
import { MarketError, TIMEFRAME_MS } from "./contract.ts";
import { begunAt, keptFor, type MovingKind, SHARED_FOR_MS, STALE_FOR_MS } from "./live-rules.ts";
import { tooLate, withinLimit } from "./read-limit.ts";
import { newestBars } from "./series.ts";
import { SingleFlight } from "./single-flight.ts";
import type { Slots, Standing } from "./slots.ts";
import { createSlots } from "./slots.ts";
import { readTape } from "./tape-reading.ts";
import { createTurns } from "./turns.ts";

/** Answers kept in memory, all together. */
export const CACHE_BYTES_MAX = 256 * 1024 * 1024;
/** Calls under way at one venue at a time. */
export const VENUE_CONCURRENCY_MAX = 16;
/** Calls waiting for a venue; the thousandth perp of a universe still has its place. */
export const VENUE_WAITING_MAX = 4096;

/**
 * One call may take this long however its bytes trickle in. Without it a call that never ends would hold
 * its place at the venue, and every scan that asks for the same datum would join it in vain.
 */
export const READ_LIMIT_MS = 20_000;

const HOUR_MS = TIMEFRAME_MS["1h"];

export interface CacheOptions {
	bytesMax?: number;
	venueConcurrencyMax?: number;
	venueWaitingMax?: number;
	/** One call to the source, ms; its place in the queue does not count. Default READ_LIMIT_MS. */
	readLimitMs?: number;
	/** For that limit only. */
	clock?: Clock;
}

export interface CacheStats {
	/** Reads asked for. */
	calls: number;
	/** Answered from memory. */
	hits: number;
	/** Joined a fetch that was under way. */
	joined: number;
	/** Fetches sent to the source. */
	fetches: number;
	/** Fetches that failed or were aborted; never kept. */
	failures: number;
	evictions: number;
	entries: number;
	bytes: number;
}

export type CachedMarketData = MarketData & { stats(): CacheStats };

interface Kept {
	value: unknown;
	/** The source has no such data and never will: an answer like any other. */
	refusal: MarketError | null;
	/** as_of of the call that fetched it. */
	asOfMs: number;
	/** What its readers are told of it: it is the last good answer of a source that fails. */
	notes: readonly StaleNote[];
	/** Serves who began before this moment of `clock`; null: everybody. */
	begunUntilMs: number | null;
	/** Serves up to this moment of `clock`; null: for ever. */
	untilMs: number | null;
}

type Call<T> = (options: Pick<ReadOptions, "signal" | "onStale" | "later">) => Promise<T>;

/**
 * One market shared by all scans of a process: each datum is fetched once per (source, symbol,
 * timeframe, closed bar) however many ask and however they are interleaved. Bars and settlements are
 * keyed by the newest bar closed at as_of, everything that moves between bars by as_of itself.
 * A failed or aborted fetch is not kept; `not_supported` is, because it is what the source has to say.
 * Candles are fetched whole and cut to `limit` afterwards. Of a tape only what is new is fetched.
 * What moves at a live source serves every scan that is pinned in the same slice of SHARED_FOR_MS.
 */
export function withCache(market: MarketData, options: CacheOptions = {}): CachedMarketData {
	const cache = new ByteLru<Kept>(options.bytesMax ?? CACHE_BYTES_MAX);
	const flights = new SingleFlight();
	const count = { calls: 0, hits: 0, joined: 0, fetches: 0, failures: 0 };
	const venueOf = new Map<string, string>();
	const slotsOf = new Map<string, Slots>();
	/** Of the fetches under way. */
	const standings = new Map<string, Standing>();
	const clock = options.clock ?? systemClock;
	const readLimitMs = options.readLimitMs ?? READ_LIMIT_MS;
	/** The newest tape of each market, where its answer is still kept. */
	const tapes = new Map<string, { key: string; since_ms: number; as_of_ms: number }>();
	const live = market.source.kind === "live";
	const turn = createTurns();
	const moment = (kind: MovingKind, asOfMs: number): number =>
		live ? Math.floor(asOfMs / SHARED_FOR_MS[kind]) : asOfMs;

	const slots = (venue: string): Slots => {
		const known = slotsOf.get(venue);
		if (known) return known;
		const full = () => new MarketError("fetch_failed", `too many calls wait for ${venue || market.source.name}`, true);
		const made = createSlots(
			options.venueConcurrencyMax ?? VENUE_CONCURRENCY_MAX,
			options.venueWaitingMax ?? VENUE_WAITING_MAX,
			full,
		);
		slotsOf.set(venue, made);
		return made;
	};

	const serves = (kept: Kept, begunMs: number): boolean =>
		(kept.begunUntilMs === null || begunMs < kept.begunUntilMs) &&
		(kept.untilMs === null || clock.now() < kept.untilMs);

	const fetch = async (
		key: string,
		place: string,
		{ as_of_ms: asOfMs, later, begunMs }: { as_of_ms: number; later: boolean; begunMs: number },
		signal: AbortSignal,
		call: Call<unknown>,
	): Promise<Kept> => {
		const standing: Standing = { later };
		standings.set(key, standing);
		const notes: StaleNote[] = [];
		const keep = (value: unknown, refusal: MarketError | null): Kept => {
			const stale = notes.length > 0;
			// From when the asker began: what it was given may have been fetched as long ago as that.
			const recheckMs = live && !stale ? keptFor(key.slice(0, key.indexOf(":")), value) : null;
			const begunUntilMs = recheckMs === null ? null : begunMs + recheckMs;
			const kept = { value, refusal, asOfMs, notes, begunUntilMs, untilMs: stale ? clock.now() + STALE_FOR_MS : null };
			cache.set(key, kept, bytesOf(value));
			// Every answer with columns is new columns, and nobody writes to them: their identity is found once.
			if (value !== null && typeof value === "object") sealColumns(value);
			return kept;
		};
		try {
			const work = () => {
				count.fetches++;
				return withinLimit(clock, readLimitMs, tooLate(readLimitMs), signal, (own) =>
					call({ signal: own, onStale: (note) => notes.push(note), later: standing.later }),
				);
			};
			const value = await slots(place).run(signal, work, standing);
			signal.throwIfAborted();
			return keep(value, null);
		} catch (error) {
			if (error instanceof MarketError && error.code === "not_supported") return keep(null, error);
			count.failures++;
			throw error;
		} finally {
			if (standings.get(key) === standing) standings.delete(key);
		}
	};

	const read = async <T>(
		key: string,
		venue: string,
		{ signal, as_of_ms, onStale, later = false, begun_ms }: ReadOptions,
		call: Call<T>,
	): Promise<{ value: T; asOfMs: number }> => {
		signal.throwIfAborted();
		count.calls++;
		// Scans that begin together make a hundred thousand reads in one go. Leases, budgets and requests of a live source
		// have times of their own, so the loop must get on between them.
		if (live) await turn(signal);
		const begunMs = begunAt(clock.now(), begun_ms);
		let kept = cache.get(key);
		if (kept && !serves(kept, begunMs)) kept = undefined;
		if (kept) count.hits++;
		while (kept === undefined) {
			const asked = { as_of_ms, later, begunMs };
			const { result, joined } = flights.run(key, signal, (own) => fetch(key, venue, asked, own, call));
			if (joined) count.joined++;
			// What a candidate needs waits behind no other candidate because evidence asked for it first.
			if (joined && !later) standings.get(key)?.raise?.();
			const found = await result;
			// Whoever began earlier may have been given what is too old for this one.
			if (!joined || serves(found, begunMs)) kept = found;
		}
		if (kept.refusal) throw kept.refusal;
		if (onStale) for (const note of kept.notes) onStale(note);
		return { value: kept.value as T, asOfMs: kept.asOfMs };
	};

	/** Venues are known from `markets`; calls before it share one bound. */
	const venue = (symbol: string, { venue: asked }: Partial<ReadOptions> = {}) => asked ?? venueOf.get(symbol) ?? "";
	/** One symbol of several venues is a datum of each. */
	const named = (symbol: string, { venue: asked }: ReadOptions) =>
		asked === undefined ? symbol : `${symbol}@${asked}`;

	return {
		source: market.source,
		now: (agoMs) => market.now(agoMs),
		venues: () => market.venues(),
		async markets(name, options) {
			const { value } = await read(`markets:${name}:${moment("markets", options.as_of_ms)}`, name, options, (own) =>
				market.markets(name, { ...options, ...own }),
			);
			for (const entry of value) venueOf.set(entry.symbol, entry.venue);
			return value;
		},
		async candles(symbol, timeframe, { limit, since_ms: _, ...options }) {
			const bar = Math.floor(options.as_of_ms / TIMEFRAME_MS[timeframe]);
			const key = `candles:${named(symbol, options)}:${timeframe}:${bar}`;
			const { value, asOfMs } = await read(key, venue(symbol, options), options, (own) =>
				market.candles(symbol, timeframe, { ...options, ...own }),
			);
			return newestBars(pinned(value, asOfMs, options.as_of_ms), limit);
		},
		async tickers(symbols, options) {
			const key = `tickers:${JSON.stringify(symbols)}:${moment("tickers", options.as_of_ms)}`;
			const { value } = await read(key, venue(symbols[0] ?? ""), options, (own) =>
				market.tickers(symbols, { ...options, ...own }),
			);
			return value;
		},
		async funding(symbol, options) {
			const hour = Math.floor(options.as_of_ms / HOUR_MS);
			const key = `funding:${named(symbol, options)}:${hour}`;
			const { value, asOfMs } = await read(key, venue(symbol, options), options, (own) =>
				market.funding(symbol, { ...options, ...own }),
			);
			return value && pinned(value, asOfMs, options.as_of_ms);
		},
		async orderBook(symbol, options) {
			const key = `book:${named(symbol, options)}:${moment("book", options.as_of_ms)}`;
			const { value } = await read(key, venue(symbol, options), options, (own) =>
				market.orderBook(symbol, { ...options, ...own }),
			);
			return value;
		},
		async openInterest(symbol, options) {
			const key = `interest:${named(symbol, options)}:${moment("interest", options.as_of_ms)}`;
			const { value } = await read(key, venue(symbol, options), options, (own) =>
				market.openInterest(symbol, { ...options, ...own }),
			);
			return value;
		},
		async trades(symbol, options) {
			const { since_ms, as_of_ms } = options;
			const window = live ? as_of_ms - since_ms : since_ms;
			const key = `trades:${named(symbol, options)}:${window}:${moment("trades", as_of_ms)}`;
			const newest = tapes.get(named(symbol, options));
			// At a live source tapes wait longest; waiting for them nobody keeps the place of another.
			const place = live ? `trades ${venue(symbol, options)}` : venue(symbol, options);
			const { value } = await read(key, place, options, (own) => {
				if (live) return market.trades(symbol, { ...options, ...own });
				const tape = newest ? (cache.get(newest.key)?.value as TradeTape | null | undefined) : null;
				const kept = newest && tape ? { tape, since_ms: newest.since_ms } : null;
				return readTape(market, symbol, { ...options, ...own }, kept);
			});
			// Tapes are the largest answers by far: one a market is kept, the one that reaches furthest.
			const known = tapes.get(named(symbol, options));
			if (known && known.as_of_ms > as_of_ms) return value;
			if (known && known.key !== key) cache.delete(known.key);
			tapes.set(named(symbol, options), { key, since_ms, as_of_ms });
			return value;
		},
		async optionChain(base, options) {
			const { value } = await read(`chain:${base}:${moment("chain", options.as_of_ms)}`, base, options, (own) =>
				market.optionChain(base, { ...options, ...own }),
			);
			return value;
		},
		async volatilityHistory(base, options) {
			const { value } = await read(
				`volatility:${base}:${moment("volatility", options.as_of_ms)}`,
				base,
				options,
				(own) => market.volatilityHistory(base, { ...options, ...own }),
			);
			return value;
		},
		check: (signal) => market.check(signal),
		async close() {
			flights.abortAll(new MarketError("fetch_failed", "the market is closed", false));
			cache.clear();
			await market.close();
		},
		stats: () => ({ ...count, evictions: cache.evictions, entries: cache.size, bytes: cache.bytes }),
	};
}

/**
 * The same data as of another instant of the same bar. A source that answered for an instant of its
 * own (a recorded one that stands still) keeps that one.
 */
function pinned<S extends Series | FundingSeries>(series: S, fetchedAsOfMs: number, asOfMs: number): S {
	return series.as_of_ms === asOfMs || series.as_of_ms !== fetchedAsOfMs ? series : { ...series, as_of_ms: asOfMs };
}
