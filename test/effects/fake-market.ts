import { tierOfVolume } from "../../src/catalogue.ts";
import type { SelectAssets, UniverseStore } from "../../src/effects/ports.ts";
import { symbolMatches } from "../../src/filter-words.ts";
import type { Asset, Market, MarketData, MarketType, Series, Universe } from "../../src/market/contract.ts";
import { START_MS } from "./fake-clock.ts";

/** The source's clock stands still here. */
export const AS_OF_MS = START_MS;

export function market(symbol: string, type: MarketType, volume: number | null, extra: Partial<Market> = {}): Market {
	const [pair = ""] = symbol.split(":");
	const [base = "", quote = ""] = pair.split("/");
	return {
		symbol,
		id: `${base}${quote}`,
		venue: "fake",
		type,
		base,
		quote,
		maker_fee: 0.001,
		taker_fee: 0.001,
		min_notional: 10,
		quantity_step: null,
		price_tick: null,
		volume_usd_24h: volume,
		data_age_ms: 0,
		tags: [],
		funding_interval_hours: null,
		open_interest_usd: null,
		open_interest_at_ms: null,
		...extra,
	};
}

export const asset = (base: string, volume: number, markets?: Market[]): Asset => ({
	base,
	tier: tierOfVolume(volume),
	volume_usd_24h: volume,
	markets: markets ?? [market(`${base}/USDT`, "spot", volume)],
});

export const universe = (assets: Asset[], overrides: Partial<Universe> = {}): Universe => ({
	as_of_ms: AS_OF_MS,
	assets,
	excluded: {},
	sources: [{ name: "fake", ok: true, error: null, assets: assets.length }],
	...overrides,
});

export function series(symbol: string, length = 300): Series {
	const column = new Float64Array(length).fill(1);
	return {
		symbol,
		venue: "fake",
		market: "spot",
		timeframe: "1d",
		length,
		open_time: column,
		open: column,
		high: column,
		low: column,
		close: column,
		volume: column,
		quote_volume: column,
		missing: 0,
		as_of_ms: AS_OF_MS,
	};
}

export interface FakeMarket extends MarketData {
	/** Reads that have neither ended nor been aborted. */
	running(): number;
	calls: { symbol: string; as_of_ms: number }[];
}

/** `candles` decides what a symbol answers; every read ends when its signal aborts. */
export function fakeMarket(overrides: Partial<MarketData> = {}): FakeMarket {
	const calls: FakeMarket["calls"] = [];
	let running = 0;
	const tracked = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
		running += 1;
		return new Promise<T>((resolve, reject) => {
			signal.addEventListener("abort", () => reject(signal.reason), { once: true });
			work.then(resolve, reject);
		}).finally(() => {
			running -= 1;
		});
	};
	const candles = overrides.candles ?? (async (symbol: string) => series(symbol));
	return {
		source: { kind: "simulated", name: "simulated:fake" },
		now: () => AS_OF_MS,
		venues: () => ["fake"],
		markets: async () => [],
		tickers: async () => [],
		funding: async () => null,
		orderBook: async () => null,
		openInterest: async () => null,
		trades: async () => null,
		optionChain: async () => null,
		volatilityHistory: async () => null,
		check: async () => ({ ok: true, error: null }),
		close: async () => {},
		...overrides,
		candles: (symbol, timeframe, options) => {
			calls.push({ symbol, as_of_ms: options.as_of_ms });
			return tracked(candles(symbol, timeframe, options), options.signal);
		},
		running: () => running,
		calls,
	};
}

/** Tier names are ignored but for the floor; enough for what the effects ask. */
export const selectAssets: SelectAssets = (from, { floorTier, tiers, symbols }) => {
	const order = [
		"tier_institutional",
		"tier_enterprise",
		"tier_professional",
		"tier_retail",
		"tier_emerging",
		"tier_micro",
		"tier_any",
	];
	const assets = from.assets
		.filter(({ tier }) => order.indexOf(tier) <= order.indexOf(floorTier))
		.filter(({ tier }) => !tiers || tiers.includes(tier))
		.filter(
			({ markets }) => !symbols || markets.some(({ symbol }) => symbols.some((word) => symbolMatches(symbol, word))),
		);
	const unmatched = (symbols ?? []).filter(
		(word) => !assets.some(({ markets }) => markets.some(({ symbol }) => symbolMatches(symbol, word))),
	);
	return { assets, unmatched };
};

export interface FakeUniverseStore extends UniverseStore {
	held: Map<string, Universe>;
}

export function fakeUniverseStore(): FakeUniverseStore {
	const held = new Map<string, Universe>();
	return {
		held,
		put: async (hash, stored) => {
			held.set(hash, stored);
		},
		get: async (hash) => held.get(hash) ?? null,
	};
}
