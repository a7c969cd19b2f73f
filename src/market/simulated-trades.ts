import { tierOfVolume } from "../catalogue.ts";
import { TIMEFRAME_MS, type TradeTape } from "./contract.ts";
import type { BarColumns } from "./series.ts";
import { countUpTo } from "./series.ts";
import { roundToTick } from "./simulated-bars.ts";
import { HALF_SPREAD_BP } from "./simulated-book.ts";
import type { SimulatedExchange, SimulatedMarket } from "./simulated-exchange.ts";
import { takerPressure } from "./simulated-flow.ts";
import { createDraws, type Draws, hashKey } from "./simulated-random.ts";
import { SIMULATION_START_MS } from "./simulated-world.ts";
import { createTradeColumns, sliceTrades, type TradeColumns } from "./trade-columns.ts";

const MINUTE_MS = TIMEFRAME_MS["1m"];
const DAY_MS = TIMEFRAME_MS["1d"];

/** Trades of a minute, each the sum of what one taker swept; a venue's own tape is finer. */
export const TRADES_PER_MINUTE = 8;
/** Days a tape reaches back at most: 35 * 1440 * 8 = 403,200 trades, 10 MB. */
export const TAPE_DAYS_MAX = 35;
/** Days made in one turn of the event loop. */
const CHUNK_DAYS = 1;
/** Which trades of a minute make its extremes. */
const EXTREMES = [1, 4] as const;
/**
 * Takers pay half the quoted spread, but never more than this share of the minute's range: the bars
 * are those of the trades, so a bounce wider than the bar cannot have happened.
 */
const BOUNCE_SHARE = 0.47;
/** Share of trades that answer the one before from the other side, whoever presses: the bounce. */
const TURN_SHARE = 0.55;
const SLOT_MS = MINUTE_MS / TRADES_PER_MINUTE;
/** How much more the side under pressure trades. */
const SIZE_TILT = 0.8;

/**
 * The public trades of one market from `sinceMs` (raised to the listing and to TAPE_DAYS_MAX) to
 * `asOfMs`; null before the listing. In each minute the first trade is the bar's open, the last its
 * close, the dearest (a buy) its high, the cheapest (a sell) its low, and the quantities add up to its
 * volume. `pause` is awaited before each part and may throw to stop.
 */
export async function simulateTrades(
	exchange: SimulatedExchange,
	market: SimulatedMarket,
	range: { sinceMs: number; asOfMs: number; venue: string },
	pause: () => Promise<void>,
): Promise<TradeTape | null> {
	const startMs = SIMULATION_START_MS + market.firstDay * DAY_MS;
	const endMs = SIMULATION_START_MS + market.endDay * DAY_MS;
	const { asOfMs } = range;
	if (asOfMs < startMs) return null;
	const sinceMs = Math.max(startMs, range.sinceMs, asOfMs - TAPE_DAYS_MAX * DAY_MS);
	const fromMs = Math.floor(sinceMs / MINUTE_MS) * MINUTE_MS;
	const untilMs = Math.max(fromMs, Math.min(endMs, (Math.floor(asOfMs / MINUTE_MS) + 1) * MINUTE_MS));
	const trades = createTradeColumns(((untilMs - fromMs) / MINUTE_MS) * TRADES_PER_MINUTE);
	for (let partMs = fromMs; partMs < untilMs; ) {
		const nextMs = Math.min(untilMs, (Math.floor(partMs / DAY_MS) + CHUNK_DAYS) * DAY_MS);
		await pause();
		fillTrades(exchange, market, partMs, nextMs, trades, ((partMs - fromMs) / MINUTE_MS) * TRADES_PER_MINUTE);
		partMs = nextMs;
	}
	// Whoever gets a tape reads it once, to know it again: that is a piece of work as large as a part.
	await pause();
	const first = countUpTo(trades.time, trades.length, sinceMs - 1);
	const end = countUpTo(trades.time, trades.length, asOfMs);
	return {
		symbol: market.symbol,
		venue: range.venue,
		...sliceTrades(trades, Math.min(first, end), end),
		since_ms: sinceMs,
		as_of_ms: asOfMs,
	};
}

function fillTrades(
	exchange: SimulatedExchange,
	market: SimulatedMarket,
	fromMs: number,
	untilMs: number,
	out: TradeColumns,
	at: number,
): void {
	const bars = exchange.bars(market, "1m", fromMs, untilMs);
	const pressure = takerPressure(exchange, market, fromMs, untilMs);
	const key = hashKey(exchange.seed, `tape:${market.symbol}`);
	const halfSpread = HALF_SPREAD_BP[tierOfVolume(market.coin.spot_volume + market.coin.perp_volume)] / 10_000;
	const offset = countUpTo(bars.open_time, bars.length, fromMs - 1);
	for (let i = 0; i < pressure.length; i++) {
		const minute = fromMs / MINUTE_MS + i;
		const draws = createDraws(hashKey(key, "", minute));
		const place = at + i * TRADES_PER_MINUTE;
		fillMinute(bars, offset + i, pressure[i] as number, halfSpread, market.perUnit, draws, out, place);
	}
}

/**
 * The trades that make one bar: open, one extreme, some between, the other extreme, some more, close.
 * Between them takers on both sides pay `half` around a mid that keeps out of the way of the extremes.
 */
function fillMinute(
	bars: BarColumns,
	bar: number,
	pressure: number,
	halfSpread: number,
	perUnit: number,
	draws: Draws,
	out: TradeColumns,
	at: number,
): void {
	const open = bars.open[bar] as number;
	const high = bars.high[bar] as number;
	const low = bars.low[bar] as number;
	const close = bars.close[bar] as number;
	const half = Math.min(halfSpread * open, BOUNCE_SHARE * (high - low));
	// A rising minute dips first more often than not.
	const highFirst = draws.uniform() < (close >= open ? 0.3 : 0.7);
	const [midHigh, midLow] = [high - half, low + half];
	const between = midLow + (midHigh - midLow) * draws.uniform();
	const late = ((highFirst ? midLow : midHigh) + close) / 2;
	let weights = 0;
	let before = 1;
	for (let i = 0; i < TRADES_PER_MINUTE; i++) {
		const extreme = i === EXTREMES[0] || i === EXTREMES[1];
		const isHigh = extreme && (i === EXTREMES[0]) === highFirst;
		const end = i === 0 ? open : i === TRADES_PER_MINUTE - 1 ? close : null;
		const buys = end === null ? (1 + pressure) / 2 : shareOfBuys((end - low) / (high - low));
		const drawn = draws.uniform() < buys ? 1 : -1;
		const turned = draws.uniform() < TURN_SHARE && end === null;
		const side: number = extreme ? (isHigh ? 1 : -1) : turned ? -before : drawn;
		const around = (i < EXTREMES[1] ? between : late) + side * half;
		const price = extreme ? (isHigh ? high : low) : (end ?? roundToTick(around, perUnit));
		const weight = (0.3 + draws.uniform()) * (1 + SIZE_TILT * side * pressure);
		weights += weight;
		before = side;
		out.time[at + i] = (bars.open_time[bar] as number) + Math.floor((i + 0.98 * draws.uniform()) * SLOT_MS);
		out.price[at + i] = Math.min(high, Math.max(low, price));
		out.taker_side[at + i] = side;
		out.quantity[at + i] = weight;
	}
	const scale = (bars.volume[bar] as number) / weights;
	for (let i = at; i < at + TRADES_PER_MINUTE; i++) out.quantity[i] = (out.quantity[i] as number) * scale;
}

/** A price near the minute's high was a buy, one near its low a sell; `place` 0 .. 1 in the range. */
const shareOfBuys = (place: number): number => (Number.isNaN(place) ? 0.5 : place * place * (3 - 2 * place));
