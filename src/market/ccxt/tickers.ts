import type { Ticker as CcxtTicker, Exchange } from "ccxt";
import { MarketError, type Ticker } from "../contract.ts";
import { type ListedMarket, quoteVolume, tickerTime, typeOf } from "./listing.ts";
import type { ExchangeProfile } from "./profiles.ts";

/** All tickers of an exchange are asked for at once, at most this often. */
export const TICKERS_FRESH_MS = 5_000;
const SINGLE_TICKERS_MAX = 50;

/** Tickers by symbol. Not offered: an empty one, and nothing has a volume. */
export type TickerTable = ReadonlyMap<string, CcxtTicker>;

/** The tickers of all markets, each type by a request of its own where the exchange has several. */
export async function readTickerTable(
	exchange: Exchange,
	profile: ExchangeProfile,
	markets: readonly ListedMarket[],
): Promise<TickerTable> {
	if (exchange.has.fetchTickers !== true) return new Map();
	const types = new Set(markets.map(typeOf));
	const all = types.size > 1 ? [{ type: "spot" }, profile.perp_tickers] : [{}];
	const asked = profile.ticker_currencies ? byCurrency(profile.ticker_currencies, markets) : all;
	const answers = await Promise.all(asked.map((params) => exchange.fetchTickers(undefined, params)));
	return new Map(answers.flatMap((answer) => Object.entries(answer)));
}

/** Contracts are found under what they settle in; of coins either side's currency may be the one. */
function byCurrency(
	currencies: readonly string[],
	markets: readonly ListedMarket[],
): { code: string; kind: "spot" | "future" }[] {
	return (["spot", "future"] as const).flatMap((kind) => {
		const wanted = markets.filter((market) => market.spot === (kind === "spot"));
		const named = new Set(wanted.flatMap(({ spot, base, quote, settle }) => (spot ? [base, quote] : [settle])));
		return currencies.filter((code) => named.has(code)).map((code) => ({ code, kind }));
	});
}

/** The named ones of a table; where the exchange has no table, each by a request of its own. */
export async function tickersOf(
	exchange: Exchange,
	profile: ExchangeProfile,
	markets: readonly ListedMarket[],
	table: TickerTable,
	asOfMs: number,
): Promise<Ticker[]> {
	const missing = exchange.has.fetchTickers === true ? [] : markets;
	if (missing.length > SINGLE_TICKERS_MAX) {
		throw new MarketError("not_supported", `${exchange.id} gives tickers one by one only`, false);
	}
	const single = await Promise.all(missing.map((market) => exchange.fetchTicker(market.symbol)));
	const found = new Map([...table, ...single.map((ticker) => [ticker.symbol, ticker] as const)]);
	return markets.flatMap((market) => {
		const ticker = found.get(market.symbol);
		if (!ticker) return [];
		return [
			{
				symbol: market.symbol,
				last: ticker.last ?? null,
				bid: ticker.bid ?? null,
				ask: ticker.ask ?? null,
				quote_volume_24h: quoteVolume(profile, ticker, market),
				at_ms: tickerTime(ticker) ?? asOfMs,
			},
		];
	});
}
