/** What is put together of the contracts' own files: the common table of settlements and the universe snapshot. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { TIMEFRAME_MS } from "../market/contract.ts";
import { buildFundingColumns, fundingIntervalHours } from "../market/funding.ts";
import { type CsvColumn, type CsvTable, parseCsv } from "../market/recorded-csv.ts";
import type { RecordedRow } from "./pages.ts";

const DAY_MS = TIMEFRAME_MS["1d"];
/** Newest settlements of each contract in the common table. */
const RECENT_SETTLEMENTS = 200;

export const barsFile = (spot: boolean, timeframe: string, id: string): string =>
	spot ? `binance_spot_${timeframe}/${id}.csv.gz` : `binance_usdm/${timeframe}/${id}.csv.gz`;
export const fundingFile = (id: string): string => `binance_usdm/funding_long/${id}.csv.gz`;
export const interestFile = (id: string): string => `binance_usdm/oi_4h/${id}.csv.gz`;
export const FUNDING_ALL_FILE = "binance_usdm/funding_all_recent.csv.gz";

/** `universe_snapshot_2026-03-19T19Z.json` */
export const universeFile = (asOfMs: number): string =>
	`binance_usdm/universe_snapshot_${new Date(asOfMs).toISOString().slice(0, 13)}Z.json`;

const numbers = (...names: string[]): CsvColumn[] => names.map((name) => ({ name, kind: "number" }));

/** A file of the recording; null when it has none. */
async function table(dir: string, file: string, has: boolean, columns: CsvColumn[]): Promise<CsvTable | null> {
	return has ? parseCsv(gunzipSync(await readFile(path.join(dir, file))), file, columns) : null;
}

export type HasFile = (file: string) => boolean;

/** The newest settlements of all contracts, in growing time, then by symbol. */
export async function recentFunding(dir: string, ids: readonly string[], has: HasFile): Promise<RecordedRow[]> {
	const rows: (RecordedRow & { id: string })[] = [];
	for (const id of ids) {
		const file = fundingFile(id);
		const columns: CsvColumn[] = [
			{ name: "funding_time", kind: "number" },
			{ name: "funding_rate", kind: "text" },
		];
		const found = await table(dir, file, has(file), columns);
		for (let i = Math.max(0, (found?.rows ?? 0) - RECENT_SETTLEMENTS); i < (found?.rows ?? 0); i++) {
			const time = found?.numbers.funding_time?.[i] as number;
			rows.push({ time, id, fields: [String(time), id, found?.texts.funding_rate?.[i] as string] });
		}
	}
	return rows.sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));
}

interface Day {
	symbol: string;
	openTime: number;
	closeTime: number;
	openPrice: number;
	highPrice: number;
	lowPrice: number;
	lastPrice: number;
	volume: number;
	quoteVolume: number;
	count: number;
}

/**
 * The universe at the recording's instant, out of its own files: 24 h statistics from the last closed hourly
 * candles, the newest open interest of the common time, the last settlement and the observed interval. Contracts
 * whose candles end earlier are not in it. Null: there is none that is.
 */
export async function universeSnapshot(dir: string, ids: readonly string[], asOfMs: number, has: HasFile) {
	const interestMs = Math.floor(asOfMs / TIMEFRAME_MS["4h"]) * TIMEFRAME_MS["4h"];
	const symbols = [];
	for (const id of ids) {
		const day = await lastDay(dir, id, asOfMs, has);
		if (day === null) continue;
		symbols.push({
			...day,
			...(await interestAt(dir, id, interestMs, has)),
			...(await fundingAt(dir, id, asOfMs, has)),
		});
	}
	if (symbols.length === 0) return null;
	symbols.sort((a, b) => b.quoteVolume - a.quoteVolume || (a.symbol < b.symbol ? -1 : 1));
	return {
		asOf: new Date(asOfMs).toISOString().replace(".000Z", "Z"),
		asOfMs,
		openInterestAsOfMs: interestMs,
		derivation:
			"24 h statistics of the last closed hourly candles; open interest of openInterestAsOfMs; last settlement before asOf; interval = usual spacing of the settlements",
		symbols,
	};
}

async function lastDay(dir: string, id: string, asOfMs: number, has: HasFile): Promise<Day | null> {
	const file = barsFile(false, "1h", id);
	const found = await table(
		dir,
		file,
		has(file),
		numbers("open_time", "open", "high", "low", "close", "volume", "quote_volume", "trades"),
	);
	const rows = found?.rows ?? 0;
	const at = (name: string, row: number): number => found?.numbers[name]?.[row] as number;
	if (rows === 0 || at("open_time", rows - 1) + TIMEFRAME_MS["1h"] !== asOfMs) return null;
	const day: Day = {
		symbol: id,
		openTime: asOfMs - DAY_MS,
		closeTime: asOfMs - 1,
		openPrice: 0,
		highPrice: 0,
		lowPrice: Number.POSITIVE_INFINITY,
		lastPrice: at("close", rows - 1),
		volume: 0,
		quoteVolume: 0,
		count: 0,
	};
	// From the newest back, as the recorded market adds the same candles: sums of doubles depend on the order.
	for (let row = rows - 1; row >= 0 && at("open_time", row) >= asOfMs - DAY_MS; row--) {
		day.openPrice = at("open", row);
		day.highPrice = Math.max(day.highPrice, at("high", row));
		day.lowPrice = Math.min(day.lowPrice, at("low", row));
		day.volume += at("volume", row);
		day.quoteVolume += at("quote_volume", row);
		day.count += at("trades", row);
	}
	return day;
}

async function interestAt(dir: string, id: string, atMs: number, has: HasFile) {
	const file = interestFile(id);
	const columns = numbers("time", "sum_open_interest", "sum_open_interest_value");
	const found = await table(dir, file, has(file), columns);
	const row = found?.numbers.time?.indexOf(atMs) ?? -1;
	return {
		openInterest: found?.numbers.sum_open_interest?.[row] ?? null,
		openInterestValue: found?.numbers.sum_open_interest_value?.[row] ?? null,
	};
}

async function fundingAt(dir: string, id: string, asOfMs: number, has: HasFile) {
	const file = fundingFile(id);
	const found = await table(dir, file, has(file), numbers("funding_time", "funding_rate"));
	const { funding_time: times, funding_rate: rates } = found?.numbers ?? {};
	const settlements = Array.from(times ?? [], (time, i) => ({ time, rate: rates?.[i] as number }));
	return {
		lastFundingRate: settlements.at(-1)?.rate ?? null,
		fundingIntervalHours: fundingIntervalHours(buildFundingColumns(settlements), asOfMs),
	};
}
