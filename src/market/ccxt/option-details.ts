/** What exchanges tell of options apart from their list of quotes. */
import type { Exchange, Greeks, OrderBook } from "ccxt";
import type { OptionQuote } from "../contract.ts";
import { positive } from "../numbers.ts";
import { type ChainOf, type OptionDetails, readNearest, readTradedExpiries } from "./option-nearest.ts";

/** Levels of a book of which the first is read: the fewest that Binance sends. */
const BOOK_LEVELS = 10;

type ReadDetails = (
	options: Exchange,
	base: string,
	quotes: readonly OptionQuote[],
	of: ChainOf,
) => Promise<OptionDetails>;

const DETAILS: Readonly<Record<string, ReadDetails>> = {
	okx: okxSummary,
	deribit: deribitTickers,
	binance: binanceBooks,
};
const NONE: OptionDetails = new Map();

/** The details of a chain's quotes. Rejects when most of them cannot be had. */
export const readDetails: ReadDetails = async (options, base, quotes, of) =>
	DETAILS[options.id]?.(options, base, quotes, of) ?? NONE;

/** Okx has volatilities and forwards of all options of a coin in one answer of their own, and what is open in another. */
async function okxSummary(options: Exchange, base: string): Promise<OptionDetails> {
	const uly = `${base}-USD`;
	const [summary, interests] = await Promise.all([
		options.fetchAllGreeks(undefined, { uly }),
		// ccxt asks for perps unless the type is named in the exchange's own way.
		options.fetchOpenInterests(undefined, { instType: "OPTION", uly }),
	]);
	const open = new Map(Object.values(interests).map((of) => [of?.symbol, of?.openInterestAmount ?? null]));
	const details = Object.values(summary).map(({ symbol, info }): [string, Partial<OptionQuote>] => [
		String(symbol),
		{
			bid_iv: positive(info?.bidVol),
			ask_iv: positive(info?.askVol),
			mark_iv: positive(info?.markVol),
			open_interest: open.get(symbol) ?? null,
			forward: positive(info?.fwdPx),
		},
	]);
	return new Map(details);
}

/** Deribit's list has no sizes: they are in tickers of single contracts. */
async function deribitTickers(options: Exchange, _base: string, quotes: readonly OptionQuote[], of: ChainOf) {
	const read = async (quote: OptionQuote) => ofTicker(await options.fetchGreeks(quote.symbol), quote, of.contractSize);
	return readNearest(quotes, of, read);
}

/** Nor has Binance's, whose sizes are in books and whose open interest is listed by expiry. */
async function binanceBooks(options: Exchange, _base: string, quotes: readonly OptionQuote[], of: ChainOf) {
	const [books, open] = await Promise.all([
		readNearest(quotes, of, async (quote) => ofBook(await options.fetchOrderBook(quote.symbol, BOOK_LEVELS), quote)),
		binanceInterests(options, quotes, of),
	]);
	const details = quotes.map(({ symbol }): [string, Partial<OptionQuote>] => [
		symbol,
		{ ...books.get(symbol), open_interest: open.get(symbol) ?? null },
	]);
	return new Map(details);
}

/** An endpoint of Binance's that ccxt uses for one contract, though its answer is of an expiry. */
interface BinanceOptions extends Exchange {
	eapiPublicGetOpenInterest(of: { underlyingAsset: string | undefined; expiration: string }): Promise<unknown>;
}

/** Contracts that are open, by symbol, of the expiries that are traded on. */
async function binanceInterests(
	options: Exchange,
	quotes: readonly OptionQuote[],
	of: ChainOf,
): Promise<ReadonlyMap<string, number>> {
	const answers = await readTradedExpiries(quotes, of, async ({ symbol, expiry_ms }) => {
		const { baseId } = options.market(symbol);
		const asked = { underlyingAsset: baseId, expiration: options.yymmdd(expiry_ms, "") };
		return options.parseOpenInterests(await (options as BinanceOptions).eapiPublicGetOpenInterest(asked));
	});
	const open = answers.flatMap((answer) => Object.values(answer ?? {}));
	return new Map(
		open.flatMap((one) =>
			one?.openInterestAmount === undefined ? [] : [[String(one.symbol), one.openInterestAmount] as const],
		),
	);
}

/** Prices and sizes of one instant, that at which the book last changed. */
function ofBook({ bids, asks, timestamp }: OrderBook, quote: OptionQuote): Partial<OptionQuote> {
	const [bid, ask] = [bids[0] ?? [], asks[0] ?? []];
	return {
		bid: positive(bid[0]),
		ask: positive(ask[0]),
		bid_quantity: positive(bid[1]),
		ask_quantity: positive(ask[1]),
		at_ms: timestamp ?? quote.at_ms,
	};
}

/** Prices and sizes of one instant. Deribit's volatilities are in percent, its amounts in coins. */
function ofTicker(ticker: Greeks, quote: OptionQuote, contractSize: number): Partial<OptionQuote> {
	const contracts = (coins: number | undefined) => {
		const amount = positive(coins);
		return amount === null ? null : amount / contractSize;
	};
	const fraction = (percent: number | undefined) => {
		const value = positive(percent);
		return value === null ? null : value / 100;
	};
	return {
		bid: positive(ticker.bidPrice),
		ask: positive(ticker.askPrice),
		bid_quantity: contracts(ticker.bidSize),
		ask_quantity: contracts(ticker.askSize),
		mark_price: positive(ticker.markPrice) ?? quote.mark_price,
		bid_iv: fraction(ticker.bidImpliedVolatility),
		ask_iv: fraction(ticker.askImpliedVolatility),
		mark_iv: fraction(ticker.markImpliedVolatility) ?? quote.mark_iv,
		forward: positive(ticker.underlyingPrice) ?? quote.forward,
		at_ms: ticker.timestamp ?? quote.at_ms,
	};
}
