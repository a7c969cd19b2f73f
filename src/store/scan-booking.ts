import type { Redis } from "ioredis";
import type { EndedScan, ScanRecord } from "./contract.ts";
import { dayKeys, globalKeys, userKeys } from "./keys.ts";
import { enter, isFull } from "./scan-index.ts";
import * as scripts from "./scripts.ts";
import { countEnded } from "./totals.ts";

/** Books an ended scan: the user's claim, freshness and tombstone, then the statistics of the day, each once. */

export interface BookingSettings {
	retention_ms: number;
	tombstone_ms: number;
}

type Run = (script: scripts.Script, args: (string | number)[]) => Promise<unknown>;

const DAY_S = 86_400;
const STATISTICS_DAYS = 7;
const RECENT_KEPT = 200;

export async function finish(
	redis: Redis,
	run: Run,
	settings: BookingSettings,
	record: ScanRecord,
	ended: EndedScan & { timeouts: number; failed: boolean },
): Promise<void> {
	const keys = userKeys(record.user_id);
	const { filter_key, profile, redrive_of } = record.context.input;
	// What a redrive carried over may be older than a fresh result is allowed to be.
	const fresh = ended.success && redrive_of === null;
	const fingerprint = `${profile.strategy_fingerprint}.${record.context.portfolio?.portfolio_version ?? profile.portfolio_version}`;
	const endedAtMs = record.context.end?.at_ms ?? record.progress_at_ms;
	const expiresAtMs = record.expires_at_ms ?? endedAtMs + settings.retention_ms;
	// Each of these stands alone and may be repeated, and the caller takes the scan off the index of deadlines last: what
	// a dying process leaves of them is done by the sweeper. So they need not wait for one another.
	await Promise.all([
		run(scripts.FINISH, [
			keys.active,
			keys.fresh,
			keys.ended,
			keys.scans,
			filter_key,
			record.scan_id,
			fresh ? 1 : 0,
			endedAtMs,
			fingerprint,
			expiresAtMs,
			settings.tombstone_ms,
		]),
		noteTombstone(redis, tombstone(record.user_id, record.scan_id), expiresAtMs + settings.tombstone_ms),
		countScan(redis, run, settings, ended),
		countEnded(run, record, ended.timestamp.slice(0, 10)),
	]);
}

/** The first note stands: a scan that was cleared early is not remembered longer by a later booking. */
async function noteTombstone(redis: Redis, note: string, untilMs: number): Promise<void> {
	const noted = await redis.zscore(globalKeys.tombstones, note);
	if (noted === null) await enter(redis, globalKeys.tombstones, untilMs, note);
}

/** Frees a claim that names `scanId`, whose record is gone; another claim stays. */
export async function forget(
	run: Run,
	settings: BookingSettings,
	nowMs: number,
	userId: string,
	filterKey: string,
	scanId: string,
): Promise<void> {
	const { active, fresh, ended, scans } = userKeys(userId);
	await run(scripts.FINISH, [active, fresh, ended, scans, filterKey, scanId, 0, 0, "", nowMs, settings.tombstone_ms]);
}

export const tombstone = (userId: string, scanId: string): string => `${userId} ${scanId}`;

/**
 * Forgets ids whose tombstone is over, oldest first, at most `limit`; returns how many. The note of a
 * tombstone goes last, so a process that dies here leaves work to the next one and loses nothing.
 */
export async function purgeTombstones(redis: Redis, nowMs: number, limit: number): Promise<number> {
	const over = await redis.zrangebyscore(globalKeys.tombstones, "-inf", nowMs, "LIMIT", 0, limit);
	for (const note of over) {
		const [userId = "", scanId = ""] = note.split(" ");
		const { scans, ended } = userKeys(userId);
		await Promise.all([redis.zrem(ended, scanId), redis.zrem(scans, scanId)]);
		await redis.zrem(globalKeys.tombstones, note);
	}
	return over.length;
}

async function countScan(
	redis: Redis,
	run: Run,
	settings: BookingSettings,
	ended: EndedScan & { timeouts: number; failed: boolean },
): Promise<void> {
	const day = dayKeys(ended.timestamp.slice(0, 10));
	const ttl = STATISTICS_DAYS * DAY_S;
	const { timeouts, failed, ...latest } = ended;
	const counted = await run(scripts.COUNT, [
		day.stats,
		day.counted,
		day.timeouts,
		ended.scan_id,
		ended.success ? 1 : 0,
		ended.opportunities_discovered,
		ended.strategies_scanned,
		ended.execution_time_ms,
		ttl,
		timeouts,
	]);
	if (failed) await run(scripts.COUNT_ERROR, [day.errors, day.errorsCounted, ended.scan_id, ttl]);
	if (counted !== 1) return;
	try {
		// On one connection and in this order.
		await Promise.all([
			redis.set(globalKeys.latest, JSON.stringify(latest), "PX", settings.retention_ms),
			redis.lpush(globalKeys.recent, JSON.stringify(latest)),
			redis.ltrim(globalKeys.recent, 0, RECENT_KEPT - 1),
		]);
	} catch (error) {
		// A full server lacks these two for a while; nothing is decided by them.
		if (!isFull(error)) throw error;
	}
}
