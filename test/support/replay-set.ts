/** A small data set in the recorded layout, made from a seed: spot and perps, daily and hourly, funding, interest. */
import { type FixtureFiles, universeJson } from "./recorded-fixture.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The instant at which the set ends. */
export const SET_END_MS = Date.UTC(2026, 2, 19, 19);

export interface ReplaySetOptions {
	seed?: number;
	/** Hourly candles of each market that has them. */
	hours?: number;
	days?: number;
	spot?: readonly string[];
	perps?: readonly string[];
}

/** A generator of its own (mulberry32), so that a seed gives the same set on every machine. */
function randomOf(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

type Column = "close_time" | "quote_volume" | "trades" | "taker_base" | "taker_quote";

function candles(
	random: () => number,
	endMs: number,
	stepMs: number,
	count: number,
	columns: readonly Column[],
): string {
	const lines = [["open_time", "open", "high", "low", "close", "volume", ...columns].join(",")];
	let price = 10 + random() * 100;
	for (let i = count; i > 0; i--) {
		const openTime = endMs - i * stepMs;
		const open = round(price, 4);
		const close = round(open * (1 + (random() - 0.5) * 0.04), 4);
		const high = round(Math.max(open, close) * (1 + random() * 0.01), 4);
		const low = round(Math.min(open, close) * (1 - random() * 0.01), 4);
		const volume = round(1000 + random() * 5000, 3);
		const extra: Record<Column, number> = {
			close_time: openTime + stepMs - 1,
			quote_volume: round((volume * (open + close)) / 2, 7),
			trades: Math.floor(random() * 5000),
			taker_base: round(volume / 2, 3),
			taker_quote: round((volume * open) / 2, 7),
		};
		lines.push([openTime, open, high, low, close, volume, ...columns.map((name) => extra[name])].join(","));
		price = close;
	}
	return `${lines.join("\n")}\n`;
}

const round = (value: number, decimals: number): number => Number(value.toFixed(decimals));

/** Settlements of contracts whose intervals differ, the newest at or before the end. */
function funding(random: () => number, perps: readonly string[], count: number): string {
	const rows = perps.flatMap((symbol, index) => {
		const stepMs = intervalHours(index) * HOUR_MS;
		const last = Math.floor(SET_END_MS / stepMs) * stepMs;
		return Array.from({ length: count }, (_, i) => {
			// Venues stamp some milliseconds late.
			const time = last - (count - 1 - i) * stepMs + Math.floor(random() * 9);
			return { time, line: `${time},${symbol},${round((random() - 0.4) * 3e-4, 8)}` };
		});
	});
	const lines = rows.sort((a, b) => a.time - b.time).map(({ line }) => line);
	return `funding_time,symbol,funding_rate\n${lines.join("\n")}\n`;
}

const intervalHours = (index: number): number => [8, 4, 1][index % 3] as number;

function interest(random: () => number, count: number): string {
	const last = Math.floor(SET_END_MS / (4 * HOUR_MS)) * 4 * HOUR_MS;
	const rows = Array.from({ length: count }, (_, i) => {
		const quantity = round(10_000 + random() * 1000, 3);
		return `${last - (count - 1 - i) * 4 * HOUR_MS},${quantity},${round(quantity * 50, 4)}`;
	});
	return `time,sum_open_interest,sum_open_interest_value\n${rows.join("\n")}\n`;
}

/** The files; the last perp is known from the universe snapshot and its funding alone. */
export function replaySet(options: ReplaySetOptions = {}): FixtureFiles {
	const random = randomOf(options.seed ?? 1);
	const { hours = 120, days = 60, spot = ["AAAUSDT", "BBBUSDT"] } = options;
	const perps = options.perps ?? ["AAAUSDT", "1000CCCUSDT", "币安人生USDT"];
	const lastDay = Math.floor(SET_END_MS / DAY_MS) * DAY_MS;
	const full: readonly Column[] = ["close_time", "quote_volume", "trades", "taker_base", "taker_quote"];
	const files: FixtureFiles = {};
	for (const id of spot) {
		files[`binance_spot_1h/${id}.csv.gz`] = candles(random, SET_END_MS, HOUR_MS, hours, []);
		files[`binance_spot_1d/${id}.csv.gz`] = candles(random, lastDay, DAY_MS, days, full);
	}
	for (const id of perps.slice(0, -1)) {
		const columns: readonly Column[] = ["quote_volume", "trades", "close_time"];
		files[`binance_usdm/1h/${id}.csv.gz`] = candles(random, SET_END_MS, HOUR_MS, hours, columns);
		files[`binance_usdm/1d/${id}.csv.gz`] = candles(random, lastDay, DAY_MS, days, columns);
		files[`binance_usdm/oi_4h/${id}.csv.gz`] = interest(random, 40);
	}
	files["binance_usdm/funding_all_recent.csv.gz"] = funding(random, perps, 30);
	files["binance_usdm/universe_snapshot_2026-03-19T19Z.json"] = universeJson(
		SET_END_MS,
		perps.map((symbol, index) => ({
			symbol,
			quoteVolume: 50_000_000 * (index + 1),
			fundingIntervalHours: intervalHours(index),
			openInterestValue: 1_000_000 + index,
		})),
	);
	return files;
}
