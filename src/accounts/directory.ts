import type { Redis } from "ioredis";
import type { Account } from "../services.ts";
import { accessKey, adminsKey, directoryKey, emailKey } from "./keys.ts";
import { defineScript, textList } from "./script.ts";

/**
 * KEYS  1 e-mail, 2 directory, 3 access, 4 admins
 * ARGV  1 user id, 2 created_at ms, 3 role, 4 status, 5 user id of a dangling entry to replace or ''
 * -> {1, user id} registered (also when it was before), {0, owner} taken
 */
const REGISTER = `
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] and owner ~= ARGV[5] then return {0, owner} end
if owner and owner ~= ARGV[1] then
	redis.call('ZREM', KEYS[2], owner)
	redis.call('HDEL', KEYS[3], owner)
	redis.call('SREM', KEYS[4], owner)
end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if redis.call('HSETNX', KEYS[3], ARGV[1], '1|' .. ARGV[3] .. '|' .. ARGV[4]) == 1 then
	if ARGV[3] == 'admin' and ARGV[4] == 'active' then redis.call('SADD', KEYS[4], ARGV[1]) end
end
return {1, ARGV[1]}
`;

/**
 * KEYS  1 access, 2 admins
 * ARGV  1 user id, 2 new role or '', 3 new status or ''
 * -> {'unknown'}, {'last_admin'}, {'ok', word, heir id or '', heir's word or ''}; word = version|role|status.
 * The heir is another active admin, named when an admin steps down.
 */
const CHANGE_ACCESS = `
local word = redis.call('HGET', KEYS[1], ARGV[1])
if not word then return {'unknown'} end
local version, role, status = string.match(word, '^(%d+)|([^|]+)|([^|]+)$')
local newRole = ARGV[2] ~= '' and ARGV[2] or role
local newStatus = ARGV[3] ~= '' and ARGV[3] or status
local was = role == 'admin' and status == 'active'
local is = newRole == 'admin' and newStatus == 'active'
local heir = ''
if not is then
	for _, id in ipairs(redis.call('SMEMBERS', KEYS[2])) do
		if id ~= ARGV[1] and (heir == '' or id < heir) then heir = id end
	end
end
if was and not is and heir == '' then return {'last_admin'} end
if newRole ~= role or newStatus ~= status then
	word = (tonumber(version) + 1) .. '|' .. newRole .. '|' .. newStatus
	redis.call('HSET', KEYS[1], ARGV[1], word)
	if is then redis.call('SADD', KEYS[2], ARGV[1]) else redis.call('SREM', KEYS[2], ARGV[1]) end
end
local heirWord = heir ~= '' and redis.call('HGET', KEYS[1], heir) or ''
return {'ok', word, heir, heirWord}
`;

/** Role and status with their version: the newest word wins wherever a copy of it lies. */
export interface Access {
	version: number;
	role: Account["role"];
	status: Account["status"];
}

export type AccessChange =
	| { kind: "unknown" }
	| { kind: "last_admin" }
	| { kind: "changed"; access: Access; heir: { user_id: string; access: Access } | null };

export interface Page {
	user_ids: string[];
	has_more: boolean;
}

/** The slot `{accounts}`: who exists, under which e-mail, and the one authority about access. */
export interface Directory {
	ownerOf(email: string): Promise<string | null>;
	/** Null when registered, else the id that owns the e-mail. `replaces`: a dangling owner. */
	register(
		email: string,
		userId: string,
		createdAtMs: number,
		role: string,
		status: string,
		replaces: string | null,
	): Promise<string | null>;
	accessOf(userId: string): Promise<Access | null>;
	/** Never lets the last active admin go; atomic over all processes. */
	changeAccess(userId: string, role: string | null, status: string | null): Promise<AccessChange>;
	/** In order of creation, after `afterUserId` (null: from the start). Null: no such user. */
	page(afterUserId: string | null, limit: number): Promise<Page | null>;
	activeAdmins(): Promise<number>;
}

function parseAccess(word: string): Access {
	const [version, role, status] = word.split("|");
	return { version: Number(version), role: role as Access["role"], status: status as Access["status"] };
}

export function createDirectory(redis: Redis): Directory {
	const register = defineScript(redis, "accountsRegister", 4, REGISTER);
	const changeAccess = defineScript(redis, "accountsChangeAccess", 2, CHANGE_ACCESS);
	return {
		ownerOf: (email) => redis.get(emailKey(email)),
		async register(email, userId, createdAtMs, role, status, replaces) {
			const keys = [emailKey(email), directoryKey, accessKey, adminsKey];
			const [done, owner] = textList(await register(keys, [userId, createdAtMs, role, status, replaces ?? ""]));
			return done === "1" ? null : (owner ?? "");
		},
		async accessOf(userId) {
			const word = await redis.hget(accessKey, userId);
			return word ? parseAccess(word) : null;
		},
		async changeAccess(userId, role, status) {
			const reply = textList(await changeAccess([accessKey, adminsKey], [userId, role ?? "", status ?? ""]));
			const [kind, word, heir, heirWord] = reply;
			if (kind === "unknown" || kind === "last_admin") return { kind };
			const successor = heir && heirWord ? { user_id: heir, access: parseAccess(heirWord) } : null;
			return { kind: "changed", access: parseAccess(word ?? ""), heir: successor };
		},
		async page(afterUserId, limit) {
			const rank = afterUserId === null ? -1 : await redis.zrank(directoryKey, afterUserId);
			if (rank === null) return null;
			const ids = await redis.zrange(directoryKey, rank + 1, String(rank + 1 + limit));
			return { user_ids: ids.slice(0, limit), has_more: ids.length > limit };
		},
		activeAdmins: () => redis.scard(adminsKey),
	};
}
