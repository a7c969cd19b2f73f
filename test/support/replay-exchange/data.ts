/** What a recorded data set knows at one instant, in the words of the exchange's endpoints. */

import { systemClock } from "../../../src/clock.ts";
import type { FundingSeries, Market, MarketData, Series, Ticker, Timeframe } from "../../../src/market/contract.ts";
import { MarketError } from "../../../src/market/contract.ts";
import { createRecordedMarketData } from "../../../src/market/recorded.ts";
import type { RecordedLayout } from "../../../src/market/recorded-layout.ts";
import { PERP_VENUE, readLayout, SPOT_VENUE } from "../../../src/market/recorded-layout.ts";
import { type CandleExtras, createReplayTables, type InterestRow, type UniverseDay } from "./tables.ts";

export type Family = "spot" | "usdm";
const VENUES: Record<Family, string> = { spot: SPOT_VENUE, usdm: PERP_VENUE };
/** Candles that exist in the layout; the others of the exchange are not recorded. */
const TIMEFRAMES: readonly string[] = ["1h", "4h", "1d"];

export interface ReplayData {
	/** The instant asked for, or the newest at which every part of the set is known, epoch ms. */
	readonly startMs: number;
	/** Markets that had data by `nowMs`, by their own id. */
	markets(family: Family, nowMs: number): Promise<ReadonlyMap<string, Market>>;
	/** A value that depends on the instant alone, made once. A clock that moves leaves nothing behind. */
	remember<T>(nowMs: number, key: string, make: () => Promise<T>): Promise<T>;
	/** Candles closed by `nowMs`; null: none of this interval are recorded. */
	candles(market: Market, interval: string, nowMs: number): Promise<Series | null>;
	extras(market: Market, interval: string): Promise<ReadonlyMap<number, CandleExtras>>;
	tickers(markets: readonly Market[], nowMs: number): Promise<ReadonlyMap<string, Ticker>>;
	universeDays(market: Market): Promise<UniverseDay[]>;
	funding(market: Market, nowMs: number): Promise<FundingSeries | null>;
	interest(market: Market, nowMs: number): Promise<InterestRow[]>;
	close(): Promise<void>;
}

/**
 * Opens the data set through the recorded market, so that both give the same numbers: what is asked at an instant
 * is answered as of that instant, and nothing later can leak. Throws RecordedFileError for a folder that is none.
 */
export async function openReplayData(dir: string, asOfMs: number | null): Promise<ReplayData> {
	const layout = await readLayout(dir);
	const options = { dir, latencyMs: 0, clock: systemClock };
	const startMs = asOfMs ?? (await newestOf(options));
	// Each question names its own instant, and the clock may be moved: the market itself stands at none.
	const market = await createRecordedMarketData({ ...options, asOfMs: Number.POSITIVE_INFINITY });
	return { startMs, ...queriesOf(market, layout) };
}

async function newestOf(options: { dir: string; latencyMs: number; clock: typeof systemClock }): Promise<number> {
	const market = await createRecordedMarketData({ ...options, asOfMs: null });
	await market.close();
	return market.now();
}

function memoryOfOneInstant(): ReplayData["remember"] {
	let [instant, known] = [Number.NaN, new Map<string, Promise<unknown>>()];
	return <T>(nowMs: number, key: string, make: () => Promise<T>): Promise<T> => {
		if (nowMs !== instant) [instant, known] = [nowMs, new Map()];
		const [memory, found] = [known, known.get(key) ?? make()];
		memory.set(key, found);
		found.catch(() => memory.delete(key));
		return found as Promise<T>;
	};
}

function queriesOf(market: MarketData, layout: RecordedLayout): Omit<ReplayData, "startMs"> {
	const tables = createReplayTables(layout);
	const lifetime = new AbortController();
	const at = (as_of_ms: number) => ({ signal: lifetime.signal, as_of_ms });
	const remember = memoryOfOneInstant();

	const list = async (family: Family, nowMs: number): Promise<ReadonlyMap<string, Market>> => {
		if (!market.venues().includes(VENUES[family])) return new Map();
		const found = await market.markets(VENUES[family], at(nowMs));
		return new Map(found.map((entry) => [entry.id, entry]));
	};

	return {
		remember,
		markets: (family, nowMs) => remember(nowMs, `markets:${family}`, () => list(family, nowMs)),
		async candles({ symbol }, interval, nowMs) {
			if (!TIMEFRAMES.includes(interval)) return null;
			try {
				return await market.candles(symbol, interval as Timeframe, at(nowMs));
			} catch (error) {
				if (error instanceof MarketError && error.code === "not_supported") return null;
				throw error;
			}
		},
		async extras({ type, id }, interval) {
			const folders =
				type === "spot"
					? { "1h": layout.spotHourly, "1d": layout.spotDaily }
					: { "1h": layout.perpHourly, "1d": layout.perpDaily };
			const file = folders[interval as "1h"]?.get(id);
			return file === undefined ? new Map() : tables.extras(file);
		},
		async tickers(markets, nowMs) {
			const found = await market.tickers(
				markets.map(({ symbol }) => symbol),
				at(nowMs),
			);
			return new Map(found.map((ticker) => [ticker.symbol, ticker]));
		},
		universeDays: ({ id, type }) => (type === "perp" ? tables.universeDays(id) : Promise.resolve([])),
		funding: ({ symbol }, nowMs) => market.funding(symbol, at(nowMs)),
		interest: async ({ id, type }, nowMs) =>
			type === "perp" ? (await tables.interest(id)).filter(({ time }) => time <= nowMs) : [],
		async close() {
			lifetime.abort(new MarketError("fetch_failed", "the replay exchange is closed", false));
			await market.close();
		},
	};
}
