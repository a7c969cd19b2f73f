/** What a venue shows beside bars: books, trades and option chains that follow from a synthetic market's bars. */
import type {
	OptionChain,
	OptionQuote,
	OrderBook,
	Series,
	TradeTape,
	VolatilityHistory,
} from "../../src/market/contract.ts";
import { TIMEFRAME_MS } from "../../src/market/contract.ts";
import { createTradeColumns } from "../../src/market/trade-columns.ts";
import { black76, YEAR_MS } from "../../src/pricing/black76.ts";
import { createRandom } from "../../src/strategies/random.ts";

const DAY_MS = 86_400_000;
const LEVELS = 12;
const TRADES_PER_BAR = 10;
const EXPIRY_DAYS = [14, 28, 45] as const;
const STRIKES = 15;
const VOLATILITY = 0.7;
const HALF_SPREAD_VOLATILITY = 0.01;

/** Twelve levels a side around the newest close; `halfSpread` as a fraction of the price. */
export function bookOf({ symbol, close, as_of_ms }: Series, halfSpread: number, seed: number): OrderBook {
	const random = createRandom(seed);
	const mid = close.at(-1) ?? 1;
	const side = (sign: 1 | -1) =>
		Array.from({ length: LEVELS }, (_, i): [number, number] => [
			mid * (1 + sign * halfSpread * (1 + i / 4)),
			(20_000 * (0.5 + random())) / mid,
		]);
	return { symbol, bids: side(-1), asks: side(1), at_ms: as_of_ms };
}

/**
 * Ten trades a bar on both sides of the way from open to close, so that the tape reaches as far back as the
 * bars do: its size grows with symbols and bars alike.
 */
export function tapeOf(series: Series, halfSpread: number, seed: number): TradeTape {
	const random = createRandom(seed);
	const step = TIMEFRAME_MS[series.timeframe];
	const trades = createTradeColumns(series.length * TRADES_PER_BAR);
	// From the newest on, so that a longer tape has the same present.
	for (let t = series.length - 1; t >= 0; t--) {
		const [open, close] = [series.open[t] ?? 1, series.close[t] ?? 1];
		for (let i = 0; i < TRADES_PER_BAR; i++) {
			const side = random() < 0.5 ? 1 : -1;
			const at = t * TRADES_PER_BAR + i;
			trades.time[at] = (series.open_time[t] ?? 0) + ((i + 0.5) * step) / TRADES_PER_BAR;
			trades.price[at] = (open + ((close - open) * i) / TRADES_PER_BAR) * (1 + side * halfSpread);
			trades.quantity[at] = (1 + 4 * random()) / close;
			trades.taker_side[at] = side;
		}
	}
	const { symbol, venue, as_of_ms } = series;
	return { symbol, venue, ...trades, since_ms: series.open_time[0] ?? 0, as_of_ms };
}

/** Three expiries of fifteen strikes, calls and puts, priced by Black-76 at one volatility. */
export function chainOf(base: string, { close, as_of_ms: at_ms }: Series): OptionChain {
	const forward = close.at(-1) ?? 1;
	const quotes = EXPIRY_DAYS.flatMap((days) =>
		Array.from({ length: STRIKES }, (_, i) => forward * (1 + (i - (STRIKES >> 1)) * 0.04)).flatMap((strike) =>
			(["call", "put"] as const).map((kind) => quoteOf(base, kind, strike, forward, at_ms + days * DAY_MS, at_ms)),
		),
	);
	return { base, venue: "synthetic_options", inverse: false, contract_size: 1, quotes, at_ms };
}

function quoteOf(
	base: string,
	kind: "call" | "put",
	strike: number,
	forward: number,
	expiry_ms: number,
	at_ms: number,
): OptionQuote {
	const terms = { kind, forward, strike, years: (expiry_ms - at_ms) / YEAR_MS };
	const [bid_iv, ask_iv] = [VOLATILITY - HALF_SPREAD_VOLATILITY, VOLATILITY + HALF_SPREAD_VOLATILITY];
	return {
		symbol: `${base}/USDT:USDT-${expiry_ms}-${strike.toFixed(4)}-${kind === "call" ? "C" : "P"}`,
		kind,
		strike,
		expiry_ms,
		bid: black76(terms, bid_iv),
		ask: black76(terms, ask_iv),
		bid_quantity: 50,
		ask_quantity: 50,
		mark_price: black76(terms, VOLATILITY),
		bid_iv,
		ask_iv,
		mark_iv: VOLATILITY,
		open_interest: 500,
		forward,
		at_ms,
	};
}

/** A day's at-the-money volatility for each bar, wandering around `factor` times the chain's. */
export function volatilityOf(
	base: string,
	{ open_time, length, as_of_ms }: Series,
	seed: number,
	factor: number,
): VolatilityHistory {
	const random = createRandom(seed);
	const columns = () => new Float64Array(new SharedArrayBuffer(8 * length));
	const [time, atm_iv] = [columns(), columns()];
	let level = 0;
	for (let t = length - 1; t >= 0; t--) {
		level += 0.05 * (random() - 0.5) - 0.05 * level;
		time[t] = open_time[t] ?? 0;
		atm_iv[t] = factor * VOLATILITY * Math.exp(level);
	}
	return { base, venue: "synthetic_options", length, time, atm_iv, as_of_ms };
}
