import type { AssetTier } from "../catalogue.ts";
import { ASSET_TIERS } from "../catalogue.ts";
import { canonicalSymbol, symbolParts } from "../filter-words.ts";
import type { Asset, Market, Universe } from "./contract.ts";

export interface AssetSelection {
	/** Universe order; `markets` narrowed to what the symbols filter names. */
	assets: Asset[];
	/** Filter words, as given, that select nothing: unknown symbols, tiers below the floor. */
	unmatched: string[];
}

/** What a word of the symbols filter names. */
export type SymbolFilter =
	| { kind: "base"; base: string }
	| { kind: "pair"; base: string; quote: string }
	| { kind: "contract"; symbol: string };

/** Spellings as in filter-words.ts: a word of the user's has one meaning everywhere. */
export function parseSymbolFilter(word: string): SymbolFilter {
	const symbol = canonicalSymbol(word);
	const { base, quote, settle } = symbolParts(symbol);
	if (settle !== null) return { kind: "contract", symbol };
	return quote === null ? { kind: "base", base } : { kind: "pair", base, quote };
}

const keyOf = (filter: SymbolFilter): string =>
	filter.kind === "contract" ? filter.symbol : filter.kind === "base" ? filter.base : `${filter.base}/${filter.quote}`;

/** Every word that means this market: looked up in a set, so that a long filter costs no more than a short one. */
const keysOfMarket = ({ symbol, base, quote }: Market): string[] => [
	base.toUpperCase(),
	`${base}/${quote}`.toUpperCase(),
	symbol.toUpperCase(),
];

/**
 * The assets a user's scan looks at: at or above the floor of the user's tier, of the named tiers
 * (an asset's own tier), with the named symbols. No filter: all of the floor.
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
	const known = new Set(withinFloor.flatMap((asset) => asset.markets.flatMap(keysOfMarket)));
	const wanted = new Set(filters.map(keyOf));
	for (const [i, filter] of filters.entries()) if (!known.has(keyOf(filter))) unmatched.add(words[i] as string);

	const assets: Asset[] = [];
	for (const asset of withinFloor) {
		if (tiers.size > 0 && !tiers.has(asset.tier)) continue;
		if (filters.length === 0) {
			assets.push(asset);
			continue;
		}
		const markets = asset.markets.filter((market) => keysOfMarket(market).some((key) => wanted.has(key)));
		if (markets.length > 0) assets.push({ ...asset, markets });
	}
	return { assets, unmatched: [...unmatched] };
}

function priorityOf(tier: string): number {
	const found = ASSET_TIERS.find((entry) => entry.name === tier);
	if (!found) throw new RangeError(`no asset tier '${tier}'`);
	return found.priority;
}
