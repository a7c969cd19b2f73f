import fc from "fast-check";
import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createAccountStore } from "../../src/accounts/account-store.ts";
import { type CreditEntry, type CreditKind, createCreditLedger, summarise } from "../../src/accounts/credits.ts";
import { createDirectory } from "../../src/accounts/directory.ts";
import { accessKey, accountKey, creditsKey, loginsKey, passwordKey, portfolioKey } from "../../src/accounts/keys.ts";
import { createLogins, LOGINS_MAX } from "../../src/accounts/logins.ts";
import { createOnboarding } from "../../src/accounts/onboarding.ts";
import { createPortfolioStore } from "../../src/accounts/portfolio-store.ts";
import { createSigningKeys, createTokens } from "../../src/accounts/tokens.ts";
import { createUsers } from "../../src/accounts/users.ts";
import { systemClock } from "../../src/clock.ts";
import { systemEntropy } from "../../src/entropy.ts";
import type { ApiError } from "../../src/errors.ts";
import { within } from "../support/api.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
let redis: Redis;

const test = suite("accounts: stores");
test.before(async () => {
	server = await startRedis();
	redis = server.client();
});
test.after(() => server.stop());

const person = (email: string, role: "admin" | "trader" = "trader") => ({
	email,
	password_hash: "hash",
	full_name: null,
	role,
});

/** A client that sends every script twice, as a reconnecting one does after a lost reply, and shows the second answer. */
function twice(client: Redis): Redis {
	const original = client.defineCommand.bind(client);
	client.defineCommand = (name, definition) => {
		original(name, definition);
		const holder = client as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
		const once = holder[name] as (...args: unknown[]) => Promise<unknown>;
		holder[name] = async (...args) => {
			await once.apply(client, args);
			return once.apply(client, args);
		};
	};
	return client;
}

test("the keys of one user share one slot", () => {
	const id = "00000000-0000-4000-8000-000000000000";
	for (const key of [accountKey(id), passwordKey(id), loginsKey(id), creditsKey(id), portfolioKey(id)]) {
		assert.is(/\{([^}]+)\}/.exec(key)?.[1], id);
	}
});

test(
	"a lost reply changes nothing: every script sent twice leaves what one leaves",
	within(10000, async () => {
		const client = twice(server.client());
		const store = createAccountStore(client, systemClock, systemEntropy);
		const credits = createCreditLedger(client);
		const onboarding = createOnboarding(client, systemClock, store, credits);
		const portfolios = createPortfolioStore(client, systemClock, systemEntropy);
		const [first, second] = [
			await store.create(person("twice@example.com", "admin")),
			await store.create(person("other@example.com", "admin")),
		];
		assert.is(await store.activeAdmins(), 2);
		const patched = await store.patch(second.user_id, { role: "trader", strategy_ids: ["ai_scalping_strategy"] });
		assert.equal([patched.role, patched.strategy_ids], ["trader", ["ai_scalping_strategy"]]);
		assert.is(await store.activeAdmins(), 1);
		assert.is(await redis.hget(accessKey, second.user_id), "2|trader|active");
		assert.is((await portfolios.put(first.user_id, [], 5, 0))?.version, 1);
		assert.is((await portfolios.put(first.user_id, [], 6, 1))?.version, 2);
		assert.is(await portfolios.put(first.user_id, [], 7, 1), null);
		await onboarding.onboard(second.user_id, { welcome_package: "standard", referral_code: first.user_id });
		assert.is((await credits.summary(second.user_id)).balance, 50);
		assert.is((await credits.summary(first.user_id)).balance, 75);
		assert.is(await store.changePassword(first.user_id, "hash", "newer", "none"), true);
		assert.is(await store.changePassword(first.user_id, "hash", "newest", "none"), false);
		assert.is(await store.passwordHash(first.user_id), "newer");
	}),
);

test(
	"a lost reply opens one login, rotates it once and counts a call once, even without a grace",
	within(10000, async () => {
		const client = twice(server.client());
		const users = createUsers({
			redis: client,
			clock: systemClock,
			entropy: systemEntropy,
			jwtSecrets: ["a test secret of thirty-two bytes or more"],
			refreshGraceMs: 0,
			hasher: { cost: { n_log2: 4, r: 8, p: 1 } },
		});
		const account = await users.accounts.create(person("login@example.com"));
		const pair = await users.logins.open(account, "hash");
		assert.is(await redis.hlen(loginsKey(account.user_id)), 1);
		const claims = await users.tokens.verifyRefresh(pair.refresh_token);
		const next = await users.logins.rotate(claims, account);
		await users.logins.rotate(await users.tokens.verifyRefresh(next.refresh_token), account);
		const window = { name: "other", max: 3, window_ms: 60_000 };
		const decisions = [];
		for (let call = 0; call < 4; call += 1)
			decisions.push(await users.gatekeeper.admitUser(account.user_id, claims.sid, window));
		assert.equal(
			decisions.map((decision) => decision.kind === "admitted" && decision.rate?.allowed),
			[true, true, true, false],
		);
		for (let call = 0; call < 5; call += 1)
			await users.loginLimiter.attempt("10.0.0.1", "login@example.com", async () => ({
				outcome: "failed",
				value: null,
			}));
		await users.loginLimiter
			.attempt("10.0.0.1", "login@example.com", async () => ({ outcome: "passed", value: null }))
			.then(
				() => assert.unreachable("the sixth attempt must be refused"),
				(error: unknown) => assert.is((error as ApiError).code, "login_rate_limited"),
			);
	}),
);

test(
	"a user holds at most a hundred logins: the oldest ends",
	within(10000, async () => {
		let nowMs = Date.parse("2026-05-01T00:00:00.000Z");
		const clock = { ...systemClock, now: () => nowMs };
		const accounts = createAccountStore(redis, clock, systemEntropy);
		const tokens = createTokens(createSigningKeys(["a test secret of thirty-two bytes or more"]), clock);
		const storeNow = () => String(nowMs);
		const logins = createLogins({ redis, clock, entropy: systemEntropy, tokens, refreshGraceMs: 0, storeNow });
		const account = await accounts.create(person("many@example.com"));
		const first = await tokens.verifyRefresh((await logins.open(account, "hash")).refresh_token);
		for (let i = 0; i < LOGINS_MAX; i += 1) {
			nowMs += 1000;
			await logins.open(account, "hash");
		}
		assert.is(await redis.hlen(loginsKey(account.user_id)), LOGINS_MAX);
		assert.is(await redis.hexists(loginsKey(account.user_id), first.sid), 0);
		nowMs += 31 * 24 * 3600 * 1000;
		await logins.open(account, "hash");
		assert.is(await redis.hlen(loginsKey(account.user_id)), 1);
	}),
);

test(
	"a creation that died before it was confirmed gives the e-mail free again",
	within(8000, async () => {
		const store = createAccountStore(redis, systemClock, systemEntropy);
		const lost = await store.create(person("dangling@example.com", "admin"));
		const admins = await store.activeAdmins();
		await redis.del(accountKey(lost.user_id), passwordKey(lost.user_id));
		assert.is(await store.credentials("dangling@example.com"), null);
		const next = await store.create(person("Dangling@example.com"));
		assert.is((await store.credentials("dangling@example.com"))?.account.user_id, next.user_id);
		assert.is(await store.activeAdmins(), admins - 1);
		assert.is(await redis.pttl(accountKey(next.user_id)), -1);
		assert.is(await redis.pttl(passwordKey(next.user_id)), -1);
	}),
);

test(
	"a loser of an e-mail leaves no key behind",
	within(8000, async () => {
		const store = createAccountStore(redis, systemClock, systemEntropy);
		const before = (await redis.keys("account*")).length;
		const tries = await Promise.allSettled(Array.from({ length: 10 }, () => store.create(person("one@example.com"))));
		assert.is(tries.filter((result) => result.status === "fulfilled").length, 1);
		for (const result of tries)
			if (result.status === "rejected") assert.is((result.reason as ApiError).code, "email_taken");
		assert.is((await redis.keys("account*")).length, before + 2);
	}),
);

test(
	"a copy of role and status that a crash left behind is brought up to the directory's word",
	within(8000, async () => {
		const store = createAccountStore(redis, systemClock, systemEntropy);
		const account = await store.create(person("stale@example.com"));
		await createDirectory(redis).changeAccess(account.user_id, null, "suspended");
		assert.is((await store.byId(account.user_id))?.status, "active");
		assert.is((await store.syncAccess(account)).status, "suspended");
		assert.is((await store.byId(account.user_id))?.status, "suspended");
	}),
);

test(
	"an admin who remains holds the role before the other loses it",
	within(8000, async () => {
		const lone = await startRedis();
		const client = lone.client();
		const store = createAccountStore(client, systemClock, systemEntropy);
		const root = await store.create(person("root@example.com", "admin"));
		const heir = await store.create(person("heir@example.com"));
		// The promotion reached the directory and died before the account's own copy was written.
		await createDirectory(client).changeAccess(heir.user_id, "admin", null);
		assert.is((await store.byId(heir.user_id))?.role, "trader");
		await store.patch(root.user_id, { role: "trader" });
		assert.is((await store.byId(heir.user_id))?.role, "admin");
		await lone.stop();
	}),
);

test(
	"a referrer whose bonus a crash left open is paid by the next settlement, once",
	within(8000, async () => {
		const store = createAccountStore(redis, systemClock, systemEntropy);
		const credits = createCreditLedger(redis);
		const [referrer, user] = [
			await store.create(person("referrer@example.com")),
			await store.create(person("referred@example.com")),
		];
		const dying = createOnboarding(redis, systemClock, store, {
			...credits,
			book: () => Promise.reject(new Error("the process died")),
		});
		await dying
			.onboard(user.user_id, { welcome_package: "standard", referral_code: referrer.user_id })
			.catch(() => undefined);
		assert.is((await credits.summary(user.user_id)).balance, 50);
		assert.is((await credits.summary(referrer.user_id)).balance, 0);
		const onboarding = createOnboarding(redis, systemClock, store, credits);
		assert.is(await onboarding.settleReferrals(), 1);
		assert.is(await onboarding.settleReferrals(), 0);
		assert.is((await credits.summary(referrer.user_id)).balance, 75);
	}),
);

const operation = fc.record({
	kind: fc.constantFrom<CreditKind>("granted", "used", "expired"),
	amount: fc.integer({ min: 1, max: 200 }),
	id: fc.integer({ min: 0, max: 12 }),
});

test(
	"F16: the balance equals granted - used - expired after any sequence, and never falls below 0",
	within(20000, async () => {
		const credits = createCreditLedger(redis);
		await fc.assert(
			fc.asyncProperty(fc.array(operation, { maxLength: 15 }), async (operations) => {
				const userId = systemEntropy.uuid();
				const model: CreditEntry[] = [];
				for (const { kind, amount, id } of operations) {
					const entry: CreditEntry = {
						entry_id: `entry-${id}`,
						kind,
						amount,
						reason: "test",
						at: "2026-01-01T00:00:00.000Z",
					};
					const known = model.some((line) => line.entry_id === entry.entry_id);
					const covered = kind === "granted" || summarise(model).balance >= amount;
					const expected = known ? "repeated" : covered ? "booked" : "insufficient";
					assert.is(await credits.book(userId, entry), expected);
					if (expected === "booked") model.push(entry);
					const summary = await credits.summary(userId);
					assert.equal(summary, summarise(model));
					assert.is(summary.balance, summary.granted - summary.used - summary.expired);
					assert.ok(summary.balance >= 0);
				}
			}),
			{ numRuns: 40 },
		);
		const bad = { entry_id: "x", kind: "granted" as const, amount: 0.5, reason: "x", at: "x" };
		await credits.book(systemEntropy.uuid(), bad).then(
			() => assert.unreachable("expected a RangeError"),
			(error: unknown) => assert.instance(error, RangeError),
		);
	}),
);

test.run();
