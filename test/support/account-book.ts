import { createExchangeAccountStore } from "../../src/accounts/exchange-account-store.ts";
import { accountKey } from "../../src/accounts/keys.ts";
import { createVault } from "../../src/accounts/vault.ts";
import type { Clock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { createAccountBook } from "../../src/exchange/account-book.ts";
import type { Redis } from "../../src/redis/clients.ts";
import type { createFakeExchanges } from "./fake-exchanges.ts";
import { testLogger } from "./store.ts";

/** The book of a user of its own over a real Redis, with exchanges of a few lines. */
export async function openAccountBook(
	redis: Redis,
	clock: Clock,
	fake: ReturnType<typeof createFakeExchanges>,
	keys: readonly [string, ...string[]],
) {
	const userId = systemEntropy.uuid();
	await redis.hset(accountKey(userId), "email", "someone@example.com");
	const store = createExchangeAccountStore(redis);
	const vault = createVault(keys, systemEntropy);
	const book = createAccountBook({
		store,
		vault,
		exchanges: fake.exchanges,
		clock,
		entropy: systemEntropy,
		log: testLogger(),
	});
	const entry = (api_key: string) => ({
		exchange: "binance",
		label: null,
		credentials: { api_key, secret: `${api_key}-secret`, password: null },
	});
	const add = (api_key = "key-0001") => book.add(userId, entry(api_key), new AbortController().signal);
	return { ...fake, userId, store, vault, book, entry, add };
}
