import { profileOf } from "./accounts/profile.ts";
import { limited, systemClock } from "./clock.ts";
import { type CommandDeps, createCommands, createStartMemory, finishStart } from "./commands.ts";
import type { Config } from "./config.ts";
import { createEffects } from "./effects/index.ts";
import type { Entropy } from "./entropy.ts";
import type { Logger } from "./log.ts";
import type { MarketData } from "./market/contract.ts";
import { discoverUniverse } from "./market/discovery.ts";
import type { SourceGate } from "./market/gate.ts";
import { selectAssets } from "./market/universe-filters.ts";
import { createMarketReport } from "./market-report.ts";
import { announcePresence, type Presence } from "./presence.ts";
import { createDispatch, createLocalRuns, type Dispatch } from "./queue/dispatch.ts";
import { createScanQueue, createScanWorker, type ScanQueue, type ScanWorker } from "./queue/scan-queue.ts";
import { bullmqConnection, closeRedisClient, createRedisClient, type Redis } from "./redis/clients.ts";
import type { RedisProvision } from "./redis/provide.ts";
import { book } from "./runtime/booking.ts";
import { type ApplyDeps, createRuntime, type Runtime } from "./runtime/runtime.ts";
import { superviseWatchdog } from "./runtime/supervisor.ts";
import { createWatchdog, type Watchdog } from "./runtime/watchdog.ts";
import type { AccountReader, HoldingsReader, PolicyReader, PortfolioStore, ScanCommands } from "./services.ts";
import type { ScanRecord } from "./store/contract.ts";
import type { ScanStore } from "./store/index.ts";
import type { UniverseDocuments } from "./store/universe-store.ts";
import { untilStoreAnswers } from "./store-failure.ts";
import { createEvaluationPool, type EvaluationPool } from "./strategies/pool.ts";
import { compareRows } from "./strategies/ranking.ts";
import { builtStrategyIds, findBuiltStrategy } from "./strategies/registry.ts";
import { evaluationSchema } from "./strategies/schema.ts";
import { VERSION } from "./version.ts";
import { projections } from "./views/projections.ts";

/** Wires what starts, carries and watches scans in this process; `main` decides which parts run. */

interface PartsDeps {
	config: Config;
	logger: Logger;
	entropy: Entropy;
	provision: RedisProvision;
	store: ScanStore;
	users: { accounts: AccountReader; portfolios: PortfolioStore; policies: PolicyReader };
	/** What else follows from the end of a scan; repeated with its booking when a process dies between. */
	scanEnded?: (record: ScanRecord) => Promise<void>;
}

/** The embedded server copies whole keys: its event stream must stay short. */
const QUEUE_EVENTS_MAX = { external: 10_000, private: 10_000, memory: 100 } as const;

const WAITING_LIMIT_MS = 200;

export interface ScanParts {
	queue: ScanQueue;
	/** Where started scans go. */
	dispatch: Dispatch;
	/** The client that notes whose turn it is; closed with the queue. */
	lanes: Redis;
	commands: ScanCommands;
	/** What the watchdog needs to finish a start that died half-way. */
	start: CommandDeps;
	apply: ApplyDeps;
	book(record: ScanRecord): Promise<void>;
}

export async function createScanParts({
	config,
	logger,
	entropy,
	provision,
	store,
	users,
	scanEnded,
}: PartsDeps): Promise<ScanParts> {
	const lanes = createRedisClient(provision.connection, "commands", logger, { name: "lanes" });
	const opened = createScanQueue({
		connection: bullmqConnection(provision.connection, "queue"),
		events_max: QUEUE_EVENTS_MAX[provision.kind],
		redis: lanes,
		log: logger,
	});
	const queue: ScanQueue = {
		...opened,
		async close() {
			await Promise.all([opened.close(), closeRedisClient(lanes)]);
		},
	};
	await queue.ready();
	const settings = { lease_ms: config.leaseMs, heartbeat_ms: config.heartbeatMs };
	const apply = {
		writer: store.writer,
		projections,
		nonce: () => entropy.uuid(),
		settings,
		workerId: `process-${process.pid}`,
	};
	const bookEnd = async (record: ScanRecord) => {
		await scanEnded?.(record);
		await book(store.writer, record, config.userScansMax);
	};
	// A start is not kept waiting for an answer that only decides where its scan is run.
	const waiting = () => limited(systemClock, WAITING_LIMIT_MS, "asking for the length of the queue", queue.length());
	const dispatch = createDispatch({ queue, log: logger });
	const memory = createStartMemory({
		clock: { now: () => performance.now() },
		idle: dispatch.idle,
		like_ms: config.scanLimits.budget_ms + config.resultFreshMs,
	});
	const start: CommandDeps = {
		...(config.role === "api" ? {} : { waiting, memory, reserve: dispatch.reserve }),
		writer: store.writer,
		reader: store.reader,
		projections,
		apply,
		...users,
		profileOf,
		available: new Set(builtStrategyIds()),
		enqueue: dispatch.add,
		queued: () => store.statistics.queuedScans(),
		newScanId: () => entropy.scanId(),
		book: bookEnd,
		settings: {
			limits: config.scanLimits,
			force_join_ms: config.forceJoinMs,
			fresh_ms: config.resultFreshMs,
			queue_max: config.queueMax,
		},
	};
	return { queue, dispatch, lanes, commands: createCommands(start), start, apply, book: bookEnd };
}

/** The executing half: runtime, evaluation threads, queue worker, presence. */
export interface ScanExecutor {
	runtime: Runtime;
	pool: EvaluationPool;
	/** Resolves when the worker is listed as present. */
	ready: Promise<void>;
	/** Claims nothing new from the moment of the call and hands the scans in hand over. */
	drain(): Promise<void>;
	close(): Promise<void>;
}

const JOBS_GRACE_MS = 5_000;

/** What effects read and keep in the store: its hiccups cost them time, never the strategy or the phase. */
const patientStore = (
	portfolios: Pick<PortfolioStore, "get">,
	accounts: HoldingsReader,
	universes: UniverseDocuments,
): { portfolios: Pick<PortfolioStore, "get">; accounts: HoldingsReader; universes: UniverseDocuments } => ({
	accounts: {
		read: (userId, signal, limitMs) => untilStoreAnswers(() => accounts.read(userId, signal, limitMs), systemClock),
	},
	portfolios: { get: (userId) => untilStoreAnswers(() => portfolios.get(userId), systemClock) },
	universes: {
		put: (hash, universe) => untilStoreAnswers(() => universes.put(hash, universe), systemClock),
		get: (hash) => untilStoreAnswers(() => universes.get(hash), systemClock),
	},
});

export function startExecutor(
	deps: PartsDeps & { market: MarketData; gate?: SourceGate | null; accounts: HoldingsReader; parts: ScanParts },
): ScanExecutor {
	const { config, logger, entropy, store, market, gate = null, accounts, users, parts } = deps;
	const pool = createEvaluationPool({ onBroken: (err) => logger.error({ err }, "a thread of strategies broke") });
	const effects = createEffects({
		market,
		...patientStore(users.portfolios, accounts, store.universes),
		discover: discoverUniverse,
		selectAssets,
		strategyOf: findBuiltStrategy,
		pool,
		schema: evaluationSchema,
		compareRows,
		clock: systemClock,
		settings: { source_timeout_ms: config.discoverySourceTimeoutMs },
	});
	let draining = false;
	const runtime = createRuntime({
		workerId: `worker-${process.pid}-${entropy.hex(4)}`,
		capacity: config.workerConcurrency,
		nonce: () => entropy.uuid(),
		writer: store.writer,
		reader: store.reader,
		effects,
		projections,
		clock: systemClock,
		log: logger,
		settings: { lease_ms: config.leaseMs, heartbeat_ms: config.heartbeatMs },
		onEnded: parts.book,
	});
	const stopListening = store.writer.onInbox((scanId) => runtime.lookAtInbox(scanId));
	const presence = announcePresence({
		writer: store.writer,
		someWorkers: (most) => store.statistics.someWorkers(most),
		runtime,
		clock: systemClock,
		logger,
		version: VERSION,
		draining: () => draining,
		market: createMarketReport(market, systemClock, gate),
	});
	const worker = takeScans(deps, runtime, presence);
	return {
		runtime,
		pool,
		ready: presence.first,
		async drain() {
			draining = true;
			const jobs = worker.close(JOBS_GRACE_MS);
			const scans = runtime.handOver();
			await Promise.all([scans, jobs, presence.update()]);
		},
		async close() {
			stopListening();
			await presence.stop();
			await pool.close();
		},
	};
}

/** From now on this process runs scans: those that the queue delivers, and those that it has started and is nearest to. */
export function takeScans(
	{ config, logger, provision, parts }: Pick<PartsDeps, "config" | "logger" | "provision"> & { parts: ScanParts },
	runtime: Runtime,
	{ leastElsewhere }: Pick<Presence, "leastElsewhere">,
): ScanWorker {
	const { workerConcurrency: capacity } = config;
	const worker = createScanWorker(
		{ connection: bullmqConnection(provision.connection, "worker"), redis: parts.lanes, log: logger },
		capacity,
		(scanId) => runtime.run(scanId),
	);
	parts.dispatch.attach(createLocalRuns({ runtime, capacity, worker, leastElsewhere }));
	return worker;
}

/** Makes a first pass before it answers, so that a process is ready when it says so. */
export async function startWatchdog(
	{ config, logger, store }: PartsDeps,
	parts: ScanParts,
	runtime: Runtime | null,
): Promise<Watchdog> {
	const watchdog = createWatchdog({
		writer: store.writer,
		reader: store.reader,
		clock: systemClock,
		log: logger,
		apply: parts.apply,
		runtime,
		finishStart: (userId, filterKey, scanId) => finishStart(parts.start, userId, filterKey, scanId),
		queueOrder: (limit) => parts.queue.order(limit),
		book: parts.book,
		settings: { watchdog_ms: config.watchdogMs, lease_ms: config.leaseMs },
	});
	await watchdog.pass().catch((error: unknown) => logger.warn({ err: error }, "first watchdog pass failed"));
	watchdog.start();
	const supervisor = superviseWatchdog({
		watchdog,
		clock: systemClock,
		log: logger,
		settings: { watchdog_ms: config.watchdogMs },
	});
	return {
		...watchdog,
		stop() {
			supervisor.stop();
			return watchdog.stop();
		},
	};
}

export type { PartsDeps };
