import type { Redis } from "ioredis";
import type { ExchangeAccountStore, StoredAccount } from "./exchange-account-store.ts";
import { anyExchangeAccounts, isUserId, ownerOfExchangeAccounts } from "./keys.ts";
import type { Vault } from "./vault.ts";

export interface RotationCounts {
	/** Sealed anew with the first key. */
	resealed: number;
	/** Sealed with the first key already. */
	current: number;
	/** No configured key opens them. */
	unreadable: number;
}

/** Keys looked at per step of the walk. */
const WALK_COUNT = 1_000;
/** Repetitions for an account that its owner changes meanwhile. */
const TURNS_MAX = 5;

/**
 * Seals every exchange key anew with the first key of the vault. It may run while the server does, may be ended at
 * any moment and begun again: what is done is found done. Accounts that are added meanwhile are sealed with the
 * first key by servers that have the same list.
 */
export async function rotateAccounts(redis: Redis, store: ExchangeAccountStore, vault: Vault): Promise<RotationCounts> {
	const counts: RotationCounts = { resealed: 0, current: 0, unreadable: 0 };
	// A walk may meet a key twice while the keyspace changes.
	const seen = new Set<string>();
	for (let cursor = "0"; ; ) {
		const [next, keys] = await redis.scan(cursor, "MATCH", anyExchangeAccounts, "COUNT", WALK_COUNT);
		for (const key of keys) {
			const userId = ownerOfExchangeAccounts(key);
			if (seen.has(userId) || !isUserId(userId)) continue;
			seen.add(userId);
			for (const account of await store.list(userId)) counts[await rotateOne(store, vault, userId, account)]++;
		}
		cursor = next;
		if (cursor === "0") return counts;
	}
}

async function rotateOne(
	store: ExchangeAccountStore,
	vault: Vault,
	userId: string,
	account: StoredAccount,
): Promise<keyof RotationCounts> {
	let before: StoredAccount | null = account;
	for (let turn = 0; before !== null && turn < TURNS_MAX; turn++) {
		const { account_id, record } = before;
		if (vault.isCurrent(record.sealed)) return "current";
		const sealed = vault.reseal({ user_id: userId, account_id, exchange: record.exchange }, record.sealed);
		if (sealed === null) return "unreadable";
		if (await store.replace(userId, before, { ...before, record: { ...record, sealed } })) return "resealed";
		before = await store.get(userId, account_id);
	}
	// Deleted meanwhile, or changed again and again: nothing of it is left under an old key, or the next run finds it.
	return before === null ? "current" : "unreadable";
}
