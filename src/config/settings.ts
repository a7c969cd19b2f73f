/**
 * The environment as one schema: the only definition of every setting, its default and its bounds.
 * Order here is the order of the README's table.
 */
import { z } from "zod";
import {
	count,
	durationMs,
	email,
	lifetimeMs,
	oneOf,
	onOff,
	optional,
	optionalText,
	text,
	wholeNumber,
} from "./fields.ts";
import {
	adminPassword,
	corsOrigins,
	instant,
	marketChoice,
	redisAddress,
	secretList,
	strategyPolicies,
	webAddress,
} from "./formats.ts";

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
/** A day: no single wait inside a scan is longer. */
const DAY_MS = 86_400_000;

const serverSettings = {
	ROLE: oneOf(["all", "api", "worker"], "all", {
		group: "Server",
		description: "`all` plays both parts in one process; `api` and `worker` split them and need REDIS_URL",
	}),
	HOST: text("127.0.0.1", {
		group: "Server",
		description: "address to listen on; outside loopback secrets are required",
	}),
	PORT: optional(wholeNumber(0, 65_535, ""), {
		group: "Server",
		default_text: "3000",
		description: "0 takes a free port; ROLE=worker listens (health and metrics only) when PORT is set",
	}),
	REDIS_URL: optional(redisAddress, {
		group: "Server",
		default_text: "private or embedded Redis",
		description: "`redis://`, `rediss://` or `unix://`; required for ROLE=api and ROLE=worker",
		secret: true,
	}),
	DATA_DIR: text("./data", {
		group: "Server",
		description: "folder of the private Redis and of the made-up JWT secret",
	}),
	LOG_LEVEL: oneOf(LOG_LEVELS, "info", { group: "Server", description: "one JSON line per entry on standard output" }),
	METRICS_TOKEN: optionalText({
		group: "Server",
		default_text: "none",
		description: "bearer token of /metrics outside loopback; without it /metrics is not there",
		secret: true,
	}),
	INSPECT_PORT: optional(wholeNumber(0, 65_535, ""), {
		group: "Server",
		default_text: "none",
		description:
			"development only: loopback WebSocket with XState's inspection events of administrators' scans, without a login; refused unless HOST is a loopback address",
	}),
	TRUST_PROXY: onOff(false, { group: "Server", description: "take the client address from X-Forwarded-For" }),
	CORS_ORIGINS: optional(corsOrigins, {
		group: "Server",
		default_text: "none",
		description: "comma-separated origins that browsers may call from",
	}),
};

const accessSettings = {
	JWT_SECRET: optional(secretList, {
		group: "Access",
		default_text: "made once, kept in DATA_DIR",
		description:
			"32 bytes or more; in a comma-separated list the first signs and all verify; required outside loopback",
		secret: true,
	}),
	ADMIN_EMAIL: email("admin@lookout.local", { group: "Access", description: "login of the first admin" }),
	ADMIN_PASSWORD: optional(adminPassword, {
		group: "Access",
		default_text: "random, printed once",
		description: "password of the first admin, 8 characters or more; required outside loopback",
		secret: true,
	}),
	REGISTRATION: oneOf(["closed", "open"], "closed", { group: "Access", description: "whether strangers may register" }),
	REFRESH_GRACE_MS: durationMs(10_000, 0, {
		group: "Access",
		description: "a refresh token repeated within this time gets the same successor",
	}),
	ACCOUNTS_KEY: optional(secretList, {
		group: "Access",
		default_text: "none",
		description:
			"seals exchange keys and webhook secrets, 32 bytes or more; in a comma-separated list the first seals and all open; without it exchange accounts are refused and webhook secrets kept unsealed",
		secret: true,
	}),
	ACCOUNTS_KEY_FILE: optionalText({
		group: "Access",
		default_text: "none",
		description: "file that holds ACCOUNTS_KEY; nobody else may read it (mode 0600 or 0640)",
	}),
	WEBHOOK_ALLOW_PRIVATE: onOff(false, { group: "Access", description: "let webhooks call private addresses" }),
};

const limitSettings = {
	RATE_DISCOVER_MAX: count(30, 1, 1_000_000, { group: "Limits", description: "scan starts per user in 60 s" }),
	RATE_ONBOARD_MAX: count(5, 1, 1_000_000, { group: "Limits", description: "onboardings per user in 3600 s" }),
	RATE_OTHER_MAX: count(600, 1, 10_000_000, {
		group: "Limits",
		description: "other calls per user or address in 60 s",
	}),
	QUEUE_LIMIT: count(1000, 1, 1_000_000, { group: "Limits", description: "waiting scans before 503 overloaded" }),
	ROWS_LIMIT: count(1000, 1, 100_000, {
		group: "Limits",
		description: "rows kept per scan, published and unproven each",
	}),
	SSE_LIMIT: count(2000, 1, 100_000, { group: "Limits", description: "open event streams per process" }),
	USER_SCANS_KEPT: count(1000, 1, 1_000_000, {
		group: "Limits",
		description: "retained scans per user; beyond it the oldest ended ones expire early",
	}),
};

const marketSettings = {
	MARKET: optional(marketChoice, {
		group: "Market data",
		default_text: "simulated",
		description: "`simulated[:<seed>]`, `recorded:<folder>` or `ccxt:<exchange>[,<exchange>]`",
	}),
	MARKET_AS_OF: optional(instant, {
		group: "Market data",
		default_text: "newest common time, or now",
		description: "instant at which a recorded or simulated market stands still, e.g. `2026-03-19T19:00:00Z`",
	}),
	MARKET_LATENCY_MS: durationMs(
		0,
		0,
		{
			group: "Market data",
			description: "delay added to each call of a recorded or simulated market",
		},
		600_000,
	),
	MARKET_BASE_URL: optional(webAddress, {
		group: "Market data",
		default_text: "the exchange's own",
		description: "origin that ccxt calls instead of the exchanges, paths kept: loopback, or https",
	}),
	OPPORTUNITY_STRATEGY_SYMBOL_POLICIES: optional(strategyPolicies, {
		group: "Market data",
		default_text: "none",
		description: "JSON by strategy key: max_symbols, chunk_size, priority, enabled; laid over the defaults",
	}),
};

const scanSettings = {
	SCAN_BUDGET_MS: durationMs(150_000, 100, { group: "Scans", description: "whole scan, from acceptance" }, DAY_MS),
	STRATEGY_TIMEOUT_MS: durationMs(60_000, 10, { group: "Scans", description: "one strategy, all attempts" }, DAY_MS),
	STRATEGY_CONCURRENCY: count(15, 1, 64, { group: "Scans", description: "strategies at once in a scan" }),
	STRATEGY_MAX_ATTEMPTS: count(2, 1, 10, {
		group: "Scans",
		description: "attempts per strategy, for retryable errors",
	}),
	RETRY_BACKOFF_MS: durationMs(
		250,
		0,
		{ group: "Scans", description: "pause before a strategy's next attempt" },
		DAY_MS,
	),
	RANKING_RESERVE_MS: durationMs(
		5000,
		0,
		{
			group: "Scans",
			description: "kept free for ranking; never more than a tenth of SCAN_BUDGET_MS is taken",
		},
		DAY_MS,
	),
	PORTFOLIO_TIMEOUT_MS: durationMs(10_000, 10, { group: "Scans", description: "portfolio phase" }, DAY_MS),
	DISCOVERY_TIMEOUT_MS: durationMs(30_000, 10, { group: "Scans", description: "asset discovery phase" }, DAY_MS),
	DISCOVERY_SOURCE_TIMEOUT_MS: durationMs(
		15_000,
		10,
		{
			group: "Scans",
			description: "one market source inside asset discovery",
		},
		DAY_MS,
	),
	WORKER_CONCURRENCY: count(16, 1, 1024, {
		group: "Scans",
		description: "scans at once per worker, and beside them as many that have lost theirs",
	}),
	FORCE_JOIN_MS: durationMs(5000, 0, { group: "Scans", description: "a forced start joins a scan younger than this" }),
	RESULT_FRESH_MS: durationMs(60_000, 0, {
		group: "Scans",
		description: "an equal start returns a complete scan younger than this; never older than RETENTION_MS",
	}),
};

const livenessSettings = {
	LEASE_MS: durationMs(
		6000,
		100,
		{ group: "Liveness", description: "a worker's hold on a scan without a heartbeat" },
		DAY_MS,
	),
	HEARTBEAT_MS: durationMs(
		2000,
		20,
		{
			group: "Liveness",
			description: "renewal of the lease; at most a third of LEASE_MS and of STUCK_AFTER_MS, whatever is set here",
		},
		DAY_MS,
	),
	WATCHDOG_MS: durationMs(
		500,
		20,
		{ group: "Liveness", description: "look for lost leases and passed deadlines" },
		DAY_MS,
	),
	STUCK_AFTER_MS: durationMs(120_000, 100, {
		group: "Liveness",
		description: "age of the last heartbeat that makes a scan stuck",
	}),
	MAX_RESUMES: count(2, 0, 100, { group: "Liveness", description: "takeovers after lost leases, then `worker_lost`" }),
};

const retentionSettings = {
	RETENTION_MS: lifetimeMs(604_800_000, { group: "Retention", description: "records and journals (7 days)" }),
	TOMBSTONE_MS: lifetimeMs(2_592_000_000, {
		group: "Retention",
		description: "410 for an expired scan after that (30 days), then 404",
	}),
};

export const environmentSchema = z.object({
	...serverSettings,
	...accessSettings,
	...limitSettings,
	...marketSettings,
	...scanSettings,
	...livenessSettings,
	...retentionSettings,
});

/** Every setting, parsed; keys are the names of the environment. */
export type Settings = z.output<typeof environmentSchema>;
export type SettingName = keyof Settings;
