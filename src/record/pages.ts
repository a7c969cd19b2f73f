/** Whole histories from endpoints that answer a page at a time. */
import { TIMEFRAME_MS } from "../market/contract.ts";
import type { RecordClient } from "./client.ts";
import { RecordError } from "./client.ts";
import { decimalField, textField, timeField } from "./fields.ts";
import type { RecordedTimeframe } from "./options.ts";

/** The smallest cap among the venues, so that a page is never cut below what was asked. */
const KLINES_PAGE = 1000;
const FUNDING_PAGE = 1000;
const INTEREST_PAGE = 500;
const INTEREST_PERIOD = "4h";

/** One row of a table to be: its time, and its fields as text in the order of the header. */
export interface RecordedRow {
	time: number;
	fields: string[];
}

export interface Span {
	/** 0: as far back as there is. */
	since_ms: number;
	/** Nothing that ends later. */
	until_ms: number;
}

export const SPOT_BAR_COLUMNS =
	"open_time,open,high,low,close,volume,close_time,quote_volume,trades,taker_base,taker_quote".split(",");
export const PERP_BAR_COLUMNS = "open_time,open,high,low,close,volume,quote_volume,trades,close_time".split(",");
/** Places of the columns in a kline of the exchange. */
const KLINE_PLACES: Record<string, number> = {
	open_time: 0,
	open: 1,
	high: 2,
	low: 3,
	close: 4,
	volume: 5,
	close_time: 6,
	quote_volume: 7,
	trades: 8,
	taker_base: 9,
	taker_quote: 10,
};

/** Candles that open from since on and have closed by until, oldest first. Throws RecordError. */
export async function candleRows(
	client: RecordClient,
	id: string,
	timeframe: RecordedTimeframe,
	{ since_ms, until_ms }: Span,
): Promise<RecordedRow[]> {
	const spot = client.venue === "binance";
	const columns = spot ? SPOT_BAR_COLUMNS : PERP_BAR_COLUMNS;
	const stepMs = TIMEFRAME_MS[timeframe];
	const rowOf = (kline: unknown): RecordedRow => {
		if (!Array.isArray(kline)) throw new RecordError(`${client.venue} ${id}: a candle is no list`);
		const fields = columns.map((name) => decimalField(kline[KLINE_PLACES[name] as number], name));
		return { time: timeField(kline[0], "open_time"), fields };
	};
	const page = async (startTime: number) => {
		const params = { symbol: id, interval: timeframe, startTime, endTime: until_ms - 1, limit: KLINES_PAGE };
		return (await client.rows(spot ? "publicGetKlines" : "fapiPublicGetKlines", params)).map(rowOf);
	};
	const rows = await forwards(page, since_ms, until_ms - stepMs, `${client.venue} ${id} ${timeframe}`);
	return rows.filter(({ time }) => time + stepMs <= until_ms);
}

/** Settlements of one contract, times rounded to the hour (venues stamp some milliseconds late). */
export async function fundingRows(client: RecordClient, id: string, span: Span): Promise<RecordedRow[]> {
	const hourMs = TIMEFRAME_MS["1h"];
	const rowOf = (entry: unknown): RecordedRow => {
		const time = timeField(textField(entry, "fundingTime"), "fundingTime");
		const hour = Math.round(time / hourMs) * hourMs;
		return { time, fields: [String(hour), decimalField(textField(entry, "fundingRate"), "fundingRate")] };
	};
	const page = async (startTime: number) => {
		const params = { symbol: id, startTime, endTime: span.until_ms, limit: FUNDING_PAGE };
		return (await client.rows("fapiPublicGetFundingRate", params)).map(rowOf);
	};
	return forwards(page, span.since_ms, span.until_ms, `${client.venue} ${id} funding`);
}

/** Measurements of one contract's open interest. The exchange keeps some weeks of them, counted from now. */
export async function interestRows(client: RecordClient, id: string, span: Span): Promise<RecordedRow[]> {
	const rowOf = (entry: unknown): RecordedRow => {
		const time = timeField(textField(entry, "timestamp"), "timestamp");
		const numbers = ["sumOpenInterest", "sumOpenInterestValue"].map((name) =>
			decimalField(textField(entry, name), name),
		);
		return { time, fields: [String(time), ...numbers] };
	};
	let rows: RecordedRow[] = [];
	for (let endTime = span.until_ms; ; endTime = (rows[0] as RecordedRow).time - 1) {
		const params = { symbol: id, period: INTEREST_PERIOD, endTime, limit: INTEREST_PAGE };
		const page = (await client.rows("fapiDataGetOpenInterestHist", params)).map(rowOf);
		const older = page.filter(({ time }) => time <= endTime && time >= span.since_ms);
		rows = [...checked(older, `${client.venue} ${id} open interest`), ...rows];
		if (page.length < INTEREST_PAGE || older.length < page.length) return rows;
	}
}

/** Pages from `since` on until one is empty or reaches `last`: a page may be shorter than asked at any place. */
async function forwards(
	page: (startTime: number) => Promise<RecordedRow[]>,
	since: number,
	last: number,
	what: string,
): Promise<RecordedRow[]> {
	const rows: RecordedRow[] = [];
	for (let startTime = since; startTime <= last; ) {
		const found = checked(await page(startTime), what);
		const [first, newest] = [found[0], found.at(-1)];
		if (first === undefined || newest === undefined) break;
		if (first.time < startTime) throw new RecordError(`${what}: the exchange sent rows before the time asked for`);
		for (const row of found) rows.push(row);
		startTime = newest.time + 1;
	}
	return rows;
}

/** The rows without exact repetitions. Throws RecordError where they do not grow in time. */
function checked(rows: RecordedRow[], what: string): RecordedRow[] {
	return rows.filter((row, i) => {
		const before = rows[i - 1];
		if (before === undefined || row.time > before.time) return true;
		if (row.time === before.time && row.fields.join() === before.fields.join()) return false;
		const problem = row.time === before.time ? "two different rows for" : "rows out of order at";
		throw new RecordError(`${what}: the exchange sent ${problem} ${new Date(row.time).toISOString()}`);
	});
}
