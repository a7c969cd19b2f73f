import type { Redis } from "ioredis";
import { createUsers } from "../../src/accounts/users.ts";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { createRedisClient } from "../../src/redis/clients.ts";
import { testLogger } from "../../test/support/store.ts";

export const JWT_SECRET = "0123456789abcdef0123456789abcdef";
/** Hashes that cost next to nothing: nobody logs in by them. */
const CHEAP = { cost: { n_log2: 4, r: 8, p: 1 }, concurrency: 4, queueMax: 200 };

/** Makes accounts in the store and gives an access token of each: the server's own logins are limited and slow on purpose. */
export function createTokens(redis: Redis) {
	const users = createUsers({
		redis,
		clock: systemClock,
		entropy: systemEntropy,
		jwtSecrets: [JWT_SECRET],
		refreshGraceMs: 10_000,
		hasher: CHEAP,
	});
	const hashed = users.passwords.hash("nobody types this");
	return async (account: { email: string; role: "trader" | "admin"; user_id?: string }): Promise<string> => {
		const password_hash = await hashed;
		const made = await users.accounts.create({ ...account, password_hash, full_name: null });
		return (await users.logins.open(made, password_hash)).access_token;
	};
}

/** Access tokens of `count` new traders. */
export async function tokensOf(count: number, redisPort: number): Promise<string[]> {
	const redis = createRedisClient({ host: "127.0.0.1", port: redisPort }, "commands", testLogger());
	const tokenOf = createTokens(redis);
	const tokens: string[] = [];
	for (let n = 0; n < count; n++) tokens.push(await tokenOf({ email: `trader-${n}@example.com`, role: "trader" }));
	redis.disconnect();
	return tokens;
}
