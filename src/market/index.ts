import type { Clock } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import type { CachedMarketData } from "./cached.ts";
import { withCache } from "./cached.ts";
import { ccxtSourceName, createCcxtMarketData } from "./ccxt/ccxt.ts";
import type { SourceGate } from "./gate.ts";
import { createRecordedMarketData } from "./recorded.ts";
import { withSharedCache } from "./shared.ts";
import type { SharedAnswers } from "./sharing.ts";
import { createSimulatedMarketData } from "./simulated.ts";
import { createVenueSharing } from "./venue-sharing.ts";

/** The same as the default of MARKET. */
export const DEFAULT_SEED = 42;

export interface MarketSettings {
	/** MARKET: `simulated[:<seed>]`, `recorded:<dir>` or `ccxt:<exchange>[,<exchange>]`. */
	market: string;
	/** MARKET_AS_OF, epoch ms; null: the source's own clock. */
	asOfMs: number | null;
	/** MARKET_LATENCY_MS */
	latencyMs: number;
	/** MARKET_BASE_URL: where ccxt sends its requests instead of to the exchanges; null: to them. */
	baseUrl?: string | null;
	/** Before the requests to live exchanges; absent: each passes at once. */
	gate?: SourceGate;
	/** Where live answers are shared between processes; absent: there is one process. */
	sharing?: { answers: SharedAnswers; entropy: Entropy };
	clock: Clock;
	/** Epoch ms of a clock that all processes share, for a live source that has not told the time; absent: `clock`. */
	sharedNow?: () => number;
}

/** One read of a live market: its pages may have to wait for the next minute's budget. */
const LIVE_READ_LIMIT_MS = 95_000;

/**
 * The market of this process, behind latency and the shared cache (so a cached answer is not late).
 * Throws an Error that names MARKET and what is wrong with it.
 */
export async function createMarketData({
	market,
	asOfMs,
	latencyMs,
	baseUrl,
	gate,
	sharing,
	clock,
	sharedNow,
}: MarketSettings): Promise<CachedMarketData> {
	const separator = market.indexOf(":");
	const scheme = separator < 0 ? market : market.slice(0, separator);
	const argument = separator < 0 ? "" : market.slice(separator + 1);
	if (scheme === "simulated") {
		const seed = argument === "" ? DEFAULT_SEED : Number(argument);
		if (!/^\d*$/.test(argument) || seed >= 2 ** 32) {
			throw new Error(`MARKET=${market}: the seed must be a whole number from 0 to 4294967295`);
		}
		return withCache(createSimulatedMarketData({ seed, asOfMs, latencyMs, clock }), { clock });
	}
	if (scheme === "recorded") {
		if (argument === "") throw new Error("MARKET=recorded:<dir> needs the folder of the data set");
		return withCache(await createRecordedMarketData({ dir: argument, asOfMs, latencyMs, clock }), { clock });
	}
	if (scheme === "ccxt") {
		const exchanges = argument.split(",").filter((id) => id !== "");
		if (exchanges.length === 0) throw new Error("MARKET=ccxt:<exchange>[,<exchange>] needs the id of an exchange");
		const live = await createCcxtMarketData({
			exchanges,
			baseUrl: baseUrl ?? null,
			clock,
			...(sharedNow ? { unknownNow: sharedNow } : {}),
			...(gate ? { gate } : {}),
			...(sharing ? { sharing: createVenueSharing({ ...sharing, source: ccxtSourceName(exchanges), clock }) } : {}),
		});
		const shared = sharing ? withSharedCache(live, { ...sharing, clock }) : live;
		return withCache(shared, { clock, readLimitMs: LIVE_READ_LIMIT_MS });
	}
	const expected = "simulated[:<seed>], recorded:<dir> or ccxt:<exchange>[,<exchange>]";
	throw new Error(`MARKET=${market}: unknown source '${scheme}' (expected ${expected})`);
}

export type { CachedMarketData, CacheStats } from "./cached.ts";
export { discoverUniverse } from "./discovery.ts";
export { selectAssets } from "./universe-filters.ts";
