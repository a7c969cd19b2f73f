import { limited, systemClock } from "../clock.ts";
import type { Logger } from "../log.ts";
import { closeRedisClient, createRedisClient, moveTogether } from "../redis/clients.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { quickly } from "../redis/quick.ts";
import { type StoreClock, storeClock } from "../redis/store-clock.ts";
import { createCommitHub } from "./commit-hub.ts";
import { openCommitLines } from "./commit-lines.ts";
import type { ScanReader, StatisticsReader } from "./contract.ts";
import { createPace } from "./gathering.ts";
import { globalKeys } from "./keys.ts";
import { ROUNDS_EVERY_MS } from "./rounds.ts";
import { createScanReader } from "./scan-reader.ts";
import { createScanWriter, type WriterSettings } from "./scan-writer.ts";
import { createStatistics } from "./statistics.ts";
import { createMonitoringReader, type MonitoringReader } from "./totals.ts";
import { createUniverseStore, type UniverseDocuments } from "./universe-store.ts";
import type { ScanWriter } from "./write-contract.ts";

/** Everything about scans in one Redis: connections for commands, news and commits, one clock. */
export interface ScanStore {
	writer: ScanWriter;
	reader: ScanReader;
	statistics: StatisticsReader;
	universes: UniverseDocuments;
	monitoring: MonitoringReader;
	clock: StoreClock;
	/** Round trip of a tiny write, ms: throws when the server is away, full or read-only. */
	probe(): Promise<number>;
	memoryBytes(): Promise<number | null>;
	close(): Promise<void>;
}

const PROBE_KEPT_MS = 60_000;
const SETTLE_LIMIT_MS = 500;

export async function openScanStore(
	connection: RedisConnection,
	logger: Logger,
	settings: WriterSettings,
): Promise<ScanStore> {
	const redis = createRedisClient(connection, "commands", logger, { name: "scans" });
	const subscriber = createRedisClient(connection, "subscriber", logger, { name: "scan-news" });
	moveTogether(redis, subscriber);
	const clock = await storeClock(redis, systemClock, { logger });
	const hub = await createCommitHub(subscriber, systemClock);
	const now = () => clock.now();
	const send = quickly(redis);
	const lines = await openCommitLines(redis, connection, logger);
	const pace = createPace(systemClock, ROUNDS_EVERY_MS);
	const writer = createScanWriter({ redis, send, commits: lines.of, hub, now, pace, settings });
	return {
		writer,
		reader: createScanReader({
			redis,
			send,
			hub,
			now,
			tombstoneMs: settings.tombstone_ms,
			versions: settings.versions,
		}),
		statistics: createStatistics(redis),
		universes: createUniverseStore(redis),
		monitoring: createMonitoringReader(redis),
		clock,
		async probe() {
			const sentAt = performance.now();
			await redis.set(globalKeys.probe, "1", "PX", PROBE_KEPT_MS);
			return Math.round((performance.now() - sentAt) * 10) / 10;
		},
		async memoryBytes() {
			const info = await redis.info("memory").catch(() => "");
			const bytes = /^used_memory:(\d+)/m.exec(info)?.[1];
			return bytes === undefined ? null : Number(bytes);
		},
		async close() {
			hub.close();
			clock.close();
			// What a server that does not answer leaves undone, the sweeper does or nobody misses.
			await limited(systemClock, SETTLE_LIMIT_MS, "settling", writer.settle()).catch(() => undefined);
			await Promise.all([closeRedisClient(redis), closeRedisClient(subscriber), lines.close()]);
		},
	};
}
