import { isDollarQuote } from "../dollars.ts";
import { symbolParts } from "../filter-words.ts";
import type { MarketData, Ticker } from "../market/contract.ts";
import type { StoredPortfolio } from "../services.ts";
import type { PortfolioSnapshot, Position } from "../strategies/contract.ts";
import type { EffectContext, Effects } from "./contract.ts";
import { EffectError, isAbsence } from "./errors.ts";
import { type EffectDeps, effectSettings } from "./ports.ts";
import { untilAborted, withinTime } from "./waiting.ts";

/** Capital of a user who never stored a portfolio (CONTRACT.md 8.5). */
export const ASSUMED_CAPITAL_USD = 10_000;

/** Where the value of a position comes from. */
export type MarkBasis = "market" | "entry_price" | "unpriced";

/** Document `portfolio_valuation`: how capital_usd came about. */
export interface PortfolioValuation {
	cash_usd: number;
	positions: { symbol: string; value_usd: number; basis: MarkBasis; price: number | null }[];
}

/**
 * Reads the stored portfolio and marks it once. A market that does not answer costs the marks, not
 * the phase: such positions count at their entry price, or 0. Rejects with `portfolio_fetch_failed`
 * only when the stored portfolio itself cannot be read.
 */
export function createFetchPortfolio(
	deps: Pick<EffectDeps, "portfolios" | "market" | "clock" | "settings">,
): Effects["fetchPortfolio"] {
	return async (context) => {
		const startedAtMs = deps.clock.now();
		const stored = await readStored(deps, context);
		const prices = await markPrices(deps, context, stored.positions);
		const snapshot = snapshotOf(stored, prices);
		return {
			portfolio: {
				positions: stored.positions.length,
				portfolio_version: stored.version,
				capital_usd: snapshot.portfolio.capital_usd,
				assumed: snapshot.portfolio.assumed,
				source: sourceOf(stored, snapshot.valuation, deps.market),
				duration_ms: Math.max(0, deps.clock.now() - startedAtMs),
			},
			attachments: { portfolio: snapshot.portfolio, documents: { portfolio_valuation: snapshot.valuation } },
		};
	};
}

async function readStored(deps: Pick<EffectDeps, "portfolios">, context: EffectContext): Promise<StoredPortfolio> {
	try {
		return await untilAborted(deps.portfolios.get(context.scan.input.user_id), context.signal);
	} catch (error) {
		if (context.signal.aborted) throw error;
		throw new EffectError("portfolio_fetch_failed", "The stored portfolio could not be read", true);
	}
}

async function markPrices(
	deps: Pick<EffectDeps, "market" | "clock" | "settings">,
	context: EffectContext,
	positions: readonly Position[],
): Promise<Map<string, number>> {
	const symbols = positions
		.map((position) => position.symbol)
		.filter((symbol) => isDollarQuote(symbolParts(symbol).quote ?? ""));
	if (symbols.length === 0) return new Map();
	const limitMs = Math.min(effectSettings(deps).portfolio_marks_timeout_ms, context.timeLeftMs() / 2);
	try {
		const tickers = await withinTime(limitMs, deps.clock, context.signal, (signal) =>
			readTickers(deps.market, symbols, signal),
		);
		return new Map(tickers.flatMap((ticker) => priceOf(ticker)));
	} catch (error) {
		if (context.signal.aborted) throw error;
		return new Map();
	}
}

/** One call for all; a source that refuses the list for one unknown symbol is asked one by one. */
async function readTickers(market: MarketData, symbols: readonly string[], signal: AbortSignal): Promise<Ticker[]> {
	const options = { signal, as_of_ms: market.now() };
	try {
		return await market.tickers(symbols, options);
	} catch (error) {
		if (signal.aborted || !isAbsence(error)) throw error;
		const single = await Promise.allSettled(symbols.map((symbol) => market.tickers([symbol], options)));
		return single.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
	}
}

function priceOf(ticker: Ticker): [symbol: string, price: number][] {
	const { bid, ask, last } = ticker;
	const mid = bid !== null && ask !== null ? (bid + ask) / 2 : null;
	const price = last ?? mid;
	return price !== null && Number.isFinite(price) && price > 0 ? [[ticker.symbol, price]] : [];
}

/** Capital = cash + marked positions, each counted once; version 0 = nothing stored, capital assumed. */
export function snapshotOf(
	stored: StoredPortfolio,
	prices: ReadonlyMap<string, number>,
): { portfolio: PortfolioSnapshot; valuation: PortfolioValuation } {
	const positions = stored.positions.map((position) => markOf(position, prices.get(position.symbol) ?? null));
	const assumed = stored.version === 0;
	const marked = positions.reduce((sum, position) => sum + position.value_usd, 0);
	return {
		portfolio: {
			positions: stored.positions,
			cash_usd: stored.cash_usd,
			version: stored.version,
			capital_usd: assumed ? ASSUMED_CAPITAL_USD : Math.max(0, stored.cash_usd + marked),
			assumed,
		},
		valuation: { cash_usd: stored.cash_usd, positions },
	};
}

/**
 * Spot: quantity * price. A contract's notional is not money the user holds; what counts is its
 * unrealised result, quantity * (price - entry) for linear contracts, 0 without both prices.
 */
function markOf(position: Position, marketPrice: number | null): PortfolioValuation["positions"][number] {
	const { symbol, quantity, entry_price } = position;
	const { quote, settle } = symbolParts(symbol);
	const entry = isDollarQuote(quote ?? "") ? entry_price : null;
	const price = marketPrice ?? entry;
	const basis: MarkBasis = marketPrice !== null ? "market" : entry !== null ? "entry_price" : "unpriced";
	if (price === null) return { symbol, value_usd: 0, basis, price };
	const value_usd = settle === null ? quantity * price : quantity * (price - (entry ?? price));
	return { symbol, value_usd, basis, price };
}

function sourceOf(stored: StoredPortfolio, valuation: PortfolioValuation, market: MarketData): string {
	if (stored.version === 0) return "default";
	if (stored.positions.length === 0) return `portfolio version ${stored.version}`;
	const count = (basis: MarkBasis) => valuation.positions.filter((position) => position.basis === basis).length;
	const parts = [`${count("market")} of ${stored.positions.length} positions marked by ${market.source.name}`];
	if (count("entry_price") > 0) parts.push(`${count("entry_price")} at entry price`);
	if (count("unpriced") > 0) parts.push(`${count("unpriced")} unpriced and counted as 0`);
	return `portfolio version ${stored.version}: ${parts.join(", ")}`;
}
