/** Finds, starts or embeds the Redis server that this process works on. */
import type { Logger } from "../log.ts";
import type { RedisConnection } from "./connection.ts";
import { openExternal } from "./external.ts";
import { openMemory } from "./memory.ts";
import { claimDirectory } from "./ownership.ts";
import { findRedisBinaries, openPrivate } from "./private.ts";
import { socketDirectory } from "./socket-directory.ts";

export type { RedisConnection } from "./connection.ts";
export { RedisSetupError } from "./connection.ts";

export type RedisKind = "external" | "private" | "memory";

export interface RedisProvision {
	readonly kind: RedisKind;
	/** For createRedisClient, ioredis and BullMQ alike. */
	readonly connection: RedisConnection;
	/** What /readyz, log and dashboard have to say about it; null when all is well. */
	readonly warning: string | null;
	/** Stops a server that we started, after its data are on disk. Repeating it is harmless. */
	close(): Promise<void>;
}

export interface RedisRequest {
	redisUrl: string | null;
	dataDir: string;
	/** Where to look for a server: the PATH of the environment. */
	path: string;
	logger: Logger;
	/** How long to wait for an external server that does not answer yet, or a private one to load. */
	waitMs?: number;
}

export const MEMORY_WARNING =
	"Redis is embedded in memory: all data end with this process, one process only, small loads only. " +
	"Install redis-server or set REDIS_URL to keep them.";

/**
 * REDIS_URL; else a private redis-server, valkey-server or keydb-server from PATH with its data under
 * DATA_DIR/redis; else the embedded in-memory server.
 *
 * @throws RedisSetupError when the external server is unreachable or may evict keys, when another live
 * process owns DATA_DIR, or when the private server does not start.
 */
export async function provideRedis(request: RedisRequest): Promise<RedisProvision> {
	const { redisUrl, logger } = request;
	if (redisUrl !== null) return openExternal(redisUrl, logger, request.waitMs);

	const place = await socketDirectory(request.dataDir);
	const claim = await claimDirectory(place.dataDir);
	try {
		const binaries = await findRedisBinaries(request.path, logger);
		const open = binaries[0] ? openPrivate(binaries[0], place, logger, request.waitMs) : openMemory(place, logger);
		const server = await open;
		if (server.kind === "memory") logger.warn(MEMORY_WARNING);
		return {
			kind: server.kind,
			connection: { path: place.socket },
			warning: server.kind === "memory" ? MEMORY_WARNING : null,
			async close() {
				await server.close();
				await claim.release();
			},
		};
	} catch (error) {
		await claim.release();
		throw error;
	}
}
