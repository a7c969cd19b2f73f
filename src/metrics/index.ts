import { createHash, timingSafeEqual } from "node:crypto";
import type { ApiMeter, RootRoute } from "../api/deps.ts";
import { type Clock, delay } from "../clock.ts";
import { isLoopback } from "../config/relations.ts";
import { ApiError } from "../errors.ts";
import { marketOfAll } from "../market-report.ts";
import { liveWorkers } from "../presence.ts";
import type { ScanStore } from "../store/index.ts";
import { createMeter } from "./meter.ts";
import { type SharedFigures, sharedMetrics } from "./shared.ts";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
/** A scrape is answered with what there is rather than late. */
const READ_MS = 1_000;

interface MetricsDeps {
	store: Pick<ScanStore, "statistics" | "monitoring" | "clock" | "probe">;
	/** How many running scans are stuck. */
	stuck(): Promise<number>;
	/** HOST is a loopback address: whoever reaches it directly sits on this machine. */
	loopback: boolean;
	/** METRICS_TOKEN */
	token: string | null;
	clock: Clock;
}

/** Counters of this process and /metrics, which shows them beside the figures of all processes. */
export function createMetrics(deps: MetricsDeps): { meter: ApiMeter; route: RootRoute } {
	const meter = createMeter();
	const route: RootRoute = {
		path: "/metrics",
		rate: "none",
		health: true,
		async handler({ headers, address }) {
			authorize(deps, headers["authorization"], address);
			const [shared, own] = await Promise.all([sharedFigures(deps).then(sharedMetrics), meter.registry.metrics()]);
			return { status: 200, body: `${shared}\n${own}`, content_type: CONTENT_TYPE, cache_control: "no-store" };
		},
	};
	return { meter, route };
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Open to this machine where only it can connect; elsewhere for the token, and without one the path does
 * not exist. Throws not_found, authentication_required, token_invalid.
 */
function authorize({ loopback, token }: MetricsDeps, authorization: string | undefined, address: string): void {
	// Behind a trusted proxy the address is that of the proxy's client, who may sit anywhere.
	if (loopback && isLoopback(address.replace(/^::ffff:/, ""))) return;
	if (token === null) throw new ApiError("not_found");
	const given = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
	if (given === undefined) throw new ApiError("authentication_required");
	if (!timingSafeEqual(digest(given), digest(token))) throw new ApiError("token_invalid");
}

/** null when `read` fails or does not answer in time. */
async function timely<T>(clock: Clock, read: () => Promise<T>): Promise<T | null> {
	const late = new AbortController();
	const limit = delay(clock, READ_MS, late.signal).then(() => null);
	return Promise.race([read().catch(() => null), limit.catch(() => null)]).finally(() => late.abort());
}

/** null when Redis does not answer in time. */
async function sharedFigures({ store, clock, stuck }: MetricsDeps): Promise<SharedFigures | null> {
	const read = async () => {
		const { statistics, monitoring } = store;
		const [totals, scans, beatMs, waitingMs, sweepMs, redis_ms, workers] = await Promise.all([
			monitoring.totals(),
			statistics.activeScans(),
			monitoring.oldestHeartbeatMs(),
			monitoring.oldestUnclaimedMs(),
			monitoring.lastSweepMs(),
			// A full or read-only server refuses the write and can still be read.
			store.probe().catch(() => null),
			statistics.workers(),
		]);
		const nowMs = store.clock.now();
		const since = (atMs: number | null): number | null => (atMs === null ? null : Math.max(0, nowMs - atMs));
		return {
			totals,
			...scans,
			heartbeat_age_ms: since(beatMs),
			queue_age_ms: since(waitingMs),
			sweep_age_ms: since(sweepMs),
			redis_ms,
			...marketOfAll(liveWorkers(workers, nowMs)),
		};
	};
	// Looking at every running scan takes longer than all the rest: it must not cost the others.
	const [figures, stuckScans] = await Promise.all([timely(clock, read), timely(clock, stuck)]);
	return figures && { ...figures, stuck: stuckScans };
}
