import type { Redis } from "ioredis";
import type { ScanPosition } from "../../machines/types.ts";
import type { Send } from "../redis/quick.ts";
import type { CommitHub } from "./commit-hub.ts";
import type { ScanPage, ScanReader } from "./contract.ts";
import { entriesOf, eventsOf } from "./journal-codec.ts";
import { scanKeys, userKeys } from "./keys.ts";
import type { Versions } from "./migrations.ts";
import { decodeRecord, numberOrNull } from "./scan-codec.ts";

interface ReaderDeps {
	redis: Redis;
	/** Sends what is asked at every poll; default: the client's own method. */
	send?: Send;
	hub: CommitHub;
	now: () => number;
	/** How long an expired id is remembered, ms. */
	tombstoneMs: number;
	versions?: Versions | undefined;
}

/** How many ids are looked at in one go while retained scans are searched. */
const PAGE = 100;
const SUMMARIES_KEPT_MAX = 2_000;
const SUMMARIES_TTL_MS = 7 * 86_400_000;
const HEAD_FIELDS = ["accepted", "owner", "seq", "progress_at", "position", "expires_at"] as const;
const EXISTS_ERROR = "the store answered no list of replies";

/** The read half of the store: what queries and effects may see, always from Redis. */
export function createScanReader({ redis, send, hub, now, tombstoneMs, versions }: ReaderDeps): ScanReader {
	return {
		now,
		async read(scanId) {
			const fields = await redis.hgetall(scanKeys(scanId).scan);
			return fields.accepted === "1" ? decodeRecord(scanId, fields, versions) : null;
		},
		async head(scanId) {
			const key = scanKeys(scanId).scan;
			const fields = await (send ? send("hmget", [key, ...HEAD_FIELDS]) : redis.hmget(key, ...HEAD_FIELDS));
			const [accepted, owner, seq, progressAt, position, expiresAt] = fields as (string | null)[];
			if (accepted !== "1") return null;
			return {
				user_id: owner ?? "",
				revision: Number(seq),
				progress_at_ms: Number(progressAt),
				position: position as ScanPosition,
				expires_at_ms: numberOrNull(expiresAt ?? undefined),
			};
		},
		async rows(scanId, ids) {
			if (ids.length === 0) return [];
			const rows = await redis.hmget(scanKeys(scanId).results, ...ids.map((id) => `r:${id}`));
			return rows.filter((row): row is string => row !== null);
		},
		async document<T>(scanId: string, name: string) {
			const text = await redis.hget(scanKeys(scanId).results, `d:${name}`);
			return text === null ? null : (JSON.parse(text) as T);
		},
		async journal(scanId, afterSeq, limit) {
			const elements = await redis.xrange(scanKeys(scanId).journal, `${afterSeq + 1}-0`, "+", "COUNT", limit);
			const entries = elements.flatMap(entriesOf);
			// The first element may have begun before what is asked for.
			const from = entries.findIndex(({ seq }) => seq > afterSeq);
			return from < 0 ? [] : entries.slice(from, from + limit);
		},
		async events(scanId, seq) {
			const { journal } = scanKeys(scanId);
			// An element is listed by its last seq: the one behind may have begun at or before `seq`.
			const [whole, [next]] = await Promise.all([
				redis.xrange(journal, "-", `${seq}-0`),
				redis.xrange(journal, `${seq + 1}-0`, "+", "COUNT", 1),
			]);
			return (next ? [...whole, next] : whole)
				.map(eventsOf)
				.filter((found) => found.seq <= seq && found.events.length > 0);
		},
		lifecycle: (scanId) => redis.hgetall(scanKeys(scanId).lifecycle),
		debug: (scanId) => redis.hgetall(scanKeys(scanId).debug),
		listByUser: (userId, offset, limit) => listRetained(redis, userId, offset, limit),
		pageByUser: (userId, page) => pageRetained(redis, userId, page, now()),
		async summaries(userId, scanIds) {
			return scanIds.length === 0 ? [] : redis.hmget(userKeys(userId).summaries, ...scanIds);
		},
		async keepSummaries(userId, texts) {
			const { summaries } = userKeys(userId);
			if (Object.keys(texts).length === 0) return;
			// Texts of scans that have gone meanwhile are never asked for; beyond the bound all are made anew.
			if ((await redis.hlen(summaries)) > SUMMARIES_KEPT_MAX) await redis.del(summaries);
			await redis.hset(summaries, texts);
			await redis.pexpire(summaries, SUMMARIES_TTL_MS);
		},
		async expiredAt(userId, scanId) {
			const { ended, scans } = userKeys(userId);
			const until = await redis.zscore(ended, scanId);
			if (until !== null) return Number(until) + tombstoneMs > now() ? Number(until) : null;
			// Listed but neither there nor booked: the record went with its bookkeeping.
			return (await redis.zscore(scans, scanId)) === null ? null : now();
		},
		nextCommit: (scanId, timeoutMs, signal) => hub.next(scanId, timeoutMs, signal),
	};
}

/** The index keeps ids of expired scans until their tombstone is over; those are passed over here. */
async function listRetained(redis: Redis, userId: string, offset: number, limit: number): Promise<string[]> {
	const found: string[] = [];
	for (let from = 0; found.length < offset + limit; from += PAGE) {
		const ids = await redis.zrevrange(userKeys(userId).scans, from, from + PAGE - 1);
		if (ids.length === 0) break;
		const pipeline = redis.pipeline();
		for (const id of ids) pipeline.exists(scanKeys(id).scan);
		const replies = await pipeline.exec();
		if (!replies) throw new Error(EXISTS_ERROR);
		ids.forEach((id, i) => {
			const [error, exists] = replies[i] ?? [];
			if (error) throw error;
			if (exists === 1) found.push(id);
		});
	}
	return found.slice(offset, offset + limit);
}

/** Past the tie: ids of the same moment sort downwards, so those from `before` upwards were seen. */
const isSeen = (scanId: string, score: number, before: ScanPage["before"]): boolean =>
	before !== null && score === before.accepted_at_ms && scanId >= before.scan_id;

/** Straight from the index of the user's scans; ended ones whose record is gone are passed over. */
async function pageRetained(
	redis: Redis,
	userId: string,
	{ from_ms, to_ms, before, limit }: ScanPage,
	nowMs: number,
): Promise<{ scan_id: string; accepted_at_ms: number }[]> {
	const keys = userKeys(userId);
	const high = Math.min(before?.accepted_at_ms ?? Number.POSITIVE_INFINITY, (to_ms ?? Number.POSITIVE_INFINITY) - 1);
	const max = high === Number.POSITIVE_INFINITY ? "+inf" : high;
	const found: { scan_id: string; accepted_at_ms: number }[] = [];
	for (let offset = 0; found.length < limit; offset += PAGE) {
		const pairs = await redis.zrevrangebyscore(keys.scans, max, from_ms ?? "-inf", "WITHSCORES", "LIMIT", offset, PAGE);
		if (pairs.length === 0) break;
		const listed = Array.from({ length: pairs.length / 2 }, (_, i) => ({
			scan_id: pairs[2 * i] as string,
			accepted_at_ms: Number(pairs[2 * i + 1]),
		})).filter(({ scan_id, accepted_at_ms }) => !isSeen(scan_id, accepted_at_ms, before));
		if (listed.length === 0) continue;
		const goneAt = await redis.zmscore(keys.ended, ...listed.map(({ scan_id }) => scan_id));
		found.push(...listed.filter((_, i) => goneAt[i] === null || Number(goneAt[i]) > nowMs));
	}
	return found.slice(0, limit);
}
