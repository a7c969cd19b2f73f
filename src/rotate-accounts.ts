/** `npm run accounts:rotate`: seals all exchange keys anew with the first key of ACCOUNTS_KEY. */
import { createExchangeAccountStore } from "./accounts/exchange-account-store.ts";
import { rotateAccounts } from "./accounts/rotation.ts";
import { ConfigError, loadConfig } from "./config.ts";
import { createLogger } from "./log.ts";
import { closeRedisClient, createRedisClient } from "./redis/clients.ts";
import { provideRedis, RedisSetupError } from "./redis/provide.ts";
import { openVault } from "./vault.ts";

async function main(): Promise<number> {
	const config = loadConfig({ ...process.env, ROLE: "all", HOST: "127.0.0.1" });
	const vault = await openVault(config);
	if (!vault) {
		process.stderr.write("Set ACCOUNTS_KEY (or ACCOUNTS_KEY_FILE) to the new key, then the old ones: new,old\n");
		return 1;
	}
	const logger = createLogger("warn");
	const { dataDir, redisUrl } = config;
	const provision = await provideRedis({ redisUrl, dataDir, path: process.env.PATH ?? "", logger });
	const redis = createRedisClient(provision.connection, "commands", logger, { name: "rotation" });
	try {
		const counts = await rotateAccounts(redis, createExchangeAccountStore(redis), vault);
		process.stdout.write(
			`Exchange keys sealed anew: ${counts.resealed}, sealed with the first key already: ${counts.current}, ` +
				`not readable with any key: ${counts.unreadable}\n`,
		);
		return counts.unreadable === 0 ? 0 : 1;
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
