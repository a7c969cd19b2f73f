/** What exchanges tell of options apart from their list of quotes. */
import type { Exchange, Greeks } from "ccxt";
import type { OptionQuote } from "../contract.ts";
import { TIMEFRAME_MS } from "../contract.ts";
import { positive } from "../numbers.ts";
import { readEach } from "./each.ts";

/** Contracts of one chain that are asked for one by one; the exchange allows about as many requests in five seconds. */
const CALLS_MAX = 80;
const CALLS_AT_ONCE = 8;
/** Shorter and longer ones than are traded on here: their sizes are not worth a request each. */
const DAYS_MIN = 6;
const DAYS_MAX = 62;

/** Fields that replace those of the list, by symbol. */
export type OptionDetails = ReadonlyMap<string, Partial<OptionQuote>>;

const NONE: OptionDetails = new Map();

/** The details of a chain's quotes; `contractSize` in base units. Rejects when most of them cannot be had. */
export async function readDetails(
	options: Exchange,
	base: string,
	quotes: readonly OptionQuote[],
	of: { asOfMs: number; contractSize: number },
): Promise<OptionDetails> {
	if (options.id === "okx") return okxSummary(options, base);
	return options.id === "deribit" ? deribitTickers(options, quotes, of) : NONE;
}

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

/**
 * Deribit's list has no sizes, so the tickers of the quoted contracts nearest to the money are read. One that cannot be
 * had leaves its quote as it was listed; when most fail the chain does, for nothing on it could be traded and nobody would
 * be told why.
 */
async function deribitTickers(
	options: Exchange,
	quotes: readonly OptionQuote[],
	{ asOfMs, contractSize }: { asOfMs: number; contractSize: number },
): Promise<OptionDetails> {
	const asked = nearest(quotes, asOfMs);
	const tickers = await readEach(asked, CALLS_AT_ONCE, ({ symbol }) => options.fetchGreeks(symbol));
	return new Map(
		asked.flatMap((quote, i) => {
			const ticker = tickers[i];
			return ticker ? [[quote.symbol, ofTicker(ticker, quote, contractSize)] as const] : [];
		}),
	);
}

/** Quoted contracts by their distance from the forward, in units that grow with the root of their time. */
function nearest(quotes: readonly OptionQuote[], asOfMs: number): OptionQuote[] {
	const ranked = quotes.flatMap((quote) => {
		const days = (quote.expiry_ms - asOfMs) / TIMEFRAME_MS["1d"];
		const quoted = quote.bid !== null || quote.ask !== null;
		if (!quoted || quote.forward === null || days < DAYS_MIN || days > DAYS_MAX) return [];
		return [{ quote, distance: Math.abs(Math.log(quote.strike / quote.forward)) / Math.sqrt(days) }];
	});
	ranked.sort((a, b) => a.distance - b.distance);
	return ranked.slice(0, CALLS_MAX).map(({ quote }) => quote);
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
