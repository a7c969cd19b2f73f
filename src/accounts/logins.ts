import type { Redis } from "ioredis";
import { type Clock, isoOf } from "../clock.ts";
import type { Entropy } from "../entropy.ts";
import { ApiError } from "../errors.ts";
import type { StoredAccount } from "./account-store.ts";
import { accountKey, isUserId, loginsKey, passwordKey } from "./keys.ts";
import { defineScript, LUA_NOW, redisTime, type StoreNow, textList } from "./script.ts";
import { REFRESH_TTL_SECONDS, type RefreshClaims, type TokenPair, type Tokens } from "./tokens.ts";

/** More logins of one user than this end the oldest. */
export const LOGINS_MAX = 100;

/**
 * KEYS  1 account, 2 password, 3 logins
 * ARGV  1 password hash the caller verified, 2 sid, 3 jti, 4 iat s, 5 expires ms, 6 last_login (ISO), 7 logins max,
 *       8 now ms or ''
 * -> 1 open, 0 the account is not active, -1 the password changed meanwhile
 */
const OPEN_LOGIN = `${LUA_NOW}
if redis.call('HGET', KEYS[1], 'status') ~= 'active' then return 0 end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return -1 end
local now = now_ms(ARGV[8])
local all = redis.call('HGETALL', KEYS[3])
local kept, oldest, oldestAt = 0, nil, nil
for i = 1, #all, 2 do
	local expires = tonumber(string.match(all[i + 1], '^(%d+)|'))
	if expires <= now then redis.call('HDEL', KEYS[3], all[i])
	elseif all[i] ~= ARGV[2] then
		kept = kept + 1
		if not oldestAt or expires < oldestAt then oldest, oldestAt = all[i], expires end
	end
end
if kept >= tonumber(ARGV[7]) then redis.call('HDEL', KEYS[3], oldest) end
redis.call('HSET', KEYS[3], ARGV[2], ARGV[5] .. '|' .. ARGV[3] .. '|' .. ARGV[4] .. '||0')
redis.call('HSET', KEYS[1], 'last_login', ARGV[6])
return 1
`;

/**
 * KEYS  1 account, 2 logins
 * ARGV  1 sid, 2 jti of the presented token, 3 successor's jti, 4 successor's iat s, 5 expires ms, 6 grace ms,
 *       7 now ms or ''
 * -> {'ok', jti, iat}, {'revoked'}, {'reused'} (the login is gone then)
 * Inside the grace a repeat gets the same successor; a resent script recognises its own successor.
 */
const ROTATE = `${LUA_NOW}
if redis.call('HGET', KEYS[1], 'status') ~= 'active' then return {'revoked'} end
local login = redis.call('HGET', KEYS[2], ARGV[1])
if not login then return {'revoked'} end
local expires, current, iat, previous, rotated = string.match(login, '^(%d+)|([^|]*)|(%d+)|([^|]*)|(%d+)$')
local now = now_ms(ARGV[7])
if tonumber(expires) <= now then
	redis.call('HDEL', KEYS[2], ARGV[1])
	return {'revoked'}
end
if current == ARGV[2] then
	redis.call('HSET', KEYS[2], ARGV[1], ARGV[5] .. '|' .. ARGV[3] .. '|' .. ARGV[4] .. '|' .. current .. '|' .. string.format('%.0f', now))
	return {'ok', ARGV[3], ARGV[4]}
end
if previous == ARGV[2] and (current == ARGV[3] or now - tonumber(rotated) <= tonumber(ARGV[6])) then
	return {'ok', current, iat}
end
redis.call('HDEL', KEYS[2], ARGV[1])
return {'reused'}
`;

export interface Logins {
	/** Opens a login for an account whose password was just verified. Throws account_inactive, invalid_credentials. */
	open(account: StoredAccount, passwordHash: string): Promise<TokenPair>;
	/** Throws token_revoked, refresh_token_reused. */
	rotate(claims: RefreshClaims, account: StoredAccount): Promise<TokenPair>;
	/** Ends the login on every process at once; repeating it is harmless. */
	revoke(userId: string, sid: string): Promise<void>;
}

export interface LoginsOptions {
	redis: Redis;
	clock: Clock;
	entropy: Entropy;
	tokens: Tokens;
	refreshGraceMs: number;
	storeNow?: StoreNow;
}

export function createLogins(options: LoginsOptions): Logins {
	const { redis, clock, entropy, tokens, refreshGraceMs } = options;
	const storeNow = options.storeNow ?? redisTime;
	const openLogin = defineScript(redis, "loginOpen", 3, OPEN_LOGIN);
	const rotateLogin = defineScript(redis, "loginRotate", 2, ROTATE);
	const nowSeconds = () => Math.floor(clock.now() / 1000);
	const expiresMs = (iat: number) => (iat + REFRESH_TTL_SECONDS) * 1000;
	return {
		async open(account, passwordHash) {
			const [sid, jti, iat] = [entropy.uuid(), entropy.uuid(), nowSeconds()];
			const id = account.user_id;
			const args = [passwordHash, sid, jti, iat, expiresMs(iat), isoOf(clock.now()), LOGINS_MAX, storeNow()];
			const opened = Number(await openLogin([accountKey(id), passwordKey(id), loginsKey(id)], args));
			if (opened === 0) throw new ApiError("account_inactive");
			if (opened < 0) throw new ApiError("invalid_credentials");
			return tokens.issue(account, sid, jti, iat);
		},
		async rotate(claims, account) {
			const iat = nowSeconds();
			const args = [claims.sid, claims.jti, entropy.uuid(), iat, expiresMs(iat), refreshGraceMs, storeNow()];
			const [kind, jti, issuedAt] = textList(await rotateLogin([accountKey(claims.sub), loginsKey(claims.sub)], args));
			if (kind === "revoked") throw new ApiError("token_revoked");
			if (kind !== "ok" || !jti) throw new ApiError("refresh_token_reused");
			return tokens.issue(account, claims.sid, jti, Number(issuedAt));
		},
		async revoke(userId, sid) {
			if (isUserId(userId)) await redis.hdel(loginsKey(userId), sid);
		},
	};
}
