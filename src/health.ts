import type { HealthChecks } from "./api/deps.ts";
import { isoOf } from "./clock.ts";
import type { Config } from "./config.ts";
import type { MarketData } from "./market/contract.ts";
import type { SourceGate } from "./market/gate.ts";
import { isHeldBack, marketOfAll } from "./market-report.ts";
import { liveWorkers } from "./presence.ts";
import type { SystemProbes } from "./queries/probes.ts";
import type { ScanQueue } from "./queue/scan-queue.ts";
import type { RedisProvision } from "./redis/provide.ts";
import { passLimitMs } from "./runtime/watchdog.ts";
import type { ScanStore } from "./store/index.ts";

const CHECK_MS = 1_000;

interface HealthDeps {
	store: ScanStore;
	market: MarketData;
	/** Before live exchanges; absent or null: there is none. */
	gate?: Pick<SourceGate, "states"> | null;
	provision: RedisProvision;
	config: Config;
}

/** What /readyz looks at. */
export function createHealthChecks({ store, market, gate = null, provision, config }: HealthDeps): HealthChecks {
	const { kind } = provision;
	return {
		redis: {
			fallback: { latency_ms: null, kind },
			run: async () => ({ ok: true, latency_ms: await store.probe(), kind }),
		},
		market_data: {
			fallback: { source: market.source.name },
			run: async () => {
				const { ok, error } = await market.check(AbortSignal.timeout(CHECK_MS));
				const { name: source, kind } = market.source;
				return { ok, source, kind, ...(error ? { error } : {}), ...(gate ? await heldBack(gate, store) : {}) };
			},
		},
		workers: {
			fallback: { count: 0 },
			run: async () => {
				const now = store.clock.now();
				const workers = await store.statistics.workers();
				const count = liveWorkers(workers, now).filter(({ draining }) => !draining).length;
				return { ok: count > 0, count };
			},
		},
		sweeper: {
			fallback: { age_ms: null },
			run: async () => {
				const last = await store.writer.lastSweepMs();
				const age_ms = last === null ? null : Math.max(0, store.clock.now() - last);
				return { ok: age_ms !== null && age_ms < passLimitMs(config.watchdogMs), age_ms };
			},
		},
	};
}

/** The exchanges that this process calls, as it knows them, and whether some process leaves one alone. */
async function heldBack(gate: Pick<SourceGate, "states">, store: ScanStore) {
	const states = gate.states();
	const { sources } = marketOfAll(liveWorkers(await store.statistics.workers(), store.clock.now()));
	return {
		breaker_open: isHeldBack(states) || sources.some(({ breaker_open }) => breaker_open),
		exchanges: states.map(({ source, open, blocked_until_ms, used_weight, weight_limit }) => ({
			source,
			open_endpoints: open,
			blocked_until: blocked_until_ms === null ? null : isoOf(blocked_until_ms),
			used_weight,
			weight_limit,
		})),
	};
}

export function createProbes({
	store,
	queue,
	market,
	provision,
}: Omit<HealthDeps, "config"> & { queue: ScanQueue }): SystemProbes {
	const markets = async () => marketOfAll(liveWorkers(await store.statistics.workers(), store.clock.now()));
	return {
		async queue() {
			const [{ waiting }, [oldest], scans] = await Promise.all([
				queue.waiting(),
				store.writer.unclaimed(0, 1),
				store.statistics.activeScans(),
			]);
			const record = oldest === undefined ? null : await store.reader.read(oldest);
			const waitMs = record && store.clock.now() - record.context.input.accepted_at_ms;
			// A scan that is run where it was started is no job of the queue, and in hand all the same.
			const active = Math.max(0, scans.active - scans.queued);
			return { waiting, active, oldest_wait_ms: waitMs === null ? null : Math.max(0, waitMs) };
		},
		async redis() {
			const { kind } = provision;
			const [latency_ms, used_memory_bytes] = await Promise.all([
				store.probe().catch(() => null),
				store.memoryBytes().catch(() => null),
			]);
			return { ok: latency_ms !== null, kind, latency_ms, used_memory_bytes };
		},
		sweeper: async () => ({ last_pass_at_ms: await store.writer.lastSweepMs() }),
		async sources() {
			const { sources } = await markets();
			if (sources.length > 0) return sources;
			// No worker tells: the market that this process is set up with, as it finds it itself.
			const { ok } = await market.check(AbortSignal.timeout(CHECK_MS)).catch(() => ({ ok: false }));
			return [{ source: market.source.name, ok, breaker_open: false }];
		},
		cacheHitRate: async () => (await markets()).hit_rate,
	};
}
