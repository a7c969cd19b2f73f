import { readdir } from "node:fs/promises";
import path from "node:path";
import type { MarketType } from "./contract.ts";
import { RecordedFileError } from "./recorded-csv.ts";

/** Both folders hold dollar-margined or dollar-quoted markets of this one quote; the file names carry it. */
export const RECORDED_QUOTE = "USDT";
export const SPOT_VENUE = "binance";
export const PERP_VENUE = "binanceusdm";

const FILE_ENDING = ".csv.gz";

/** Market id -> file, relative to the data set. */
export type FilesById = ReadonlyMap<string, string>;

/** What the folder holds. A part that does not exist is an empty map, an empty list or null. */
export interface RecordedLayout {
	dir: string;
	spotDaily: FilesById;
	spotHourly: FilesById;
	perpDaily: FilesById;
	perpHourly: FilesById;
	/** Hourly perp bars of folders `1h_<from>_<to>`, one entry a folder. */
	perpHourlyLong: readonly FilesById[];
	fundingLong: FilesById;
	fundingAll: string | null;
	openInterest: FilesById;
	/** Universe snapshots, any number, each with a clock of its own inside. */
	universes: readonly string[];
}

/** A market as the data set describes it. */
export interface RecordedMarket {
	symbol: string;
	id: string;
	venue: string;
	type: MarketType;
	base: string;
	quote: string;
}

/**
 * The market behind an id: the data set states the quote of its folders, so the base is what precedes
 * it (`1000PEPE` is a base of its own, as ccxt names it). Throws RecordedFileError for another quote.
 */
export function describeMarket(id: string, type: MarketType, file: string): RecordedMarket {
	const base = id.slice(0, -RECORDED_QUOTE.length);
	if (!id.endsWith(RECORDED_QUOTE) || base === "") {
		throw new RecordedFileError(file, `'${id}' is not a market quoted in ${RECORDED_QUOTE}`);
	}
	const pair = `${base}/${RECORDED_QUOTE}`;
	return type === "spot"
		? { symbol: pair, id, venue: SPOT_VENUE, type, base, quote: RECORDED_QUOTE }
		: { symbol: `${pair}:${RECORDED_QUOTE}`, id, venue: PERP_VENUE, type, base, quote: RECORDED_QUOTE };
}

async function namesIn(dir: string, folder: string): Promise<string[]> {
	try {
		return (await readdir(path.join(dir, folder))).sort();
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code;
		if (code === "ENOENT") return [];
		throw new RecordedFileError(folder === "" ? dir : folder, `cannot be read (${code})`);
	}
}

async function filesOf(dir: string, folder: string): Promise<FilesById> {
	const names = (await namesIn(dir, folder)).filter((name) => name.endsWith(FILE_ENDING));
	return new Map(names.map((name) => [name.slice(0, -FILE_ENDING.length), `${folder}/${name}`]));
}

/** Lists the folder. Throws RecordedFileError when it is missing or holds no part of the layout. */
export async function readLayout(dir: string): Promise<RecordedLayout> {
	const top = await namesIn(dir, "");
	if (top.length === 0) throw new RecordedFileError(dir, "no such folder, or it is empty (MARKET=recorded:<dir>)");
	const usdm = await namesIn(dir, "binance_usdm");
	const longFolders = usdm.filter((name) => /^1h_/.test(name));
	const layout: RecordedLayout = {
		dir,
		spotDaily: await filesOf(dir, "binance_spot_1d"),
		spotHourly: await filesOf(dir, "binance_spot_1h"),
		perpDaily: await filesOf(dir, "binance_usdm/1d"),
		perpHourly: await filesOf(dir, "binance_usdm/1h"),
		perpHourlyLong: await Promise.all(longFolders.map((name) => filesOf(dir, `binance_usdm/${name}`))),
		fundingLong: await filesOf(dir, "binance_usdm/funding_long"),
		fundingAll: usdm.includes("funding_all_recent.csv.gz") ? "binance_usdm/funding_all_recent.csv.gz" : null,
		openInterest: await filesOf(dir, "binance_usdm/oi_4h"),
		universes: usdm.filter((name) => /^universe_snapshot_.*\.json$/.test(name)).map((name) => `binance_usdm/${name}`),
	};
	const bars = [layout.spotDaily, layout.spotHourly, layout.perpDaily, layout.perpHourly, ...layout.perpHourlyLong];
	if (bars.every((files) => files.size === 0)) {
		throw new RecordedFileError(
			dir,
			"holds no candles (expected binance_spot_1d, binance_spot_1h or binance_usdm/1d, 1h)",
		);
	}
	return layout;
}
