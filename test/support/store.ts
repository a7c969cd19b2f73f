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
	/** DATA_DIR of a private server; its files lie in `redis` below it. */
	dataDir: string;
	store(settings?: Partial<WriterSettings>): Promise<ScanStore>;
	close(): Promise<void>;
}

export const testLogger = () => createLogger(process.env.TEST_LOG ?? "silent");

export const newDataDir = (): Promise<string> => mkdtemp(join(tmpdir(), "lookout-test-"));

/** `given`: a folder with the data of an earlier server; it goes when the server is closed. */
export async function startTestRedis(path = process.env.PATH ?? "", given?: string): Promise<TestRedis> {
	const dataDir = given ?? (await newDataDir());
	const logger = testLogger();
	const provision = await provideRedis({ redisUrl: null, dataDir, path, logger });
	const stores: ScanStore[] = [];
	return {
		kind: provision.kind,
		connection: provision.connection,
		dataDir,
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
