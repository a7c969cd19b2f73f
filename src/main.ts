import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type AccountParts, createAccountParts } from "./account-parts.ts";
import { type AlertParts, createAlertParts } from "./alert-parts.ts";
import { type ApiApp, createApp } from "./api/app.ts";
import type { ApiConfig, ApiMeter } from "./api/deps.ts";
import type { RouteSpec } from "./api/route.ts";
import { createAccountDataRoutes } from "./api/routes/account-data.ts";
import { createAlertRoutes } from "./api/routes/alerts.ts";
import { createExchangeAccountRoutes } from "./api/routes/exchange-accounts.ts";
import { createScanRoutes } from "./api/routes/scan-routes.ts";
import { systemClock } from "./clock.ts";
import { createUserRemoval } from "./commands.ts";
import { type Config, ConfigError } from "./config.ts";
import { dashboardDir } from "./dashboard.ts";
import { systemEntropy } from "./entropy.ts";
import { parseFilters } from "./filters.ts";
import { type Foundation, openFoundation } from "./foundation.ts";
import { createHealthChecks, createProbes } from "./health.ts";
import type { Logger } from "./log.ts";
import type { MarketData } from "./market/contract.ts";
import { createMetrics } from "./metrics/index.ts";
import { openMarket } from "./open-market.ts";
import { installShutdown } from "./process/shutdown.ts";
import { shutdownStages } from "./process/stages.ts";
import { createCandleQueries } from "./queries/candles.ts";
import { createQueries, type Queries } from "./queries.ts";
import { closeRedisClient } from "./redis/clients.ts";
import { RedisSetupError } from "./redis/provide.ts";
import { replay } from "./runtime/replay.ts";
import { createScanParts, type ScanParts, startExecutor, startWatchdog } from "./scan-parts.ts";
import type { UserRemoval } from "./services.ts";
import { VERSION } from "./version.ts";

/** Wires one process: Redis, store, users, and, as ROLE says, the API, the scan executor, or both. */
async function main(): Promise<void> {
	const deps = await openFoundation(process.env);
	const { config, logger, provision, store, redis, users } = deps;
	const { market, gate } = await openMarket(deps);
	const accounts = createAccountParts(deps, gate);
	const alerts = await createAlertParts(deps);
	const parts = await createScanParts({ ...deps, scanEnded: alerts.scanEnded });
	const removal = createUserRemoval(parts.start, users.removal, [alerts.traces]);
	// Left by a process that died while it deleted an account.
	if (config.role !== "worker") await removal.settle();
	const executor =
		config.role === "api" ? null : startExecutor({ ...deps, market, gate, accounts: accounts.book, parts });
	await executor?.ready;
	const alertWorkers = executor && alerts.startWorkers(parts.commands);
	const watchdog = await startWatchdog(deps, parts, executor?.runtime ?? null);
	const health = createHealthChecks({ store, market, gate, provision, config });
	const queries = openQueries(deps, parts, market);
	const metrics = createMetrics({
		store,
		stuck: async () => (await queries.diagnostics.stuckScans()).scans.length,
		loopback: config.loopback,
		token: config.metricsToken,
		clock: systemClock,
	});
	const app = createApp({
		users,
		config: apiConfig(config),
		clock: systemClock,
		entropy: systemEntropy,
		logger,
		health,
		meter: metrics.meter,
		rootRoutes: [metrics.route],
		routes:
			config.role === "worker" ? [] : routesOf(deps, { queries, parts, alerts, removal, metrics, market, accounts }),
	});
	const server = config.http ? await listen(app, config.http, logger) : null;
	logger.info(
		{ role: config.role, redis: provision.kind, market: market.source.name, version: VERSION },
		"Lookout is up",
	);
	installShutdown(
		() =>
			shutdownStages({
				app,
				server,
				executor,
				alerts: alertWorkers,
				watchdog,
				queue: { close: () => Promise.all([parts.queue.close(), alerts.close()]) },
				market,
				connections: () =>
					Promise.all([accounts.close(), deps.closeInspection(), store.close(), closeRedisClient(redis)]),
				redis: provision,
				clock: systemClock,
			}),
		systemClock,
		logger,
	);
}

const apiConfig = (config: Config): ApiConfig => ({
	...config,
	version: VERSION,
	rate: config.rates,
	trustProxyHops: config.trustProxy ? 1 : 0,
	staticDir: dashboardDir(),
	healthOnly: config.role === "worker",
});

function openQueries(
	{ config, store, users, provision }: Foundation,
	{ queue }: ScanParts,
	market: MarketData,
): Queries {
	return createQueries({
		reader: store.reader,
		statistics: store.statistics,
		clock: systemClock,
		probes: createProbes({ store, queue, market, provision }),
		earnedCredits: async (userId) => {
			const { has_account, granted } = await users.credits.summary(userId);
			return has_account ? granted : null;
		},
		replay,
		streamsMax: config.sseMax,
		stuckAfterMs: config.stuckAfterMs,
	});
}

/** Routes about scans and about a user's data. */
function routesOf(
	{ users, store }: Foundation,
	wired: {
		queries: Queries;
		parts: ScanParts;
		alerts: AlertParts;
		removal: UserRemoval;
		metrics: { meter: ApiMeter };
		market: MarketData;
		accounts: AccountParts;
	},
): RouteSpec[] {
	const { queries, parts, alerts, removal, metrics, market, accounts } = wired;
	const { clock } = store;
	const { commands } = parts;
	const candles = createCandleQueries(queries.lookup, market);
	return [
		...createScanRoutes({ queries, commands, accounts: users.accounts, parseFilters, clock, candles }),
		...createAccountDataRoutes({ users, removal, queries, clock, meter: metrics.meter, alerts }),
		...createExchangeAccountRoutes(accounts.book),
		...createAlertRoutes({ ...alerts, parseFilters }),
	];
}

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

/** What went wrong in one line for the person who starts the program; a stack only for what nobody foresaw. */
function startFailure(error: unknown): string {
	if (error instanceof ConfigError || error instanceof RedisSetupError) return error.message;
	if (!(error instanceof Error)) return `Lookout did not start: ${String(error)}`;
	if (error.name === "MarketStartError") return `Lookout cannot start, MARKET: ${error.message}`;
	if ((error as NodeJS.ErrnoException).code === "EADDRINUSE")
		return "Lookout cannot start: PORT or INSPECT_PORT is taken by another program";
	return `Lookout did not start: ${error.stack ?? error.message}`;
}

main().catch((error: unknown) => {
	process.stderr.write(`${startFailure(error)}\n`);
	process.exit(1);
});
