import type { Redis } from "ioredis";
import type { Logger } from "../log.ts";
import { closeRedisClient, createRedisClient } from "../redis/clients.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { quickly, type Send } from "../redis/quick.ts";

/** A connection on which scripts are sent. */
export interface CommitLine {
	redis: Redis;
	send: Send;
}

export interface CommitLines {
	/** The same for all commits of a scan. */
	of(scanId: string): CommitLine;
	close(): Promise<void>;
}

/**
 * Commits are most of what the store sends, and have connections of their own, so that starts and reads do not wait
 * behind them. The server reads some 16 KiB of a connection at a time. One that syncs its file after each round reads
 * two connections in the same round, and syncs for twice as much; to any other a second one is only more to look at.
 */
const LINES = 1;
const LINES_WITH_SYNCS = 2;

export async function openCommitLines(redis: Redis, connection: RedisConnection, logger: Logger): Promise<CommitLines> {
	const count = (await syncsEachRound(redis)) ? LINES_WITH_SYNCS : LINES;
	const lines = Array.from({ length: count }, (): CommitLine => {
		const client = createRedisClient(connection, "commands", logger, { name: "commits" });
		return { redis: client, send: quickly(client) };
	});
	return {
		// Ids end with random characters.
		of: (scanId) => lines[scanId.charCodeAt(scanId.length - 1) % count] as CommitLine,
		async close() {
			await Promise.all(lines.map((line) => closeRedisClient(line.redis)));
		},
	};
}

/** False too where the server does not tell: it may be somebody's who keeps its settings to themselves. */
async function syncsEachRound(redis: Redis): Promise<boolean> {
	const told = await redis.config("GET", "append*").catch(() => []);
	const settings = new Map<unknown, unknown>();
	for (let i = 0; Array.isArray(told) && i + 1 < told.length; i += 2) settings.set(told[i], told[i + 1]);
	return settings.get("appendonly") === "yes" && settings.get("appendfsync") === "always";
}
