import type { Redis } from "ioredis";
import { firstAdmin } from "./accounts/admin.ts";
import { createUsers, type Users } from "./accounts/users.ts";
import type { Vault } from "./accounts/vault.ts";
import { systemClock } from "./clock.ts";
import { resolveJwtSecrets } from "./config/secrets.ts";
import { type Config, loadConfig } from "./config.ts";
import { type Entropy, systemEntropy } from "./entropy.ts";
import { ensureFirstAdmin } from "./first-admin.ts";
import { openInspection } from "./inspect/index.ts";
import { createLogger, type Logger } from "./log.ts";
import { createRedisClient } from "./redis/clients.ts";
import { provideRedis, type RedisProvision } from "./redis/provide.ts";
import { openSeals } from "./seals.ts";
import type { SecretBox } from "./services.ts";
import { openScanStore, type ScanStore } from "./store/index.ts";
import { plainBox } from "./webhooks/plain-box.ts";

/** What every role stands on: settings, log, Redis, the scan store and the users. */
export interface Foundation {
	config: Config;
	logger: Logger;
	entropy: Entropy;
	provision: RedisProvision;
	store: ScanStore;
	/** The users' connection. */
	redis: Redis;
	users: Users;
	/** null: ACCOUNTS_KEY is not set, exchange accounts are refused. */
	vault: Vault | null;
	/** Seals the secrets of webhooks; without ACCOUNTS_KEY they are kept as they are. */
	box: SecretBox;
	/** Lets go whoever watches what this process commits. */
	closeInspection(): Promise<void>;
}

/** Throws ConfigError and RedisSetupError, whose messages are made for the person who starts the program. */
export async function openFoundation(env: NodeJS.ProcessEnv): Promise<Foundation> {
	const config = loadConfig(env);
	const logger = createLogger(config.logLevel);
	const seals = await openSeals(config);
	const provision = await provideRedis({
		redisUrl: config.redisUrl,
		dataDir: config.dataDir,
		path: env.PATH ?? "",
		logger,
	});
	const lifetimes = { retention_ms: config.retentionMs, tombstone_ms: config.tombstoneMs };
	const opened = await openScanStore(provision.connection, logger, lifetimes);
	const { store, close: closeInspection } = await openInspection(config.inspectPort, opened, logger);
	const redis = createRedisClient(provision.connection, "commands", logger, { name: "users" });
	const users = createUsers({
		redis,
		clock: systemClock,
		entropy: systemEntropy,
		jwtSecrets: await resolveJwtSecrets(config, systemEntropy),
		refreshGraceMs: config.refreshGraceMs,
		policies: config.strategyPolicies,
	});
	if (config.role !== "worker") {
		await ensureFirstAdmin(firstAdmin(users), config, systemEntropy, (text) => process.stdout.write(text));
		await users.onboarding.settleReferrals();
	}
	const sealing = { vault: seals?.vault ?? null, box: seals?.box ?? plainBox };
	return { config, logger, entropy: systemEntropy, provision, store, redis, users, ...sealing, closeInspection };
}
