import type { Redis } from "ioredis";
import { sha256Hex } from "../canonical.ts";
import type { Entropy } from "../entropy.ts";
import { idempotencyKey } from "./keys.ts";
import { defineScript, LUA_NOW, redisTime, type StoreNow } from "./script.ts";

/** How long an answer is remembered. */
export const IDEMPOTENCY_TTL_MS = 24 * 3_600_000;
/** The first request holds its key this long without an answer; then it counts as dead. */
export const IDEMPOTENCY_LEASE_MS = 10_000;

/**
 * Takes the key for one request, or says what became of an earlier one.
 * KEYS  1 record
 * ARGV  1 request digest, 2 token of this call, 3 scan id to reserve, 4 lease ms, 5 lifetime ms, 6 now ms or ''
 * -> {'granted', scan id}, {'reused'}, {'in_flight', ms left}, {'done', answer}
 * The scan id of the first request stays reserved: whoever repeats it after a crash starts the same scan.
 */
const RESERVE = `${LUA_NOW}
local now = now_ms(ARGV[6])
local held = redis.call('HMGET', KEYS[1], 'request', 'token', 'until', 'answer', 'scan_id')
if held[1] then
	if held[1] ~= ARGV[1] then return {'reused'} end
	if held[4] then return {'done', held[4]} end
	if held[2] ~= ARGV[2] and tonumber(held[3]) > now then return {'in_flight', string.format('%.0f', tonumber(held[3]) - now)} end
	redis.call('HSET', KEYS[1], 'token', ARGV[2], 'until', string.format('%.0f', now + tonumber(ARGV[4])))
	return {'granted', held[5]}
end
redis.call('HSET', KEYS[1], 'request', ARGV[1], 'token', ARGV[2], 'scan_id', ARGV[3],
	'until', string.format('%.0f', now + tonumber(ARGV[4])))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'granted', ARGV[3]}
`;

/**
 * Ends the reservation: with the answer to remember, or giving the key back.
 * KEYS  1 record
 * ARGV  1 token, 2 'answer' (kept), 'refused' (the key is free again) or 'unknown' (a repetition may take it at once,
 *       under the same scan id), 3 answer
 * -> 1 done, 0 somebody else holds the key by now
 */
const CONCLUDE = `
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return 0 end
if ARGV[2] == 'answer' then redis.call('HSET', KEYS[1], 'answer', ARGV[3])
elseif ARGV[2] == 'refused' then redis.call('DEL', KEYS[1])
else redis.call('HSET', KEYS[1], 'until', '0') end
return 1
`;

export type Reservation =
	| { kind: "granted"; scan_id: string; conclude: Conclude }
	/** The answer of the first request. */
	| { kind: "done"; answer: string }
	/** The key was used with another request. */
	| { kind: "reused" }
	| { kind: "in_flight"; retry_after_ms: number };

type Conclude = (how: "answer" | "refused" | "unknown", answer?: string) => Promise<void>;

/** One answer per (user, route, key), the same on every process. */
export interface Idempotency {
	/** `request`: text that two equal requests share. */
	reserve(userId: string, route: string, key: string, request: string): Promise<Reservation>;
}

export function createIdempotency(redis: Redis, entropy: Entropy, storeNow: StoreNow = redisTime): Idempotency {
	const reserve = defineScript(redis, "reserveIdempotencyKey", 1, RESERVE);
	const concludeScript = defineScript(redis, "concludeIdempotencyKey", 1, CONCLUDE);
	return {
		async reserve(userId, route, key, request) {
			const record = idempotencyKey(userId, route, key);
			const token = entropy.token(12);
			const args = [sha256Hex(request), token, entropy.scanId(), IDEMPOTENCY_LEASE_MS, IDEMPOTENCY_TTL_MS, storeNow()];
			const [kind, detail = ""] = ((await reserve([record], args)) as unknown[]).map(String);
			if (kind === "done") return { kind, answer: detail };
			if (kind === "in_flight") return { kind, retry_after_ms: Number(detail) };
			if (kind === "reused") return { kind };
			return {
				kind: "granted",
				scan_id: detail,
				async conclude(how, answer = "") {
					await concludeScript([record], [token, how, answer]);
				},
			};
		},
	};
}
