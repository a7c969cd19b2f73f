import type { Redis } from "ioredis";
import { type RotationCounts, resealAll } from "../sealing/rotation.ts";
import type { ExchangeAccountStore } from "./exchange-account-store.ts";
import { anyExchangeAccounts, isUserId, userOf } from "./keys.ts";
import type { Vault } from "./vault.ts";

/** Keys looked at per step of the walk. */
const WALK_COUNT = 1_000;

/** Every user who has a key that matches `glob`, once. */
export async function* usersWith(redis: Redis, glob: string): AsyncGenerator<string> {
	// A walk may meet a key twice while the keyspace changes.
	const seen = new Set<string>();
	for (let cursor = "0"; ; ) {
		const [next, keys] = await redis.scan(cursor, "MATCH", glob, "COUNT", WALK_COUNT);
		for (const userId of keys.map(userOf)) {
			if (seen.has(userId) || !isUserId(userId)) continue;
			seen.add(userId);
			yield userId;
		}
		cursor = next;
		if (cursor === "0") return;
	}
}

/** Seals every exchange key anew with the first key of the vault. */
export function rotateAccounts(redis: Redis, store: ExchangeAccountStore, vault: Vault): Promise<RotationCounts> {
	return resealAll(usersWith(redis, anyExchangeAccounts), {
		list: store.list,
		again: (userId, { account_id }) => store.get(userId, account_id),
		isCurrent: ({ record }) => vault.isCurrent(record.sealed),
		resealed(userId, account) {
			const { account_id, record } = account;
			const sealed = vault.reseal({ user_id: userId, account_id, exchange: record.exchange }, record.sealed);
			return sealed === null ? null : { ...account, record: { ...record, sealed } };
		},
		replace: async (userId, before, after) => ((await store.replace(userId, before, after)) ? "replaced" : "changed"),
	});
}
