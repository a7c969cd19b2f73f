/** What only the wiring knows about the running system; each call is bounded by its maker. */
export interface SystemProbes {
	queue(): Promise<{ waiting: number; active: number; oldest_wait_ms: number | null }>;
	redis(): Promise<{
		ok: boolean;
		kind: "external" | "private" | "memory";
		latency_ms: number | null;
		used_memory_bytes: number | null;
	}>;
	sweeper(): Promise<{ last_pass_at_ms: number | null }>;
	/** As the workers find them. */
	sources(): Promise<{ source: string; ok: boolean; breaker_open: boolean }[]>;
	/** Share 0..1 of all workers' market reads that were answered from memory; null when not measured. */
	cacheHitRate(): Promise<number | null>;
}
