import type { Market, OpenInterest, ReadOptions, Ticker } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";
import { PERP_FEES, SPOT_FEES } from "./fees.ts";
import { fundingIntervalHours } from "./funding.ts";
import { STALE_AFTER_STEPS } from "./quality.ts";
import type { RecordedFiles } from "./recorded-files.ts";
import type { RecordedLayout, RecordedMarket } from "./recorded-layout.ts";
import type { RecordedSeries } from "./recorded-series.ts";
import type { UniverseRow, UniverseSnapshot } from "./recorded-universe.ts";
import type { BarColumns } from "./series.ts";
import { countUpTo } from "./series.ts";
import { tagsOf } from "./tags.ts";

const DAY_MS = TIMEFRAME_MS["1d"];

/** What is known of the trading of a market at one instant. */
interface Trading {
	last: number;
	/** null: the last 24 h are not covered. */
	volume_usd_24h: number | null;
	at_ms: number;
}

export interface RecordedMarkets {
	/** null: the market had no data yet at as_of. */
	describe(market: RecordedMarket, options: ReadOptions): Promise<Market | null>;
	ticker(market: RecordedMarket, options: ReadOptions): Promise<Ticker | null>;
	openInterest(market: RecordedMarket, options: ReadOptions): Promise<OpenInterest | null>;
}

/**
 * Descriptions at an instant. A universe snapshot speaks first, from its own time on and for 24 h, each
 * field by its own age; before and after it the bars do.
 */
export function createRecordedMarkets(
	layout: RecordedLayout,
	files: RecordedFiles,
	series: RecordedSeries,
	universes: readonly UniverseSnapshot[],
	knownBases: ReadonlySet<string>,
): RecordedMarkets {
	/** The newest snapshot row whose field of time `timeOf` is not later than as_of. */
	const universeRow = (market: RecordedMarket, asOfMs: number, timeOf: (row: UniverseRow) => number) => {
		let newest: UniverseRow | null = null;
		for (const universe of market.type === "perp" ? universes : []) {
			const row = universe.rows.get(market.id);
			if (row && timeOf(row) <= asOfMs && (newest === null || timeOf(row) > timeOf(newest))) newest = row;
		}
		return newest;
	};

	const tradingOfBars = async (market: RecordedMarket, { signal, as_of_ms }: ReadOptions): Promise<Trading | null> => {
		let newest: Trading | null = null;
		for (const timeframe of ["1h", "1d"] as const) {
			if (!series.hasBars(market, timeframe)) continue;
			const trading = lastDay(await series.bars(market, timeframe, signal), TIMEFRAME_MS[timeframe], as_of_ms);
			if (trading && trading.volume_usd_24h !== null) return trading;
			if (trading && (newest === null || trading.at_ms > newest.at_ms)) newest = trading;
		}
		return newest;
	};

	const tradingOf = async (market: RecordedMarket, options: ReadOptions): Promise<Trading | null> => {
		const row = universeRow(market, options.as_of_ms, (entry) => entry.ticker_at_ms);
		const rowAgeMs = row === null ? Number.POSITIVE_INFINITY : options.as_of_ms - row.ticker_at_ms;
		const fromRow = row && { last: row.last, volume_usd_24h: row.volume_usd_24h, at_ms: row.ticker_at_ms };
		if (fromRow && rowAgeMs < TIMEFRAME_MS["1h"]) return fromRow;
		const fromBars = await tradingOfBars(market, options);
		if (fromBars && (fromRow === null || fromBars.at_ms > fromRow.at_ms)) return fromBars;
		return fromRow && rowAgeMs > DAY_MS ? { ...fromRow, volume_usd_24h: null } : fromRow;
	};

	const openInterest = async (market: RecordedMarket, options: ReadOptions): Promise<OpenInterest | null> => {
		const row = universeRow(market, options.as_of_ms, (entry) => entry.open_interest_at_ms);
		let found: OpenInterest | null = null;
		if (row && row.open_interest_usd !== null) {
			const { open_interest_usd: value_usd, open_interest_base: quantity_base, open_interest_at_ms: at_ms } = row;
			found = { symbol: market.symbol, value_usd, quantity_base, at_ms };
		}
		const file = market.type === "perp" ? layout.openInterest.get(market.id) : undefined;
		if (file === undefined) return found;
		const table = await files.read(file, { kind: "open_interest" }, options.signal);
		for (let i = 0; i < table.rows; i++) {
			const at_ms = table.time[i] as number;
			if (at_ms > options.as_of_ms || (found !== null && at_ms <= found.at_ms)) continue;
			const [value_usd, quantity_base] = [table.value_usd[i] as number, table.quantity_base[i] as number];
			found = { symbol: market.symbol, value_usd, quantity_base, at_ms };
		}
		return found;
	};

	const fundingOf = async (market: RecordedMarket, { signal, as_of_ms }: ReadOptions) => {
		const columns = await series.funding(market, signal);
		const settled = columns !== null && columns.length > 0 && (columns.funding_time[0] as number) <= as_of_ms;
		const observed = columns && fundingIntervalHours(columns, as_of_ms);
		const row = universeRow(market, as_of_ms, (entry) => entry.interval_at_ms);
		return { settled, interval: observed ?? row?.funding_interval_hours ?? null };
	};

	return {
		openInterest,
		async describe(market, options) {
			const [trading, interest, funding] = await Promise.all([
				tradingOf(market, options),
				openInterest(market, options),
				fundingOf(market, options),
			]);
			if (trading === null && interest === null && !funding.settled) return null;
			const fees = market.type === "spot" ? SPOT_FEES : PERP_FEES;
			return {
				...market,
				maker_fee: fees.maker,
				taker_fee: fees.taker,
				min_notional: null,
				quantity_step: null,
				price_tick: null,
				volume_usd_24h: trading?.volume_usd_24h ?? null,
				data_age_ms: trading === null ? null : options.as_of_ms - trading.at_ms,
				tags: tagsOf(market.base, knownBases),
				funding_interval_hours: market.type === "perp" ? funding.interval : null,
				open_interest_usd: interest?.value_usd ?? null,
				open_interest_at_ms: interest?.at_ms ?? null,
			};
		},
		async ticker(market, options) {
			const trading = await tradingOf(market, options);
			if (trading === null) return null;
			const { last, volume_usd_24h: quote_volume_24h, at_ms } = trading;
			return { symbol: market.symbol, last, bid: null, ask: null, quote_volume_24h, at_ms };
		},
	};
}

/**
 * Trading over the 24 h that end with the newest bar closed by as_of. The volume is unknown (null) when
 * that bar is older than two steps: what was traded since is not recorded.
 */
export function lastDay(bars: BarColumns, stepMs: number, asOfMs: number): Trading | null {
	const end = countUpTo(bars.open_time, bars.length, asOfMs - stepMs);
	if (end === 0) return null;
	const atMs = (bars.open_time[end - 1] as number) + stepMs;
	let volume: number | null = null;
	if (asOfMs - atMs <= STALE_AFTER_STEPS * stepMs) {
		volume = 0;
		for (let i = end - 1; i >= 0 && (bars.open_time[i] as number) >= atMs - DAY_MS; i--)
			volume += bars.quote_volume[i] as number;
	}
	return { last: bars.close[end - 1] as number, volume_usd_24h: volume, at_ms: atMs };
}
