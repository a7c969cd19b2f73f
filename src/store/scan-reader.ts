import type { Redis } from "ioredis";
import type { JournalType } from "../../machines/events.ts";
import type { ScanPosition } from "../../machines/types.ts";
import type { CommitHub } from "./commit-hub.ts";
import type { JournalEntry, ScanReader } from "./contract.ts";
import { scanKeys, userKeys } from "./keys.ts";
import { decodeRecord, fromPairs } from "./scan-codec.ts";

interface ReaderDeps {
	redis: Redis;
	hub: CommitHub;
	now: () => number;
	/** How long an expired id is remembered, ms. */
	tombstoneMs: number;
}

/** How many ids are looked at in one go while retained scans are searched. */
const PAGE = 100;
const EXISTS_ERROR = "the store answered no list of replies";

/** The read half of the store: what queries and effects may see, always from Redis. */
export function createScanReader({ redis, hub, now, tombstoneMs }: ReaderDeps): ScanReader {
	return {
		now,
		async read(scanId) {
			const fields = await redis.hgetall(scanKeys(scanId).scan);
			return fields.accepted === "1" ? decodeRecord(scanId, fields) : null;
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
			const entries = await redis.xrange(scanKeys(scanId).journal, `${afterSeq + 1}-0`, "+", "COUNT", limit);
			return entries.map(([id, fields]) => decodeEntry(id, fromPairs(fields)));
		},
		lifecycle: (scanId) => redis.hgetall(scanKeys(scanId).lifecycle),
		debug: (scanId) => redis.hgetall(scanKeys(scanId).debug),
		listByUser: (userId, offset, limit) => listRetained(redis, userId, offset, limit),
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

function decodeEntry(id: string, fields: Record<string, string>): JournalEntry {
	return {
		seq: Number(id.split("-", 1)[0]),
		at_ms: Number(fields.at),
		type: fields.t as JournalType,
		phase: fields.ph as ScanPosition,
		strategy_id: fields.s ?? null,
		attempt: fields.a === undefined ? null : Number(fields.a),
		revision: Number(fields.r),
		payload: JSON.parse(fields.p ?? "{}") as Record<string, unknown>,
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
