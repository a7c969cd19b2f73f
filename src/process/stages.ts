import type { Server } from "node:http";
import { type Clock, delay } from "../clock.ts";
import type { ShutdownStage, ShutdownStep } from "./shutdown.ts";

/** What a process has to close, in the words of whoever closes it. */
export interface ClosingParts {
	app: { beginShutdown(): void };
	/** null: this process does not listen. */
	server: Pick<Server, "close" | "closeIdleConnections" | "closeAllConnections"> | null;
	/** null: this process runs no scans. `drain` stops claiming before it returns. */
	executor: { drain(): Promise<void>; close(): Promise<void> } | null;
	/** null: this process runs no schedules and delivers nothing. */
	alerts: { drain(): Promise<void> } | null;
	watchdog: { stop(): Promise<void> };
	queue: { close(): Promise<unknown> };
	market: { close(): Promise<void> };
	/** The store and whatever else holds connections to Redis. */
	connections: () => Promise<unknown>;
	redis: { close(): Promise<void> };
	clock: Clock;
}

/**
 * For how long the listener still accepts while /readyz says no: whoever distributes requests sees it and
 * goes elsewhere, instead of running into a closed port.
 */
export const READINESS_GRACE_MS = 1_000;

/**
 * The end of a process. At once and beside each other: requests are refused and waiting polls answered,
 * nothing is claimed any more and scans are handed over, the watchdog rests. A slow client therefore never
 * keeps a scan from going on elsewhere. Then, when nobody needs them any more, the connections close.
 */
export function shutdownStages(parts: ClosingParts): ShutdownStage[] {
	const { app, server, executor, alerts, watchdog, queue, market, connections, redis, clock } = parts;
	return [
		{
			lanes: [
				apiSteps(app, server, clock),
				executor
					? [
							{ name: "scans: hand over", limitMs: 8_000, run: () => executor.drain() },
							{ name: "scans: close", limitMs: 1_500, run: () => executor.close() },
						]
					: [],
				alerts ? [{ name: "alerts", limitMs: 9_500, run: () => alerts.drain() }] : [],
				[{ name: "watchdog", limitMs: 2_000, run: () => watchdog.stop() }],
			],
		},
		{
			lanes: [
				[{ name: "queue", limitMs: 2_000, run: () => queue.close() }],
				[{ name: "market", limitMs: 2_000, run: () => market.close() }],
			],
		},
		{ name: "store", limitMs: 2_000, run: connections },
		{ name: "redis", limitMs: 5_000, run: () => redis.close() },
	];
}

/** First /readyz fails and waiting polls answer, then requests in flight finish, then connections close. */
function apiSteps(app: ClosingParts["app"], server: ClosingParts["server"], clock: Clock): ShutdownStep[] {
	if (!server) return [];
	return [
		{ name: "api: refuse new requests", limitMs: 100, run: () => app.beginShutdown() },
		{
			name: "api: readiness grace",
			limitMs: READINESS_GRACE_MS + 500,
			run: (signal) => delay(clock, READINESS_GRACE_MS, signal),
		},
		{
			name: "api: finish requests",
			limitMs: 5_000,
			run: () =>
				new Promise<void>((resolve) => {
					server.close(() => resolve());
					server.closeIdleConnections();
				}),
		},
		{ name: "api: close connections", limitMs: 500, run: () => server.closeAllConnections() },
	];
}
