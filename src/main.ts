import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type ApiApp, createApp } from "./api/app.ts";
import { createScanRoutes } from "./api/routes/scan-routes.ts";
import { systemClock } from "./clock.ts";
import { type Config, ConfigError } from "./config.ts";
import { dashboardDir } from "./dashboard.ts";
import { systemEntropy } from "./entropy.ts";
import { parseFilters } from "./filters.ts";
import { openFoundation } from "./foundation.ts";
import { createHealthChecks, createProbes } from "./health.ts";
import type { Logger } from "./log.ts";
import { createMarketData } from "./market/index.ts";
import { installShutdown, type ShutdownStep } from "./process/shutdown.ts";
import { createCandleQueries } from "./queries/candles.ts";
import { createQueries } from "./queries.ts";
import { closeRedisClient } from "./redis/clients.ts";
import { RedisSetupError } from "./redis/provide.ts";
import { replay } from "./runtime/replay.ts";
import { createScanParts, type ScanExecutor, startExecutor, startWatchdog } from "./scan-parts.ts";
import { VERSION } from "./version.ts";

/** Wires one process: Redis, store, users, and, as ROLE says, the API, the scan executor, or both. */
async function main(): Promise<void> {
	const deps = await openFoundation(process.env);
	const { config, logger, provision, store, redis, users } = deps;
	const market = await createMarketData({
		market: marketWord(config.market),
		asOfMs: config.marketAsOfMs,
		latencyMs: config.marketLatencyMs,
		clock: systemClock,
	}).catch((error: unknown) => {
		throw Object.assign(new Error(error instanceof Error ? error.message : String(error)), {
			name: "MarketStartError",
		});
	});
	const parts = await createScanParts(deps);
	const executor = config.role === "api" ? null : startExecutor({ ...deps, market, parts });
	await executor?.ready;
	const watchdog = await startWatchdog(deps, parts, executor?.runtime ?? null);
	const probes = createProbes({ store, queue: parts.queue, market, provision });
	const health = createHealthChecks({ store, market, provision, config });
	const queries = createQueries({
		reader: store.reader,
		statistics: store.statistics,
		clock: systemClock,
		probes,
		earnedCredits: async (userId) => {
			const { has_account, granted } = await users.credits.summary(userId);
			return has_account ? granted : null;
		},
		replay,
		streamsMax: config.sseMax,
		stuckAfterMs: config.stuckAfterMs,
	});
	const app = createApp({
		users,
		config: {
			...config,
			version: VERSION,
			rate: config.rates,
			trustProxyHops: config.trustProxy ? 1 : 0,
			staticDir: dashboardDir(),
			healthOnly: config.role === "worker",
		},
		clock: systemClock,
		entropy: systemEntropy,
		logger,
		health,
		routes:
			config.role === "worker"
				? []
				: createScanRoutes({
						queries,
						commands: parts.commands,
						accounts: users.accounts,
						parseFilters,
						clock: store.clock,
						candles: createCandleQueries(queries.lookup, market),
					}),
	});
	const server = config.http ? await listen(app, config.http, logger) : null;
	logger.info(
		{ role: config.role, redis: provision.kind, market: market.source.name, version: VERSION },
		"Lookout is up",
	);
	installShutdown(
		() => [
			...apiSteps(app, server),
			{ name: "watchdog", limitMs: 2_000, run: () => watchdog.stop() },
			...executorSteps(executor),
			{ name: "queue", limitMs: 2_000, run: () => parts.queue.close() },
			{ name: "market", limitMs: 2_000, run: () => market.close() },
			{ name: "store", limitMs: 2_000, run: () => Promise.all([store.close(), closeRedisClient(redis)]) },
			{ name: "redis", limitMs: 5_000, run: () => provision.close() },
		],
		systemClock,
		logger,
	);
}

const marketWord = (choice: Config["market"]): string =>
	choice.kind === "simulated"
		? `simulated:${choice.seed}`
		: `${choice.kind}:${choice.kind === "recorded" ? choice.dir : choice.exchanges.join(",")}`;

async function listen(app: ApiApp, http: NonNullable<Config["http"]>, logger: Logger): Promise<Server> {
	const server = createServer(app.callback());
	// A client that is slow to send its request must not hold a connection for ever.
	server.requestTimeout = 30_000;
	server.headersTimeout = 15_000;
	server.keepAliveTimeout = 65_000;
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(http.port, http.host, resolve);
	});
	const { address, port } = server.address() as AddressInfo;
	logger.info({ url: `http://${address.includes(":") ? `[${address}]` : address}:${port}` }, "listening");
	return server;
}

/** First /readyz fails and waiting polls answer, then requests in flight finish, then connections close. */
function apiSteps(app: ApiApp, server: Server | null): ShutdownStep[] {
	if (!server) return [];
	return [
		{ name: "api: refuse new requests", limitMs: 100, run: () => app.beginShutdown() },
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

function executorSteps(executor: ScanExecutor | null): ShutdownStep[] {
	if (!executor) return [];
	return [
		{ name: "scans: hand over", limitMs: 8_000, run: () => executor.drain() },
		{ name: "scans: close", limitMs: 2_000, run: () => executor.close() },
	];
}

/** What went wrong in one line for the person who starts the program; a stack only for what nobody foresaw. */
function startFailure(error: unknown): string {
	if (error instanceof ConfigError || error instanceof RedisSetupError) return error.message;
	if (!(error instanceof Error)) return `Lookout did not start: ${String(error)}`;
	if (error.name === "MarketStartError") return `Lookout cannot start, MARKET: ${error.message}`;
	if ((error as NodeJS.ErrnoException).code === "EADDRINUSE")
		return "Lookout cannot start: PORT is taken by another program";
	return `Lookout did not start: ${error.stack ?? error.message}`;
}

main().catch((error: unknown) => {
	process.stderr.write(`${startFailure(error)}\n`);
	process.exit(1);
});
