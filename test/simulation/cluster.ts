import { createIdempotency, type Idempotency } from "../../src/accounts/idempotency.ts";
import { profileOf } from "../../src/accounts/profile.ts";
import { STANDARD_STRATEGIES } from "../../src/catalogue.ts";
import { type CommandDeps, createCommands, createStartMemory, finishStart } from "../../src/commands.ts";
import type { Effects } from "../../src/effects/contract.ts";
import { createLoopTurns, type LoopTurns } from "../../src/loop-turns.ts";
import { announcePresence } from "../../src/presence.ts";
import { createQueries, type Queries } from "../../src/queries.ts";
import { createDispatch, createLocalRuns, type Dispatch } from "../../src/queue/dispatch.ts";
import { storeClock } from "../../src/redis/store-clock.ts";
import { book } from "../../src/runtime/booking.ts";
import { replay } from "../../src/runtime/replay.ts";
import { createRuntime, type Runtime } from "../../src/runtime/runtime.ts";
import type { RunLog } from "../../src/runtime/scan-run.ts";
import { createWatchdog } from "../../src/runtime/watchdog.ts";
import type { ScanCommands } from "../../src/services.ts";
import { createCommitHub } from "../../src/store/commit-hub.ts";
import type { ScanReader, ScanRecord } from "../../src/store/contract.ts";
import { createPace } from "../../src/store/gathering.ts";
import { ROUNDS_EVERY_MS } from "../../src/store/rounds.ts";
import { createScanReader } from "../../src/store/scan-reader.ts";
import { createScanWriter } from "../../src/store/scan-writer.ts";
import { createStatistics } from "../../src/store/statistics.ts";
import type { ScanWriter } from "../../src/store/write-contract.ts";
import { projections } from "../../src/views/projections.ts";
import { limits } from "../support/scan-input.ts";
import { effectsFor, type MarketWorld } from "./market.ts";
import type { SimulatedQueue } from "./queue.ts";
import type { Dice } from "./random.ts";
import { createSimulatedRedis, createSimulatedSubscriber, type Network } from "./redis-client.ts";
import type { Process } from "./world.ts";

/** The program's processes, wired from its own parts as `main.ts` wires them, on simulated surroundings. */
export const SETTINGS = {
	lease_ms: 6_000,
	heartbeat_ms: 2_000,
	watchdog_ms: 1_000,
	tombstone_ms: 3_600_000,
	stuck_after_ms: 15_000,
	/** Shorter than by default, so that forced starts supersede what still runs. */
	force_join_ms: 400,
	fresh_ms: 20_000,
	queue_max: 1_000,
	user_scans_kept: 1_000,
	limits: limits({
		budget_ms: 60_000,
		ranking_reserve_ms: 3_000,
		portfolio_timeout_ms: 10_000,
		discovery_timeout_ms: 15_000,
		strategy_timeout_ms: 30_000,
		strategy_concurrency: 3,
		resumes_max: 2,
	}),
};
/** Scans at once in a worker: some are soon full. */
const CAPACITIES = [1, 4, 16, 16] as const;
export const STRATEGY_IDS = STANDARD_STRATEGIES.slice(0, 5).map(({ id }) => id);

export interface ApiProcess {
	process: Process;
	commands: ScanCommands;
	queries: Queries;
	idempotency: Idempotency;
}

export interface Surroundings {
	network: Network;
	retentionMs: number;
	market: MarketWorld;
	queue: SimulatedQueue;
	/** Odds that a process runs what it has started. */
	pastQueue: number;
	/** Where messages of the store are delivered. */
	subscribe(process: Process, deliver: (channel: string, message: string) => void): void;
	/** Lets a checker look at effects, and a planted fault change a part. */
	effects(process: Process, real: Effects): Effects;
	writer(process: Process, real: ScanWriter): ScanWriter;
	reader(process: Process, real: ScanReader): ScanReader;
	idempotency(real: Idempotency): Idempotency;
	log(process: Process): RunLog;
}

/** Odds that a process takes for granted what a start would ask: the claim has to decide rightly all the same. */
const BOLD = 0.3;

interface Parts {
	process: Process;
	writer: ScanWriter;
	reader: ScanReader;
	start: CommandDeps;
	dispatch: Dispatch;
	redis: ReturnType<typeof createSimulatedRedis>;
	dice: Dice;
	clock: Awaited<ReturnType<typeof storeClock>>;
	turns: LoopTurns;
}

async function partsOf(around: Surroundings, process: Process): Promise<Parts> {
	const redis = createSimulatedRedis(around.network, process);
	// What a process has scheduled dies with it, and stands still with it.
	const turns = createLoopTurns();
	const subscriber = createSimulatedSubscriber();
	around.subscribe(process, subscriber.deliver);
	const clock = await storeClock(redis, process.clock);
	const hub = await createCommitHub(subscriber.redis, process.clock);
	const now = () => clock.now();
	const { tombstone_ms, lease_ms, heartbeat_ms } = SETTINGS;
	const retention_ms = around.retentionMs;
	const writer = around.writer(
		process,
		createScanWriter({
			redis,
			hub,
			now,
			pace: createPace(process.clock, ROUNDS_EVERY_MS),
			turns,
			settings: { retention_ms, tombstone_ms },
		}),
	);
	const reader = around.reader(process, createScanReader({ redis, hub, now, tombstoneMs: tombstone_ms }));
	const dice = around.network.world.dice.fork(`${process.name}.${process.life}.ids`);
	const log = around.log(process);
	const apply = {
		writer,
		projections,
		nonce: () => dice.hex(32),
		settings: { lease_ms, heartbeat_ms },
		workerId: process.name,
	};
	const statistics = createStatistics(redis);
	const dispatch = createDispatch({ queue: { add: (scanId) => around.queue.add(process, scanId) }, log });
	const like_ms = SETTINGS.limits.budget_ms;
	const memory = createStartMemory({ clock: process.clock, idle: dispatch.idle, like_ms });
	const start: CommandDeps = {
		writer,
		reader,
		projections,
		apply,
		accounts: { byId: async (user_id) => account(user_id) },
		portfolios: {
			get: async () => ({ positions: [], cash_usd: 0, version: 0, updated_at: null }),
			put: async () => null,
		},
		policies: { list: async () => [] },
		profileOf,
		available: new Set(STRATEGY_IDS.slice(0, -1)),
		enqueue: dispatch.add,
		memory: dice.chance(BOLD) ? { ...memory, mayBegin: () => true } : memory,
		reserve: dispatch.reserve,
		queued: () => statistics.queuedScans(),
		waiting: () => around.queue.length(process),
		newScanId: () => `scan_${dice.hex(32)}`,
		book: (record: ScanRecord) => book(writer, record, SETTINGS.user_scans_kept),
		settings: {
			limits: SETTINGS.limits,
			force_join_ms: SETTINGS.force_join_ms,
			fresh_ms: SETTINGS.fresh_ms,
			queue_max: SETTINGS.queue_max,
		},
	};
	return { process, writer, reader, start, dispatch, redis, dice, clock, turns };
}

const account = (user_id: string) => ({
	user_id,
	email: "user@example.com",
	full_name: null,
	role: "trader" as const,
	status: "active" as const,
	strategy_ids: STRATEGY_IDS,
	created_at: "2026-01-01T00:00:00.000Z",
	last_login: null,
	premium_welcome: false,
	onboarded_at: null,
});

function watch(around: Surroundings, { process, writer, reader, start }: Parts, runtime: Runtime | null) {
	const log = around.log(process);
	const watchdog = createWatchdog({
		writer,
		reader,
		clock: process.clock,
		log,
		apply: start.apply,
		runtime,
		finishStart: (userId, filterKey, scanId) => finishStart(start, userId, filterKey, scanId),
		book: start.book,
		settings: { watchdog_ms: SETTINGS.watchdog_ms, lease_ms: SETTINGS.lease_ms },
	});
	watchdog.start();
}

/** A process that answers requests. @param runs scans too */
export async function bootApi(around: Surroundings, process: Process, runs: boolean): Promise<ApiProcess> {
	const parts = await partsOf(around, process);
	if (runs) await runScans(around, parts);
	else watch(around, parts, null);
	const queries = createQueries({
		reader: parts.reader,
		statistics: createStatistics(parts.redis),
		clock: process.clock,
		probes: {
			queue: async () => ({ waiting: 0, active: 0, oldest_wait_ms: null }),
			redis: async () => ({ ok: true, kind: "external", latency_ms: 1, used_memory_bytes: null }),
			sweeper: async () => ({ last_pass_at_ms: await parts.writer.lastSweepMs() }),
			sources: async () => [],
			cacheHitRate: async () => null,
		},
		earnedCredits: async () => null,
		stuckAfterMs: SETTINGS.stuck_after_ms,
		replay,
		streamsMax: 10,
	});
	const hex = (digits: number) => parts.dice.hex(digits);
	const entropy = { scanId: () => `scan_${hex(32)}`, token: (bytes = 32) => hex(2 * bytes), hex, uuid: () => hex(32) };
	return {
		process,
		commands: createCommands(parts.start),
		queries,
		idempotency: around.idempotency(createIdempotency(parts.redis, entropy)),
	};
}

/** A process that runs scans. */
export const bootWorker = async (around: Surroundings, process: Process): Promise<void> =>
	runScans(around, await partsOf(around, process));

async function runScans(around: Surroundings, parts: Parts): Promise<void> {
	const { process, writer, reader, start, dispatch, turns } = parts;
	const capacity = parts.dice.pick(CAPACITIES);
	const log = around.log(process);
	const runtime = createRuntime({
		workerId: `${process.name}.${process.life}`,
		capacity,
		nonce: start.apply.nonce,
		writer,
		reader,
		effects: around.effects(process, effectsFor(around.market, process, parts.redis)),
		projections,
		clock: process.clock,
		turns,
		log,
		settings: start.apply.settings,
		onEnded: start.book,
	});
	writer.onInbox((scanId) => runtime.lookAtInbox(scanId));
	const presence = announcePresence({
		writer,
		someWorkers: (most) => createStatistics(parts.redis).someWorkers(most),
		runtime,
		clock: process.clock,
		logger: log as never,
		version: "0.0.0",
		draining: () => false,
		market: { state: async () => ({ calls: 0, hits: 0, sources: [] }), requests: async () => undefined },
	});
	await presence.first;
	watch(around, parts, runtime);
	const worker = around.queue.consume(process, capacity, (scanId) => runtime.run(scanId));
	const runs = createLocalRuns({ runtime, capacity, worker, leastElsewhere: presence.leastElsewhere });
	// A scan that is run where it was started meets no other worker on its way: some processes leave all to the queue.
	if (parts.dice.chance(around.pastQueue)) dispatch.attach(runs);
}
