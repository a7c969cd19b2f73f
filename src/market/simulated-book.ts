import type { AssetTier } from "../catalogue.ts";
import { tierOfVolume } from "../catalogue.ts";
import type { OrderBook } from "./contract.ts";
import { roundToTick } from "./simulated-bars.ts";
import { createDraws } from "./simulated-random.ts";

/** Half of the quoted spread by tier, bp: the defaults of the cost model. */
export const HALF_SPREAD_BP: Record<AssetTier, number> = {
	tier_institutional: 1,
	tier_enterprise: 2,
	tier_professional: 5,
	tier_retail: 15,
	tier_emerging: 40,
	tier_micro: 100,
	tier_any: 200,
};
const LEVELS = 20;
/** Value resting at the best level, as a share of the day's volume. */
const TOP_SHARE = 0.00004;

/** How far the resting sizes lean to the side on which takers press. */
const DEPTH_TILT = 0.9;

/**
 * A book around `mid` whose spread and depth follow the asset's tier. Levels keep at least one tick
 * apart and never cross. Where takers buy (`pressure` above 0, as on the tape of the same minute) bids
 * are deep and offers thin.
 */
export function simulateBook(given: {
	symbol: string;
	mid: number;
	volumeUsd: number;
	perUnit: number;
	/** Takers' pressure of the newest minute, -1 .. 1. */
	pressure: number;
	key: number;
	atMs: number;
}): OrderBook {
	const draws = createDraws(given.key);
	const half = (HALF_SPREAD_BP[tierOfVolume(given.volumeUsd)] / 10_000) * (0.7 + 0.6 * draws.uniform());
	const tick = 1 / given.perUnit;
	const side = (sign: 1 | -1): [price: number, quantity: number][] => {
		const levels: [number, number][] = [];
		const lean = 1 - sign * DEPTH_TILT * given.pressure;
		let price = given.mid * (1 + sign * half);
		price =
			sign > 0 ? Math.ceil(price * given.perUnit) / given.perUnit : Math.floor(price * given.perUnit) / given.perUnit;
		for (let level = 0; level < LEVELS && price > 0; level++) {
			const value = given.volumeUsd * TOP_SHARE * lean * (1 + 0.35 * level) * (0.4 + 1.2 * draws.uniform());
			levels.push([roundToTick(price, given.perUnit), value / price]);
			price += sign * Math.max(tick, given.mid * half * (0.3 + 0.9 * draws.uniform()));
		}
		return levels;
	};
	return { symbol: given.symbol, bids: side(-1), asks: side(1), at_ms: given.atMs };
}
