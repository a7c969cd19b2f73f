import * as fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { environmentSchema } from "../../src/config/settings.ts";
import { ConfigError, loadConfig } from "../../src/config.ts";

const test = suite("config");
const SECRET = "0123456789abcdef0123456789abcdef";

function problemsOf(env: Record<string, string>): string[] {
	try {
		loadConfig(env);
	} catch (error) {
		assert.instance(error, ConfigError);
		return (error as ConfigError).problems.map((problem) => problem.setting);
	}
	return [];
}

test("an empty environment gives the documented defaults", () => {
	const config = loadConfig({});
	assert.equal(config.http, { host: "127.0.0.1", port: 3000 });
	assert.equal(config.role, "all");
	assert.equal(config.dataDir, "./data");
	assert.equal(config.adminEmail, "admin@lookout.local");
	assert.equal(config.rates, { discoverMax: 30, onboardMax: 5, otherMax: 600 });
	assert.equal(config.market, { kind: "simulated", seed: 42 });
	assert.equal(config.scanLimits, {
		budget_ms: 150_000,
		ranking_reserve_ms: 5000,
		portfolio_timeout_ms: 10_000,
		discovery_timeout_ms: 30_000,
		strategy_timeout_ms: 60_000,
		strategy_concurrency: 15,
		strategy_attempts_max: 2,
		retry_backoff_ms: 250,
		resumes_max: 2,
		rows_max: 1000,
	});
	const liveness = [config.heartbeatMs, config.leaseMs, config.watchdogMs, config.stuckAfterMs];
	assert.equal(liveness, [2000, 6000, 500, 120_000]);
	assert.equal([config.forceJoinMs, config.resultFreshMs, config.refreshGraceMs], [5000, 60_000, 10_000]);
	assert.equal([config.retentionMs, config.tombstoneMs], [604_800_000, 2_592_000_000]);
	assert.equal([config.queueMax, config.sseMax, config.userScansMax, config.workerConcurrency], [1000, 2000, 1000, 16]);
	assert.equal([config.registrationOpen, config.trustProxy, config.webhookAllowPrivate], [false, false, false]);
});

test("blank means absent", () => {
	assert.equal(loadConfig({ PORT: " ", REDIS_URL: "", SCAN_BUDGET_MS: "\t" }), loadConfig({}));
});

test("all problems come at once, each with its setting", () => {
	const problems = problemsOf({
		PORT: "x",
		ROLE: "boss",
		SCAN_BUDGET_MS: "-1",
		TRUST_PROXY: "maybe",
		MARKET: "nasdaq",
	});
	assert.equal(problems.sort(), ["MARKET", "PORT", "ROLE", "SCAN_BUDGET_MS", "TRUST_PROXY"]);
});

test("a mistake in one setting does not hide rules about the others", () => {
	assert.equal(problemsOf({ HOST: "0.0.0.0", PORT: "x" }), ["PORT", "JWT_SECRET", "ADMIN_PASSWORD"]);
	assert.equal(problemsOf({ ROLE: "boss", HOST: "0.0.0.0" }), ["ROLE"]);
});

test("messages show plain values and never secret ones", () => {
	const env = { ROLE: "boss", JWT_SECRET: "tooshort", ADMIN_PASSWORD: "hunter2", REDIS_URL: "http://u:hunter2@h" };
	try {
		loadConfig(env);
		assert.unreachable();
	} catch (error) {
		const text = String(error) + JSON.stringify(error);
		assert.match(text, /ROLE: must be one of: all, api, worker \(it is "boss"\)/);
		assert.not.match(text, /tooshort|hunter2/);
	}
});

test("roles need what they share", () => {
	assert.equal(problemsOf({ ROLE: "worker" }), ["REDIS_URL"]);
	assert.equal(problemsOf({ ROLE: "api" }), ["REDIS_URL", "JWT_SECRET"]);
	const shared = { REDIS_URL: "redis://127.0.0.1:6379/1", JWT_SECRET: SECRET };
	assert.equal(problemsOf({ ROLE: "api", ...shared }), []);
	assert.equal(problemsOf({ ROLE: "worker", REDIS_URL: shared.REDIS_URL }), []);
});

test("a worker listens only when PORT is set", () => {
	const worker = { ROLE: "worker", REDIS_URL: "redis://localhost" };
	assert.is(loadConfig(worker).http, null);
	assert.equal(loadConfig({ ...worker, PORT: "9000", HOST: "0.0.0.0" }).http, { host: "0.0.0.0", port: 9000 });
});

test("outside loopback a start without secrets is refused", () => {
	assert.equal(problemsOf({ HOST: "0.0.0.0" }), ["JWT_SECRET", "ADMIN_PASSWORD"]);
	assert.equal(problemsOf({ HOST: "::" }), ["JWT_SECRET", "ADMIN_PASSWORD"]);
	assert.equal(problemsOf({ HOST: "0.0.0.0", JWT_SECRET: SECRET, ADMIN_PASSWORD: "long enough" }), []);
	const open = { HOST: "0.0.0.0", JWT_SECRET: SECRET, ADMIN_PASSWORD: "long enough" };
	assert.equal(problemsOf({ ...open, INSPECT_PORT: "8080" }), ["INSPECT_PORT"]);
	assert.equal(problemsOf({ INSPECT_PORT: "8080" }), []);
	assert.is(loadConfig({}).inspectPort, null);
	for (const HOST of ["127.0.0.1", "127.1.2.3", "::1", "localhost", "[::1]"]) assert.equal(problemsOf({ HOST }), []);
	assert.is(loadConfig({ HOST: "0.0.0.0", JWT_SECRET: SECRET, ADMIN_PASSWORD: "long enough" }).loopback, false);
});

test("JWT_SECRET is a list whose every member is long enough, counted in bytes", () => {
	assert.equal(loadConfig({ JWT_SECRET: `${SECRET}, ${SECRET}x` }).jwtSecrets, [SECRET, `${SECRET}x`]);
	assert.equal(problemsOf({ JWT_SECRET: `${SECRET},short` }), ["JWT_SECRET"]);
	assert.equal(problemsOf({ JWT_SECRET: "ü".repeat(16) }), []);
	assert.equal(problemsOf({ JWT_SECRET: "ü".repeat(15) }), ["JWT_SECRET"]);
	assert.equal(problemsOf({ JWT_SECRET: "," }), ["JWT_SECRET"]);
});

test("relations between durations are checked", () => {
	// A lease or a stuck threshold may be shortened alone: the heartbeat follows.
	assert.is(loadConfig({ LEASE_MS: "1500" }).heartbeatMs, 500);
	assert.is(loadConfig({ STUCK_AFTER_MS: "900" }).heartbeatMs, 300);
	assert.is(loadConfig({ HEARTBEAT_MS: "100", LEASE_MS: "900" }).heartbeatMs, 100);
});

test("a short budget alone works and keeps a tenth for ranking", () => {
	assert.is(loadConfig({ SCAN_BUDGET_MS: "3000" }).scanLimits.ranking_reserve_ms, 300);
	assert.is(loadConfig({ SCAN_BUDGET_MS: "20000", RANKING_RESERVE_MS: "50" }).scanLimits.ranking_reserve_ms, 50);
});

test("for any budget the reserve leaves at least nine tenths to the work", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 100, max: 86_400_000 }),
			fc.integer({ min: 0, max: 86_400_000 }),
			(budget, reserve) => {
				const limits = loadConfig({ SCAN_BUDGET_MS: `${budget}`, RANKING_RESERVE_MS: `${reserve}` }).scanLimits;
				assert.ok(limits.ranking_reserve_ms <= limits.budget_ms / 10);
				assert.ok(limits.ranking_reserve_ms <= reserve);
			},
		),
		{ numRuns: 100 },
	);
});

test("freshness never outlives retention", () => {
	assert.is(loadConfig({ RETENTION_MS: "3000" }).resultFreshMs, 3000);
});

test("whatever stands in a numeric setting, it is a whole number in its bounds or a problem", () => {
	fc.assert(
		fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)), (word) => {
			try {
				const { queueMax } = loadConfig({ QUEUE_LIMIT: word });
				assert.ok(Number.isInteger(queueMax) && queueMax >= 1 && queueMax <= 1_000_000);
			} catch (error) {
				assert.instance(error, ConfigError);
			}
		}),
		{ numRuns: 200 },
	);
});

test("market choices", () => {
	assert.equal(loadConfig({ MARKET: "simulated:7" }).market, { kind: "simulated", seed: 7 });
	assert.equal(loadConfig({ MARKET: "recorded:../a:b" }).market, { kind: "recorded", dir: "../a:b" });
	assert.equal(loadConfig({ MARKET: "ccxt:Binance, kraken,binance" }).market, {
		kind: "ccxt",
		exchanges: ["binance", "kraken"],
	});
	for (const MARKET of ["simulated:", "simulated:-1", "simulated:9999999999", "recorded:", "ccxt:", "ccxt:../x"]) {
		assert.equal(problemsOf({ MARKET }), ["MARKET"], MARKET);
	}
});

test("MARKET_AS_OF is an instant with a zone and makes no sense live", () => {
	assert.is(loadConfig({ MARKET_AS_OF: "2026-03-19T19:00:00Z" }).marketAsOfMs, Date.UTC(2026, 2, 19, 19));
	assert.is(loadConfig({ MARKET_AS_OF: "2026-03-19T19:00+01:00" }).marketAsOfMs, Date.UTC(2026, 2, 19, 18));
	for (const MARKET_AS_OF of ["yesterday", "2026-03-19", "2026-03-19T19:00:00", "2026-13-40T00:00:00Z"]) {
		assert.equal(problemsOf({ MARKET_AS_OF }), ["MARKET_AS_OF"], MARKET_AS_OF);
	}
	assert.equal(problemsOf({ MARKET: "ccxt:binance", MARKET_AS_OF: "2026-03-19T19:00:00Z" }), ["MARKET_AS_OF"]);
});

test("MARKET_BASE_URL may be plain only on this machine", () => {
	for (const MARKET_BASE_URL of [
		"http://127.0.0.1:8090",
		"http://localhost:1",
		"http://[::1]:1",
		"https://a.example",
	]) {
		assert.is(loadConfig({ MARKET_BASE_URL }).marketBaseUrl, MARKET_BASE_URL);
	}
	for (const MARKET_BASE_URL of ["http://a.example", "http://10.0.0.1:8090", "ftp://127.0.0.1", "127.0.0.1:8090"]) {
		assert.equal(problemsOf({ MARKET_BASE_URL }), ["MARKET_BASE_URL"], MARKET_BASE_URL);
	}
});

test("CORS_ORIGINS takes exact origins only", () => {
	const CORS_ORIGINS = "https://a.example, http://b.example:8080";
	assert.equal(loadConfig({ CORS_ORIGINS }).corsOrigins, ["https://a.example", "http://b.example:8080"]);
	for (const word of ["*", "https://a.example/", "a.example"]) {
		assert.equal(problemsOf({ CORS_ORIGINS: word }), ["CORS_ORIGINS"], word);
	}
});

test("strategy policies are JSON whose keys the catalogue knows", () => {
	const OPPORTUNITY_STRATEGY_SYMBOL_POLICIES = '{" AI_Scalping_Strategy ":{"max_symbols":null,"enabled":false}}';
	assert.equal(loadConfig({ OPPORTUNITY_STRATEGY_SYMBOL_POLICIES }).strategyPolicies, {
		scalping_strategy: { max_symbols: null, enabled: false },
	});
	for (const word of ["{", "[]", '{"nope":{}}', '{"scalping":{"max_symbols":0}}', '{"scalping":{"max":1}}']) {
		const problems = problemsOf({ OPPORTUNITY_STRATEGY_SYMBOL_POLICIES: word });
		assert.equal([...new Set(problems)], ["OPPORTUNITY_STRATEGY_SYMBOL_POLICIES"], word);
	}
});

test("REDIS_URL schemes", () => {
	for (const REDIS_URL of ["redis://h", "rediss://u:p@h:1/2", "unix:///run/r.sock"]) {
		assert.is(loadConfig({ REDIS_URL }).redisUrl, REDIS_URL);
	}
	for (const REDIS_URL of ["http://h", "localhost:6379", "unix://"])
		assert.equal(problemsOf({ REDIS_URL }), ["REDIS_URL"]);
});

test("every setting of the schema says what it is", () => {
	for (const [name, schema] of Object.entries(environmentSchema.shape)) {
		const meta = schema.meta();
		assert.ok(meta?.description && meta.default_text && meta.group, name);
	}
});

test.run();
