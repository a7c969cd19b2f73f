import type { Clock } from "./clock.ts";
import type { CacheStats } from "./market/cached.ts";
import type { MarketData } from "./market/contract.ts";
import type { SourceGate, SourceState } from "./market/gate.ts";
import type { WorkerInfo, WorkerMarket } from "./store/contract.ts";
import { TOTAL, totalField } from "./store/totals.ts";

/** How often a worker asks its market whether it is well, and how long it waits for the answer. */
const CHECK_EVERY_MS = 10_000;
const CHECK_MS = 1_000;

type Market = Pick<MarketData, "source" | "check"> & {
	stats?: () => Pick<CacheStats, "calls" | "hits" | "fetches" | "failures">;
};

export interface MarketReport {
	/** What others may know of this process's market. */
	state(): Promise<WorkerMarket>;
	/**
	 * Requests to the source since the last call that `book` took, as amounts of the running totals. What
	 * could not be booked is offered again.
	 */
	requests(book: (amounts: Record<string, number>) => Promise<void>): Promise<void>;
}

/** What a worker tells of its market: processes that only answer questions read no market themselves. */
export function createMarketReport(
	market: Market,
	clock: Clock,
	gate: Pick<SourceGate, "states"> | null = null,
): MarketReport {
	const source = market.source.name;
	let checkedAtMs = Number.NEGATIVE_INFINITY;
	let ok = false;
	let booked = { ok: 0, failed: 0 };
	return {
		async state() {
			if (clock.now() - checkedAtMs >= CHECK_EVERY_MS) {
				checkedAtMs = clock.now();
				ok = (await market.check(AbortSignal.timeout(CHECK_MS)).catch(() => ({ ok: false }))).ok;
			}
			const { calls, hits } = market.stats?.() ?? { calls: 0, hits: 0 };
			return { calls, hits, sources: [{ source, ok, breaker_open: gate !== null && isHeldBack(gate.states()) }] };
		},
		async requests(book) {
			const { fetches, failures } = market.stats?.() ?? { fetches: 0, failures: 0 };
			const seen = { ok: Math.max(booked.ok, fetches - failures), failed: failures };
			await book({
				[totalField(TOTAL.requests, source, "ok")]: seen.ok - booked.ok,
				[totalField(TOTAL.requests, source, "failed")]: seen.failed - booked.failed,
			});
			booked = seen;
		},
	};
}

/** Some endpoint of an exchange is left alone, or the exchange wants no request. */
export const isHeldBack = (states: readonly SourceState[]): boolean =>
	states.some(({ open, blocked_until_ms }) => open.length > 0 || blocked_until_ms !== null);

/**
 * The markets of several workers as one: reads are added up, a source is well only where every worker
 * finds it so. `hit_rate` is null while nothing was read, `sources` empty while no worker reports.
 */
export function marketOfAll(workers: readonly WorkerInfo[]): {
	hit_rate: number | null;
	sources: WorkerMarket["sources"];
} {
	let calls = 0;
	let hits = 0;
	const sources = new Map<string, WorkerMarket["sources"][number]>();
	for (const { market } of workers) {
		if (!market) continue;
		calls += market.calls;
		hits += market.hits;
		for (const found of market.sources) {
			const held = sources.get(found.source) ?? { source: found.source, ok: true, breaker_open: false };
			sources.set(found.source, {
				source: found.source,
				ok: held.ok && found.ok,
				breaker_open: held.breaker_open || found.breaker_open,
			});
		}
	}
	const named = [...sources.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
	return { hit_rate: calls > 0 ? hits / calls : null, sources: named };
}
