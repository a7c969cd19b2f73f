import type { Redis } from "ioredis";
import { isoOf } from "../clock.ts";
import type { EndedScan } from "./contract.ts";
import { guardTtlS } from "./end-ledger.ts";
import { dayKeys, globalKeys, scanKeys, totalsGuardKey, userKeys } from "./keys.ts";
import { tombstone } from "./scan-booking.ts";
import { unlist } from "./scan-index.ts";

const DAY_MS = 86_400_000;
/** Days whose guards are looked at in one go. */
const DAYS_AT_ONCE = 30;

/**
 * Removes scans of `userId` with everything that names them: record, journal, results, indexes, tombstone,
 * guards of the statistics, the lists of recent scans. Sums that name nobody stay.
 */
export async function erase(
	redis: Redis,
	nowMs: number,
	userId: string,
	scanIds: readonly string[],
	retentionMs: number,
): Promise<void> {
	if (scanIds.length === 0) return;
	const { scans, ended, summaries } = userKeys(userId);
	for (const scanId of scanIds) {
		await redis.del(...Object.values(scanKeys(scanId)));
		await unlist(redis, [scanId]);
	}
	await redis.zrem(globalKeys.tombstones, ...scanIds.map((scanId) => tombstone(userId, scanId)));
	await leaveGuards(redis, guardedDates(nowMs, retentionMs), scanIds);
	await eraseRecent(redis, userId);
	// Last: whoever finishes this after a crash finds the ids by the user's own list.
	await redis.hdel(summaries, ...scanIds);
	await redis.zrem(ended, ...scanIds);
	await redis.zrem(scans, ...scanIds);
}

/**
 * The days whose guards against counting twice may still be there, newest first. A guard lives from the last scan that
 * was counted for its day, at the end of that day or, when booking was late, on the next.
 */
function guardedDates(nowMs: number, retentionMs: number): string[] {
	const days = Math.ceil((guardTtlS(retentionMs) * 1_000) / DAY_MS) + 2;
	return Array.from({ length: days }, (_, day) => isoOf(nowMs - day * DAY_MS).slice(0, 10));
}

/** A scan stands in the guards of the day of its end. */
async function leaveGuards(redis: Redis, dates: readonly string[], scanIds: readonly string[]): Promise<void> {
	for (let from = 0; from < dates.length; from += DAYS_AT_ONCE) {
		const guards = dates.slice(from, from + DAYS_AT_ONCE).flatMap((date) => {
			const { counted, errorsCounted } = dayKeys(date);
			return [counted, errorsCounted, totalsGuardKey(date)];
		});
		await Promise.all(guards.map((guard) => redis.srem(guard, ...scanIds)));
	}
}

async function eraseRecent(redis: Redis, userId: string): Promise<void> {
	const isTheirs = (text: string): boolean => (JSON.parse(text) as EndedScan).user_id === userId;
	for (const text of await redis.lrange(globalKeys.recent, 0, "-1")) {
		if (isTheirs(text)) await redis.lrem(globalKeys.recent, 0, text);
	}
	const latest = await redis.get(globalKeys.latest);
	if (latest !== null && isTheirs(latest)) await redis.del(globalKeys.latest);
}
