import type {
	FundingSeries,
	Market,
	MarketData,
	OpenInterest,
	OptionChain,
	OrderBook,
	ReadOptions,
	Series,
	TradeTape,
	VolatilityHistory,
} from "../market/contract.ts";
import type { Candidate, DataNeeds, Rival, VenueFunding } from "../strategies/contract.ts";
import { orAbsent } from "./absence.ts";
import { byVolume, readOf } from "./candidates.ts";
import { readEvidence } from "./evidence-reads.ts";
import { readRivals } from "./rival-reads.ts";

/** What the reads of one attempt have brought so far. */
export interface Reads {
	series: Record<string, Series>;
	funding: Record<string, FundingSeries>;
	books: Record<string, OrderBook>;
	trades: Record<string, TradeTape>;
	chains: Record<string, OptionChain>;
	volatility: Record<string, VolatilityHistory>;
	open_interest: Record<string, { now: OpenInterest; before: OpenInterest }>;
	markets: Record<string, Market>;
	rivals: Record<string, Rival[]>;
	evidence: { series: Series[]; funding: FundingSeries[]; venue_funding: VenueFunding[] };
}

export const nothingYet = (): Reads => ({
	series: {},
	funding: {},
	books: {},
	trades: {},
	chains: {},
	volatility: {},
	open_interest: {},
	markets: {},
	rivals: {},
	evidence: { series: [], funding: [], venue_funding: [] },
});

/** Reads everything one candidate needs; it is kept whole or not at all. */
export async function readCandidate(
	market: MarketData,
	needs: DataNeeds,
	candidate: Candidate,
	options: ReadOptions,
	got: Reads,
): Promise<() => void> {
	const { symbol } = candidate;
	const listed = candidate.asset?.markets ?? [];
	const read = candidate.market ? readOf(candidate.market, listed, options) : options;
	const base = candidate.asset?.base ?? candidate.market?.base ?? null;
	const since_ms = read.as_of_ms - (needs.trades_window_ms ?? 0);
	const [series, funding, book, trades, chain, volatility, interest, companions, rivals] = await Promise.all([
		needs.candles && needs.timeframe ? orAbsent(market.candles(symbol, needs.timeframe, read)) : null,
		needs.funding ? orAbsent(market.funding(symbol, read)) : null,
		needs.orderBook ? orAbsent(market.orderBook(symbol, read)) : null,
		needs.trades_window_ms ? orAbsent(market.trades(symbol, { ...read, since_ms })) : null,
		needs.chain && base ? orAbsent(market.optionChain(base, read)) : null,
		needs.chain && base ? orAbsent(market.volatilityHistory(base, read)) : null,
		readInterest(market, needs, symbol, read),
		Promise.all(
			companionsOf(candidate, needs).map((of) => readCompanion(market, needs, of, readOf(of, listed, options))),
		),
		needs.rival_venues ? readRivals(market, needs, candidate, options) : [],
	]);
	return () => {
		if (series) got.series[symbol] = series;
		if (funding) got.funding[symbol] = funding;
		if (book) got.books[symbol] = book;
		if (trades) got.trades[symbol] = trades;
		if (chain && base) got.chains[base] = chain;
		if (volatility && base) got.volatility[base] = volatility;
		if (interest) got.open_interest[symbol] = interest;
		if (candidate.market) got.markets[symbol] = candidate.market;
		if (rivals.length > 0) got.rivals[symbol] = rivals;
		for (const companion of companions) companion(got);
	};
}

/** Open interest at both ends of the wanted window; null where one of them is not recorded. */
async function readInterest(
	market: MarketData,
	needs: DataNeeds,
	symbol: string,
	read: ReadOptions,
): Promise<Reads["open_interest"][string] | null> {
	const backMs = needs.open_interest_change_ms;
	if (backMs === undefined) return null;
	const [now, before] = await Promise.all([
		orAbsent(market.openInterest(symbol, read)),
		orAbsent(market.openInterest(symbol, { ...read, as_of_ms: read.as_of_ms - backMs })),
	]);
	return now && before ? { now, before } : null;
}

/**
 * Markets of the candidate's base that the strategy wants beside it, e.g. the perp of a held coin; of one symbol
 * at several venues the busiest.
 */
function companionsOf({ asset, symbol }: Candidate, needs: DataNeeds): Market[] {
	const wanted = (asset?.markets ?? []).filter(
		(of) => of.symbol !== symbol && (needs.companions ?? []).includes(of.type),
	);
	return wanted.filter((of, i) => wanted.findIndex((other) => other.symbol === of.symbol) === i);
}

async function readCompanion(
	market: MarketData,
	needs: DataNeeds,
	of: Market,
	read: ReadOptions,
): Promise<(got: Reads) => void> {
	const [series, funding, book] = await Promise.all([
		needs.timeframe ? orAbsent(market.candles(of.symbol, needs.timeframe, read)) : null,
		needs.funding ? orAbsent(market.funding(of.symbol, read)) : null,
		needs.orderBook ? orAbsent(market.orderBook(of.symbol, read)) : null,
	]);
	return (got) => {
		got.markets[of.symbol] = of;
		if (series) got.series[of.symbol] = series;
		if (funding) got.funding[of.symbol] = funding;
		if (book) got.books[of.symbol] = book;
	};
}

/** Runs one named read and keeps its result; its failure is noted under the name. */
export type Guard = (name: string, work: () => Promise<() => void>) => Promise<void>;

/**
 * Benchmarks and the evidence universe: the same for whoever asks. `undescribed`: symbols of candidates without a
 * market, to be described as well where the strategy asks for it.
 */
export async function readShared(
	market: MarketData,
	needs: DataNeeds,
	undescribed: readonly string[],
	read: ReadOptions,
	got: Reads,
	guard: Guard,
): Promise<void> {
	const { timeframe } = needs;
	const benchmarks = timeframe
		? needs.benchmarks.map((symbol) =>
				guard(symbol, async () => {
					const [series, funding] = await Promise.all([
						market.candles(symbol, timeframe, read),
						needs.funding ? orAbsent(market.funding(symbol, read)) : null,
					]);
					return () => {
						got.series[symbol] = series;
						if (funding) got.funding[symbol] = funding;
					};
				}),
			)
		: [];
	const volatility = (needs.volatility_bases ?? []).map((base) =>
		guard(base, async () => {
			const history = await orAbsent(market.volatilityHistory(base, read));
			return () => {
				if (history) got.volatility[base] = history;
			};
		}),
	);
	const wanted = needs.benchmark_markets ? [...needs.benchmarks, ...undescribed] : [];
	await Promise.all([
		...benchmarks,
		...volatility,
		describe(market, wanted, read, got, guard),
		readEvidence(market, needs, read, got, guard, () => listMarkets(market, read, guard)),
	]);
}

/** What the venues say of the markets of these symbols; of several that list one, the busiest. */
async function describe(
	market: MarketData,
	symbols: readonly string[],
	read: ReadOptions,
	got: Reads,
	guard: Guard,
): Promise<void> {
	if (symbols.length === 0) return;
	const wanted = new Set(symbols);
	const listed = (await listMarkets(market, read, guard)).filter(({ symbol }) => wanted.has(symbol));
	for (const of of listed.sort(byVolume)) got.markets[of.symbol] ??= of;
}

/** All markets of all venues; a venue that fails is noted and left out. */
async function listMarkets(market: MarketData, read: ReadOptions, guard: Guard): Promise<Market[]> {
	const listed: Market[] = [];
	await Promise.all(
		market.venues().map((venue) =>
			guard(venue, async () => {
				const markets = await market.markets(venue, read);
				return () => {
					listed.push(...markets);
				};
			}),
		),
	);
	return listed;
}
