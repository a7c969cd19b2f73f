import type { Exchange } from "ccxt";
import { createTradeColumns, sliceTrades, type TradeColumns } from "../trade-columns.ts";
import { type ListedMarket, unitOf } from "./listing.ts";

/** Trades of one answer; exchanges with shorter answers cut it themselves. */
const PAGE_TRADES = 1000;
/** Part of what the pages hold, by the present pace, that is asked for: the pace may rise. */
const PACE_MARGIN = 0.6;
/** An answer nearly as long as the longest one may have been cut. */
const FULL_SHARE = 0.9;
/** Answers that name a begin cover at most an hour at some exchanges. */
const WINDOW_MS = 3_600_000;

export interface Tape extends TradeColumns {
	/** The tape is whole from here on. */
	since_ms: number;
}

interface Print {
	id: string | undefined;
	time: number;
	price: number;
	quantity: number;
	side: 1 | -1;
}

/** Where the reading goes on: what an answer has to be to count as cut, and until when. */
interface Walk {
	from: number;
	asOfMs: number;
	full: number;
	pagesMax: number;
}

/**
 * Public trades from `sinceMs` up to `asOfMs`, as far back as `pagesMax` requests reach: `since_ms` says from when
 * on the tape is whole. null: the exchange publishes none, or nothing was ever traded.
 */
export async function readTrades(
	exchange: Exchange,
	market: ListedMarket,
	sinceMs: number,
	asOfMs: number,
	/** Answers may name their begin; otherwise they hold the newest trades, whatever is asked. */
	{ fromBegin, pagesMax }: { fromBegin: boolean; pagesMax: number },
): Promise<Tape | null> {
	if (exchange.has.fetchTrades !== true) return null;
	const newest = await page(exchange, market, undefined);
	const [first, last] = [newest[0], newest.at(-1)];
	if (!first || !last) return null;
	const span = Math.max(1, last.time - first.time);
	const reach = asOfMs - span * pagesMax * PACE_MARGIN;
	const from = Math.max(sinceMs, Math.floor(reach));
	const full = newest.length * FULL_SHARE;
	const tape =
		fromBegin && from <= first.time ? await forward(exchange, market, { from, asOfMs, full, pagesMax }) : null;
	// The newest answer is whole by itself, from after its first instant on.
	return tape === null ? tapeOf(newest, Math.max(sinceMs, first.time + 1), asOfMs) : tapeOf(tape, from, asOfMs);
}

/** null: the pages ended before the tape did. */
async function forward(exchange: Exchange, market: ListedMarket, walk: Walk): Promise<Print[] | null> {
	const { from, asOfMs } = walk;
	const prints: Print[] = [];
	let since = from;
	for (let pages = 0; since <= asOfMs; pages++) {
		if (pages >= walk.pagesMax) return null;
		const rows = await page(exchange, market, since);
		prints.push(...rows);
		const last = rows.at(-1)?.time ?? since;
		since = rows.length >= walk.full ? Math.max(last, since + 1) : Math.max(last + 1, since + WINDOW_MS);
	}
	return prints;
}

async function page(exchange: Exchange, market: ListedMarket, since: number | undefined): Promise<Print[]> {
	const unit = unitOf(market);
	const rows = await exchange.fetchTrades(market.symbol, since, PAGE_TRADES);
	return rows
		.flatMap(({ id, timestamp, price, amount, side }): Print[] => {
			if (timestamp === undefined || price === undefined || amount === undefined || (side !== "buy" && side !== "sell"))
				return [];
			return [{ id, time: timestamp, price, quantity: amount * unit, side: side === "buy" ? 1 : -1 }];
		})
		.sort((a, b) => a.time - b.time);
}

/** Pages overlap at their ends: a trade with an id is taken once, one without by its place in time. */
function tapeOf(prints: readonly Print[], sinceMs: number, asOfMs: number): Tape {
	const seen = new Set<string>();
	const columns = createTradeColumns(prints.length);
	let n = 0;
	for (const { id, time, price, quantity, side } of [...prints].sort((a, b) => a.time - b.time)) {
		if (time < sinceMs || time > asOfMs) continue;
		if (id !== undefined && seen.has(id)) continue;
		if (id !== undefined) seen.add(id);
		columns.time[n] = time;
		columns.price[n] = price;
		columns.quantity[n] = quantity;
		columns.taker_side[n++] = side;
	}
	return { ...sliceTrades(columns, 0, n), since_ms: sinceMs };
}
