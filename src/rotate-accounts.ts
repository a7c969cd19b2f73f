/** `npm run accounts:rotate`: seals all exchange keys and webhook secrets anew with the first key of ACCOUNTS_KEY. */
import { createExchangeAccountStore } from "./accounts/exchange-account-store.ts";
import { accountKey } from "./accounts/keys.ts";
import { rotateAccounts, usersWith } from "./accounts/rotation.ts";
import { systemClock } from "./clock.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { createLogger } from "./log.ts";
import { closeRedisClient, createRedisClient } from "./redis/clients.ts";
import { provideRedis, RedisSetupError } from "./redis/provide.ts";
import type { RotationCounts } from "./sealing/rotation.ts";
import { openSeals } from "./seals.ts";
import { WEBHOOKS_GLOB } from "./webhooks/keys.ts";
import { rotateWebhooks } from "./webhooks/rotation.ts";
import { createWebhookStore } from "./webhooks/webhook-store.ts";

const line = (what: string, { resealed, current, unreadable }: RotationCounts): string =>
	`${what} sealed anew: ${resealed}, sealed with the first key already: ${current}, not readable with any key: ${unreadable}\n`;

async function main(): Promise<number> {
	const config = loadConfig({ ...process.env, ROLE: "all", HOST: "127.0.0.1" });
	const seals = await openSeals(config);
	if (!seals) {
		process.stderr.write("Set ACCOUNTS_KEY (or ACCOUNTS_KEY_FILE) to the new key, then the old ones: new,old\n");
		return 1;
	}
	const logger = createLogger("warn");
	const { dataDir, redisUrl } = config;
	const provision = await provideRedis({ redisUrl, dataDir, path: process.env.PATH ?? "", logger });
	const redis = createRedisClient(provision.connection, "commands", logger, { name: "rotation" });
	try {
		const accounts = await rotateAccounts(redis, createExchangeAccountStore(redis), seals.vault);
		process.stdout.write(line("Exchange keys", accounts));
		const store = createWebhookStore(redis, systemClock.now, accountKey);
		const webhooks = await rotateWebhooks(usersWith(redis, WEBHOOKS_GLOB), store, seals.box);
		process.stdout.write(line("Webhook secrets", webhooks));
		return accounts.unreadable + webhooks.unreadable === 0 ? 0 : 1;
	} finally {
		await closeRedisClient(redis);
		await provision.close();
	}
}

main().then(
	(code) => {
		process.exitCode = code;
	},
	(error: unknown) => {
		const foreseen = error instanceof ConfigError || error instanceof RedisSetupError;
		process.stderr.write(`${foreseen ? error.message : `The rotation did not end: ${String(error)}`}\n`);
		process.exitCode = 1;
	},
);
