import type { Redis } from "ioredis";
import { globalKeys, scanKeys } from "./keys.ts";
import { ENTER, runScript } from "./scripts.ts";

/**
 * The indexes of scans that have not ended: by deadline, by lease, and of those not claimed yet. They are
 * no authority: the records are, and whatever an index has lost is put back from them.
 */

/** A full server refuses what needs memory. */
export const isFull = (error: unknown): boolean => error instanceof Error && error.message.startsWith("OOM");

/** Puts `scanId` at `score`, also on a server whose memory is full: what runs there must still be found. */
export async function enter(redis: Redis, key: string, score: number, scanId: string): Promise<void> {
	try {
		await redis.zadd(key, score, scanId);
	} catch (error) {
		if (!isFull(error)) throw error;
		await runScript(redis, ENTER, [key, score, scanId]);
	}
}

export async function unlist(redis: Redis, scanId: string): Promise<void> {
	await Promise.all([
		redis.zrem(globalKeys.due, scanId),
		redis.zrem(globalKeys.leases, scanId),
		redis.zrem(globalKeys.unclaimed, scanId),
	]);
}

export interface WalkPage {
	/** Where the next page begins; "0": the walk is complete. */
	cursor: string;
	/** Scans that an index had lost and that are listed again. */
	relisted: string[];
}

const PREFIX = scanKeys("").scan.slice(0, -1);
const FIELDS = ["end", "accepted_at", "deadline_at", "worker", "lease"] as const;

/** Looks at one page of all keys and lists again every running scan that the indexes do not know. */
export async function walk(redis: Redis, cursor: string, count: number): Promise<WalkPage> {
	const [next, keys] = await redis.scan(cursor, "MATCH", `${PREFIX}*`, "COUNT", count);
	const ids = keys.map((key) => key.slice(PREFIX.length, -1));
	const held = await Promise.all(ids.map((id) => redis.hmget(scanKeys(id).scan, ...FIELDS)));
	const running = ids
		.map((id, i) => ({ id, fields: held[i] ?? [] }))
		.filter(({ fields: [end, , deadline] }) => end === "0" && deadline);
	const added = await Promise.all(running.map(({ id, fields }) => relist(redis, id, fields)));
	return { cursor: next, relisted: running.filter((_, i) => added[i]).map(({ id }) => id) };
}

/** A scan stands in the index of deadlines, and beside it in that of leases once a worker had it. */
async function relist(redis: Redis, scanId: string, fields: (string | null)[]): Promise<boolean> {
	const [, accepted, deadline, worker, lease] = fields;
	const second = worker
		? redis.zadd(globalKeys.leases, "NX", Number(lease ?? 0), scanId)
		: redis.zadd(globalKeys.unclaimed, "NX", Number(accepted), scanId);
	const added = await Promise.all([redis.zadd(globalKeys.due, "NX", Number(deadline), scanId), second]);
	return added.some((count) => Number(count) > 0);
}
