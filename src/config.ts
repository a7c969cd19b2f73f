/**
 * Reads the environment once, at start: `loadConfig(process.env)`. Pure: no file, no clock.
 * What must be made or read from disk (JWT secret, key file) is in config/secrets.ts.
 */
import type { ScanLimits } from "../machines/types.ts";
import { type MarketChoice, type PolicyFields, SIMULATED_SEED_DEFAULT } from "./config/formats.ts";
import { isLoopback, relationProblems } from "./config/relations.ts";
import { environmentSchema, type SettingName, type Settings } from "./config/settings.ts";

export type { MarketChoice, PolicyFields } from "./config/formats.ts";

export interface Config {
	readonly role: Settings["ROLE"];
	/** null: this process does not listen (a worker without PORT). */
	readonly http: { readonly host: string; readonly port: number } | null;
	/** HOST is a loopback address, or the process does not listen at all. */
	readonly loopback: boolean;
	/** null: find or embed one (src/redis/provide.ts). */
	readonly redisUrl: string | null;
	readonly dataDir: string;
	readonly logLevel: Settings["LOG_LEVEL"];
	readonly metricsToken: string | null;
	/** Port of the inspection events; null: there are none. */
	readonly inspectPort: number | null;
	readonly trustProxy: boolean;
	readonly corsOrigins: readonly string[];
	/** Newest first; null: not configured (resolveJwtSecrets makes one on a loopback start). */
	readonly jwtSecrets: readonly string[] | null;
	readonly adminEmail: string;
	readonly adminPassword: string | null;
	readonly registrationOpen: boolean;
	readonly refreshGraceMs: number;
	/** Newest first; null: not configured here (resolveAccountsKeys may find them in accountsKeyFile). */
	readonly accountsKeys: readonly string[] | null;
	readonly accountsKeyFile: string | null;
	readonly webhookAllowPrivate: boolean;
	/** Calls per sliding window. */
	readonly rates: { readonly discoverMax: number; readonly onboardMax: number; readonly otherMax: number };
	readonly queueMax: number;
	readonly sseMax: number;
	readonly userScansMax: number;
	readonly market: MarketChoice;
	/** Epoch ms on the market's clock. */
	readonly marketAsOfMs: number | null;
	readonly marketLatencyMs: number;
	readonly marketBaseUrl: string | null;
	/** By policy key (strategy id without `ai_`). */
	readonly strategyPolicies: Readonly<Record<string, PolicyFields>>;
	readonly scanLimits: Readonly<ScanLimits>;
	/** One market source inside asset discovery. */
	readonly discoverySourceTimeoutMs: number;
	/** Scans at once in this worker. */
	readonly workerConcurrency: number;
	readonly forceJoinMs: number;
	readonly resultFreshMs: number;
	readonly leaseMs: number;
	readonly heartbeatMs: number;
	readonly watchdogMs: number;
	readonly stuckAfterMs: number;
	readonly retentionMs: number;
	readonly tombstoneMs: number;
}

export interface ConfigProblem {
	readonly setting: string;
	/** One sentence without the value. */
	readonly message: string;
}

/** All problems of the environment at once. Its message is made for the person who starts the program. */
export class ConfigError extends Error {
	readonly problems: readonly ConfigProblem[];
	constructor(problems: readonly ConfigProblem[]) {
		const count = problems.length === 1 ? "one setting is" : `${problems.length} settings are`;
		const lines = problems.map((problem) => `  ${problem.setting}: ${problem.message}`);
		super(`Lookout cannot start, ${count} wrong:\n${lines.join("\n")}\nThe README lists every setting.`);
		this.name = "ConfigError";
		this.problems = problems;
	}
}

/** Trimmed and without blanks: `PORT=` in an env file means "not set". */
function presentSettings(env: Record<string, string | undefined>): Partial<Record<SettingName, string>> {
	const present: Partial<Record<SettingName, string>> = {};
	for (const name of Object.keys(environmentSchema.shape) as SettingName[]) {
		const value = env[name]?.trim();
		if (value) present[name] = value;
	}
	return present;
}

const VALUE_SHOWN_MAX = 40;

/** ` (it is "abc")`, or nothing for secrets and values too long to help. */
function shownValue(name: string, value: string | undefined): string {
	const schema = environmentSchema.shape[name as SettingName];
	const secret = schema?.meta()?.secret === true;
	if (secret || value === undefined || value.length > VALUE_SHOWN_MAX) return "";
	return ` (it is ${JSON.stringify(value)})`;
}

/**
 * @throws ConfigError with every problem found, never with the value of a secret.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
	const present = presentSettings(env);
	const parsed = environmentSchema.safeParse(present);
	if (parsed.success) {
		const problems = relationProblems(parsed.data);
		if (problems.length > 0) throw new ConfigError(problems);
		return configOf(parsed.data);
	}
	const problems = parsed.error.issues.map((issue) => {
		const setting = String(issue.path[0] ?? "environment");
		const inside = issue.path.slice(1).join(".");
		const value = inside === "" ? shownValue(setting, present[setting as SettingName]) : "";
		return { setting, message: `${inside === "" ? "" : `${inside}: `}${issue.message}${value}` };
	});
	// The others are judged as well, so that mending one mistake does not uncover the next.
	const wrong = new Set(problems.map(({ setting }) => setting));
	const others = Object.fromEntries(Object.entries(present).filter(([name]) => !wrong.has(name)));
	throw new ConfigError([...problems, ...relationProblems(environmentSchema.parse(others), wrong)]);
}

/**
 * Durations fixed at acceptance. The reserve for ranking never takes more than a tenth of the budget, so
 * that a short SCAN_BUDGET_MS alone is enough to get short scans.
 */
function scanLimitsOf(settings: Settings): ScanLimits {
	return {
		budget_ms: settings.SCAN_BUDGET_MS,
		ranking_reserve_ms: Math.min(settings.RANKING_RESERVE_MS, Math.floor(settings.SCAN_BUDGET_MS / 10)),
		portfolio_timeout_ms: settings.PORTFOLIO_TIMEOUT_MS,
		discovery_timeout_ms: settings.DISCOVERY_TIMEOUT_MS,
		strategy_timeout_ms: settings.STRATEGY_TIMEOUT_MS,
		strategy_concurrency: settings.STRATEGY_CONCURRENCY,
		strategy_attempts_max: settings.STRATEGY_MAX_ATTEMPTS,
		retry_backoff_ms: settings.RETRY_BACKOFF_MS,
		resumes_max: settings.MAX_RESUMES,
		rows_max: settings.ROWS_LIMIT,
	};
}

/** At least three heartbeats fit into a lease and into the stuck threshold, so that either may be shortened alone. */
const heartbeatMsOf = ({ HEARTBEAT_MS, LEASE_MS, STUCK_AFTER_MS }: Settings): number =>
	Math.max(1, Math.min(HEARTBEAT_MS, Math.floor(LEASE_MS / 3), Math.floor(STUCK_AFTER_MS / 3)));

function configOf(settings: Settings): Config {
	const listens = settings.ROLE !== "worker" || settings.PORT !== null;
	return {
		role: settings.ROLE,
		http: listens ? { host: settings.HOST, port: settings.PORT ?? 3000 } : null,
		loopback: !listens || isLoopback(settings.HOST),
		redisUrl: settings.REDIS_URL,
		dataDir: settings.DATA_DIR,
		logLevel: settings.LOG_LEVEL,
		metricsToken: settings.METRICS_TOKEN,
		inspectPort: settings.INSPECT_PORT,
		trustProxy: settings.TRUST_PROXY,
		corsOrigins: settings.CORS_ORIGINS ?? [],
		jwtSecrets: settings.JWT_SECRET,
		adminEmail: settings.ADMIN_EMAIL,
		adminPassword: settings.ADMIN_PASSWORD,
		registrationOpen: settings.REGISTRATION === "open",
		refreshGraceMs: settings.REFRESH_GRACE_MS,
		accountsKeys: settings.ACCOUNTS_KEY,
		accountsKeyFile: settings.ACCOUNTS_KEY_FILE,
		webhookAllowPrivate: settings.WEBHOOK_ALLOW_PRIVATE,
		rates: {
			discoverMax: settings.RATE_DISCOVER_MAX,
			onboardMax: settings.RATE_ONBOARD_MAX,
			otherMax: settings.RATE_OTHER_MAX,
		},
		queueMax: settings.QUEUE_LIMIT,
		sseMax: settings.SSE_LIMIT,
		userScansMax: settings.USER_SCANS_KEPT,
		market: settings.MARKET ?? { kind: "simulated", seed: SIMULATED_SEED_DEFAULT },
		marketAsOfMs: settings.MARKET_AS_OF,
		marketLatencyMs: settings.MARKET_LATENCY_MS,
		marketBaseUrl: settings.MARKET_BASE_URL,
		strategyPolicies: settings.OPPORTUNITY_STRATEGY_SYMBOL_POLICIES ?? {},
		scanLimits: scanLimitsOf(settings),
		discoverySourceTimeoutMs: settings.DISCOVERY_SOURCE_TIMEOUT_MS,
		workerConcurrency: settings.WORKER_CONCURRENCY,
		forceJoinMs: settings.FORCE_JOIN_MS,
		// A fresh result that has expired could not be read, so retention bounds freshness.
		resultFreshMs: Math.min(settings.RESULT_FRESH_MS, settings.RETENTION_MS),
		leaseMs: settings.LEASE_MS,
		heartbeatMs: heartbeatMsOf(settings),
		watchdogMs: settings.WATCHDOG_MS,
		stuckAfterMs: settings.STUCK_AFTER_MS,
		retentionMs: settings.RETENTION_MS,
		tombstoneMs: settings.TOMBSTONE_MS,
	};
}
