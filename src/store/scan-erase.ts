import type { Redis } from "ioredis";
import type { EndedScan } from "./contract.ts";
import { dayKeys, globalKeys, scanKeys, totalsGuardKey, userKeys } from "./keys.ts";
import { tombstone } from "./scan-booking.ts";
import { unlist } from "./scan-index.ts";

const DAY_MS = 86_400_000;
/** The guards against counting twice live seven days; a scan stands in those of the day of its end. */
const GUARD_DAYS = 8;

/**
 * Removes scans of `userId` with everything that names them: record, journal, results, indexes, tombstone,
 * guards of the statistics, the lists of recent scans. Sums that name nobody stay.
 */
export async function erase(redis: Redis, nowMs: number, userId: string, scanIds: readonly string[]): Promise<void> {
	if (scanIds.length === 0) return;
	const { scans, ended, summaries } = userKeys(userId);
	for (const scanId of scanIds) {
		await redis.del(...Object.values(scanKeys(scanId)));
		await unlist(redis, scanId);
	}
	await redis.zrem(globalKeys.tombstones, ...scanIds.map((scanId) => tombstone(userId, scanId)));
	await Promise.all(guardsAt(nowMs).map((guard) => redis.srem(guard, ...scanIds)));
	await eraseRecent(redis, userId);
	// Last: whoever finishes this after a crash finds the ids by the user's own list.
	await redis.hdel(summaries, ...scanIds);
	await redis.zrem(ended, ...scanIds);
	await redis.zrem(scans, ...scanIds);
}

function guardsAt(nowMs: number): string[] {
	const dates = Array.from({ length: GUARD_DAYS }, (_, days) =>
		new Date(nowMs - days * DAY_MS).toISOString().slice(0, 10),
	);
	return dates.flatMap((date) => [dayKeys(date).counted, dayKeys(date).errorsCounted, totalsGuardKey(date)]);
}

async function eraseRecent(redis: Redis, userId: string): Promise<void> {
	const isTheirs = (text: string): boolean => (JSON.parse(text) as EndedScan).user_id === userId;
	for (const text of await redis.lrange(globalKeys.recent, 0, "-1")) {
		if (isTheirs(text)) await redis.lrem(globalKeys.recent, 0, text);
	}
	const latest = await redis.get(globalKeys.latest);
	if (latest !== null && isTheirs(latest)) await redis.del(globalKeys.latest);
}
