import type { Redis } from "ioredis";
import { createUsers, type Users } from "../../src/accounts/users.ts";
import { type AlertParts, type AlertWorkers, createAlertParts } from "../../src/alert-parts.ts";
import { createAccountDataRoutes } from "../../src/api/routes/account-data.ts";
import { createAlertRoutes } from "../../src/api/routes/alerts.ts";
import { createScanRoutes } from "../../src/api/routes/scan-routes.ts";
import { systemClock } from "../../src/clock.ts";
import { createUserRemoval } from "../../src/commands.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { parseFilters } from "../../src/filters.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { book } from "../../src/runtime/booking.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ScanCommands } from "../../src/services.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { plainBox } from "../../src/webhooks/plain-box.ts";
import { SECRET, startApi, type TestApi } from "./api.ts";
import { queriesOn } from "./queries.ts";
import { startTestRedis, type TestRedis, testLogger } from "./store.ts";
import { commandDeps, commandsOn, listableRows, quickEffects, runOnceAccepted, runtimeOn } from "./system.ts";

/** One process with API, schedules, webhooks and scans that end at once; several may share a Redis. */
export interface AlertProcess {
	api: TestApi;
	alerts: AlertParts;
	store: ScanStore;
	commands: ScanCommands;
	runtime: Runtime;
	/** Takes part in the work from here on. */
	work(): AlertWorkers;
	close(): Promise<void>;
}

interface ProcessOptions {
	allowPrivate?: boolean;
	/** It dies each time a scan has ended, before it books the end. */
	diesAtEnds?: boolean;
}

export interface AlertWorld {
	redis: TestRedis;
	client: Redis;
	process(options?: ProcessOptions): Promise<AlertProcess>;
	stop(): Promise<void>;
}

export async function startAlertWorld(path?: string): Promise<AlertWorld> {
	const redis = await startTestRedis(path);
	const client = createRedisClient(redis.connection, "commands", testLogger());
	const stops: (() => Promise<unknown>)[] = [];
	return {
		redis,
		client,
		async process(options = {}) {
			const made = await startProcess(redis, options);
			stops.push(made.close);
			return made;
		},
		async stop() {
			for (const stop of stops) await stop();
			await closeRedisClient(client);
			await redis.close();
		},
	};
}

async function startProcess(
	redis: TestRedis,
	{ allowPrivate = true, diesAtEnds = false }: ProcessOptions,
): Promise<AlertProcess> {
	const store = await redis.store();
	const client = createRedisClient(redis.connection, "commands", testLogger());
	const users: Users = createUsers({
		redis: client,
		clock: systemClock,
		entropy: systemEntropy,
		jwtSecrets: [SECRET],
		refreshGraceMs: 10_000,
	});
	const alerts = await createAlertParts({
		config: { webhookAllowPrivate: allowPrivate, rates: { discoverMax: 30, onboardMax: 5, otherMax: 1_000 } },
		logger: testLogger(),
		entropy: systemEntropy,
		provision: redis,
		store,
		redis: client,
		users,
		box: plainBox,
	});
	const bookEnd = async (record: ScanRecord): Promise<void> => {
		await alerts.scanEnded(record);
		await book(store.writer, record, 1_000);
	};
	const runtime = runtimeOn(store, quickEffects(listableRows), {
		onEnded: (record) => (diesAtEnds ? Promise.reject(new Error("the process died")) : bookEnd(record)),
	});
	const enqueue = async (scanId: string): Promise<void> => void runOnceAccepted(runtime, scanId).catch(() => undefined);
	const overrides = { accounts: users.accounts, book: bookEnd };
	const commands = commandsOn(store, enqueue, overrides);
	const queries = queriesOn(store);
	const removal = createUserRemoval(commandDeps(store, enqueue, overrides), users.removal, [alerts.traces]);
	const api = await startApi({
		redis: client,
		deps: {
			routes: [
				...createScanRoutes({ queries, commands, accounts: users.accounts, parseFilters, clock: systemClock }),
				...createAccountDataRoutes({ users, removal, queries, clock: systemClock, alerts }),
				...createAlertRoutes({ ...alerts, parseFilters }),
			],
		},
	});
	const working: AlertWorkers[] = [];
	let closed = false;
	return {
		api,
		alerts,
		store,
		commands,
		runtime,
		work() {
			const workers = alerts.startWorkers(commands);
			working.push(workers);
			return workers;
		},
		async close() {
			if (closed) return;
			closed = true;
			await Promise.all(working.map((workers) => workers.drain()));
			await runtime.handOver();
			await api.close();
			await alerts.close();
			await closeRedisClient(client);
		},
	};
}

export type AlertUser = Awaited<ReturnType<TestApi["userWith"]>>;
type Json = Record<string, unknown>;

/** What tests ask of one process on behalf of a user. */
export function alertCalls(process: () => AlertProcess) {
	const call = (user: AlertUser, method: string, path: string, body?: unknown, other = process()) =>
		other.api.call(method, `/api/v1${path}`, { token: user.token, ...(body === undefined ? {} : { body }) });
	const made = async (user: AlertUser, path: string, body: unknown): Promise<Json> => {
		const answer = await call(user, "POST", path, body);
		if (answer.status !== 201) throw new Error(`${path}: ${answer.status} ${answer.text}`);
		return (answer.json["schedule"] ?? answer.json["webhook"]) as Json;
	};
	return { call, made };
}
