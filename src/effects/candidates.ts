import { compareText } from "../canonical.ts";
import { isDollarQuote } from "../dollars.ts";
import type { Asset, Market, MarketType, ReadOptions, Universe } from "../market/contract.ts";
import type { Candidate, DataNeeds, PortfolioSnapshot } from "../strategies/contract.ts";

/** Below this capital no strategy about the portfolio says anything. */
export const PORTFOLIO_CAPITAL_USD_MIN = 100;

export interface CandidateSelection {
	/** What evaluates: after the policy's limit, highest volume first (positions: largest first). */
	candidates: Candidate[];
	/** Before the policy's limit. */
	candidates_total: number;
	/** `pair`: each two of the candidates are counted once. */
	candidate_unit: "symbol" | "position" | "pair";
	/** Set when there is nothing to evaluate. */
	skip: "no_symbols" | "no_positions" | "portfolio_too_small" | null;
}

/**
 * Candidates of one strategy: the assets that have the market it declares, or the portfolio's positions.
 * `assets` are those within the user's floor and filters; positions are never filtered, because a
 * statement about a portfolio needs all of it (rows are filtered instead).
 */
export function selectCandidates(
	needs: DataNeeds,
	assets: readonly Asset[],
	universe: Universe,
	portfolio: PortfolioSnapshot,
	options: { symbolsMax: number | null; symbols?: readonly string[] },
): CandidateSelection {
	const wanted = needs.candidates;
	const ofPositions = wanted === "positions";
	const all = ofPositions ? positionCandidates(portfolio, universe) : marketCandidates(wanted, assets, options.symbols);
	const candidates = options.symbolsMax === null ? all : all.slice(0, options.symbolsMax);
	return {
		candidates,
		candidates_total: all.length,
		candidate_unit: ofPositions ? "position" : (needs.unit ?? "symbol"),
		skip: skipReason(ofPositions, needs.unit === "pair" ? candidates.length - 1 : candidates.length, portfolio),
	};
}

function skipReason(ofPositions: boolean, count: number, portfolio: PortfolioSnapshot): CandidateSelection["skip"] {
	if (!ofPositions) return count <= 0 ? "no_symbols" : null;
	if (count === 0) return "no_positions";
	return portfolio.capital_usd < PORTFOLIO_CAPITAL_USD_MIN ? "portfolio_too_small" : null;
}

function marketCandidates(
	wanted: Exclude<DataNeeds["candidates"], "positions">,
	assets: readonly Asset[],
	symbols: readonly string[] | undefined,
): Candidate[] {
	const words = symbols ? new Set(symbols) : null;
	const found: Candidate[] = [];
	for (const asset of assets) {
		const market = asset.markets
			.filter((candidate) => wanted === "chain" || candidate.type === wanted)
			.filter((candidate) => isDollarQuote(candidate.quote))
			.filter((candidate) => !words || wordsOf(candidate).some((word) => words.has(word)))
			.sort(byVolume)[0];
		if (market) found.push({ symbol: market.symbol, asset, market });
	}
	return found.sort(
		(a, b) => (b.asset?.volume_usd_24h ?? 0) - (a.asset?.volume_usd_24h ?? 0) || compareText(a.symbol, b.symbol),
	);
}

/** The canonical filter words that mean this market. */
const wordsOf = ({ symbol, base, quote }: Market): string[] => [symbol, base, `${base}/${quote}`];

/** Highest volume first, then by name. */
export const byVolume = (a: Market, b: Market): number =>
	(b.volume_usd_24h ?? -1) - (a.volume_usd_24h ?? -1) ||
	compareText(a.symbol, b.symbol) ||
	compareText(a.venue, b.venue);

function positionCandidates(portfolio: PortfolioSnapshot, universe: Universe): Candidate[] {
	const places = new Map<string, { asset: Asset; market: Market }>();
	for (const asset of universe.assets) {
		for (const market of asset.markets) if (!places.has(market.symbol)) places.set(market.symbol, { asset, market });
	}
	const size = ({ quantity, entry_price }: PortfolioSnapshot["positions"][number]) =>
		Math.abs(quantity) * (entry_price ?? 0);
	return [...portfolio.positions]
		.sort((a, b) => size(b) - size(a) || compareText(a.symbol, b.symbol))
		.map(({ symbol }) => ({
			symbol,
			asset: places.get(symbol)?.asset ?? null,
			market: places.get(symbol)?.market ?? null,
		}));
}

/** By list, how many venues have each symbol: a universe is asked for its markets one after another. */
const venuesOf = new WeakMap<readonly Market[], Map<string, Set<string>>>();

function venuesBySymbol(listed: readonly Market[]): Map<string, Set<string>> {
	const held = venuesOf.get(listed);
	if (held) return held;
	const venues = new Map<string, Set<string>>();
	for (const { symbol, venue } of listed) venues.set(symbol, (venues.get(symbol) ?? new Set()).add(venue));
	venuesOf.set(listed, venues);
	return venues;
}

/** The read of one market: its venue is named where another one lists the same symbol. */
export function readOf<Read extends ReadOptions>(of: Market, listed: readonly Market[], read: Read): Read {
	const venues = venuesBySymbol(listed).get(of.symbol) ?? new Set();
	const shared = venues.size > (venues.has(of.venue) ? 1 : 0);
	return shared ? { ...read, venue: of.venue } : read;
}

/** Live sources list thousands of markets; the walk-forward then takes those of highest volume that have the history. */
export const LIVE_EVIDENCE_MARKETS_MAX = 100;

/** Perps whose funding at several venues is compared; a bound for sources that list hundreds of bases. */
const VENUE_PERPS_MAX = 200;

/** Dollar perps of bases that more than one venue lists, the busiest first. */
export function perpsOfSeveralVenues(markets: readonly Market[]): Market[] {
	const venues = new Map<string, Set<string>>();
	const perps = markets.filter(({ type, tags, quote }) => type === "perp" && tags.length === 0 && isDollarQuote(quote));
	for (const { base, venue } of perps) venues.set(base, (venues.get(base) ?? new Set()).add(venue));
	return perps
		.filter(({ base }) => (venues.get(base)?.size ?? 0) > 1)
		.sort(byVolume)
		.slice(0, VENUE_PERPS_MAX);
}

/**
 * The walk-forward universe, the busiest first: every dollar market of the type, ended ones included, without assets
 * whose price is tied to another (they fake mean reversion). The user's filters never change it.
 */
export function evidenceMarkets(markets: readonly Market[], type: MarketType): Market[] {
	const bySymbol = new Map<string, Market>();
	for (const market of [...markets].sort(byVolume)) {
		if (
			market.type === type &&
			market.tags.length === 0 &&
			isDollarQuote(market.quote) &&
			!bySymbol.has(market.symbol)
		) {
			bySymbol.set(market.symbol, market);
		}
	}
	return [...bySymbol.values()];
}
