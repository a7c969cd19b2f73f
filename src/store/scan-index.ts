import type { Redis } from "ioredis";
import { isFull } from "../store-failure.ts";
import { globalKeys, scanKeys, userKeys } from "./keys.ts";
import { ENTER, runScript } from "./scripts.ts";
import { ABANDONED_START_MS } from "./write-contract.ts";

/**
 * The indexes of scans that have not ended: by deadline, by lease, and of those not claimed yet. They are
 * no authority: the records are, and whatever an index has lost is put back from them.
 */

/** For `catch`: what to do when a full server refused a write; other failures go on. */
export const whenFull =
	(instead: () => Promise<unknown>) =>
	(error: unknown): Promise<unknown> => {
		if (!isFull(error)) throw error;
		return instead();
	};

/** Puts `member` at `score`, also on a server whose memory is full: what runs there must still be found. */
export async function enter(redis: Redis, key: string, score: number, member: string): Promise<void> {
	await redis.zadd(key, score, member).catch(whenFull(() => runScript(redis, ENTER, [key, score, member, ""])));
}

/** The same for many whose scores stay where they have one already. */
export async function enterAll(
	redis: Redis,
	key: string,
	members: readonly [score: number, member: string][],
): Promise<void> {
	await redis
		.zadd(key, "NX", ...members.flat())
		.catch(whenFull(() => Promise.all(members.map((one) => runScript(redis, ENTER, [key, ...one, "keep"])))));
}

export async function unlist(redis: Redis, scanIds: string[]): Promise<void> {
	await Promise.all([
		redis.zrem(globalKeys.due, ...scanIds),
		redis.zrem(globalKeys.leases, ...scanIds),
		redis.zrem(globalKeys.unclaimed, ...scanIds),
	]);
}

export interface WalkPage {
	/** Where the next page begins; "0": the walk is complete. */
	cursor: string;
	/** Scans that an index had lost and that are listed again. */
	relisted: string[];
	/** Claims of users that name a scan whose record is gone: nothing will ever free them. */
	dead: DeadClaim[];
}

export interface DeadClaim {
	user_id: string;
	filter_key: string;
	scan_id: string;
}

const SCANS = scanKeys("").scan.slice(0, -1);
const CLAIMS = userKeys("").active.slice(0, -1);
/** Both and a few others, which are passed over. */
const BOTH = "scan*:{*";
const FIELDS = ["end", "accepted_at", "deadline_at", "worker", "lease", "accepted"] as const;
const END = 0;
const WORKER = 3;
const ACCEPTED = 5;

/**
 * Looks at one page of all keys: lists again every running scan that the indexes do not know, brings forward the
 * booking of ended ones, and looks whether the scans that users' claims name still run.
 */
export async function walk(redis: Redis, cursor: string, nowMs: number, count: number): Promise<WalkPage> {
	const [next, keys] = await redis.scan(cursor, "MATCH", BOTH, "COUNT", count);
	const [relisted, dead] = await Promise.all([
		relistRunning(redis, idsIn(keys, SCANS), nowMs),
		deadClaims(redis, idsIn(keys, CLAIMS), nowMs),
	]);
	return { cursor: next, relisted, dead };
}

const idsIn = (keys: readonly string[], prefix: string): string[] =>
	keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length, -1));

async function relistRunning(redis: Redis, ids: readonly string[], nowMs: number): Promise<string[]> {
	const held = await Promise.all(ids.map((id) => redis.hmget(scanKeys(id).scan, ...FIELDS)));
	await bookSoon(
		redis,
		ids.filter((_, i) => held[i]?.[0] === "1"),
		nowMs,
	);
	const running = ids
		.map((id, i) => ({ id, fields: held[i] ?? [] }))
		.filter(({ fields: [end, , deadline] }) => end === "0" && deadline);
	const missing = await unlisted(redis, running);
	// A scan that was accepted, claimed or booked since it was read has left an index rightly, and its record says so by now.
	const again = await Promise.all(missing.map(({ id }) => redis.hmget(scanKeys(id).scan, ...FIELDS)));
	const stays = (fields: Running["fields"], now: Running["fields"] = []): boolean =>
		now[END] === "0" && now[WORKER] === fields[WORKER] && now[ACCEPTED] === fields[ACCEPTED];
	const lost = missing.filter(({ fields }, i) => stays(fields, again[i]));
	await Promise.all(lost.map(({ id, fields }) => relist(redis, id, fields)));
	return lost.map(({ id }) => id);
}

interface Running {
	id: string;
	fields: (string | null)[];
}

const hasWorker = (fields: Running["fields"]): boolean => Boolean(fields[WORKER]);

const secondIndex = ({ fields }: Running): string => (hasWorker(fields) ? globalKeys.leases : globalKeys.unclaimed);

/** Those that one of the indexes which they should stand in does not know. */
async function unlisted(redis: Redis, running: readonly Running[]): Promise<Running[]> {
	const scores = await Promise.all(
		[globalKeys.due, globalKeys.leases, globalKeys.unclaimed].map(async (index) => {
			const members = running.filter((one) => index === globalKeys.due || secondIndex(one) === index);
			const held = members.length === 0 ? [] : await redis.zmscore(index, ...members.map(({ id }) => id));
			return members.filter((_, i) => held[i] === null);
		}),
	);
	return [...new Set(scores.flat())];
}

/** An ended scan leaves the index of deadlines when it is booked; one that still stands there is booked now, not then. */
async function bookSoon(redis: Redis, ended: readonly string[], nowMs: number): Promise<void> {
	if (ended.length === 0) return;
	const dueAtMs = await redis.zmscore(globalKeys.due, ...ended);
	const waiting = ended.filter((_, i) => dueAtMs[i] !== null && Number(dueAtMs[i]) > nowMs);
	await Promise.all(waiting.map((scanId) => redis.zadd(globalKeys.due, "XX", nowMs, scanId)));
}

/**
 * A claim without a record has outlived it, unless it is young: both leave together, and the record may arrive later. To free
 * the claim of such a start would let its user begin another scan beside it.
 */
async function deadClaims(redis: Redis, userIds: readonly string[], nowMs: number): Promise<DeadClaim[]> {
	const dead: DeadClaim[] = [];
	for (const user_id of userIds) {
		for (const [filter_key, held] of Object.entries(await redis.hgetall(userKeys(user_id).active))) {
			const [scan_id = "", accepted_at_ms] = held.split("|");
			const [owner, end] = await redis.hmget(scanKeys(scan_id).scan, "owner", "end");
			const isYoung = nowMs - Number(accepted_at_ms) <= ABANDONED_START_MS;
			if (!owner && !isYoung) dead.push({ user_id, filter_key, scan_id });
			// Ended and not booked: the index of deadlines leads the watchdog to it.
			else if (end === "1") await redis.zadd(globalKeys.due, "NX", nowMs, scan_id);
		}
	}
	return dead;
}

/** A scan stands in the index of deadlines, and beside it in that of leases once a worker had it. */
async function relist(redis: Redis, scanId: string, fields: (string | null)[]): Promise<void> {
	const [, accepted, deadline, , lease] = fields;
	const second = hasWorker(fields)
		? redis.zadd(globalKeys.leases, "NX", Number(lease ?? 0), scanId)
		: redis.zadd(globalKeys.unclaimed, "NX", Number(accepted), scanId);
	await Promise.all([redis.zadd(globalKeys.due, "NX", Number(deadline), scanId), second]);
}
