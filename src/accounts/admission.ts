import type { Redis } from "ioredis";
import type { Entropy } from "../entropy.ts";
import { quickly, quickScript } from "../redis/quick.ts";
import type { Account } from "../services.ts";
import { accountKey, loginsKey, rateKey } from "./keys.ts";
import { defineScript, LUA_NOW, redisTime, type StoreNow } from "./script.ts";

/**
 * Sliding window: one member per counted call, scored with its moment. A refused call is not recorded.
 * `member` is unique per call, so a resent script counts once. The key outlives its newest call by a window at least;
 * its expiry is moved once a window, because moving it is a second write in the log at every call.
 * count_call(key, now, window_ms, max, member) -> allowed (1, 0), calls in the window, ms until one more is allowed
 */
const LUA_WINDOW = `
local function count_call(key, now, window, max, member)
	redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
	local calls = redis.call('ZCARD', key)
	local allowed = 0
	if calls < max then
		calls = calls + redis.call('ZADD', key, 'NX', string.format('%.0f', now), member)
		allowed = 1
		if redis.call('PTTL', key) < window then redis.call('PEXPIRE', key, string.format('%.0f', 2 * window)) end
	elseif redis.call('ZSCORE', key, member) then allowed = 1
	end
	if calls < max then return allowed, calls, 0 end
	local first = redis.call('ZRANGE', key, calls - max, calls - max, 'WITHSCORES')
	if #first == 0 then return allowed, calls, window end
	return allowed, calls, math.max(1, tonumber(first[2]) + window - now)
end
`;

/**
 * KEYS  1 account, 2 logins, 3 rate window
 * ARGV  1 sid, 2 window ms or '' (not counted), 3 max, 4 member, 5 now ms or ''
 * -> {0} the login is revoked or the account not active, {1, role, allowed, calls, reset ms}
 */
const ADMIT_USER = `${LUA_NOW}${LUA_WINDOW}
local account = redis.call('HMGET', KEYS[1], 'status', 'role')
if account[1] ~= 'active' or redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return {0} end
if ARGV[2] == '' then return {1, account[2], 1, 0, 0} end
local allowed, calls, reset = count_call(KEYS[3], now_ms(ARGV[5]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4])
return {1, account[2], allowed, calls, reset}
`;

/**
 * KEYS  1 rate window
 * ARGV  1 window ms, 2 max, 3 member, 4 now ms or ''
 * -> {allowed, calls, reset ms}
 */
const ADMIT_ADDRESS = `${LUA_NOW}${LUA_WINDOW}
local allowed, calls, reset = count_call(KEYS[1], now_ms(ARGV[4]), tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3])
return {allowed, calls, reset}
`;

/** A sliding window of calls. */
export interface RateWindow {
	name: string;
	max: number;
	window_ms: number;
}

export interface RateDecision {
	allowed: boolean;
	limit: number;
	remaining: number;
	/** Seconds until one more call is allowed: 0 while calls remain. */
	reset_seconds: number;
}

export type Admission =
	| { kind: "revoked" }
	/** `role` is the account's role now, whatever the token says. `rate` null: not counted. */
	| { kind: "admitted"; role: Account["role"]; rate: RateDecision | null };

/** Whether a call may go on: one script in one slot, the same answer on every process. */
export interface Gatekeeper {
	admitUser(userId: string, sid: string, window: RateWindow | null): Promise<Admission>;
	admitAddress(address: string, window: RateWindow): Promise<RateDecision>;
}

function decision(window: RateWindow, allowed: unknown, calls: unknown, resetMs: unknown): RateDecision {
	return {
		allowed: Number(allowed) === 1,
		limit: window.max,
		remaining: Math.max(0, window.max - Number(calls)),
		reset_seconds: Math.ceil(Number(resetMs) / 1000),
	};
}

export function createGatekeeper(redis: Redis, entropy: Entropy, storeNow: StoreNow = redisTime): Gatekeeper {
	const admitUser = quickScript(quickly(redis), 3, ADMIT_USER);
	const admitAddress = defineScript(redis, "admitAddress", 1, ADMIT_ADDRESS);
	const processId = entropy.token(6);
	let calls = 0;
	const nextMember = () => {
		calls += 1;
		return `${processId}.${calls.toString(36)}`;
	};
	return {
		async admitUser(userId, sid, window) {
			const [admitted, role, ...rate] = (await admitUser([
				accountKey(userId),
				loginsKey(userId),
				rateKey(userId, window?.name ?? "none"),
				sid,
				window?.window_ms ?? "",
				window?.max ?? "",
				nextMember(),
				storeNow(),
			])) as unknown[];
			if (Number(admitted) !== 1) return { kind: "revoked" };
			return {
				kind: "admitted",
				role: String(role) as Account["role"],
				rate: window ? decision(window, rate[0], rate[1], rate[2]) : null,
			};
		},
		async admitAddress(address, window) {
			const args = [window.window_ms, window.max, nextMember(), storeNow()];
			const reply = (await admitAddress([rateKey(address, window.name)], args)) as unknown[];
			return decision(window, reply[0], reply[1], reply[2]);
		},
	};
}
