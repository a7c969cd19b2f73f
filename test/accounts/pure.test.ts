import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createPasswordHasher, SCRYPT_COST } from "../../src/accounts/passwords.ts";
import { profileOf } from "../../src/accounts/profile.ts";
import { tagMatches, tagMatchesStrongly } from "../../src/api/etag.ts";
import { problemBody } from "../../src/api/problems.ts";
import { CATALOGUE, STANDARD_STRATEGIES } from "../../src/catalogue.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { ApiError } from "../../src/errors.ts";
import type { Account } from "../../src/services.ts";
import { isStoreFailure } from "../../src/store-failure.ts";
import { within } from "../support/api.ts";

const test = suite("accounts: pure parts");

const accountWith = (strategy_ids: string[]): Account => ({
	user_id: "u",
	email: "u@example.com",
	full_name: null,
	role: "trader",
	status: "active",
	strategy_ids,
	created_at: "2026-01-01T00:00:00.000Z",
	last_login: null,
	premium_welcome: false,
	onboarded_at: null,
});

test("tiers by owned strategies and their price", () => {
	const tier = (ids: string[]) => profileOf(accountWith(ids), 3);
	assert.equal([tier([]).user_tier, tier([]).scan_limit], ["basic", 10]);
	const free = tier(["ai_spot_momentum_strategy", "ai_risk_management", "ai_portfolio_optimization"]);
	assert.equal(
		[free.user_tier, free.asset_tier_floor, free.max_asset_tier, free.scan_limit],
		["basic", "tier_retail", "tier_retail", null],
	);
	const five = tier([
		"ai_pairs_trading",
		"ai_scalping_strategy",
		"ai_spot_mean_reversion",
		"ai_risk_management",
		"ai_portfolio_optimization",
	]);
	assert.equal(
		[five.user_tier, five.monthly_cost_credits, five.asset_tier_floor, five.max_asset_tier],
		["pro", 105, "tier_emerging", "tier_professional"],
	);
	const cheap = tier([
		"ai_pairs_trading",
		"ai_spot_mean_reversion",
		"ai_spot_momentum_strategy",
		"ai_risk_management",
		"ai_portfolio_optimization",
	]);
	assert.equal([cheap.user_tier, cheap.monthly_cost_credits], ["basic", 65]);
	const all = tier(STANDARD_STRATEGIES.map((entry) => entry.id));
	assert.equal(
		[all.user_tier, all.monthly_cost_credits, all.asset_tier_floor, all.max_asset_tier],
		["enterprise", 510, "tier_micro", "tier_institutional"],
	);
	assert.is(all.portfolio_version, 3);
});

test("the fingerprint depends on the set of strategies only", () => {
	const ids = fc.shuffledSubarray(CATALOGUE.map((entry) => entry.id));
	fc.assert(
		fc.property(ids, ids, (a, b) => {
			const [first, second] = [profileOf(accountWith(a), 0), profileOf(accountWith(b), 0)];
			const equal = JSON.stringify([...a].sort()) === JSON.stringify([...b].sort());
			return (first.strategy_fingerprint === second.strategy_fingerprint) === equal;
		}),
		{ numRuns: 200 },
	);
});

test(
	"passwords: the right one verifies, others and nobody's do not, and two hashes differ",
	within(10000, async () => {
		const hasher = createPasswordHasher(systemEntropy);
		const [one, two] = await Promise.all([hasher.hash("pass wörd 123"), hasher.hash("pass wörd 123")]);
		assert.match(one, new RegExp(`^scrypt\\$${SCRYPT_COST.n_log2}\\$8\\$3\\$`));
		assert.is.not(one, two);
		assert.is(await hasher.verify("pass wörd 123", one), true);
		assert.is(await hasher.verify("pass word 123", one), false);
		assert.is(await hasher.verify("pass wörd 123", null), false);
		assert.is(await hasher.verify("pass wörd 123", "scrypt$1$broken"), false);
	}),
);

test(
	"a flood of hashes is refused beyond its queue instead of filling the memory",
	within(10000, async () => {
		const hasher = createPasswordHasher(systemEntropy, {
			cost: { n_log2: 10, r: 8, p: 1 },
			concurrency: 1,
			queueMax: 3,
		});
		const results = await Promise.allSettled(Array.from({ length: 10 }, () => hasher.hash("x".repeat(20))));
		assert.is(results.filter((result) => result.status === "fulfilled").length, 4);
		for (const result of results)
			if (result.status === "rejected") assert.is((result.reason as ApiError).code, "overloaded");
		assert.ok(await hasher.hash("afterwards"));
	}),
);

test("tags: weak comparison for reads, strong for writes", () => {
	assert.ok(tagMatches('W/"a-1"', '"a-1"'));
	assert.ok(tagMatches('"x", "a-1"', 'W/"a-1"'));
	assert.ok(tagMatches("*", '"a-1"'));
	assert.not.ok(tagMatches(undefined, '"a-1"'));
	assert.not.ok(tagMatches("a-1", '"a-1"'));
	assert.ok(tagMatchesStrongly('"x","a-1"', '"a-1"'));
	assert.not.ok(tagMatchesStrongly('W/"a-1"', '"a-1"'));
});

test("problem bodies: extra members win, a status word moves the number, 5xx keep silent", () => {
	const plain = problemBody(new ApiError("scan_not_found", "No scan"), "/x", "r");
	assert.equal(Object.keys(plain), ["type", "title", "status", "detail", "instance", "code", "request_id", "error"]);
	const word = problemBody(new ApiError("scan_failed", "It failed", { status: "failed", success: false }), "/x", "r");
	assert.equal([word["status"], word["http_status"], word["success"]], ["failed", 409, false]);
	const silent = problemBody(new ApiError("internal_error", "table users is missing"), "/x", "r");
	assert.is(silent["detail"], "Internal error");
});

test("what Redis refuses is told from what we got wrong", () => {
	const reply = (message: string) => Object.assign(new Error(message), { name: "ReplyError" });
	assert.ok(isStoreFailure(reply("OOM command not allowed when used memory > 'maxmemory'.")));
	assert.ok(isStoreFailure(reply("READONLY You can't write against a read only replica.")));
	assert.ok(isStoreFailure(reply("ERR Error running script: @user_script:1: -OOM command not allowed")));
	assert.not.ok(isStoreFailure(reply("WRONGTYPE Operation against a key holding the wrong kind of value")));
	assert.ok(isStoreFailure(new Error("Command timed out")));
	assert.ok(isStoreFailure(new Error("Connection is closed.")));
	assert.ok(isStoreFailure(Object.assign(new Error("connect ENOENT"), { code: "ENOENT", syscall: "connect" })));
	assert.not.ok(isStoreFailure(Object.assign(new Error("open ENOENT"), { code: "ENOENT", syscall: "open" })));
	assert.not.ok(isStoreFailure(new Error("something else")));
	assert.not.ok(isStoreFailure("text"));
});

test.run();
