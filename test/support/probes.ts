import type { SystemProbes } from "../../src/queries/probes.ts";
import { T0 } from "./scan-input.ts";

/** A system in which everything answers. */
export const probes: SystemProbes = {
	queue: async () => ({ waiting: 0, active: 1, oldest_wait_ms: null }),
	redis: async () => ({ ok: true, kind: "memory", latency_ms: 0.2, used_memory_bytes: null }),
	sweeper: async () => ({ last_pass_at_ms: T0 + 1_500 }),
	sources: async () => [{ source: "binance", ok: true, breaker_open: false }],
	cacheHitRate: async () => null,
};
