import { randomUUID } from "node:crypto";
import { createAccountDataRoutes } from "../../src/api/routes/account-data.ts";
import { createScanRoutes } from "../../src/api/routes/scan-routes.ts";
import { systemClock } from "../../src/clock.ts";
import { type CommandDeps, createUserRemoval } from "../../src/commands.ts";
import type { Effects } from "../../src/effects/contract.ts";
import { parseFilters } from "../../src/filters.ts";
import { createCandleQueries } from "../../src/queries/candles.ts";
import { createRedisClient } from "../../src/redis/clients.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { accountRoutesOn } from "./account-routes.ts";
import { noAlerts } from "./alerts.ts";
import { type ApiOptions, startApi, type TestApi } from "./api.ts";
import { queriesOn } from "./queries.ts";
import { startTestRedis, type TestRedis, testLogger } from "./store.ts";
import { commandDeps, commandsOn, quickEffects, runtimeOn } from "./system.ts";

/** The real API over the real store; scans are run by runtimes that a test makes, so nothing happens by itself. */
export interface LiveWorld {
	redis: TestRedis;
	store: ScanStore;
	/** An API process of its own on the same Redis. */
	api(options?: LiveApiOptions): Promise<TestApi>;
	runtime(effects?: Partial<Effects>): Runtime;
	stop(): Promise<void>;
}

export interface LiveApiOptions {
	config?: ApiOptions["config"];
	commands?: Partial<CommandDeps>;
	enqueue?: (scanId: string) => Promise<void>;
	/** Where bars beside rows come from. */
	market?: Parameters<typeof createCandleQueries>[1];
	/** Event streams at once. */
	streamsMax?: number;
}

/** `given`: a server that holds data already; the world closes it. */
export async function startLiveWorld(given?: TestRedis): Promise<LiveWorld> {
	const redis = given ?? (await startTestRedis());
	const store = await redis.store();
	const stops: (() => Promise<unknown>)[] = [];
	return {
		redis,
		store,
		async api({ config = {}, commands = {}, enqueue = async () => {}, market, streamsMax = 10 } = {}) {
			const client = createRedisClient(redis.connection, "commands", testLogger());
			const own = await redis.store();
			const queries = queriesOn(own, { streamsMax });
			const deps = commandDeps(own, enqueue, commands);
			const api: TestApi = await startApi({
				redis: client,
				config,
				deps: {
					routes: [
						...createScanRoutes({
							queries,
							commands: commandsOn(own, enqueue, { ...commands, accounts: { byId: deps.accounts.byId } }),
							accounts: { byId: (userId) => api.users.accounts.byId(userId) },
							parseFilters,
							clock: systemClock,
							...(market ? { candles: createCandleQueries(queries.lookup, market) } : {}),
						}),
						...accountRoutesOn(() => api.users),
						...createAccountDataRoutes({
							get users() {
								return api.users;
							},
							removal: {
								remove: (userId, by) => createUserRemoval(deps, api.users.removal).remove(userId, by),
								settle: () => createUserRemoval(deps, api.users.removal).settle(),
							},
							queries,
							clock: systemClock,
							alerts: noAlerts(),
						}),
					],
				},
			});
			stops.push(api.close, () => client.quit());
			return api;
		},
		runtime: (effects = {}) => runtimeOn(store, quickEffects(effects), { workerId: `worker-${randomUUID()}` }),
		async stop() {
			for (const stop of stops) await stop();
			await redis.close();
		},
	};
}
