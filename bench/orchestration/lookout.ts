/**
 * Lookout beside its peers: the program's own start command, dispatch, queue, store, runtime, machines and watchdog. With
 * the argument `direct` the process runs what it starts, as one alone does; otherwise every scan goes
 * through the queue. Only the effects are trivial, and accounts are not read from the store.
 */
import { systemClock } from "../../src/clock.ts";
import { type Config, loadConfig } from "../../src/config.ts";
import type { RankingDocument } from "../../src/effects/contract.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { createLogger } from "../../src/log.ts";
import { createScanWorker } from "../../src/queue/scan-queue.ts";
import { bullmqConnection } from "../../src/redis/clients.ts";
import type { RedisConnection } from "../../src/redis/connection.ts";
import { createRuntime, type RunAnswer } from "../../src/runtime/runtime.ts";
import { createScanParts, startWatchdog, takeScans } from "../../src/scan-parts.ts";
import { openScanStore } from "../../src/store/index.ts";
import { projections } from "../../src/views/projections.ts";
import { type System, serve } from "../peers/serve.mjs";
import { strategyIds, trivialEffects } from "./effects.ts";

/** Each user has a few scans at a time and never as many as are kept per user. */
const USERS = 4_096;
const SCANS_AT_ONCE = 128;

const users = {
	accounts: {
		byId: async (user_id: string) => ({
			user_id,
			email: "bench@lookout.local",
			full_name: null,
			role: "admin" as const,
			status: "active" as const,
			strategy_ids: strategyIds,
			created_at: "2026-01-01T00:00:00.000Z",
			last_login: null,
			premium_welcome: false,
			onboarded_at: null,
		}),
	},
	portfolios: {
		get: async () => ({ positions: [], cash_usd: 0, version: 0, updated_at: null }),
		put: async () => null,
	},
	policies: { list: async () => [] },
};

const userId = (n: number): string => `00000000-0000-4000-8000-${String(n % USERS).padStart(12, "0")}`;

/** A place more, for the job that the queue's worker may be fetching. */
const configOf = (): Config =>
	loadConfig({ JWT_SECRET: systemEntropy.token(), WORKER_CONCURRENCY: String(SCANS_AT_ONCE + 1), LOG_LEVEL: "warn" });

export async function openLookout(connection: RedisConnection, throughQueue: boolean): Promise<System> {
	const config = configOf();
	const logger = createLogger(config.logLevel);
	const provision = { kind: "external" as const, connection, warning: null, close: async () => {} };
	const lifetimes = { retention_ms: config.retentionMs, tombstone_ms: config.tombstoneMs };
	const store = await openScanStore(connection, logger, lifetimes);
	const deps = { config, logger, entropy: systemEntropy, provision, store, users };
	const parts = await createScanParts(deps);
	const runtime = createRuntime({
		workerId: `worker-${process.pid}-${systemEntropy.hex(4)}`,
		capacity: config.workerConcurrency,
		nonce: () => systemEntropy.uuid(),
		writer: store.writer,
		reader: store.reader,
		effects: trivialEffects,
		projections,
		clock: systemClock,
		log: logger,
		settings: { lease_ms: config.leaseMs, heartbeat_ms: config.heartbeatMs },
		// Its last commit is durable: from here on anybody may read the result. Its booking is part of the run.
		async onEnded(record) {
			tell(record.scan_id, "ended");
			await parts.book(record);
		},
	});
	const ended = new Map<string, (answer: string) => void>();
	const answers = new Map<string, string>();
	function tell(scanId: string, answer: string): void {
		const told = ended.get(scanId);
		// A scan may end before its start has answered with its id.
		if (told) told(answer);
		else answers.set(scanId, answer);
	}
	const running = new Set<Promise<RunAnswer>>();
	const watch = async (scanId: string, run: Promise<RunAnswer>): Promise<RunAnswer> => {
		running.add(run);
		const answer = await run.finally(() => running.delete(run));
		// The queue asks again for a scan whose start is not over.
		if (answer !== "ended" && answer !== "unaccepted") tell(scanId, answer);
		return answer;
	};
	const run = (scanId: string) => watch(scanId, runtime.run(scanId));
	const reserve = (scanId: string) => {
		const reservation = runtime.reserve(scanId);
		if (reservation) void watch(scanId, reservation.answer);
		return reservation;
	};
	// Through the queue: as with processes of `ROLE=api` and `ROLE=worker`, or where another worker has less in hand.
	const worker = throughQueue
		? createScanWorker(
				{ connection: bullmqConnection(connection, "worker"), redis: parts.lanes, log: logger },
				config.workerConcurrency,
				run,
			)
		: takeScans({ ...deps, parts }, { ...runtime, run, reserve }, { leastElsewhere: () => Number.POSITIVE_INFINITY });
	const watchdog = await startWatchdog(deps, parts, runtime);
	let started = 0;
	return {
		async scan() {
			started += 1;
			const viewer = { user_id: userId(started), role: "admin" as const };
			const { scan_id, decision } = await parts.commands.startScan(viewer, {
				filters: {},
				filter_key: `bench-${started}`,
				filters_unmatched: [],
				force_refresh: false,
				include_strategy_recommendations: false,
			});
			const answer = answers.get(scan_id) ?? (await new Promise<string>((resolve) => ended.set(scan_id, resolve)));
			ended.delete(scan_id);
			answers.delete(scan_id);
			if (decision !== "created" || answer !== "ended") throw new Error(`scan ${scan_id}: ${decision}, ${answer}`);
			return scan_id;
		},
		async idle() {
			await Promise.all(running);
		},
		async read(scanId) {
			const record = await store.reader.read(scanId);
			const ids = record?.context.strategies.flatMap(({ tally }) => tally.row_ids) ?? [];
			const rows = await store.reader.rows(scanId, ids);
			const ranking = await store.reader.document<RankingDocument>(scanId, "ranking");
			return {
				rows: rows.length,
				ranked: ranking?.ranked.length ?? 0,
				bytes: rows.reduce((sum, row) => sum + row.length, 0),
				progress: record?.position === "completed",
			};
		},
		async close() {
			await watchdog.stop();
			await runtime.handOver();
			await worker.close(1_000);
			await parts.queue.close();
			await store.close();
		},
	};
}

if (process.send) {
	await serve(({ redis_path }) => openLookout({ path: redis_path }, process.argv[2] !== "direct"));
}
