import type { Redis } from "ioredis";
import type { ScanPage } from "./contract.ts";
import { scanKeys, userKeys } from "./keys.ts";
import { COUNT_RETAINED, runScript } from "./scripts.ts";

/**
 * The lists of a user's retained scans. An id outlives its record: whoever asks for it is told that it has expired. The
 * index of ended scans remembers that; from the index that lists are made of, ids of expired scans are taken by the
 * first list that meets them, so that later ones need not pass over a month of them again.
 */

/** How many ids are looked at in one go. */
const PAGE = 100;

/**
 * Takes those ids off the user's list whose record has gone by itself or was cleared. Returns how many are off it now:
 * another list that is made at the same moment may have been first.
 */
async function takeOff(redis: Redis, userId: string, ids: readonly string[], nowMs: number): Promise<number> {
	if (ids.length === 0) return 0;
	const { scans, ended } = userKeys(userId);
	const goneAt = await redis.zmscore(ended, ...ids);
	// One that was never booked stays: nothing else would remember it.
	const expired = ids.filter((_, i) => goneAt[i] !== null && Number(goneAt[i]) <= nowMs);
	if (expired.length > 0) await redis.zrem(scans, ...expired);
	return expired.length;
}

/** Newest accepted first. */
export async function listRetained(
	redis: Redis,
	userId: string,
	offset: number,
	limit: number,
	nowMs: number,
): Promise<string[]> {
	const found: string[] = [];
	// As many as are asked for are mostly there; where some have expired, more are looked at in one go.
	for (let from = 0, size = Math.min(PAGE, offset + limit); found.length < offset + limit; size = PAGE) {
		const ids = await redis.zrevrange(userKeys(userId).scans, from, from + size - 1);
		if (ids.length === 0) break;
		const exist = await Promise.all(ids.map((id) => redis.exists(scanKeys(id).scan)));
		found.push(...ids.filter((_, i) => exist[i] === 1));
		const gone = ids.filter((_, i) => exist[i] !== 1);
		from += ids.length - (await takeOff(redis, userId, gone, nowMs));
	}
	return found.slice(offset, offset + limit);
}

/** How many scans `listRetained` would list, without looking at them. */
export async function countRetained(redis: Redis, userId: string): Promise<number> {
	const { ended, active, scans } = userKeys(userId);
	return Number(await runScript(redis, COUNT_RETAINED, [ended, active, scans]));
}

/** Past the tie: ids of the same moment sort downwards, so those from `before` upwards were seen. */
const isSeen = (scanId: string, score: number, before: ScanPage["before"]): boolean =>
	before !== null && score === before.accepted_at_ms && scanId >= before.scan_id;

/** A stretch of the same list; ended scans whose record is gone are passed over. */
export async function pageRetained(
	redis: Redis,
	userId: string,
	{ from_ms, to_ms, before, limit }: ScanPage,
	nowMs: number,
): Promise<{ scan_id: string; accepted_at_ms: number }[]> {
	const keys = userKeys(userId);
	const high = Math.min(before?.accepted_at_ms ?? Number.POSITIVE_INFINITY, (to_ms ?? Number.POSITIVE_INFINITY) - 1);
	const max = high === Number.POSITIVE_INFINITY ? "+inf" : high;
	const found: { scan_id: string; accepted_at_ms: number }[] = [];
	for (let offset = 0; found.length < limit; ) {
		const pairs = await redis.zrevrangebyscore(keys.scans, max, from_ms ?? "-inf", "WITHSCORES", "LIMIT", offset, PAGE);
		if (pairs.length === 0) break;
		const listed = Array.from({ length: pairs.length / 2 }, (_, i) => ({
			scan_id: pairs[2 * i] as string,
			accepted_at_ms: Number(pairs[2 * i + 1]),
		}));
		const goneAt = await redis.zmscore(keys.ended, ...listed.map(({ scan_id }) => scan_id));
		const isGone = (i: number) => goneAt[i] !== null && Number(goneAt[i]) <= nowMs;
		found.push(
			...listed.filter(({ scan_id, accepted_at_ms }, i) => !isGone(i) && !isSeen(scan_id, accepted_at_ms, before)),
		);
		const gone = listed.filter((_, i) => isGone(i)).map(({ scan_id }) => scan_id);
		offset += listed.length - (await takeOff(redis, userId, gone, nowMs));
	}
	return found.slice(0, limit);
}

/** Ids that anything still remembers of a user, expired ones included, at most `limit`. */
export async function rememberedScans(redis: Redis, userId: string, limit: number): Promise<string[]> {
	const { scans, ended } = userKeys(userId);
	const [listed, booked] = await Promise.all([
		redis.zrange(scans, 0, String(limit - 1)),
		redis.zrange(ended, 0, String(limit - 1)),
	]);
	return [...new Set([...listed, ...booked])].slice(0, limit);
}
