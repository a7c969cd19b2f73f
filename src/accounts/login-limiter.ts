import type { Redis } from "ioredis";
import { type Clock, delay } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { ApiError } from "../errors.ts";
import { loginAttemptsKey, loginFailuresKey } from "./keys.ts";
import { defineScript, LUA_NOW, redisTime, type StoreNow } from "./script.ts";

export const LOGIN_FAILURES_MAX = 5;
export const LOGIN_WINDOW_MS = 300_000;
/** An attempt whose process died stops counting after this. */
const ATTEMPT_MS = 10_000;
const WAIT_STEP_MS = 25;
/** An answer to a login is due within 5 s. */
const WAIT_MAX_MS = 3_500;

/**
 * KEYS  1 failures, 2 attempts being decided
 * ARGV  1 attempt id, 2 failures max, 3 window ms, 4 attempt lifetime ms, 5 now ms or ''
 * -> {1} go, {0} wait for the attempts in flight, {-1, ms until one more attempt is allowed}
 * Attempts in flight count as possible failures, so that parallel guesses cannot pass the limit.
 */
const BEGIN = `${LUA_NOW}
local now = now_ms(ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - tonumber(ARGV[3])))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - tonumber(ARGV[4])))
local failures = redis.call('ZCARD', KEYS[1])
if failures >= tonumber(ARGV[2]) then
	local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
	return {-1, math.max(1, tonumber(first[2]) + tonumber(ARGV[3]) - now)}
end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {1} end
if failures + redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[2]) then return {0} end
redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return {1}
`;

/**
 * KEYS  1 failures, 2 attempts being decided
 * ARGV  1 attempt id, 2 outcome (failed, passed, abandoned), 3 window ms, 4 now ms or ''
 * -> 1
 */
const FINISH = `${LUA_NOW}
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] == 'passed' then redis.call('DEL', KEYS[1]) end
if ARGV[2] == 'failed' then
	redis.call('ZADD', KEYS[1], string.format('%.0f', now_ms(ARGV[4])), ARGV[1])
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
`;

export type AttemptOutcome = "failed" | "passed" | "abandoned";

/** Five failures within 300 s for the same address and account. */
export interface LoginLimiter {
	/** Runs `verify` if an attempt is allowed; what it reports decides what is counted. Throws login_rate_limited. */
	attempt<T>(address: string, email: string, verify: () => Promise<{ outcome: AttemptOutcome; value: T }>): Promise<T>;
}

const limited = (resetMs: number): ApiError => {
	const seconds = Math.max(1, Math.ceil(resetMs / 1000));
	return new ApiError("login_rate_limited", undefined, { retry_after_seconds: seconds });
};

export function createLoginLimiter(
	redis: Redis,
	clock: Clock,
	entropy: Entropy,
	storeNow: StoreNow = redisTime,
): LoginLimiter {
	const begin = defineScript(redis, "loginAttemptBegin", 2, BEGIN);
	const finish = defineScript(redis, "loginAttemptFinish", 2, FINISH);

	async function enter(keys: string[], id: string): Promise<void> {
		for (let waitedMs = 0; waitedMs <= WAIT_MAX_MS; waitedMs += WAIT_STEP_MS) {
			const args = [id, LOGIN_FAILURES_MAX, LOGIN_WINDOW_MS, ATTEMPT_MS, storeNow()];
			const [verdict, resetMs] = (await begin(keys, args)) as unknown[];
			if (Number(verdict) === 1) return;
			if (Number(verdict) === -1) throw limited(Number(resetMs));
			await delay(clock, WAIT_STEP_MS);
		}
		throw limited(1000);
	}

	return {
		async attempt(address, email, verify) {
			const keys = [loginFailuresKey(address, email), loginAttemptsKey(address, email)];
			const id = entropy.token(9);
			await enter(keys, id);
			let outcome: AttemptOutcome = "abandoned";
			try {
				const verified = await verify();
				outcome = verified.outcome;
				return verified.value;
			} finally {
				await finish(keys, [id, outcome, LOGIN_WINDOW_MS, storeNow()]);
			}
		},
	};
}
