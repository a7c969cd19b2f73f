import type { Redis } from "ioredis";
import { ApiError, validationFailed } from "../errors.ts";
import type { AccountRemoval } from "../services.ts";
import type { AccountStore } from "./account-store.ts";
import {
	accessKey,
	accountKey,
	adminsKey,
	directoryKey,
	emailKey,
	isUserId,
	loginsKey,
	ownedKeys,
	passwordKey,
	referralsDueKey,
	removalsKey,
} from "./keys.ts";
import { defineScript } from "./script.ts";

/**
 * KEYS  1 e-mail, 2 directory, 3 access, 4 admins, 5 referrals due
 * ARGV  1 user id
 * -> 1. The e-mail is left alone when somebody else owns it by now.
 */
const UNREGISTER = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('SREM', KEYS[4], ARGV[1])
redis.call('SREM', KEYS[5], ARGV[1])
return 1
`;

/** Keys looked at per step of the walk. */
const WALK_COUNT = 1_000;

export function createAccountRemoval(redis: Redis, accounts: AccountStore): AccountRemoval {
	const unregister = defineScript(redis, "accountUnregister", 5, UNREGISTER);

	async function deactivate(userId: string): Promise<void> {
		try {
			await accounts.patch(userId, { status: "inactive" });
		} catch (error) {
			// An earlier removal that died half-way has taken it off the directory already.
			if (error instanceof ApiError && error.code === "user_not_found") return;
			if (!(error instanceof ApiError) || error.code !== "validation_failed") throw error;
			await redis.srem(removalsKey, userId);
			throw validationFailed([{ path: "user_id", message: "the last active admin cannot be deleted" }]);
		}
	}

	return {
		async begin(userId) {
			if (!isUserId(userId) || !(await accounts.byId(userId))) return false;
			// Noted first: from here on the removal ends, whoever dies.
			await redis.sadd(removalsKey, userId);
			await deactivate(userId);
			return true;
		},
		async dropAccount(userId) {
			const account = await accounts.byId(userId);
			const email = emailKey(account?.email ?? "");
			await unregister([email, directoryKey, accessKey, adminsKey, referralsDueKey], [userId]);
			await redis.del(accountKey(userId), passwordKey(userId), loginsKey(userId));
		},
		async finish(userId) {
			for (let cursor = "0"; ; ) {
				const [next, keys] = await redis.scan(cursor, "MATCH", ownedKeys(userId), "COUNT", WALK_COUNT);
				if (keys.length > 0) await redis.del(...keys);
				cursor = next;
				if (cursor === "0") break;
			}
			await redis.srem(removalsKey, userId);
		},
		pending: () => redis.smembers(removalsKey),
	};
}
