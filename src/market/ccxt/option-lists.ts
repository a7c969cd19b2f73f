/** Where exchanges list the quotes of their options. */
import type { Exchange, Option } from "ccxt";
import type { ListedMarket } from "./listing.ts";

/** What of ccxt's option an exchange sends. */
export type ListedOption = Partial<Option>;

/** The quotes of a base, of which `listed` are the markets; those of others may be among them. */
type ListQuotes = (options: Exchange, base: string, listed: readonly ListedMarket[]) => Promise<ListedOption[]>;

const LISTS: Readonly<Record<string, ListQuotes>> = {
	// The contracts are listed under what they settle in, where those settled in the coin itself are the ones that trade.
	deribit(options, base, listed) {
		const settled = new Set(listed.flatMap(({ settle }) => settle ?? []));
		return chainsOf(options, settled.has(base) ? [base] : [...settled]);
	},
	binance: tickersAndMarks,
};

export const listQuotes: ListQuotes = (options, base, listed) =>
	LISTS[options.id]?.(options, base, listed) ?? chainsOf(options, [base]);

async function chainsOf(options: Exchange, codes: readonly string[]): Promise<ListedOption[]> {
	const answers = await Promise.all(codes.map((code) => options.fetchOptionChain(code)));
	return answers.flatMap((answer) => Object.values(answer as unknown as Record<string, Option>));
}

/**
 * Binance has no chains: prices of all contracts are in one answer, their marks and volatilities in another. The time of a
 * ticker is that of the last trade, so the quotes are of the answer's moment.
 */
async function tickersAndMarks(options: Exchange): Promise<ListedOption[]> {
	const [tickers, marks] = await Promise.all([
		options.fetchTickers(undefined, { type: "option" }),
		options.fetchAllGreeks(),
	]);
	const marked = new Map(Object.values(marks).map((mark) => [mark.symbol, mark]));
	return Object.values(tickers).map(({ symbol, bid, ask, info }) => {
		const mark = marked.get(symbol);
		const sent = { ...mark?.info, ...info };
		return {
			symbol,
			bidPrice: bid,
			askPrice: ask,
			markPrice: mark?.markPrice,
			underlyingPrice: sent.exercisePrice,
			info: sent,
		};
	});
}
