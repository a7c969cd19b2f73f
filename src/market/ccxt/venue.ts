/** One exchange as a venue: what is read of it, in the program's own shapes. Runs in the thread of exchanges. */
import type { Exchange } from "ccxt";
import { abortable } from "../abortable.ts";
import type { Market, OpenInterest, OptionChain, OrderBook, Ticker, Timeframe } from "../contract.ts";
import { MarketError } from "../contract.ts";
import type { BarColumns, FundingColumns } from "../series.ts";
import { createSlots } from "../slots.ts";
import { createCandles } from "./candles.ts";
import { type AnswerDates, createAnswerDates, createClosedBy } from "./dates.ts";
import { marketErrorOf, NotServed } from "./errors.ts";
import { createInterests } from "./interest.ts";
import { countedIn, describe, type ListedMarket, quoteVolume, typeOf, unitOf } from "./listing.ts";
import { openExchange, type VenueOptions } from "./open-exchange.ts";
import { optionsOn, readChain } from "./options.ts";
import { type ExchangeProfile, profileOf } from "./profiles.ts";
import type { Asker } from "./protocol.ts";
import { underSignal } from "./requests.ts";
import { createSettlements } from "./settlements.ts";
import { orLastGood, shared } from "./shared.ts";
import { readTickerTable, TICKERS_FRESH_MS, type TickerTable, tickersOf } from "./tickers.ts";
import { readTrades, type Tape } from "./trades.ts";

/** The list of markets and the intervals of funding are read again after this time. */
const LISTING_FRESH_MS = 3_600_000;
/** A list of markets that cannot be read again still says what a symbol is: markets seldom move. */
const LISTING_KEPT_MS = 24 * 3_600_000;
/** Chains of a venue that wait for their turn; no exchange lists options on as many coins. */
const CHAINS_WAITING_MAX = 1_000;
/** Levels of a book on each side. */
const BOOK_LEVELS = 100;

interface At {
	as_of_ms: number;
}
interface Of extends At {
	symbol: string;
}

/** What a venue is asked, and by whom; every answer can cross to another thread. Rejects with MarketError or the signal's reason. */
export interface VenueReads {
	/** The exchange's clock, epoch ms, from the dates of its answers where nothing else tells it; null: nothing does. */
	time(of: object, signal: AbortSignal, asker?: Asker): Promise<number | null>;
	/** null: the symbol is not listed. */
	place(
		of: { symbol: string },
		signal: AbortSignal,
		asker?: Asker,
	): Promise<{ symbol: string; type: "spot" | "perp" } | null>;
	markets(of: At, signal: AbortSignal, asker?: Asker): Promise<Market[]>;
	candles(
		of: Of & { timeframe: Timeframe; limit: number | null },
		signal: AbortSignal,
		asker?: Asker,
	): Promise<BarColumns>;
	tickers(of: At & { symbols: readonly string[] }, signal: AbortSignal, asker?: Asker): Promise<Ticker[]>;
	funding(of: Of, signal: AbortSignal, asker?: Asker): Promise<FundingColumns | null>;
	orderBook(of: Of, signal: AbortSignal, asker?: Asker): Promise<OrderBook | null>;
	/** `present`: the newest there is; otherwise the newest that was measured by as_of. */
	openInterest(of: Of & { present: boolean }, signal: AbortSignal, asker?: Asker): Promise<OpenInterest | null>;
	trades(of: Of & { since_ms: number }, signal: AbortSignal, asker?: Asker): Promise<Tape | null>;
	optionChain(of: At & { base: string }, signal: AbortSignal, asker?: Asker): Promise<OptionChain | null>;
}

/** Opens an exchange of ccxt; nothing is asked of it yet. Throws ExchangeLoadError for an id that ccxt does not have. */
export async function openVenue(options: VenueOptions): Promise<VenueReads> {
	const profile = profileOf(options.id);
	const dates = createAnswerDates(options.clock);
	const exchange = await openExchange(options, profile, profile.settings, dates);
	const parts = partsOf(exchange, profile, options, dates);
	return guarded(options.id, {
		...currentReads(parts),
		...historyReads(parts),
		optionChain: chainReads(options, profile),
	});
}

/** Of what many calls share none's signal is asked. */
const never = new AbortController().signal;

interface Parts {
	exchange: Exchange;
	profile: ExchangeProfile;
	dates: AnswerDates;
	/** Markets that are read, by symbol. */
	listed(signal: AbortSignal): Promise<ReadonlyMap<string, ListedMarket>>;
	/** The same, or as it was within a day: for what is named, not for what is shown as the markets of now. */
	known(signal: AbortSignal): Promise<ReadonlyMap<string, ListedMarket>>;
	find(symbol: string, signal: AbortSignal): Promise<ListedMarket>;
	/** Hours between settlements, by symbol. */
	intervals(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
	candles: ReturnType<typeof createCandles>;
	settlements: ReturnType<typeof createSettlements>;
	interests: ReturnType<typeof createInterests>;
	tickers(signal: AbortSignal): Promise<TickerTable>;
}

function partsOf(exchange: Exchange, profile: ExchangeProfile, { clock }: VenueOptions, dates: AnswerDates): Parts {
	const settlements = createSettlements(exchange, profile);
	const listed = shared(clock, LISTING_FRESH_MS, async () => {
		const markets = (await exchange.loadMarkets(true)) as unknown as Record<string, ListedMarket>;
		return new Map(
			Object.values(markets).flatMap((market) =>
				typeOf(market) ? [[market.symbol, countedIn(profile, market)] as const] : [],
			),
		);
	});
	const known = orLastGood(clock, LISTING_KEPT_MS, listed);
	const intervals = shared(clock, LISTING_FRESH_MS, async () => {
		const perps = [...(await known(never)).values()].filter((market) => market.swap);
		return perps.length === 0 ? new Map<string, number>() : settlements.intervals(perps.map(({ symbol }) => symbol));
	});
	return {
		exchange,
		profile,
		dates,
		listed,
		known,
		intervals,
		async find(symbol, signal) {
			const market = (await known(signal)).get(symbol);
			if (!market) throw new MarketError("bad_symbol", `${exchange.id} lists no market '${symbol}'`, false);
			return market;
		},
		candles: createCandles(
			exchange,
			profile,
			createClosedBy(clock, dates, () => timeOf(exchange, dates)),
		),
		settlements,
		interests: createInterests(exchange, profile, clock),
		tickers: shared(clock, TICKERS_FRESH_MS, async () =>
			readTickerTable(exchange, profile, [...(await known(never)).values()]),
		),
	};
}

async function timeOf(exchange: Exchange, dates: AnswerDates): Promise<number | null> {
	const serverMs = (await exchange.fetchTime()) ?? null;
	if (serverMs !== null) dates.told(serverMs);
	return serverMs ?? dates.now();
}

type CurrentReads = Pick<VenueReads, "time" | "place" | "markets" | "tickers" | "orderBook" | "openInterest">;

function currentReads(parts: Parts): CurrentReads {
	const { exchange, profile, known, find } = parts;
	return {
		async time(_of, signal) {
			if (exchange.has.fetchTime === true) return timeOf(exchange, parts.dates);
			// The list is needed anyway, and its answer carries a date.
			if (parts.dates.now() === null) await parts.listed(signal);
			return parts.dates.now();
		},
		async place({ symbol }, signal) {
			const market = (await known(signal)).get(symbol);
			const type = market ? typeOf(market) : null;
			return type === null ? null : { symbol, type };
		},
		markets: ({ as_of_ms }, signal) => describeAll(parts, as_of_ms, signal),
		async tickers({ symbols, as_of_ms }, signal) {
			const markets = await Promise.all(symbols.map((symbol) => find(symbol, signal)));
			const table = await parts.tickers(signal);
			return tickersOf(exchange, profile, markets, table, as_of_ms);
		},
		async orderBook({ symbol, as_of_ms }, signal) {
			const market = await find(symbol, signal);
			if (exchange.has.fetchOrderBook !== true) return null;
			const { bids, asks, timestamp } = await exchange.fetchOrderBook(symbol, BOOK_LEVELS);
			// An exchange without orders for the symbol has no book of it.
			if (bids.length === 0 && asks.length === 0) return null;
			const unit = unitOf(market);
			const side = (levels: typeof bids) =>
				levels.map(([price, amount]) => [Number(price), Number(amount) * unit] as [number, number]);
			return { symbol, bids: side(bids), asks: side(asks), at_ms: timestamp ?? as_of_ms };
		},
		async openInterest({ symbol, as_of_ms, present }, signal) {
			const market = await find(symbol, signal);
			return parts.interests.read(market, as_of_ms, present, () => parts.tickers(signal));
		},
	};
}

async function describeAll(parts: Parts, as_of_ms: number, signal: AbortSignal): Promise<Market[]> {
	const { exchange, profile } = parts;
	const markets = [...(await parts.listed(signal)).values()];
	const unlisted = new Map<string, number>();
	// Without the list of intervals they are unknown; what a contract settled shows its own.
	const [table, intervals] = await Promise.all([parts.tickers(signal), parts.intervals(signal).catch(() => unlisted)]);
	signal.throwIfAborted();
	const bases = new Set(markets.map(({ base }) => base));
	const ids = new Set(markets.flatMap(({ id }) => id ?? []));
	const volumes = new Map<string, number>();
	for (const market of markets) {
		const ticker = table.get(market.symbol);
		const volume = ticker && market.active !== false ? quoteVolume(profile, ticker, market) : null;
		if (volume !== null) volumes.set(market.symbol, volume);
	}
	const interests = await parts.interests.all(markets, volumes, table, as_of_ms);
	return markets.map((market) => {
		const { symbol } = market;
		return describe(exchange, profile, market, {
			as_of_ms,
			ticker: table.get(symbol),
			interval: intervals.get(symbol) ?? null,
			interest: interests.found.get(symbol) ?? null,
			interest_missing: interests.missing.get(symbol) ?? null,
			bases,
			ids,
		});
	});
}

function historyReads(parts: Parts): Pick<VenueReads, "candles" | "funding" | "trades"> {
	const { exchange, profile, find } = parts;
	return {
		async candles({ symbol, timeframe, limit, as_of_ms }, signal) {
			return parts.candles.read(await find(symbol, signal), timeframe, as_of_ms, limit);
		},
		async funding({ symbol, as_of_ms }, signal) {
			const market = await find(symbol, signal);
			if (!market.swap) return null;
			const interval = (await parts.intervals(signal)).get(symbol) ?? null;
			return parts.settlements.read(market, interval, as_of_ms);
		},
		async trades({ symbol, since_ms, as_of_ms }, signal) {
			const { pages_from_begin: fromBegin, tape_pages_max: pagesMax } = profile;
			const market = await find(symbol, signal);
			// Tapes are heavy and two strategies want them: bars and settlements of all others go first.
			const read = () => readTrades(exchange, market, since_ms, as_of_ms, { fromBegin, pagesMax });
			return underSignal(signal, read, 2);
		},
	};
}

/**
 * Options are listed by an instance of their own, opened when the first chain is asked for: they are thousands. Chains of an
 * exchange are read one after the other: some take a third of a minute's budget, and read together none would be whole in
 * time.
 */
function chainReads(options: VenueOptions, profile: ExchangeProfile): VenueReads["optionChain"] {
	const settings = profile.options;
	if (settings === null) return async () => null;
	const listing = shared(options.clock, LISTING_FRESH_MS, async () => {
		const exchange = await openExchange(options, profile, settings);
		try {
			await exchange.loadMarkets();
		} catch (error) {
			// Options may have a host of their own; where it has no list of them, none is offered.
			if (error instanceof NotServed) return null;
			throw error;
		}
		return exchange;
	});
	const turns = createSlots(1, CHAINS_WAITING_MAX, () => new MarketError("fetch_failed", "too many chains wait", true));
	return async ({ base, as_of_ms }, signal) => {
		const exchange = await listing(signal);
		const listed = exchange ? optionsOn(exchange, base) : [];
		if (!exchange || listed.length === 0) return null;
		return turns.run(signal, () => readChain(exchange, base, listed, as_of_ms));
	};
}

const ANYONE: Asker = { later: false, begun_ms: null };

/** Each read under its signal, with errors of the port. */
function guarded(id: string, reads: VenueReads): VenueReads {
	const guard = <Of, T>(read: (of: Of, signal: AbortSignal) => Promise<T>) => {
		return async (of: Of, signal: AbortSignal, { later, begun_ms }: Asker = ANYONE): Promise<T> => {
			signal.throwIfAborted();
			try {
				return await abortable(
					underSignal(signal, () => read(of, signal), later ? 1 : 0, begun_ms),
					signal,
				);
			} catch (error) {
				throw marketErrorOf(error, id, signal);
			}
		};
	};
	return {
		time: guard(reads.time),
		place: guard(reads.place),
		markets: guard(reads.markets),
		candles: guard(reads.candles),
		tickers: guard(reads.tickers),
		funding: guard(reads.funding),
		orderBook: guard(reads.orderBook),
		openInterest: guard(reads.openInterest),
		trades: guard(reads.trades),
		optionChain: guard(reads.optionChain),
	};
}
