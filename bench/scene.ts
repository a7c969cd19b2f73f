import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "../src/clock.ts";
import { type CachedMarketData, createMarketData, discoverUniverse } from "../src/market/index.ts";
import type { PortfolioSnapshot } from "../src/strategies/contract.ts";
import type { Scene } from "../test/support/evaluate-on.ts";

const READ_LIMIT_MS = 120_000;
const HELD_COINS = 10;
const HELD_USD = 5_000;
export const REFERENCE_AS_OF_MS = Date.UTC(2026, 2, 19, 19);
const DAY_MS = 86_400_000;

/** The recorded set beside the project; null where it is not. */
export function recordedFolder(root: string): string | null {
	const folder = resolve(root, "../shared/market");
	return existsSync(join(folder, "MANIFEST.json")) ? folder : null;
}

/** A market behind its real adapter and cache, discovered as a scan does. `asOfMs` null: the source's clock. */
export async function openScene(word: string, asOfMs: number | null): Promise<Scene & { market: CachedMarketData }> {
	const market = await createMarketData({ market: word, asOfMs, latencyMs: 0, clock: systemClock });
	const signal = AbortSignal.timeout(READ_LIMIT_MS);
	const now = market.now();
	const universe = await discoverUniverse(market, {
		signal,
		asOfMs: now,
		clock: systemClock,
		perSourceTimeoutMs: READ_LIMIT_MS,
	});
	return { market, universe, asOfMs: now };
}

/** Equal amounts of the coins of highest volume whose spot days reach the present: something to weigh and hedge. */
export async function benchPortfolio(
	{ market, universe, asOfMs }: Scene,
	coins = HELD_COINS,
): Promise<PortfolioSnapshot> {
	const read = { signal: AbortSignal.timeout(READ_LIMIT_MS), as_of_ms: asOfMs };
	const positions: PortfolioSnapshot["positions"] = [];
	for (const asset of universe.assets) {
		if (positions.length === coins) break;
		const spot = asset.markets.find((one) => one.type === "spot");
		const series = spot && (await market.candles(spot.symbol, "1d", read).catch(() => null));
		const price = series?.close.at(-1);
		if (!spot || !series || !price || series.length < 200) continue;
		if ((series.open_time.at(-1) ?? 0) < asOfMs - 3 * DAY_MS) continue;
		positions.push({ symbol: spot.symbol, quantity: HELD_USD / price, entry_price: null });
	}
	const capital_usd = positions.length * HELD_USD;
	return { positions, cash_usd: 0, version: 1, capital_usd, assumed: false };
}
