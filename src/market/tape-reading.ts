import type { MarketData, ReadOptions, TradeTape } from "./contract.ts";
import { countUpTo } from "./series.ts";
import { createTradeColumns, sliceTrades } from "./trade-columns.ts";

/** A tape that was read before, and from when on it had been asked for. */
export interface KeptTape {
	tape: TradeTape;
	since_ms: number;
}

type TapeOptions = ReadOptions & { since_ms: number };

/**
 * Reads a tape, of which only what is newer than a kept one has to come from the source: a month of trades is
 * millions of numbers, what happened since the last scan a few. What was printed stays printed, so the
 * joined tape is the one that a whole reading would have given.
 */
export async function readTape(
	market: Pick<MarketData, "trades">,
	symbol: string,
	options: TapeOptions,
	kept: KeptTape | null,
): Promise<TradeTape | null> {
	const { since_ms, as_of_ms } = options;
	if (!kept || kept.since_ms > since_ms || kept.tape.as_of_ms < since_ms) return market.trades(symbol, options);
	const { tape } = kept;
	if (as_of_ms <= tape.as_of_ms) return cutTape(tape, since_ms, as_of_ms);
	const newer = await market.trades(symbol, { ...options, since_ms: tape.as_of_ms });
	// A source that no longer reaches back to the kept end, or has gone silent, is read as if for the first time.
	if (!newer || newer.since_ms > tape.as_of_ms) return market.trades(symbol, options);
	return joinTapes(tape, newer, since_ms);
}

/** The trades of [sinceMs, asOfMs] as views of a tape that holds them; null before its begin. */
export function cutTape(tape: TradeTape, sinceMs: number, asOfMs: number): TradeTape | null {
	if (asOfMs < tape.since_ms) return null;
	const first = countUpTo(tape.time, tape.length, sinceMs - 1);
	const end = countUpTo(tape.time, tape.length, asOfMs);
	const { symbol, venue } = tape;
	const since_ms = Math.max(sinceMs, tape.since_ms);
	return { symbol, venue, ...sliceTrades(tape, Math.min(first, end), end), since_ms, as_of_ms: asOfMs };
}

/** `newer` begins at the end of `tape`; trades of that very instant are in both and are taken once. */
function joinTapes(tape: TradeTape, newer: TradeTape, sinceMs: number): TradeTape {
	const first = countUpTo(tape.time, tape.length, sinceMs - 1);
	const more = countUpTo(newer.time, newer.length, tape.as_of_ms);
	const kept = tape.length - first;
	const columns = createTradeColumns(kept + newer.length - more);
	for (const name of ["time", "price", "quantity"] as const) {
		columns[name].set(tape[name].subarray(first));
		columns[name].set(newer[name].subarray(more), kept);
	}
	columns.taker_side.set(tape.taker_side.subarray(first));
	columns.taker_side.set(newer.taker_side.subarray(more), kept);
	const { symbol, venue, as_of_ms } = newer;
	return { symbol, venue, ...columns, since_ms: Math.max(sinceMs, tape.since_ms), as_of_ms };
}
