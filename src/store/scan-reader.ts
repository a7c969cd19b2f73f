import type { Redis } from "ioredis";
import type { ScanPosition } from "../../machines/types.ts";
import type { Send } from "../redis/quick.ts";
import type { CommitHub } from "./commit-hub.ts";
import type { ScanReader, ScanRecord } from "./contract.ts";
import { entriesOf, eventsOf } from "./journal-codec.ts";
import { restorer } from "./journal-ids.ts";
import { scanKeys, userKeys } from "./keys.ts";
import type { Versions } from "./migrations.ts";
import { unpack } from "./packing.ts";
import { decodeRecord, fromPairs, numberOrNull } from "./scan-codec.ts";
import { READ_BOTH, runScript } from "./scripts.ts";
import { countRetained, listRetained, pageRetained } from "./user-scans.ts";

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

const SUMMARIES_KEPT_MAX = 2_000;
const SUMMARIES_TTL_MS = 7 * 86_400_000;
const HEAD_FIELDS = ["accepted", "owner", "seq", "progress_at", "position", "expires_at"] as const;

/** The read half of the store: what queries and effects may see, always from Redis. */
export function createScanReader({ redis, send, hub, now, tombstoneMs, versions }: ReaderDeps): ScanReader {
	const recordOf = (scanId: string, fields: Record<string, string>): ScanRecord | null =>
		fields.accepted === "1" ? decodeRecord(scanId, fields, versions) : null;
	return {
		now,
		read: async (scanId) => recordOf(scanId, await redis.hgetall(scanKeys(scanId).scan)),
		async readBeside(scanId, hash) {
			const { scan, [hash]: beside } = scanKeys(scanId);
			const [stored = [], fields = []] = (await runScript(redis, READ_BOTH, [scan, beside])) as string[][];
			const record = recordOf(scanId, fromPairs(stored));
			return record && { record, fields: fromPairs(fields) };
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
			return text === null ? null : (JSON.parse(unpack(text)) as T);
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
			const restored = restorer();
			return (next ? [...whole, next] : whole)
				.map(eventsOf)
				.map((found) => ({ ...found, events: found.events.map(restored) }))
				.filter((found) => found.seq <= seq && found.events.length > 0);
		},
		listByUser: (userId, offset, limit) => listRetained(redis, userId, offset, limit, now()),
		countByUser: (userId) => countRetained(redis, userId),
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
