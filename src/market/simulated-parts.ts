import type { Timeframe } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";
import { BAR_COLUMN_NAMES, type BarColumns, createBarColumns } from "./series.ts";
import type { SimulatedExchange, SimulatedMarket } from "./simulated-exchange.ts";

const DAY_MS = TIMEFRAME_MS["1d"];

/** Days whose bars are made in one turn: two thousand bars at most, counting those they are cut from. */
const PART_DAYS: Record<Timeframe, number> = {
	"1d": Number.POSITIVE_INFINITY,
	"4h": 60,
	"1h": 60,
	"15m": 6,
	"5m": 6,
	"1m": 1,
};

/**
 * The bars of `exchange.bars`, made day by day with `pause` awaited before each part, which may throw to
 * stop. Each bar is a function of its day, so the parts are what the whole would have been.
 */
export async function barsInParts(
	exchange: SimulatedExchange,
	market: SimulatedMarket,
	timeframe: Timeframe,
	[fromMs, untilMs]: readonly [number, number],
	pause: () => Promise<void>,
): Promise<BarColumns> {
	await pause();
	// The whole past first: a part may not be the first to ask for its end.
	exchange.days(market, untilMs);
	const parts: BarColumns[] = [];
	for (let partMs = fromMs; partMs < untilMs; ) {
		const endMs = Math.min(untilMs, Math.floor(partMs / DAY_MS) * DAY_MS + PART_DAYS[timeframe] * DAY_MS);
		if (parts.length > 0) await pause();
		parts.push(exchange.bars(market, timeframe, partMs, endMs));
		partMs = endMs;
	}
	const [only, ...others] = parts;
	return only && others.length === 0 ? only : joined(parts);
}

function joined(parts: readonly BarColumns[]): BarColumns {
	const bars = createBarColumns(parts.reduce((sum, part) => sum + part.length, 0));
	let at = 0;
	for (const part of parts) {
		for (const name of BAR_COLUMN_NAMES) bars[name].set(part[name], at);
		at += part.length;
	}
	return bars;
}
