import type { Market, OrderBook, Series, TradeTape } from "../../src/market/contract.ts";
import { createTradeColumns } from "../../src/market/trade-columns.ts";
import type { EvaluationRequest, MarketView } from "../../src/strategies/contract.ts";
import { createRandom } from "../../src/strategies/random.ts";
import { seriesOf } from "./recorded-bars.ts";
import { gaussian } from "./synthetic-market.ts";

/** Pieces for strategies that read books and trades. */

export const withView = (request: EvaluationRequest, change: Partial<MarketView>): EvaluationRequest => ({
	...request,
	view: { ...request.view, ...change },
});

/**
 * The same request with every price multiplied by a power of two and every quantity divided by it, which
 * changes no bit of a mantissa. Least orders and steps stand in units of their own: they are left out.
 */
export function scaledRequest(request: EvaluationRequest, factor: number): EvaluationRequest {
	const { view } = request;
	const each = <T>(record: Record<string, T>, map: (entry: T) => T): Record<string, T> =>
		Object.fromEntries(Object.entries(record).map(([key, entry]) => [key, map(entry)]));
	const up = (column: Float64Array) => column.map((value) => value * factor);
	const down = (column: Float64Array) => column.map((value) => value / factor);
	const series = (one: Series): Series => ({
		...one,
		open: up(one.open),
		high: up(one.high),
		low: up(one.low),
		close: up(one.close),
		volume: down(one.volume),
	});
	const levels = (side: OrderBook["bids"]) =>
		side.map(([price, quantity]): [number, number] => [price * factor, quantity / factor]);
	const market = <M extends Market>(one: M): M => ({ ...one, price_tick: null, quantity_step: null });
	const times = (value: number | null, by: number) => (value === null ? null : value * by);
	return {
		...request,
		candidates: request.candidates.map((candidate) => ({
			...candidate,
			asset: candidate.asset && { ...candidate.asset, markets: candidate.asset.markets.map(market) },
			market: candidate.market && market(candidate.market),
		})),
		portfolio: {
			...request.portfolio,
			positions: request.portfolio.positions.map(({ quantity, entry_price, ...position }) => ({
				...position,
				quantity: quantity / factor,
				entry_price: times(entry_price, factor),
			})),
		},
		view: {
			...view,
			series: each(view.series, series),
			evidence: { ...view.evidence, series: view.evidence.series.map(series) },
			books: each(view.books, (book) => ({ ...book, bids: levels(book.bids), asks: levels(book.asks) })),
			trades: each(view.trades ?? {}, (tape) => ({ ...tape, price: up(tape.price), quantity: down(tape.quantity) })),
			markets: each(view.markets, market),
			chains: each(view.chains ?? {}, (chain) => ({
				...chain,
				contract_size: chain.contract_size / factor,
				quotes: chain.quotes.map((quote) => ({
					...quote,
					strike: quote.strike * factor,
					forward: times(quote.forward, factor),
					// Premiums of an inverse chain are shares of the base coin: they have no unit of price.
					...(chain.inverse ? {} : { bid: times(quote.bid, factor), ask: times(quote.ask, factor) }),
				})),
			})),
			open_interest: each(view.open_interest ?? {}, ({ now, before }) => ({
				now: { ...now, quantity_base: times(now.quantity_base, 1 / factor) },
				before: { ...before, quantity_base: times(before.quantity_base, 1 / factor) },
			})),
		},
	};
}

/** A tape without an edge for anyone: a martingale that takers hit at random sides, a trade each `stepMs`. */
export function martingaleTape(
	symbol: string,
	seed: number,
	options: { days: number; stepMs: number; asOfMs: number; sigma: number },
): TradeTape {
	const { days, stepMs, asOfMs, sigma } = options;
	const count = Math.floor((days * 86_400_000) / stepMs);
	const since_ms = asOfMs - count * stepMs;
	const columns = createTradeColumns(count);
	const [normal, random] = [gaussian(seed), createRandom(seed + 1)];
	let log = Math.log(100);
	for (let i = 0; i < count; i++) {
		log += sigma * normal() - sigma ** 2 / 2;
		columns.time[i] = since_ms + i * stepMs;
		columns.price[i] = Math.exp(log);
		columns.quantity[i] = 0.5 + random();
		columns.taker_side[i] = random() < 0.5 ? 1 : -1;
	}
	return { symbol, venue: "fake", ...columns, since_ms, as_of_ms: asOfMs };
}

/** Five-minute bars of a martingale that end at `asOfMs`; `sigma` of a bar's log return. */
export function martingaleBars(symbol: string, bars: number, seed: number, sigma: number, asOfMs: number): Series {
	const step = 300_000;
	const [normal, volumes] = [gaussian(seed), gaussian(seed + 77)];
	const inner = sigma / Math.sqrt(6);
	let log = Math.log(100);
	const start = Math.floor(asOfMs / step) * step - bars * step;
	const rows = Array.from({ length: bars }, (_, t): [number, number, number, number, number, number] => {
		const open = log;
		let [high, low] = [log, log];
		for (let i = 0; i < 6; i++) {
			log += inner * normal() - inner ** 2 / 2;
			[high, low] = [Math.max(high, log), Math.min(low, log)];
		}
		const prices = [open, high, low, log].map(Math.exp) as [number, number, number, number];
		return [start + t * step, ...prices, 10_000 * Math.exp(0.5 * volumes())];
	});
	return seriesOf(rows, { symbol, timeframe: "5m", market: "perp", venue: "fake", as_of_ms: asOfMs });
}

/** Twenty levels on each side; the touch `spread` wide (fraction), `lean` from -1 to 1 to the bids. */
export function bookOf(
	symbol: string,
	mid: number,
	spread: number,
	atMs: number,
	lean = 0,
	levelUsd = 50_000,
): OrderBook {
	const side = (sign: number): [number, number][] =>
		Array.from({ length: 20 }, (_, i) => {
			const price = mid * (1 + sign * (spread / 2) * (1 + i));
			return [price, (levelUsd * (1 - sign * lean)) / price];
		});
	return { symbol, bids: side(-1), asks: side(1), at_ms: atMs };
}
