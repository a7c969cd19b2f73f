import type { Clock } from "../../../src/clock.ts";

/**
 * Budgets as Binance counts them per address: spot 6000, USD-M 2400 and options 400 weight a minute; funding rates
 * and the statistics under /futures/data are counted in requests over five minutes. Published in the exchange's API
 * documentation (limits of spot, of USD-M futures, and at each endpoint).
 */
export type Pool = "spot" | "usdm" | "usdm_funding" | "usdm_data" | "options";
export const POOLS: Record<Pool, { limit: number; windowMs: number }> = {
	spot: { limit: 6000, windowMs: 60_000 },
	usdm: { limit: 2400, windowMs: 60_000 },
	usdm_funding: { limit: 500, windowMs: 300_000 },
	usdm_data: { limit: 1000, windowMs: 300_000 },
	options: { limit: 400, windowMs: 60_000 },
};

export type Grant =
	| { ok: true; used: number }
	| { ok: false; status: 429 | 418; used: number; limit: number; retryAfterS: number };

export interface UsageOptions {
	clock: Clock;
	/** Weight, or requests, a window; the published ones where absent. */
	limits: Partial<Record<Pool, number>>;
	/** Refusals within one window after which the address is banned. */
	banAfter: number;
	banMs: number;
}

export interface Usage {
	/** Counts `weight` for the address, or refuses: 429 until the window ends, 418 for who goes on regardless. */
	take(address: string, pool: Pool, weight: number): Grant;
	used(address: string, pool: Pool): number;
}

interface Window {
	startMs: number;
	used: number;
	refusals: number;
}

/** Addresses remembered; far more than tests have. */
const ADDRESSES_MAX = 1000;

/** Fixed windows on the wall clock, as the exchange's header resets with each minute. */
export function createUsage({ clock, limits, banAfter, banMs }: UsageOptions): Usage {
	const windows = new Map<string, Window>();
	const bannedUntil = new Map<string, number>();

	const windowOf = (address: string, pool: Pool): Window => {
		const key = `${pool} ${address}`;
		const { windowMs } = POOLS[pool];
		const startMs = Math.floor(clock.now() / windowMs) * windowMs;
		const known = windows.get(key);
		if (known && known.startMs === startMs) return known;
		if (windows.size >= ADDRESSES_MAX) windows.clear();
		const fresh = { startMs, used: 0, refusals: 0 };
		windows.set(key, fresh);
		return fresh;
	};

	return {
		used: (address, pool) => windowOf(address, pool).used,
		take(address, pool, weight) {
			const now = clock.now();
			const window = windowOf(address, pool);
			const limit = limits[pool] ?? POOLS[pool].limit;
			const refuse = (status: 429 | 418, untilMs: number): Grant => ({
				ok: false,
				status,
				used: window.used,
				limit,
				retryAfterS: Math.max(1, Math.ceil((untilMs - now) / 1000)),
			});
			const ban = bannedUntil.get(address) ?? 0;
			if (ban > now) return refuse(418, ban);
			if (window.used + weight <= limit) {
				window.used += weight;
				return { ok: true, used: window.used };
			}
			window.refusals++;
			if (window.refusals <= banAfter) return refuse(429, window.startMs + POOLS[pool].windowMs);
			bannedUntil.set(address, now + banMs);
			return refuse(418, now + banMs);
		},
	};
}
