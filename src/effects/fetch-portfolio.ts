import type { AccountReport } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import { isDollarQuote } from "../dollars.ts";
import type { MissingPart } from "../exchange/contract.ts";
import { symbolParts } from "../filter-words.ts";
import type { MarketData, ReadOptions, StaleNote, Ticker } from "../market/contract.ts";
import type { AccountHoldings, StoredPortfolio } from "../services.ts";
import type { PortfolioSnapshot, Position } from "../strategies/contract.ts";
import {
	type HeldPosition,
	heldPositions,
	isDollarSymbol,
	joinedPositions,
	otherName,
	reportsOf,
} from "./account-positions.ts";
import { beginOf } from "./begin.ts";
import type { EffectContext, Effects, FetchedPortfolio } from "./contract.ts";
import { EffectError, isAbsence, scrubMessage } from "./errors.ts";
import { type EffectDeps, effectSettings } from "./ports.ts";
import { untilAborted, withinTime } from "./waiting.ts";

/** Capital of a user who never stored a portfolio. */
export const ASSUMED_CAPITAL_USD = 10_000;

/** Where the value of a position comes from. */
export type MarkBasis = "market" | "entry_price" | "unpriced";

interface MarkedPosition {
	symbol: string;
	value_usd: number;
	basis: MarkBasis;
	price: number | null;
	/** When the market's price was made; null: it is none of the market's. */
	priced_at: string | null;
	/** The exchange account that holds it; absent: entered by the user. */
	account_id?: string;
}

/** Document `portfolio_valuation`: how capital_usd came about. */
export interface PortfolioValuation {
	/** The source's instant at which prices were asked for; null: none was. */
	as_of: string | null;
	/** Prices are the last good ones of a source that fails now: the oldest of them; null: they are not. */
	stale: { age_seconds: number; error: string } | null;
	/** Entered by the user and held in exchange accounts. */
	cash_usd: number;
	positions: MarkedPosition[];
	/** Only for a user who has some. */
	accounts?: (AccountReport & { cash_usd: number | null })[];
}

type Deps = Pick<EffectDeps, "portfolios" | "accounts" | "market" | "clock" | "settings">;

/**
 * Reads the stored portfolio and the user's exchange accounts and marks all of it once. A market that does not
 * answer costs the marks, not the phase: such positions count at their entry price, or 0. An account that does not
 * answer costs its newest state: what it held before counts, with its time, or nothing. Rejects with
 * `portfolio_fetch_failed` only when the stored portfolio itself cannot be read.
 */
export function createFetchPortfolio(deps: Deps): Effects["fetchPortfolio"] {
	return async (context) => {
		const startedAtMs = deps.clock.now();
		const [stored, accounts] = await readStored(deps, context);
		const held = heldPositions(stored, accounts);
		const marks = await markPrices(deps, context, held);
		return fetched(deps, stored, marks, accounts, Math.max(0, deps.clock.now() - startedAtMs));
	};
}

/**
 * Of a user who has never stored anything: neither a portfolio nor an exchange account, each of which makes a new
 * version. There is nothing to read any more and nothing to mark.
 */
export function createPortfolioAtOnce(deps: Pick<Deps, "market">): NonNullable<Effects["portfolioAtOnce"]> {
	const isUntouched = ({ version, updated_at, positions }: StoredPortfolio) =>
		version === 0 && updated_at === null && positions.length === 0;
	return (stored) => (isUntouched(stored) ? fetched(deps, stored, noMarks(), [], 0) : null);
}

function fetched(
	{ market }: Pick<Deps, "market">,
	stored: StoredPortfolio,
	marks: Marks,
	accounts: readonly AccountHoldings[],
	duration_ms: number,
): FetchedPortfolio {
	const snapshot = snapshotOf(stored, marks, accounts);
	return {
		portfolio: {
			positions: snapshot.portfolio.positions.length,
			portfolio_version: stored.version,
			capital_usd: snapshot.portfolio.capital_usd,
			assumed: snapshot.portfolio.assumed,
			source: sourceOf(snapshot, accounts, market),
			duration_ms,
			...(accounts.length > 0 ? { accounts: reportsOf(accounts) } : {}),
			...(snapshot.valuation.stale ? { stale_prices: snapshot.valuation.stale } : {}),
		},
		attachments: { portfolio: snapshot.portfolio, documents: { portfolio_valuation: snapshot.valuation } },
	};
}

async function readStored(deps: Deps, context: EffectContext): Promise<[StoredPortfolio, AccountHoldings[]]> {
	const { user_id } = context.scan.input;
	const limitMs = Math.min(effectSettings(deps).portfolio_accounts_timeout_ms, context.timeLeftMs() * 0.4);
	try {
		return await untilAborted(
			Promise.all([deps.portfolios.get(user_id), deps.accounts?.read(user_id, context.signal, limitMs) ?? []]),
			context.signal,
		);
	} catch (error) {
		if (context.signal.aborted) throw error;
		throw new EffectError("portfolio_fetch_failed", "The stored portfolio could not be read", true);
	}
}

interface Price {
	price: number;
	at_ms: number;
}

export interface Marks {
	/** Dollars by symbol. */
	prices: Map<string, Price>;
	as_of_ms: number | null;
	/** The oldest of the answers that stand in for newer ones. */
	stale: StaleNote | null;
	/** What the market knows a coin by, where it is not the name that the account's exchange uses. */
	named: Map<string, string>;
}

export const noMarks = (): Marks => ({ prices: new Map(), as_of_ms: null, stale: null, named: new Map() });

async function markPrices(deps: Deps, context: EffectContext, held: readonly HeldPosition[]): Promise<Marks> {
	const marks = noMarks();
	const symbols = [...new Set(held.map(({ position }) => position.symbol))].filter(isDollarSymbol);
	if (symbols.length === 0) return marks;
	const limitMs = Math.min(effectSettings(deps).portfolio_marks_timeout_ms, context.timeLeftMs() / 2);
	const mark = async (asked: readonly string[], signal: AbortSignal) => {
		const { begunMs, agoMs } = beginOf(context, deps.clock);
		const as_of_ms = deps.market.now(agoMs);
		marks.as_of_ms ??= as_of_ms;
		const onStale = (note: StaleNote) => {
			if (!marks.stale || note.age_ms > marks.stale.age_ms) marks.stale = note;
		};
		const tickers = await readTickers(deps.market, asked, { signal, as_of_ms, begun_ms: begunMs, onStale });
		for (const [symbol, price] of tickers.flatMap((ticker) => priceOf(ticker))) marks.prices.set(symbol, price);
	};
	try {
		await withinTime(limitMs, deps.clock, context.signal, async (signal) => {
			await mark(symbols, signal);
			for (const one of held) {
				const other = marks.prices.has(one.position.symbol) ? null : otherName(one);
				if (other !== null) marks.named.set(one.position.symbol, other);
			}
			const unknown = [...new Set(marks.named.values())].filter((symbol) => !marks.prices.has(symbol));
			if (unknown.length > 0) await mark(unknown, signal);
		});
	} catch (error) {
		if (context.signal.aborted) throw error;
	}
	for (const [symbol, other] of marks.named) if (!marks.prices.has(other)) marks.named.delete(symbol);
	return marks;
}

/** One call for all; a source that refuses the list for one unknown symbol is asked one by one. */
async function readTickers(market: MarketData, symbols: readonly string[], options: ReadOptions): Promise<Ticker[]> {
	try {
		return await market.tickers(symbols, options);
	} catch (error) {
		if (options.signal.aborted || !isAbsence(error)) throw error;
		const single = await Promise.allSettled(symbols.map((symbol) => market.tickers([symbol], options)));
		return single.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
	}
}

function priceOf(ticker: Ticker): [symbol: string, price: Price][] {
	const { bid, ask, last, at_ms } = ticker;
	const mid = bid !== null && ask !== null ? (bid + ask) / 2 : null;
	const price = last ?? mid;
	return price !== null && Number.isFinite(price) && price > 0 ? [[ticker.symbol, { price, at_ms }]] : [];
}

/** Positions that strategies are given; what lies beyond counts in the capital all the same. */
const POSITIONS_MAX = 200;

/** Capital = cash + marked positions, each counted once. Nothing entered and no account ever read: capital assumed. */
export function snapshotOf(
	stored: StoredPortfolio,
	{ prices, named, as_of_ms, stale }: Marks,
	accounts: readonly AccountHoldings[] = [],
): { portfolio: PortfolioSnapshot; valuation: PortfolioValuation } {
	const held = heldPositions(stored, accounts).map((one) => {
		const symbol = (one.account_id !== null && named.get(one.position.symbol)) || one.position.symbol;
		return { ...one, position: symbol === one.position.symbol ? one.position : { ...one.position, symbol } };
	});
	const marks = held.map(({ account_id, position }) => ({
		...markOf(position, prices.get(position.symbol) ?? null),
		...(account_id === null ? {} : { account_id }),
	}));
	const cash_usd = accounts.reduce((sum, account) => sum + (account.held?.cash_usd ?? 0), stored.cash_usd);
	const assumed = stored.updated_at === null && !accounts.some((account) => account.held);
	const marked = marks.reduce((sum, position) => sum + position.value_usd, 0);
	const reports = reportsOf(accounts).map((report, i) => ({
		...report,
		cash_usd: accounts[i]?.held?.cash_usd ?? null,
	}));
	return {
		portfolio: {
			positions: largest(joinedPositions(held.map(({ position }) => position)), prices),
			cash_usd,
			version: stored.version,
			capital_usd: assumed ? ASSUMED_CAPITAL_USD : Math.max(0, cash_usd + marked),
			assumed,
		},
		valuation: {
			as_of: as_of_ms === null ? null : isoOf(as_of_ms),
			stale: stale && { age_seconds: Math.round(stale.age_ms / 1000), error: scrubMessage(stale.error) },
			cash_usd,
			positions: marks,
			...(accounts.length > 0 ? { accounts: reports } : {}),
		},
	};
}

function largest(positions: Position[], prices: Marks["prices"]): Position[] {
	if (positions.length <= POSITIONS_MAX) return positions;
	const size = ({ symbol, quantity, entry_price }: Position) =>
		Math.abs(quantity) * (prices.get(symbol)?.price ?? entry_price ?? 0);
	return [...positions].sort((a, b) => size(b) - size(a)).slice(0, POSITIONS_MAX);
}

/**
 * Spot: quantity * price. A contract's notional is not money the user holds; what counts is its
 * unrealised result, quantity * (price - entry) for linear contracts, 0 without both prices.
 */
function markOf(position: Position, market: Price | null): MarkedPosition {
	const { symbol, quantity, entry_price } = position;
	const { quote, settle } = symbolParts(symbol);
	const entry = isDollarQuote(quote ?? "") ? entry_price : null;
	const price = market?.price ?? entry;
	const basis: MarkBasis = market !== null ? "market" : entry !== null ? "entry_price" : "unpriced";
	const mark = { symbol, basis, price, priced_at: market && isoOf(market.at_ms) };
	if (price === null) return { ...mark, value_usd: 0 };
	return { ...mark, value_usd: settle === null ? quantity * price : quantity * (price - (entry ?? price)) };
}

const partsMissing = (missing: readonly MissingPart[]): string | null =>
	missing.length === 0 ? null : `without ${missing.join(" and ")}`;

function sourceOf(
	{ portfolio, valuation }: ReturnType<typeof snapshotOf>,
	accounts: readonly AccountHoldings[],
	market: MarketData,
): string {
	const unread = accounts.filter(({ error }) => error !== null);
	const failed = accounts
		.map(({ exchange, error, held }) => ({ exchange, gap: error ?? partsMissing(held?.missing ?? []) }))
		.flatMap(({ exchange, gap }) => (gap === null ? [] : [`${exchange}: ${gap}`]))
		.join(", ");
	const read =
		accounts.length === 0 ? "" : `, ${accounts.length - unread.length} of ${accounts.length} exchange accounts read`;
	const note = failed === "" ? read : `${read} (${failed})`;
	if (portfolio.assumed) return `default${note}`;
	const version = `portfolio version ${portfolio.version}`;
	const { positions } = valuation;
	if (positions.length === 0) return `${version}${note}`;
	const count = (basis: MarkBasis) => positions.filter((position) => position.basis === basis).length;
	const parts = [`${count("market")} of ${positions.length} positions marked by ${market.source.name}`];
	if (count("entry_price") > 0) parts.push(`${count("entry_price")} at entry price`);
	if (count("unpriced") > 0) parts.push(`${count("unpriced")} unpriced and counted as 0`);
	const oldest = positions.flatMap(({ priced_at }) => priced_at ?? []).sort()[0];
	if (oldest !== undefined) parts.push(`oldest price of ${oldest}`);
	const { stale } = valuation;
	if (stale)
		parts.push(`last good prices, up to ${stale.age_seconds} s old, because the source fails (${stale.error})`);
	return `${version}: ${parts.join(", ")}${note}`;
}
