import { createUsers } from "../../src/accounts/users.ts";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { createRedisClient } from "../../src/redis/clients.ts";
import { testLogger } from "../../test/support/store.ts";
import { JWT_SECRET } from "./stage.ts";

/** Hashes that cost next to nothing: nobody logs in by them. */
const CHEAP = { cost: { n_log2: 4, r: 8, p: 1 }, concurrency: 4, queueMax: 200 };

/** Access tokens of `count` new traders, made in the store: the server's own logins are limited and slow on purpose. */
export async function tokensOf(count: number, redisPort: number): Promise<string[]> {
	const redis = createRedisClient({ host: "127.0.0.1", port: redisPort }, "commands", testLogger());
	const users = createUsers({
		redis,
		clock: systemClock,
		entropy: systemEntropy,
		jwtSecrets: [JWT_SECRET],
		refreshGraceMs: 10_000,
		hasher: CHEAP,
	});
	const password_hash = await users.passwords.hash("nobody types this");
	const tokens: string[] = [];
	for (let n = 0; n < count; n++) {
		const base = { email: `trader-${n}@example.com`, password_hash, full_name: null, role: "trader" as const };
		tokens.push((await users.logins.open(await users.accounts.create(base), password_hash)).access_token);
	}
	redis.disconnect();
	return tokens;
}
