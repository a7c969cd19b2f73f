/** Option chains as exchanges quote them. A field that an exchange does not send is null. */
import type { Exchange, Option } from "ccxt";
import type { OptionChain, OptionQuote } from "../contract.ts";
import type { ListedMarket } from "./listing.ts";

/** Implied volatilities come as fractions from some exchanges and in percent from others. */
interface OptionFields {
	bid_quantity: string | null;
	ask_quantity: string | null;
	bid_iv: string | null;
	ask_iv: string | null;
	mark_iv: string | null;
	/** Fraction that one unit of those is. */
	iv_unit: number;
	/** Price of the underlying for this expiry. */
	forward: string | null;
}

const NONE: OptionFields = {
	bid_quantity: null,
	ask_quantity: null,
	bid_iv: null,
	ask_iv: null,
	mark_iv: null,
	iv_unit: 1,
	forward: null,
};

const FIELDS: Readonly<Record<string, OptionFields>> = {
	bybit: {
		bid_quantity: "bid1Size",
		ask_quantity: "ask1Size",
		bid_iv: "bid1Iv",
		ask_iv: "ask1Iv",
		mark_iv: "markIv",
		iv_unit: 1,
		forward: "underlyingPrice",
	},
	okx: { ...NONE, bid_quantity: "bidSz", ask_quantity: "askSz" },
	deribit: { ...NONE, mark_iv: "mark_iv", iv_unit: 0.01, forward: "underlying_price" },
};

const positive = (value: unknown): number | null => {
	const number = value === undefined || value === null || value === "" ? Number.NaN : Number(value);
	return Number.isFinite(number) && number > 0 ? number : null;
};

/**
 * The chain of a base. Of several kinds of contract on one base (settled in the coin or in dollars, of different
 * sizes) it is the one with most quotes: strategies combine only contracts that are alike. null: none is listed.
 */
export async function readChain(options: Exchange, base: string, asOfMs: number): Promise<OptionChain | null> {
	const listed = Object.values(options.markets ?? {}) as ListedMarket[];
	if (!listed.some((market) => market.option && market.base === base)) return null;
	const quoted = Object.values((await options.fetchOptionChain(base)) as unknown as Record<string, Option>);
	const kinds = new Map<string, { market: ListedMarket; quotes: OptionQuote[] }>();
	for (const option of quoted) {
		const market = options.markets?.[String(option.symbol)] as ListedMarket | undefined;
		const quote = market?.option && market.base === base ? quoteOf(options.id, option, market, asOfMs) : null;
		if (!market || !quote) continue;
		const kind = `${market.settle}:${market.contractSize}`;
		const known = kinds.get(kind) ?? { market, quotes: [] };
		known.quotes.push(quote);
		kinds.set(kind, known);
	}
	const [most] = [...kinds.values()].sort((a, b) => b.quotes.length - a.quotes.length);
	if (!most) return null;
	return {
		base,
		venue: options.id,
		inverse: most.market.settle === base,
		contract_size: most.market.contractSize ?? 1,
		quotes: most.quotes,
		at_ms: Math.max(...most.quotes.map(({ at_ms }) => at_ms)),
	};
}

function quoteOf(id: string, option: Option, market: ListedMarket, asOfMs: number): OptionQuote | null {
	const kind = market.optionType;
	if ((kind !== "call" && kind !== "put") || !market.strike || !market.expiry || market.expiry <= asOfMs) return null;
	const fields = FIELDS[id] ?? NONE;
	const info = (option.info ?? {}) as Record<string, unknown>;
	const field = (name: string | null) => (name === null ? null : positive(info[name]));
	const volatility = (name: string | null) => {
		const value = field(name);
		return value === null ? null : value * fields.iv_unit;
	};
	return {
		symbol: market.symbol,
		kind,
		strike: market.strike,
		expiry_ms: market.expiry,
		bid: positive(option.bidPrice),
		ask: positive(option.askPrice),
		bid_quantity: field(fields.bid_quantity),
		ask_quantity: field(fields.ask_quantity),
		mark_price: positive(option.markPrice),
		bid_iv: volatility(fields.bid_iv),
		ask_iv: volatility(fields.ask_iv),
		mark_iv: volatility(fields.mark_iv),
		open_interest: option.openInterest ?? null,
		forward: field(fields.forward),
		at_ms: option.timestamp ?? asOfMs,
	};
}
