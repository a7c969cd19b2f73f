import { access } from "node:fs/promises";
import type { Clock } from "../clock.ts";
import type { MarketData, ReadOptions } from "./contract.ts";
import { MarketError, TIMEFRAME_MS } from "./contract.ts";
import { fundingIntervalHours } from "./funding.ts";
import { withLatency } from "./latency.ts";
import { RecordedFileError } from "./recorded-csv.ts";
import type { RecordedFiles } from "./recorded-files.ts";
import { createRecordedFiles } from "./recorded-files.ts";
import type { RecordedLayout, RecordedMarket } from "./recorded-layout.ts";
import { describeMarket, PERP_VENUE, readLayout, SPOT_VENUE } from "./recorded-layout.ts";
import { createRecordedMarkets } from "./recorded-markets.ts";
import { createRecordedSeries } from "./recorded-series.ts";
import type { UniverseSnapshot } from "./recorded-universe.ts";
import { readUniverse } from "./recorded-universe.ts";
import { fundingUpTo, seriesUpTo } from "./series.ts";
import { createTurns } from "./turns.ts";

export interface RecordedOptions {
	/** Folder of the data set. */
	dir: string;
	/** The instant as which everything is known; null: the newest common time of the hourly data. */
	asOfMs: number | null;
	/** Added to each call; 0: none. */
	latencyMs: number;
	clock: Clock;
}

/**
 * The market as it was known at one instant, from a recorded data set. Its clock stands still there.
 *
 * Venues: `binance` (spot) and `binanceusdm` (perps). Candles exist in 1h, 4h (built from 1h) and 1d;
 * a market that is listed without candles of a timeframe gives MarketError not_supported, an unknown
 * symbol bad_symbol, a broken file fetch_failed with the file's name. The set holds no order book of a
 * time at which it has other data, so `orderBook` is null. Throws RecordedFileError at start for a
 * folder or file that cannot be used.
 */
export async function createRecordedMarketData(options: RecordedOptions): Promise<MarketData> {
	const layout = await readLayout(options.dir);
	const universes = await Promise.all(layout.universes.map((file) => readUniverse(layout.dir, file)));
	const files = createRecordedFiles(layout.dir);
	try {
		const bySymbol = await listMarkets(layout, files, universes);
		const asOfMs = options.asOfMs ?? (await newestCommonTime(layout, files, universes));
		const market = assemble(layout, files, universes, bySymbol, asOfMs);
		return options.latencyMs > 0 ? withLatency(market, options.latencyMs, options.clock) : market;
	} catch (error) {
		await files.close();
		throw error;
	}
}

type MarketsBySymbol = ReadonlyMap<string, RecordedMarket>;

function assemble(
	layout: RecordedLayout,
	files: RecordedFiles,
	universes: readonly UniverseSnapshot[],
	bySymbol: MarketsBySymbol,
	asOfMs: number,
): MarketData {
	const series = createRecordedSeries(layout, files);
	const bases = new Set([...bySymbol.values()].map((market) => market.base));
	const markets = createRecordedMarkets(layout, files, series, universes, bases);
	const venues = [SPOT_VENUE, PERP_VENUE].filter((venue) =>
		[...bySymbol.values()].some((market) => market.venue === venue),
	);
	const find = (symbol: string): RecordedMarket => {
		const market = bySymbol.get(symbol);
		if (!market) throw new MarketError("bad_symbol", `the recorded set has no market '${symbol}'`, false);
		return market;
	};
	const turn = createTurns();
	/**
	 * A caller may look back further than the set's as_of, never past it. Each answer takes a turn of its own: from
	 * files that are in memory, those for a whole universe would follow each other without a pause.
	 */
	const pinned = async <O extends ReadOptions>(read: O): Promise<O> => {
		await turn(read.signal);
		return { ...read, as_of_ms: Math.min(read.as_of_ms, asOfMs) };
	};

	return {
		source: { kind: "recorded", name: "recorded:binance" },
		now: () => asOfMs,
		venues: () => venues,
		async markets(venue, read) {
			if (!venues.includes(venue))
				throw new MarketError("not_supported", `the recorded set has no venue '${venue}'`, false);
			const own = [...bySymbol.values()].filter((market) => market.venue === venue);
			const at = await pinned(read);
			const described = await Promise.all(own.map((market) => markets.describe(market, at)));
			return described.filter((market) => market !== null);
		},
		async candles(symbol, timeframe, read) {
			const market = find(symbol);
			const { as_of_ms, signal, limit } = await pinned(read);
			const bars = await series.bars(market, timeframe, signal);
			return seriesUpTo(bars, { symbol, venue: market.venue, market: market.type, timeframe }, as_of_ms, limit);
		},
		async tickers(symbols, read) {
			const at = await pinned(read);
			const found = await Promise.all(symbols.map((symbol) => markets.ticker(find(symbol), at)));
			return found.filter((ticker) => ticker !== null);
		},
		async funding(symbol, read) {
			const market = find(symbol);
			const { as_of_ms, signal } = await pinned(read);
			const columns = await series.funding(market, signal);
			const interval = columns && fundingIntervalHours(columns, as_of_ms);
			const { venue } = market;
			return columns && interval ? fundingUpTo(columns, { symbol, venue }, interval, as_of_ms) : null;
		},
		async orderBook(symbol, read) {
			find(symbol);
			await pinned(read);
			return null;
		},
		async openInterest(symbol, read) {
			const market = find(symbol);
			return markets.openInterest(market, await pinned(read));
		},
		async trades(symbol, read) {
			find(symbol);
			await pinned(read);
			return null;
		},
		async optionChain(_base, read) {
			await pinned(read);
			return null;
		},
		async volatilityHistory(_base, read) {
			await pinned(read);
			return null;
		},
		async check(signal) {
			signal.throwIfAborted();
			const error = await access(layout.dir).then(
				() => null,
				() => "the recorded data set cannot be read",
			);
			return { ok: error === null, error };
		},
		close: () => files.close(),
	};
}

const startSignal = new AbortController().signal;

/** Every market any file speaks of, spot first, by symbol. */
async function listMarkets(
	layout: RecordedLayout,
	files: RecordedFiles,
	universes: readonly UniverseSnapshot[],
): Promise<MarketsBySymbol> {
	const bySymbol = new Map<string, RecordedMarket>();
	const add = (id: string, type: RecordedMarket["type"], file: string) => {
		const market = describeMarket(id, type, file);
		if (!bySymbol.has(market.symbol)) bySymbol.set(market.symbol, market);
	};
	for (const folder of [layout.spotDaily, layout.spotHourly]) for (const [id, file] of folder) add(id, "spot", file);
	for (const universe of universes) for (const id of universe.rows.keys()) add(id, "perp", "universe snapshot");
	const perpFolders = [
		layout.perpDaily,
		layout.perpHourly,
		...layout.perpHourlyLong,
		layout.fundingLong,
		layout.openInterest,
	];
	for (const folder of perpFolders) for (const [id, file] of folder) add(id, "perp", file);
	if (layout.fundingAll !== null) {
		const table = await files.read(layout.fundingAll, { kind: "funding", symbolColumn: true }, startSignal);
		for (const id of table.symbols) add(id, "perp", layout.fundingAll);
	}
	return bySymbol;
}

/**
 * The newest instant at which every part of the current data is known: the earliest of the newest
 * universe snapshot and the ends of the hourly folders (of the daily ones when there is no hourly one).
 */
async function newestCommonTime(
	layout: RecordedLayout,
	files: RecordedFiles,
	universes: readonly UniverseSnapshot[],
): Promise<number> {
	const hourly = [layout.spotHourly, layout.perpHourly].filter((folder) => folder.size > 0);
	const stepMs = TIMEFRAME_MS[hourly.length > 0 ? "1h" : "1d"];
	const folders = hourly.length > 0 ? hourly : [layout.spotDaily, layout.perpDaily];
	const ends: number[] = [];
	if (universes.length > 0) ends.push(Math.max(...universes.map((universe) => universe.as_of_ms)));
	for (const folder of folders) {
		const opens = await Promise.all(
			[...folder.values()].map((file) => files.read(file, { kind: "newest" }, startSignal)),
		);
		const known = opens.filter((open) => open !== null);
		if (known.length > 0) ends.push(Math.max(...known) + stepMs);
	}
	if (ends.length === 0) throw new RecordedFileError(layout.dir, "holds no row of data");
	return Math.min(...ends);
}
