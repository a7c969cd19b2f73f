import { type Market, type Series, TIMEFRAME_MS } from "../../market/contract.ts";
import { at, type Column, last } from "../columns.ts";
import type { Candidate, MarketView, PortfolioSnapshot, Position } from "../contract.ts";
import { Memo, orderedFingerprint } from "../evidence/memo.ts";
import { checkSeries } from "../quality.ts";
import { type Covariance, riskCovariance } from "./covariance.ts";

/** Daily returns a position needs before it is measured. */
export const RETURNS_MIN = 180;

/** A position with a price and enough history. */
export interface Holding {
	position: Position;
	market: Market | null;
	series: Series;
	price: number;
	/** Signed exposure, USD. */
	value: number;
	/** value / equity. */
	weight: number;
	stablecoin: boolean;
}

export interface Book {
	equity: number;
	holdings: Holding[];
	/** Exposure over equity, order of `holdings`. */
	weights: number[];
	/** Simple daily returns common to all holdings, oldest first: the whole common history. */
	history: Column[];
	/** The newest RETURNS_MIN of them, and the prices at the ends of those days (one more). */
	returns: Column[];
	prices: Column[];
	/** Daily variances of the holdings, and their covariance times `weights`. */
	variances: readonly number[];
	marginal: number[];
	/** Opens of the days of `history`, epoch ms. */
	days: number[];
	/** Positions that could not be measured. */
	unread: { symbol: string; reason: string; detail: string }[];
	asOfMs: number | null;
}

/** Candidates by symbol; of several the first. */
export const bySymbol = (candidates: readonly Candidate[]): Map<string, Candidate> =>
	new Map([...candidates].reverse().map((candidate) => [candidate.symbol, candidate]));

/** Reads the portfolio's positions into one book; what cannot be read is named, never guessed. */
export function readBook(candidates: readonly Candidate[], view: MarketView, portfolio: PortfolioSnapshot): Book {
	const holdings: Holding[] = [];
	const candidateOf = bySymbol(candidates);
	const unread: Book["unread"] = [];
	for (const position of [...portfolio.positions].sort((a, b) => (a.symbol < b.symbol ? -1 : 1))) {
		const { symbol } = position;
		const market = candidateOf.get(symbol)?.market ?? view.markets[symbol] ?? null;
		// Tags and thin volume bar an opportunity, not the measuring of what is held.
		const check = checkSeries({ symbol, asset: null, market: null }, view, RETURNS_MIN + 1);
		const series = view.series[symbol];
		if (!series || (!check.ok && check.reason !== "illiquid")) {
			unread.push(
				check.ok
					? { symbol, reason: "fetch_failed", detail: "no bars were read" }
					: { symbol, reason: check.reason, detail: check.detail },
			);
			continue;
		}
		const price = last(series.close);
		const value = position.quantity * price;
		holdings.push({
			position,
			market,
			series,
			price,
			value,
			weight: value / portfolio.capital_usd,
			stablecoin: market?.tags.includes("stablecoin") ?? false,
		});
	}
	return { equity: portfolio.capital_usd, holdings, unread, ...joined(holdings) };
}

type CommonHistory = Omit<Book, "equity" | "holdings" | "unread" | "weights" | "marginal"> & Pick<Covariance, "times">;

/** Joined histories of this thread; a book is asked for at every evaluation and changes with a closed bar. */
const histories = new Memo<CommonHistory>(32);

function joined(holdings: readonly Holding[]): Omit<Book, "equity" | "holdings" | "unread"> {
	const series = holdings.map((holding) => holding.series);
	const { times, ...history } = histories.get(orderedFingerprint(series), () => commonHistory(series));
	const weights = holdings.map((holding) => holding.weight);
	return { weights, marginal: times(weights), ...history };
}

function commonHistory(series: readonly Series[]): CommonHistory {
	const closes = joinCloses(series);
	const history = closes.columns.map(simpleReturns);
	const returns = history.map((column) => column.subarray(-RETURNS_MIN));
	const newest = closes.days.at(-1);
	return {
		history,
		returns,
		prices: closes.columns.map((column) => column.subarray(-(RETURNS_MIN + 1))),
		...riskCovariance(returns),
		days: closes.days.slice(1),
		asOfMs: newest === undefined ? null : newest + TIMEFRAME_MS["1d"],
	};
}

/** Histories that were joined in this thread; what they hold is read, never written to. */
const joins = new Memo<JoinedCloses>(32);

interface JoinedCloses {
	/** Opens of the common days, epoch ms. */
	readonly days: number[];
	/** Closes of those days, in the order of the series. */
	readonly columns: Column[];
}

/**
 * Inner join of closes on the opening time, once per closed bar; prices are never carried forward. Columns stand
 * in the order of their series, so order is part of what names them.
 */
export const joinCloses = (series: readonly Series[]): JoinedCloses =>
	joins.get(orderedFingerprint(series), () => innerJoin(series));

/** Times of a series grow, so one walk over all of them is enough. */
function innerJoin(series: readonly Series[]): JoinedCloses {
	const [first] = series;
	const days: number[] = [];
	const columns = series.map(() => new Float64Array(first?.length ?? 0));
	const next = series.map(() => 0);
	for (let t = 0; t < (first?.length ?? 0); t++) {
		const time = at((first as Series).open_time, t);
		let common = true;
		for (let i = 0; i < series.length; i++) {
			const { open_time, close } = series[i] as Series;
			let index = next[i] ?? 0;
			while (index < open_time.length && at(open_time, index) < time) index++;
			next[i] = index;
			if (at(open_time, index) !== time) common = false;
			else (columns[i] as Column)[days.length] = at(close, index);
		}
		if (common) days.push(time);
	}
	return { days, columns: columns.map((column) => column.subarray(0, days.length)) };
}

export function simpleReturns(close: Column): Column {
	const result = new Float64Array(Math.max(0, close.length - 1));
	for (let i = 1; i < close.length; i++) result[i - 1] = at(close, i) / at(close, i - 1) - 1;
	return result;
}
