import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import type { FundingSeries, MarketType, Series, Timeframe } from "../../src/market/contract.ts";
import { TIMEFRAME_MS } from "../../src/market/contract.ts";

/** The recorded data set beside the project; null where it is not checked out. */
export const sharedRoot: string | null = existsSync(resolve("../shared/market")) ? resolve("../shared") : null;

export const SNAPSHOT_MS = Date.UTC(2026, 2, 19, 19);
export const PEGGED = new Set(["PAXG", "WBTC", "WBETH", "BNSOL"]);

export const sharedColumn = (length: number): Float64Array =>
	new Float64Array(new SharedArrayBuffer(length * Float64Array.BYTES_PER_ELEMENT));

export type BarRow = [
	openTime: number,
	open: number,
	high: number,
	low: number,
	close: number,
	volume: number,
	quoteVolume?: number,
];

export interface SeriesName {
	symbol: string;
	venue?: string;
	market?: MarketType;
	timeframe?: Timeframe;
	as_of_ms?: number;
}

/** Columns over shared memory, as the adapters make them. */
export function seriesOf(rows: readonly BarRow[], name: SeriesName): Series {
	const timeframe = name.timeframe ?? "1d";
	const columns = Array.from({ length: 7 }, () => sharedColumn(rows.length));
	rows.forEach((row, i) => {
		const quote = row[6] ?? (row[5] * (row[1] + row[2] + row[3] + row[4])) / 4;
		[...row.slice(0, 6), quote].forEach((value, c) => {
			const column = columns[c];
			if (column) column[i] = value ?? Number.NaN;
		});
	});
	const [open_time, open, high, low, close, volume, quote_volume] = columns as [
		Float64Array,
		Float64Array,
		Float64Array,
		Float64Array,
		Float64Array,
		Float64Array,
		Float64Array,
	];
	const step = TIMEFRAME_MS[timeframe];
	const first = rows[0]?.[0] ?? 0;
	const final = rows.at(-1)?.[0] ?? 0;
	return {
		symbol: name.symbol,
		venue: name.venue ?? "binance",
		market: name.market ?? "spot",
		timeframe,
		length: rows.length,
		open_time,
		open,
		high,
		low,
		close,
		volume,
		quote_volume,
		missing: rows.length === 0 ? 0 : Math.round((final - first) / step) + 1 - rows.length,
		as_of_ms: name.as_of_ms ?? final + step,
	};
}

function readRows(file: string): { header: string[]; rows: number[][] } {
	const [header = "", ...lines] = gunzipSync(readFileSync(file)).toString("utf8").trim().split("\n");
	return { header: header.split(","), rows: lines.map((line) => line.split(",").map(Number)) };
}

function barsOf(file: string): BarRow[] {
	const { header, rows } = readRows(file);
	const quote = header.indexOf("quote_volume");
	return rows.map((row) => {
		const bar = row.slice(0, 6) as unknown as BarRow;
		if (quote >= 0) bar.push(row[quote] ?? Number.NaN);
		return bar;
	});
}

/** Base coin of a recorded file of USDT markets. */
const baseOf = (file: string): string => basename(file, ".csv.gz").replace(/USDT$/, "");

/** Daily bars made of complete days of 24 hourly bars. */
export function dailyOf(hours: readonly BarRow[]): BarRow[] {
	const days = new Map<number, BarRow[]>();
	for (const bar of hours) {
		const day = Math.floor(bar[0] / 86_400_000) * 86_400_000;
		const bars = days.get(day);
		if (bars) bars.push(bar);
		else days.set(day, [bar]);
	}
	const result: BarRow[] = [];
	for (const [day, bars] of days) {
		const [first, final] = [bars[0], bars.at(-1)];
		if (bars.length !== 24 || !first || !final) continue;
		const quote = bars.reduce((sum, b) => sum + (b[6] ?? (b[5] * (b[1] + b[2] + b[3] + b[4])) / 4), 0);
		result.push([
			day,
			first[1],
			Math.max(...bars.map((b) => b[2])),
			Math.min(...bars.map((b) => b[3])),
			final[4],
			bars.reduce((sum, b) => sum + b[5], 0),
			quote,
		]);
	}
	return result;
}

/** `set`: folder of a recorded data set; default the one beside the project. */
const folder = (name: string, set = sharedRoot && join(sharedRoot, "market")): string => {
	if (!set) throw new Error("the recorded data set is not beside the project");
	return join(set, name);
};
const filesOf = (name: string, set?: string): string[] =>
	readdirSync(folder(name, set))
		.filter((file) => file.endsWith(".csv.gz"))
		.sort()
		.map((file) => join(folder(name, set), file));

/** The 35 coins of the measured table: >= 300 daily bars, pegged ones removed. */
export function recordedSpotDaily(barsMin = 300, set?: string): Series[] {
	return filesOf("binance_spot_1d", set)
		.filter((file) => !PEGGED.has(baseOf(file)))
		.map((file) => seriesOf(barsOf(file), { symbol: `${baseOf(file)}/USDT` }))
		.filter((series) => series.length >= barsMin);
}

export function recordedSpotHourly(set?: string): Series[] {
	return filesOf("binance_spot_1h", set).map((file) =>
		seriesOf(barsOf(file), { symbol: `${baseOf(file)}/USDT`, timeframe: "1h", as_of_ms: SNAPSHOT_MS }),
	);
}

/** Last hourly close of each day by symbol, the unfinished last day included: 809 closes of the 16 coins. */
export function recordedDailyCloses(): Map<string, Float64Array> {
	return new Map(
		recordedSpotHourly().map((series) => {
			const byDay = new Map<number, number>();
			series.open_time.forEach((time, i) => {
				byDay.set(Math.floor(time / 86_400_000), series.close[i] ?? Number.NaN);
			});
			return [series.symbol, Float64Array.from(byDay.values())];
		}),
	);
}

/** What the recorded source knows of spot days at the snapshot: daily files continued by hourly ones. */
export function spotDailyAtSnapshot(): Series[] {
	const bars = new Map<string, BarRow[]>();
	for (const file of filesOf("binance_spot_1d")) bars.set(baseOf(file), barsOf(file));
	for (const file of filesOf("binance_spot_1h")) {
		const history = bars.get(baseOf(file)) ?? [];
		const end = history.at(-1)?.[0] ?? 0;
		bars.set(baseOf(file), [...history, ...dailyOf(barsOf(file)).filter((bar) => bar[0] > end)]);
	}
	return [...bars].map(([base, rows]) => seriesOf(rows, { symbol: `${base}/USDT`, as_of_ms: SNAPSHOT_MS }));
}

export function recordedPerpDaily(set?: string): Series[] {
	return filesOf("binance_usdm/1d", set).map((file) =>
		seriesOf(barsOf(file), {
			symbol: `${baseOf(file)}/USDT:USDT`,
			venue: "binanceusdm",
			market: "perp",
			as_of_ms: SNAPSHOT_MS,
		}),
	);
}

/** The 16 coins that have hourly bars up to the snapshot. */
export const hourlyBases = (): string[] => filesOf("binance_spot_1h").map(baseOf);

/** Says aloud that a test is skipped for want of the data set. */
export function skipAloud(what: string): void {
	process.stdout.write(`  skipped: ${what}, the recorded market data are not beside the project\n`);
}

/** Most frequent spacing of settlements, hours. */
function spacingOf(times: readonly number[]): number {
	const counts = new Map<number, number>();
	for (let i = 1; i < times.length; i++) {
		const hours = Math.round(((times[i] ?? 0) - (times[i - 1] ?? 0)) / 3_600_000);
		counts.set(hours, (counts.get(hours) ?? 0) + 1);
	}
	return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0] ?? 8;
}

/** Settlements as the port gives them: times rounded to the hour, rates as integers of 1e-8. */
export function fundingOf(
	rows: readonly (readonly [timeMs: number, rate: number])[],
	symbol: string,
	asOfMs: number,
): FundingSeries {
	const funding_time = sharedColumn(rows.length);
	const rate_e8 = sharedColumn(rows.length);
	rows.forEach(([timeMs, rate], i) => {
		funding_time[i] = Math.round(timeMs / 3_600_000) * 3_600_000;
		rate_e8[i] = Math.round(rate * 1e8);
	});
	return {
		symbol,
		venue: "binanceusdm",
		length: rows.length,
		funding_time,
		rate_e8,
		interval_hours: spacingOf([...funding_time]),
		as_of_ms: asOfMs,
	};
}

/** The 32 long funding histories. */
export function longFunding(): FundingSeries[] {
	return filesOf("binance_usdm/funding_long").map((file) =>
		fundingOf(
			readRows(file).rows.map(([time = 0, rate = 0]) => [time, rate]),
			`${baseOf(file)}/USDT:USDT`,
			SNAPSHOT_MS,
		),
	);
}

/** Recent funding of all perps by exchange id. */
export function recentFunding(): Map<string, FundingSeries> {
	const bySymbol = new Map<string, [number, number][]>();
	const text = gunzipSync(readFileSync(folder("binance_usdm/funding_all_recent.csv.gz")))
		.toString("utf8")
		.trim();
	for (const line of text.split("\n").slice(1)) {
		const [time = "", id = "", rate = ""] = line.split(",");
		const rows = bySymbol.get(id);
		if (rows) rows.push([Number(time), Number(rate)]);
		else bySymbol.set(id, [[Number(time), Number(rate)]]);
	}
	return new Map(
		[...bySymbol].map(([id, rows]) => [id, fundingOf(rows, `${id.replace(/USDT$/, "")}/USDT:USDT`, SNAPSHOT_MS)]),
	);
}

export interface SnapshotPerp {
	id: string;
	quoteVolume: number;
	openInterestUsd: number | null;
	openInterestAtMs: number;
	intervalHours: number;
}

/** The 539 perps of the universe snapshot. */
export function snapshotPerps(): SnapshotPerp[] {
	const snapshot = JSON.parse(readFileSync(folder("binance_usdm/universe_snapshot_2026-03-19T19Z.json"), "utf8")) as {
		openInterestAsOfMs: number;
		symbols: { symbol: string; quoteVolume: number; openInterestValue: number | null; fundingIntervalHours: number }[];
	};
	return snapshot.symbols.map((row) => ({
		id: row.symbol,
		quoteVolume: row.quoteVolume,
		openInterestUsd: row.openInterestValue ?? null,
		openInterestAtMs: snapshot.openInterestAsOfMs,
		intervalHours: row.fundingIntervalHours,
	}));
}
