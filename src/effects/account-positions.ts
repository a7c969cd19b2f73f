import type { AccountReport } from "../../machines/types.ts";
import { isDollarQuote } from "../dollars.ts";
import { symbolParts } from "../filter-words.ts";
import type { AccountHoldings, StoredPortfolio } from "../services.ts";
import type { Position } from "../strategies/contract.ts";

/** A position and who holds it; null: entered by the user. */
export interface HeldPosition {
	account_id: string | null;
	position: Position;
}

/** The user's own entries first, then each account's. */
export const heldPositions = (stored: StoredPortfolio, accounts: readonly AccountHoldings[]): HeldPosition[] => [
	...stored.positions.map((position) => ({ account_id: null, position })),
	...accounts.flatMap(({ account_id, held }) => (held?.positions ?? []).map((position) => ({ account_id, position }))),
];

export const reportsOf = (accounts: readonly AccountHoldings[]): AccountReport[] =>
	accounts.map(({ account_id, exchange, held, error }) => ({
		account_id,
		exchange,
		error,
		missing: [...(held?.missing ?? [])],
		as_of_ms: held?.as_of_ms ?? null,
	}));

export const isDollarSymbol = (symbol: string): boolean => isDollarQuote(symbolParts(symbol).quote ?? "");

/**
 * The quote that most sources have, for a coin whose exchange trades it in dollars proper; null for everything else.
 * BTC at one exchange is worth what BTC is worth at another, and a strategy knows it by the source's name.
 */
export function otherName({ account_id, position }: HeldPosition): string | null {
	const { base, quote, settle } = symbolParts(position.symbol);
	return account_id !== null && settle === null && quote === "USD" ? `${base}/USDT` : null;
}

const isContract = (symbol: string): boolean => symbolParts(symbol).settle !== null;

/** Both or neither known: a mean of entries that leaves one out would be a made-up number. */
function meanEntry(a: Position, b: Position): number | null {
	if (a.entry_price === null || b.entry_price === null) return null;
	// A short and a long of the same contract have no common entry; the larger one's stands for what is left.
	if (a.quantity > 0 !== b.quantity > 0) {
		return Math.abs(a.quantity) >= Math.abs(b.quantity) ? a.entry_price : b.entry_price;
	}
	const size = a.quantity + b.quantity;
	return (a.quantity * a.entry_price + b.quantity * b.entry_price) / size;
}

/**
 * One position per symbol, as strategies know it: what several accounts hold of it together. A stop or a
 * liquidation price belongs to one account's position alone and is not carried over to a sum. Coins owed are no
 * position, they lower the capital.
 */
export function joinedPositions(held: readonly Position[]): Position[] {
	const bySymbol = new Map<string, Position>();
	for (const position of held) {
		const before = bySymbol.get(position.symbol);
		if (!before) {
			bySymbol.set(position.symbol, position);
			continue;
		}
		const quantity = before.quantity + position.quantity;
		bySymbol.set(position.symbol, { symbol: position.symbol, quantity, entry_price: meanEntry(before, position) });
	}
	return [...bySymbol.values()].filter(({ symbol, quantity }) => quantity > 0 || (quantity < 0 && isContract(symbol)));
}
