import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/log.ts";
import type { RedisConnection } from "../../src/redis/connection.ts";
import { provideRedis, type RedisKind } from "../../src/redis/provide.ts";
import { openScanStore, type ScanStore } from "../../src/store/index.ts";
import type { WriterSettings } from "../../src/store/scan-writer.ts";

/** A private Redis for one test file: a real server when one is on PATH, else the embedded one. */
export interface TestRedis {
	kind: RedisKind;
	connection: RedisConnection;
	store(settings?: Partial<WriterSettings>): Promise<ScanStore>;
	close(): Promise<void>;
}

export const testLogger = () => createLogger(process.env.TEST_LOG ?? "silent");

export async function startTestRedis(path = process.env.PATH ?? ""): Promise<TestRedis> {
	const dataDir = await mkdtemp(join(tmpdir(), "lookout-test-"));
	const logger = testLogger();
	const provision = await provideRedis({ redisUrl: null, dataDir, path, logger });
	const stores: ScanStore[] = [];
	return {
		kind: provision.kind,
		connection: provision.connection,
		async store(settings = {}) {
			const store = await openScanStore(provision.connection, logger, {
				retention_ms: 600_000,
				tombstone_ms: 600_000,
				...settings,
			});
			stores.push(store);
			return store;
		},
		async close() {
			await Promise.all(stores.map((store) => store.close()));
			await provision.close();
			await rm(dataDir, { recursive: true, force: true });
		},
	};
}
