import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { firstAdmin } from "../../src/accounts/admin.ts";
import { createUserRemoval } from "../../src/commands.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { globalKeys } from "../../src/store/keys.ts";
import { ADMIN, type Answer, PASSWORD, type TestApi, within } from "../support/api.ts";
import { type LiveWorld, startLiveWorld } from "../support/live-api.ts";
import { testLogger } from "../support/store.ts";
import { commandDeps, listableRows, never } from "../support/system.ts";

const data = suite("account data: a user's end, and what a user takes along");

let world: LiveWorld;
let api: TestApi;
let client: Redis;
let adminToken: string;

data.before(async () => {
	world = await startLiveWorld();
	const accounts = { byId: (userId: string) => api.users.accounts.byId(userId) };
	api = await world.api({ commands: { accounts } });
	client = createRedisClient(world.redis.connection, "commands", testLogger());
	await firstAdmin(api.users).createFirstAdmin(ADMIN.email, ADMIN.password);
	adminToken = String((await api.login())["access_token"]);
});
data.after(async () => {
	await closeRedisClient(client);
	await world.stop();
});

type User = Awaited<ReturnType<TestApi["userWith"]>>;

const start = async (user: User, symbols: string): Promise<string> => {
	const answer = await api.call("POST", "/api/v1/opportunities/discover", { token: user.token, body: { symbols } });
	assert.is(answer.status, 200, answer.text);
	return String(answer.json["scan_id"]);
};

/** An exchange account as it is stored once it was read. */
const exchangeAccount = () => ({
	account_id: randomUUID(),
	revision: "1",
	record: {
		exchange: "binance",
		label: "main",
		key_hint: "1234",
		sealed: "v1.0123456789ab.what-was-sealed",
		created_at: "2026-01-01T00:00:00.000Z",
	},
	state: {
		last_read_at: "2026-01-01T00:00:00.000Z",
		last_error: null,
		permissions_at_ms: null,
		held: {
			cash_usd: 12,
			positions: [{ symbol: "ETH/USDT", quantity: 3, entry_price: null, liquidation_price: null }],
			as_of_ms: 1_767_225_600_000,
			missing: [],
		},
	},
});

/** A user with a portfolio, an exchange account, credits, an ended scan, a listed summary and an answered Idempotency-Key. */
async function userWithAll(): Promise<{ user: User; scanIds: string[] }> {
	const user = await api.userWith("trader");
	const positions = [{ symbol: "BTC/USDT", quantity: 1, entry_price: 90_000 }];
	await api.call("PUT", "/api/v1/portfolio", { token: user.token, body: { positions, cash_usd: 5 } });
	await api.users.exchangeAccounts.insert(user.user_id, exchangeAccount());
	const headers = { "Idempotency-Key": randomUUID() };
	const onboarded = await api.call("POST", "/api/v1/opportunities/onboard", { token: user.token, body: {}, headers });
	assert.ok(onboarded.status < 300, onboarded.text);
	const ended = await start(user, "BTC");
	await world.runtime(listableRows).run(ended);
	const listed = await api.call("GET", "/api/v1/opportunities/scans", { token: user.token });
	assert.is(listed.status, 200, listed.text);
	return { user, scanIds: [ended] };
}

/** Key and values of everything in the database, as text. */
async function wholeKeyspace(): Promise<Map<string, string>> {
	const found = new Map<string, string>();
	for (const key of await client.keys("*")) {
		const type = await client.type(key);
		const value =
			type === "hash"
				? await client.hgetall(key)
				: type === "zset"
					? await client.zrange(key, 0, "-1")
					: type === "set"
						? await client.smembers(key)
						: type === "list"
							? await client.lrange(key, 0, "-1")
							: type === "stream"
								? await client.xrange(key, "-", "+")
								: await client.get(key);
		found.set(key, JSON.stringify(value));
	}
	return found;
}

const naming = (keyspace: Map<string, string>, words: readonly string[]): string[] =>
	[...keyspace]
		.filter(([key, value]) => words.some((word) => key.includes(word) || value.includes(word)))
		.map(([key]) => key);

const removeOwn = (user: User, password = PASSWORD): Promise<Answer> =>
	api.call("DELETE", "/api/v1/auth/me", { token: user.token, body: { password } });

data(
	"delete: nothing in the whole keyspace names the user or their scans, and others are untouched",
	within(20_000, async () => {
		const { user, scanIds } = await userWithAll();
		const other = await userWithAll();
		const words = [user.user_id, user.email, ...scanIds];
		assert.ok(naming(await wholeKeyspace(), words).length > 10, "there is much to remove");
		// Its own sliding windows move with time and are no data of the other user.
		const isData = (key: string) => !key.startsWith("rate:");
		const before = await wholeKeyspace();
		assert.is((await removeOwn(user, "not the password")).json["code"], "invalid_credentials");
		const removed = await removeOwn(user);
		assert.is(removed.status, 200, removed.text);
		const after = await wholeKeyspace();
		assert.equal(naming(after, words), []);
		const theirs = naming(before, [other.user.user_id, ...other.scanIds]).filter(isData);
		assert.ok(theirs.length > 10);
		const shared = /^(scans:|scans_recent|scan_counted|scan_totals_counted|service_metrics|\{accounts\})/;
		for (const key of theirs) {
			if (!shared.test(key)) assert.is(after.get(key), before.get(key), key);
			else
				assert.ok(
					naming(new Map([[key, after.get(key) ?? ""]]), [other.user.user_id, ...other.scanIds]).length > 0,
					key,
				);
		}
		assert.is((await api.call("GET", "/api/v1/auth/me", { token: user.token })).json["code"], "token_revoked");
		const again = await api.call("POST", "/api/v1/auth/login", { body: { email: user.email, password: PASSWORD } });
		assert.is(again.json["code"], "invalid_credentials");
		const successor = await api.userWith("trader", user.email);
		assert.is.not(successor.user_id, user.user_id, "the e-mail is free again");
	}),
);

data(
	"delete: a running scan is cancelled first, and its worker writes nothing more",
	within(20_000, async () => {
		const user = await api.userWith("trader");
		const scanId = await start(user, "ETH");
		let ended = "";
		const stop = world.store.writer.onInbox((id) => {
			if (id === scanId) ended = id;
		});
		const run = world.runtime({ evaluateStrategy: (_, { signal }) => never(signal) }).run(scanId);
		while ((await world.store.reader.read(scanId))?.position !== "strategies_scan")
			await world.store.reader.nextCommit(scanId, 200, AbortSignal.timeout(5_000));
		const answer = await api.call("DELETE", `/api/v1/admin/users/${user.user_id}`, { token: adminToken });
		assert.is(answer.status, 200, answer.text);
		assert.is(ended, scanId, "it was asked to end");
		await run;
		stop();
		assert.equal(naming(await wholeKeyspace(), [user.user_id, scanId]), []);
		const unknown = await api.call("DELETE", `/api/v1/admin/users/${user.user_id}`, { token: adminToken });
		assert.is(unknown.json["code"], "user_not_found");
	}),
);

data(
	"delete: the last active admin cannot be deleted, by nobody, and stays able to log in",
	within(10_000, async () => {
		const { user_id } = await api.login();
		const byAdmin = await api.call("DELETE", `/api/v1/admin/users/${user_id}`, { token: adminToken });
		assert.is(byAdmin.status, 422, byAdmin.text);
		const own = await api.call("DELETE", "/api/v1/auth/me", { token: adminToken, body: { password: ADMIN.password } });
		assert.is(own.status, 422, own.text);
		assert.equal(await api.users.removal.pending(), []);
		const second = await api.userWith("admin");
		const gone = await removeOwn(second);
		assert.is(gone.status, 200, gone.text);
		await api.login();
	}),
);

data(
	"delete: a removal that died half-way is finished by the next start",
	within(10_000, async () => {
		const { user, scanIds } = await userWithAll();
		await api.users.removal.begin(user.user_id);
		assert.equal(await api.users.removal.pending(), [user.user_id]);
		await api.users.removal.dropAccount(user.user_id);
		const removal = createUserRemoval(
			commandDeps(world.store, async () => {}),
			api.users.removal,
		);
		assert.is(await removal.settle(), 1);
		assert.equal(naming(await wholeKeyspace(), [user.user_id, user.email, ...scanIds]), []);
		assert.is(await removal.settle(), 0);
	}),
);

data(
	"delete: a start and a portfolio that were under way leave nothing behind",
	within(10_000, async () => {
		const user = await api.userWith("trader");
		let removed = false;
		const late = await world.api({
			commands: {
				accounts: { byId: (userId) => api.users.accounts.byId(userId) },
				// The claim is won; before the start is finished, the account goes.
				async enqueue() {
					if (removed) return;
					removed = true;
					assert.is((await removeOwn(user)).status, 200);
				},
			},
		});
		const body = { symbols: "SOL" };
		const answer = await late.call("POST", "/api/v1/opportunities/discover", { token: user.token, body });
		assert.is(
			answer.json["code"],
			"token_revoked",
			JSON.stringify(late.logs, (_, v) => (v instanceof Error ? v.stack : v)),
		);
		const put = api.users.portfolios.put(user.user_id, [], 1, null);
		await put.then(
			() => assert.unreachable("a portfolio without an account"),
			(error: { code: string }) => assert.is(error.code, "token_revoked"),
		);
		assert.equal(naming(await wholeKeyspace(), [user.user_id]), []);
		assert.is(await client.zcard(globalKeys.due), 0);
	}),
);

data(
	"export: account, portfolio, credits and scans with results and journals, without hashes or tokens",
	within(20_000, async () => {
		const { user, scanIds } = await userWithAll();
		const running = await start(user, "ETH");
		const answer = await api.call("GET", "/api/v1/auth/me/export", { token: user.token });
		assert.is(answer.status, 200, answer.text);
		assert.is(answer.headers["cache-control"], "no-store");
		const { account, portfolio, credits, scans, next_cursor } = answer.json as Record<string, never> & {
			account: { email: string };
			portfolio: { cash_usd: number; positions: object[] };
			credits: { balance: number; granted: number; entries: object[] };
			scans: { scan_id: string; status: { status: string }; results: { success: boolean } | null; journal: object[] }[];
		};
		assert.is(account.email, user.email);
		assert.is(portfolio.cash_usd, 5);
		assert.is(portfolio.positions.length, 1);
		const [exchangeHeld] = answer.json["exchange_accounts"] as Record<string, unknown>[];
		assert.equal(
			[exchangeHeld?.["exchange"], exchangeHeld?.["key_hint"], exchangeHeld?.["cash_usd"]],
			["binance", "1234", 12],
		);
		assert.equal(exchangeHeld?.["positions"], [{ symbol: "ETH/USDT", quantity: 3, entry_price: null }]);
		assert.not.ok(answer.text.includes("what-was-sealed"));
		assert.is(credits.balance, credits.granted);
		assert.ok(credits.entries.length > 0);
		assert.is(next_cursor, null);
		assert.equal(
			scans.map(({ scan_id }) => scan_id),
			[running, ...scanIds],
		);
		assert.is(scans[0]?.results, null);
		assert.is(scans[1]?.status.status, "complete");
		assert.is(scans[1]?.results?.success, true);
		const record = await world.store.reader.read(String(scanIds[0]));
		assert.is(scans[1]?.journal.length, record?.revision, "every entry");
		const hash = await api.users.accounts.passwordHash(user.user_id);
		const logins = await client.hgetall(`account_logins:{${user.user_id}}`);
		for (const secret of [hash, user.token, user.refresh, ...Object.keys(logins)])
			assert.not.ok(answer.text.includes(String(secret)));
		const stranger = await api.userWith("trader");
		const own = await api.call("GET", "/api/v1/auth/me/export", { token: stranger.token });
		assert.equal(own.json["scans"], []);
		const bad = await api.call("GET", "/api/v1/auth/me/export?cursor=x", { token: user.token });
		assert.is(bad.status, 422);
	}),
);

data.run();
