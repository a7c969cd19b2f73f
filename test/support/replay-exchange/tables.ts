/** Columns of the data set that the market port has no place for: trades and takers of candles, histories. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import type { CsvTable } from "../../../src/market/recorded-csv.ts";
import { parseCsv } from "../../../src/market/recorded-csv.ts";
import type { RecordedLayout } from "../../../src/market/recorded-layout.ts";

/** What a candle holds beside its seven columns; 0 where the file has no such column. */
export interface CandleExtras {
	trades: number;
	takerBase: number;
	takerQuote: number;
}

export interface InterestRow {
	time: number;
	quantityBase: number | null;
	valueUsd: number | null;
}

/** Fields of a contract in a universe snapshot that describe its last 24 h. */
export interface UniverseDay {
	closeTime: number;
	openPrice?: number;
	highPrice?: number;
	lowPrice?: number;
	volume?: number;
	count?: number;
}

export interface ReplayTables {
	extras(file: string): Promise<ReadonlyMap<number, CandleExtras>>;
	interest(id: string): Promise<InterestRow[]>;
	universeDays(id: string): Promise<UniverseDay[]>;
}

interface UniverseFile {
	openInterestAsOfMs: number;
	symbols: (UniverseDay & { symbol: string; openInterest: number | null; openInterestValue: number | null })[];
}

const numbers = (names: readonly string[], optional: boolean) =>
	names.map((name) => ({ name, kind: "number" as const, optional }));

/** Reads on demand; each file once. */
export function createReplayTables(layout: RecordedLayout): ReplayTables {
	const known = new Map<string, Promise<unknown>>();
	const once = <T>(key: string, make: () => Promise<T>): Promise<T> => {
		const found = known.get(key) ?? make();
		known.set(key, found);
		found.catch(() => known.delete(key));
		return found as Promise<T>;
	};
	const table = async (file: string, required: readonly string[], optional: readonly string[]): Promise<CsvTable> => {
		const bytes = gunzipSync(await readFile(path.join(layout.dir, file)));
		return parseCsv(bytes, file, [...numbers(required, false), ...numbers(optional, true)]);
	};
	const universes = () =>
		once("universes", () =>
			Promise.all(
				layout.universes.map(
					async (file) => JSON.parse(await readFile(path.join(layout.dir, file), "utf8")) as UniverseFile,
				),
			),
		);

	return {
		extras: (file) =>
			once(`extras:${file}`, async () => {
				const { rows, numbers: columns } = await table(file, ["open_time"], ["trades", "taker_base", "taker_quote"]);
				const at = (name: string, row: number): number => columns[name]?.[row] ?? 0;
				return new Map(
					Array.from({ length: rows }, (_, row) => [
						at("open_time", row),
						{ trades: at("trades", row), takerBase: at("taker_base", row), takerQuote: at("taker_quote", row) },
					]),
				);
			}),
		// Where a file and a snapshot speak of one time the snapshot is believed, as the recorded market does.
		interest: (id) =>
			once(`interest:${id}`, async () => {
				const byTime = new Map<number, InterestRow>();
				const file = layout.openInterest.get(id);
				if (file !== undefined) {
					const { rows, numbers: columns } = await table(
						file,
						["time", "sum_open_interest", "sum_open_interest_value"],
						[],
					);
					for (let row = 0; row < rows; row++) {
						const time = columns.time?.[row] ?? 0;
						const [quantityBase = 0, valueUsd = 0] = [
							columns.sum_open_interest?.[row],
							columns.sum_open_interest_value?.[row],
						];
						byTime.set(time, { time, quantityBase, valueUsd });
					}
				}
				for (const { openInterestAsOfMs: time, symbols } of await universes()) {
					const entry = symbols.find(({ symbol }) => symbol === id);
					if (entry?.openInterestValue == null) continue;
					byTime.set(time, { time, quantityBase: entry.openInterest, valueUsd: entry.openInterestValue });
				}
				return [...byTime.values()].sort((a, b) => a.time - b.time);
			}),
		universeDays: async (id) =>
			(await universes()).flatMap(({ symbols }) => symbols.filter(({ symbol }) => symbol === id)),
	};
}
