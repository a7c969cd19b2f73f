import type { AssetTier } from "../catalogue.ts";
import { ASSET_TIERS } from "../catalogue.ts";
import type { Asset, Market, Universe } from "./contract.ts";

export interface AssetSelection {
	/** Universe order; `markets` narrowed to what the symbols filter names. */
	assets: Asset[];
	/** Filter words, as given, that select nothing: unknown symbols, tiers below the floor. */
	unmatched: string[];
}

/** What a word of the symbols filter names (CONTRACT.md 4.1). */
export type SymbolFilter =
	| { kind: "base"; base: string }
	| { kind: "pair"; base: string; quote: string }
	| { kind: "contract"; symbol: string };

const QUOTE_ENDING = /^(.+?)(USDT|USDC|USD)$/u;

/**
 * `BTC` a base; `BTC/USDT`, `BTC-USDT`, `BTC_USDT`, `BTCUSDT` base and quote; `BTC/USDT:USDT` that
 * contract. Case-insensitive.
 */
export function parseSymbolFilter(word: string): SymbolFilter {
	const upper = word.trim().toUpperCase();
	if (upper.includes(":")) return { kind: "contract", symbol: upper };
	const [base, quote] = upper.split(/[/_-]/u, 2);
	if (base && quote) return { kind: "pair", base, quote };
	const glued = QUOTE_ENDING.exec(upper);
	if (glued?.[1] && glued[2]) return { kind: "pair", base: glued[1], quote: glued[2] };
	return { kind: "base", base: upper };
}

function matches(market: Market, filter: SymbolFilter): boolean {
	if (filter.kind === "contract") return market.symbol.toUpperCase() === filter.symbol;
	if (market.base.toUpperCase() !== filter.base) return false;
	return filter.kind === "base" || market.quote.toUpperCase() === filter.quote;
}

/**
 * The assets a user's scan looks at: at or above the floor of the user's tier, of the named tiers
 * (an asset's own tier, CONTRACT.md 13.4), with the named symbols. No filter: all of the floor.
 * Throws RangeError for a tier that does not exist; the API refuses such a word before.
 */
export function selectAssets(
	universe: Universe,
	selection: { floorTier: AssetTier; tiers?: readonly string[]; symbols?: readonly string[] },
): AssetSelection {
	const floor = priorityOf(selection.floorTier);
	const unmatched = new Set<string>();
	const withinFloor = universe.assets.filter((asset) => priorityOf(asset.tier) <= floor);
	const tiers = new Set(selection.tiers?.map((tier) => tier.toLowerCase()));
	for (const tier of selection.tiers ?? []) if (priorityOf(tier.toLowerCase()) > floor) unmatched.add(tier);

	const words = selection.symbols ?? [];
	const bases = new Set(withinFloor.map((asset) => asset.base.toUpperCase()));
	const filters = words.map((word): SymbolFilter => {
		const base = word.trim().toUpperCase();
		// A coin may be named like a pair (ends in USD): the name that exists is meant.
		return bases.has(base) ? { kind: "base", base } : parseSymbolFilter(word);
	});
	for (const [i, filter] of filters.entries()) {
		const hit = withinFloor.some((asset) => asset.markets.some((market) => matches(market, filter)));
		if (!hit) unmatched.add(words[i] as string);
	}

	const assets: Asset[] = [];
	for (const asset of withinFloor) {
		if (tiers.size > 0 && !tiers.has(asset.tier)) continue;
		if (filters.length === 0) {
			assets.push(asset);
			continue;
		}
		const markets = asset.markets.filter((market) => filters.some((filter) => matches(market, filter)));
		if (markets.length > 0) assets.push({ ...asset, markets });
	}
	return { assets, unmatched: [...unmatched] };
}

function priorityOf(tier: string): number {
	const found = ASSET_TIERS.find((entry) => entry.name === tier);
	if (!found) throw new RangeError(`no asset tier '${tier}'`);
	return found.priority;
}
