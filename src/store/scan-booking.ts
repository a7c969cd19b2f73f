import type { Redis } from "ioredis";
import type { ScanRecord } from "./contract.ts";
import type { CountedEnd } from "./end-ledger.ts";
import { globalKeys, userKeys } from "./keys.ts";
import type { Rounds } from "./rounds.ts";
import * as scripts from "./scripts.ts";

/** Books an ended scan: the user's claim, freshness and tombstone, then the statistics of the day, each once. */

export interface BookingSettings {
	retention_ms: number;
	tombstone_ms: number;
}

type Run = (script: scripts.Script, args: (string | number)[]) => Promise<unknown>;

interface BookingDeps {
	run: Run;
	settings: BookingSettings;
	rounds: Pick<Rounds, "inNext" | "buried" | "count">;
}

/** How many surplus scans one booking names at most; the next ones name the others. */
const SURPLUS_MAX = 100;

export async function finish(
	{ run, settings, rounds }: BookingDeps,
	record: ScanRecord,
	ended: CountedEnd,
	keep: number,
): Promise<string[]> {
	const keys = userKeys(record.user_id);
	const { filter_key, profile, redrive_of } = record.context.input;
	// What a redrive carried over may be older than a fresh result is allowed to be.
	const fresh = ended.success && redrive_of === null;
	const fingerprint = `${profile.strategy_fingerprint}.${record.context.portfolio?.portfolio_version ?? profile.portfolio_version}`;
	const endedAtMs = record.context.end?.at_ms ?? record.progress_at_ms;
	const expiresAtMs = record.expires_at_ms ?? endedAtMs + settings.retention_ms;
	// Each of these stands alone and may be repeated, and the caller takes the scan off the index of deadlines last: what
	// a dying process leaves of them is done by the sweeper. So they need not wait for one another.
	const args = [keys.active, keys.fresh, keys.ended, keys.scans, filter_key, record.scan_id, fresh ? 1 : 0];
	args.push(endedAtMs, fingerprint, expiresAtMs, settings.tombstone_ms, keep, SURPLUS_MAX);
	const [surplus] = await Promise.all([
		rounds.inNext(() => run(scripts.FINISH, args)),
		// The first note stands: a scan that was cleared early is not remembered longer by a later booking.
		rounds.buried([expiresAtMs + settings.tombstone_ms, tombstone(record.user_id, record.scan_id)]),
		rounds.count(record, ended),
	]);
	return surplus as string[];
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
	const nothing = [0, 0, "", nowMs, settings.tombstone_ms, 0, 0];
	await run(scripts.FINISH, [active, fresh, ended, scans, filterKey, scanId, ...nothing]);
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
