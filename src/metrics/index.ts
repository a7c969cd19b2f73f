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
	store: Pick<ScanStore, "statistics" | "monitoring" | "clock">;
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

/** null when Redis does not answer in time. */
function sharedFigures({ store, clock }: MetricsDeps): Promise<SharedFigures | null> {
	const late = new AbortController();
	const limit = delay(clock, READ_MS, late.signal).then(() => null);
	const read = async (): Promise<SharedFigures> => {
		const { statistics, monitoring } = store;
		const [totals, scans, beatMs, workers] = await Promise.all([
			monitoring.totals(),
			statistics.activeScans(),
			monitoring.oldestHeartbeatMs(),
			statistics.workers(),
		]);
		const nowMs = store.clock.now();
		const heartbeat_age_ms = beatMs === null ? null : Math.max(0, nowMs - beatMs);
		return { totals, ...scans, heartbeat_age_ms, ...marketOfAll(liveWorkers(workers, nowMs)) };
	};
	return Promise.race([read().catch(() => null), limit.catch(() => null)]).finally(() => late.abort());
}
