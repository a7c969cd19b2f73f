/** The built program with exchange accounts and webhooks: what it reads, what it says of failures, that no secret gets out. */
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createRedisClient } from "../../src/redis/clients.ts";
import { provideRedis, type RedisProvision } from "../../src/redis/provide.ts";
import { type AccountExchange, startAccountExchange, testAccount, testKey } from "../support/account-exchange.ts";
import { Client, isEnded, type Program, type Reply, startProgram, stopPrograms } from "../support/program.ts";
import { type Received, type Receiver, startReceiver } from "../support/receiver.ts";
import { findSecrets, wholeKeyspace } from "../support/secrets.ts";
import { testLogger } from "../support/store.ts";

const test = suite("program: exchange accounts");

const OLD_KEY = "an-older-sealing-key-of-thirty-two-bytes";
const NEW_KEY = "a-newer-sealing-key-of-thirty-two-bytes!";
const ADMIN_PASSWORD = "correct-horse-battery-staple";
const JWT_SECRET = "a-signing-secret-that-nobody-may-ever-see";
const [good, strong, wrong] = [testKey("good"), testKey("strong"), testKey("wrong")];
const [broken, second] = [testKey("broken"), testKey("second")];
const SECRETS = {
	good_key: good.api_key,
	good_secret: good.secret,
	strong_key: strong.api_key,
	strong_secret: strong.secret,
	wrong_key: wrong.api_key,
	wrong_secret: wrong.secret,
	broken_key: broken.api_key,
	broken_secret: broken.secret,
	second_key: second.api_key,
	second_secret: second.secret,
	third_part: "the-third-part-of-a-key",
	old_sealing_key: OLD_KEY,
	new_sealing_key: NEW_KEY,
	admin_password: ADMIN_PASSWORD,
	jwt_secret: JWT_SECRET,
};
const STRATEGIES = ["risk_management", "portfolio_optimization"];

let dataDir: string;
let provision: RedisProvision;
let exchange: AccountExchange;
let receiver: Receiver;
/** Told at their creation, by the path they call. */
const webhookSecrets: Record<string, string> = {};
const programs: Program[] = [];
/** Every answer that any client got, whole. */
const answers: [place: string, text: string][] = [];

test.before(async () => {
	dataDir = await mkdtemp(join(tmpdir(), "lp-"));
	provision = await provideRedis({ redisUrl: null, dataDir, path: process.env.PATH ?? "", logger: testLogger() });
	exchange = await startAccountExchange();
	receiver = await startReceiver();
	exchange.accounts.set(good.api_key, testAccount(good.secret));
	exchange.accounts.set(second.api_key, testAccount(second.secret, { spot: { ETH: 1 }, positions: [], futures: {} }));
	exchange.accounts.set(strong.api_key, testAccount(strong.secret, { rights: ["enableWithdrawals"] }));
	exchange.accounts.set(broken.api_key, testAccount(broken.secret, { broken: "fails" }));
	exchange.accounts.set(wrong.api_key, testAccount("not the secret that is sent"));
});
test.after(async () => {
	await stopPrograms();
	await exchange.close();
	await receiver.close();
	await provision.close();
	await rm(dataDir, { recursive: true, force: true });
});

const environment = (accountsKey: string): Record<string, string> => ({
	REDIS_URL: `unix://${(provision.connection as { path: string }).path}`,
	JWT_SECRET,
	ADMIN_PASSWORD,
	ACCOUNTS_KEY: accountsKey,
	MARKET: "simulated:1",
	MARKET_AS_OF: "2026-03-19T19:00:00Z",
	MARKET_BASE_URL: exchange.url,
	WEBHOOK_ALLOW_PRIVATE: "on",
	LOG_LEVEL: "trace",
	RATE_DISCOVER_MAX: "1000",
	RESULT_FRESH_MS: "0",
	FORCE_JOIN_MS: "0",
});

async function start(accountsKey: string): Promise<Client> {
	const program = await startProgram(environment(accountsKey));
	programs.push(program);
	const client = new Client([program.url]);
	const call = client.call.bind(client);
	client.call = async (method, path, body, headers) => {
		const reply = await call(method, path, body, headers);
		answers.push([`${method} ${path} ${reply.status}`, JSON.stringify([[...reply.headers], reply.body])]);
		return reply;
	};
	assert.is((await client.login("admin@lookout.local", ADMIN_PASSWORD)).status, 200);
	return client;
}

const expecting = (reply: Reply, status: number): Reply["body"] => {
	assert.is(reply.status, status, JSON.stringify(reply.body));
	return reply.body;
};

/** A whole scan with everything that can be read about it. */
async function scan(client: Client): Promise<{ results: Reply["body"]; phase: Reply["body"] }> {
	const started = expecting(
		// Not forced: such a scan is made with its portfolio where that needs no account.
		await client.post("/opportunities/discover", { strategy_ids: STRATEGIES }),
		200,
	);
	const id = started.scan_id;
	const status = await client.poll(id, isEnded);
	assert.is(status.body.status, "complete", JSON.stringify(status.body));
	const results = expecting(await client.get(`/opportunities/results/${id}`), 200);
	const lifecycle = expecting(await client.get(`/scan-diagnostics/scan-lifecycle/${id}`), 200);
	const journal = expecting(await client.get(`/scan-diagnostics/scan-journal/${id}?limit=500`), 200);
	const fetched = journal.entries.find(({ type }: { type: string }) => type === "portfolio.fetched");
	assert.ok(fetched.payload.accounts, "the journal names the accounts");
	await client.get(`/scan-diagnostics/scan-journal/${id}/${fetched.seq}`);
	await client.get(`/scan-diagnostics/scan-debug/${id}`);
	return { results, phase: lifecycle.phases.portfolio_fetch };
}

/** A webhook of the administrator that is told of ended scans. */
async function addWebhook(client: Client, path: string): Promise<void> {
	const made = await client.post("/webhooks", { url: `${receiver.url}${path}`, events: ["scan.completed"] });
	webhookSecrets[path] = expecting(made, 201).webhook.secret;
}

/** The newest delivery to each webhook is signed with the secret that was told. */
async function deliveredSigned(count: number): Promise<void> {
	for (const [path, secret] of Object.entries(webhookSecrets)) {
		await receiver.until(path, count);
		const { headers, body } = receiver.at(path)[count - 1] as Received;
		const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["x-lookout-signature"])) ?? [];
		assert.is(v1, createHmac("sha256", secret).update(`${t}.${body}`).digest("hex"), path);
	}
}

/** As if a webhook had been made before there was a sealing key; found by the search, which shows that it sees. */
async function unseal(path: string): Promise<void> {
	const redis = createRedisClient(provision.connection, "commands", testLogger());
	try {
		assert.equal(findSecrets(await wholeKeyspace(redis), webhookSecrets), []);
		const [key = ""] = await redis.keys("alert_webhooks:*");
		const hooks = Object.values(await redis.hgetall(key)).map((text) => JSON.parse(text));
		const hook = hooks.find(({ url }) => url.endsWith(path));
		await redis.hset(key, hook.webhook_id, JSON.stringify({ ...hook, secret: `plain:${webhookSecrets[path]}` }));
		assert.equal(findSecrets(await wholeKeyspace(redis), webhookSecrets), [`${path} in ${key}`]);
	} finally {
		await redis.quit();
	}
}

const rotate = (keys: string): Promise<{ code: number | null; output: string }> =>
	new Promise((resolve) => {
		const child = spawn(process.execPath, ["dist/src/rotate-accounts.js"], {
			env: { PATH: process.env.PATH ?? "", ...environment(keys), DATA_DIR: dataDir },
			stdio: ["ignore", "pipe", "pipe"],
		});
		let output = "";
		for (const stream of [child.stdout, child.stderr])
			stream.on("data", (text: Buffer) => {
				output += String(text);
			});
		child.once("exit", (code) => {
			answers.push(["the rotation's output", output]);
			resolve({ code, output });
		});
	});

test("accounts are read, failures are said, keys are rotated, and no secret is found anywhere", async () => {
	let client = await start(OLD_KEY);
	const add = (key: { api_key: string; secret: string }, more: object = {}) =>
		client.post("/portfolio/accounts", { exchange: "binance", ...key, ...more });
	const { account } = expecting(await add(good, { label: "main", password: SECRETS.third_part }), 201);
	assert.equal(
		[account.status, account.permissions_checked, account.key_hint, account.last_error],
		["ok", true, good.api_key.slice(-4), null],
	);
	assert.is(expecting(await add(strong), 422).code, "account_key_too_powerful");
	const unaccepted = expecting(await add(wrong), 201).account;
	assert.equal([unaccepted.status, unaccepted.last_error], ["failing", "authentication_failed"]);
	expecting(await client.call("DELETE", `/api/v1/portfolio/accounts/${unaccepted.account_id}`), 200);
	const failing = expecting(await add(broken), 201).account;
	assert.equal([failing.status, failing.last_error], ["failing", "exchange_unavailable"]);
	assert.is(expecting(await add(good, { exchange: "nowhere" }), 422).errors[0].path, "body.exchange");
	expecting(await add({ ...good, secret: "short" }), 422);
	expecting(await client.call("POST", "/api/v1/portfolio/accounts", [good]), 422);

	// Version 4: three accounts, of which one went. What is entered stands beside what they hold.
	expecting(
		await client.call("PUT", "/api/v1/portfolio", { positions: [{ symbol: "BTC/USDT", quantity: 1 }], cash_usd: 50 }),
		200,
	);
	const portfolio = expecting(await client.get("/portfolio"), 200);
	assert.is(portfolio.version, 5);
	const held = portfolio.positions.map((one: Reply["body"]) => [one.symbol, one.quantity, one.account_id ?? null]);
	assert.equal(held, [
		["BTC/USDT", 1, null],
		["BTC/USDT", 0.5, account.account_id],
		["ETH/USDT", 2, account.account_id],
		["BTC/USDT:USDT", -0.1, account.account_id],
	]);

	for (const path of ["/one", "/two"]) await addWebhook(client, path);

	const first = await scan(client);
	await deliveredSigned(1);
	const { capital_usd, assumed, source } = first.results.metadata.capital_assumptions;
	assert.is(assumed, false);
	assert.match(source, /1 of 2 exchange accounts read \(binance: exchange_unavailable\)/);
	assert.ok(capital_usd > 50 + 1_650, `dollars of all and coins beside them: ${capital_usd}`);
	assert.match(
		first.results.metadata.message,
		/An account at binance was not read \(exchange_unavailable\), it is left out/,
	);
	// Neither verdicts nor the outcome speak of accounts.
	assert.match(first.results.metadata.outcome, /^(found|empty)$/);
	assert.is(first.phase.status, "completed");
	assert.is(first.phase.accounts.length, 2);
	assert.is(first.phase.warnings.length, 1);

	expecting(await client.call("PATCH", `/api/v1/portfolio/accounts/${failing.account_id}`, strong), 422);
	const mended = await client.call("PATCH", `/api/v1/portfolio/accounts/${failing.account_id}`, second);
	assert.is(expecting(mended, 200).account.status, "ok");

	const exported = expecting(await client.get("/auth/me/export"), 200);
	assert.is(exported.exchange_accounts.length, 2);

	// A new sealing key: both first, then the walk, then the new one alone.
	await stopPrograms();
	await unseal("/two");
	const rotated = await rotate(`${NEW_KEY},${OLD_KEY}`);
	assert.equal(
		[
			rotated.code,
			rotated.output.match(/(Exchange keys|Webhook secrets) sealed anew: 2,.*already: 0,.*any key: 0/g)?.length,
		],
		[0, 2],
		rotated.output,
	);
	assert.is((await rotate(`${NEW_KEY},${OLD_KEY}`)).output.match(/sealed anew: 0,.*already: 2,/g)?.length, 2);
	client = await start(NEW_KEY);
	assert.equal((await scan(client)).phase.warnings, []);
	await deliveredSigned(2);
	const deleted = await client.call("DELETE", `/api/v1/portfolio/accounts/${account.account_id}`);
	assert.is(expecting(deleted, 200).account.account_id, account.account_id);
	assert.is(expecting(await client.get(`/portfolio/accounts/${account.account_id}`), 404).code, "account_not_found");

	await stopPrograms();
	await searchEverywhere();
});

async function searchEverywhere(): Promise<void> {
	const redis = createRedisClient(provision.connection, "commands", testLogger());
	try {
		// The search itself must see: the same secrets, planted in places and forms of every kind.
		const whole = (secret: string) => Buffer.from(`{"x":"${secret}"}`);
		await redis.hset("planted:hash", { field: whole(SECRETS.good_secret).toString("base64") });
		await redis.xadd("planted:stream", "*", "data", whole(SECRETS.second_key).toString("hex"));
		await redis.zadd("planted:zset", 1, SECRETS.admin_password);
		const planted = findSecrets(await wholeKeyspace(redis), SECRETS);
		assert.equal(planted.sort(), [
			"admin_password in planted:zset",
			"good_secret in planted:hash",
			"second_key in planted:stream",
		]);
		await redis.del("planted:hash", "planted:stream", "planted:zset");
		const keyspace = await wholeKeyspace(redis);
		assert.ok(keyspace.size > 30, `${keyspace.size} keys`);
		assert.ok([...keyspace.keys()].some((key) => key.startsWith("exchange_accounts:")));
		assert.ok(
			[...keyspace.keys()].some((key) => key.startsWith("{scans}")),
			"jobs",
		);
		const logs = programs.map((program, i): [string, string] => [`log of program ${i}`, program.output()]);
		assert.ok(answers.length > 25 && logs.every(([, text]) => text.length > 500));
		assert.equal(findSecrets([...keyspace, ...answers, ...logs], SECRETS), []);
		assert.ok([...keyspace.keys()].some((key) => key.startsWith("alert_bodies:")));
		const told = Object.keys(webhookSecrets).map((path) => `${path} in POST /api/v1/webhooks 201`);
		assert.equal(findSecrets([...keyspace, ...answers, ...logs], webhookSecrets), told);
	} finally {
		await redis.quit();
	}
}

test.run();
