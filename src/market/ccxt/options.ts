/** Option chains as exchanges quote them. A field that an exchange does not send is null. */
import type { Exchange } from "ccxt";
import type { OptionChain, OptionQuote } from "../contract.ts";
import { positive } from "../numbers.ts";
import type { ListedMarket } from "./listing.ts";
import { readDetails } from "./option-details.ts";
import { type ListedOption, listQuotes } from "./option-lists.ts";

/** Implied volatilities come as fractions from some exchanges and in percent from others. */
interface OptionFields {
	bid_quantity: string | null;
	ask_quantity: string | null;
	bid_iv: string | null;
	ask_iv: string | null;
	mark_iv: string | null;
	/** Fraction that one unit of those is. */
	iv_unit: number;
	/** Price of the underlying for this expiry, not of the index that it settles to. */
	forward: string | null;
	/** Epoch ms of the quote, where ccxt does not find it. */
	time: string | null;
	/** What ccxt takes for the quote's time is that of the contract's listing; the quotes are of the answer's moment. */
	time_of_listing: boolean;
	/** Open interest is in base units, not in contracts. */
	interest_in_coins: boolean;
}

const NONE: OptionFields = {
	bid_quantity: null,
	ask_quantity: null,
	bid_iv: null,
	ask_iv: null,
	mark_iv: null,
	iv_unit: 1,
	forward: null,
	time: null,
	time_of_listing: false,
	interest_in_coins: false,
};

const FIELDS: Readonly<Record<string, OptionFields>> = {
	bybit: {
		...NONE,
		bid_quantity: "bid1Size",
		ask_quantity: "ask1Size",
		bid_iv: "bid1Iv",
		ask_iv: "ask1Iv",
		mark_iv: "markIv",
		forward: "underlyingPrice",
	},
	okx: { ...NONE, bid_quantity: "bidSz", ask_quantity: "askSz" },
	binance: { ...NONE, bid_iv: "bidIV", ask_iv: "askIV", mark_iv: "markIV" },
	// What is offered is written as a negative size.
	gate: {
		...NONE,
		bid_quantity: "bid1_size",
		ask_quantity: "ask1_size",
		forward: "underlying_price",
		time_of_listing: true,
	},
	deribit: {
		...NONE,
		mark_iv: "mark_iv",
		iv_unit: 0.01,
		forward: "underlying_price",
		time: "creation_timestamp",
		interest_in_coins: true,
	},
};

/** By exchange, what ccxt's contract size has to be multiplied with: Okx and Gate write a multiplier apart. */
const MULTIPLIERS: Readonly<Record<string, string>> = { okx: "ctMult", gate: "multiplier" };

/** Base units of one contract. */
function sizeOf(id: string, { contractSize, info }: ListedMarket): number {
	const name = MULTIPLIERS[id];
	const multiplier = name === undefined ? null : positive(info?.[name]);
	return (positive(contractSize) ?? 1) * (multiplier ?? 1);
}

/** The options on a base that an exchange lists. */
export const optionsOn = (options: Exchange, base: string): ListedMarket[] =>
	(Object.values(options.markets ?? {}) as ListedMarket[]).filter((market) => market.option && market.base === base);

/**
 * The chain of a base, of which `listed` are the options. Of several kinds of contract on one base (settled in the coin or
 * in dollars, of different sizes) it is the one with most quotes: strategies combine only contracts that are alike. null:
 * none is quoted.
 */
export async function readChain(
	options: Exchange,
	base: string,
	listed: readonly ListedMarket[],
	asOfMs: number,
): Promise<OptionChain | null> {
	const quoted = await listQuotes(options, base, listed);
	const kinds = new Map<string, { market: ListedMarket; size: number; quotes: OptionQuote[] }>();
	for (const option of quoted) {
		const market = options.markets?.[String(option.symbol)] as ListedMarket | undefined;
		if (!market?.option || market.base !== base) continue;
		const size = sizeOf(options.id, market);
		const quote = quoteOf(options.id, option, market, size, asOfMs);
		if (!quote) continue;
		const kind = `${market.settle}:${size}`;
		const known = kinds.get(kind) ?? { market, size, quotes: [] };
		known.quotes.push(quote);
		kinds.set(kind, known);
	}
	const [most] = [...kinds.values()].sort((a, b) => b.quotes.length - a.quotes.length);
	if (!most) return null;
	const underlying = new Map(quoted.map((option) => [String(option.symbol), positive(option.underlyingPrice)]));
	const of = { asOfMs, contractSize: most.size, priceOf: ({ symbol }: OptionQuote) => underlying.get(symbol) ?? null };
	const details = await readDetails(options, base, most.quotes, of);
	const quotes = most.quotes.map((quote) => ({ ...quote, ...details.get(quote.symbol) }));
	return {
		base,
		venue: options.id,
		inverse: most.market.settle === base,
		contract_size: most.size,
		quotes,
		at_ms: Math.max(...quotes.map(({ at_ms }) => at_ms)),
	};
}

function quoteOf(
	id: string,
	option: ListedOption,
	market: ListedMarket,
	size: number,
	asOfMs: number,
): OptionQuote | null {
	const kind = market.optionType;
	if ((kind !== "call" && kind !== "put") || !market.strike || !market.expiry || market.expiry <= asOfMs) return null;
	const fields = FIELDS[id] ?? NONE;
	const info = (option.info ?? {}) as Record<string, unknown>;
	const field = (name: string | null) => (name === null ? null : positive(info[name]));
	const quantity = (name: string | null) =>
		name === null ? null : positive(String(info[name] ?? "").replace(/^-/, ""));
	const volatility = (name: string | null) => {
		const value = field(name);
		return value === null ? null : value * fields.iv_unit;
	};
	const interest = option.openInterest ?? null;
	return {
		symbol: market.symbol,
		kind,
		strike: market.strike,
		expiry_ms: market.expiry,
		bid: positive(option.bidPrice),
		ask: positive(option.askPrice),
		bid_quantity: quantity(fields.bid_quantity),
		ask_quantity: quantity(fields.ask_quantity),
		mark_price: positive(option.markPrice),
		bid_iv: volatility(fields.bid_iv),
		ask_iv: volatility(fields.ask_iv),
		mark_iv: volatility(fields.mark_iv),
		open_interest: interest !== null && fields.interest_in_coins ? interest / size : interest,
		forward: field(fields.forward),
		at_ms: (fields.time_of_listing ? null : (option.timestamp ?? field(fields.time))) ?? asOfMs,
	};
}
