/** When an account is left alone, and what one user may take of an exchange's budget, over a real Redis. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemEntropy } from "../../src/entropy.ts";
import type { ApiError } from "../../src/errors.ts";
import { createAccountBook } from "../../src/exchange/account-book.ts";
import { type AccountErrorCode, ExchangeAccountError, LIMITED_PAUSE_MS } from "../../src/exchange/contract.ts";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { openAccountBook } from "../support/account-book.ts";
import { createFakeExchanges } from "../support/fake-exchanges.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";

const test = suite("exchange/account-pauses");
const open = new AbortController().signal;

let server: TestRedis;
let redis: Redis;
let nowMs = 1_800_000_000_000;
const clock = { now: () => nowMs, setTimeout: () => 0, clearTimeout: () => undefined };

test.before(async () => {
	server = await startTestRedis();
	redis = createRedisClient(server.connection, "commands", testLogger());
});
test.after(async () => {
	await closeRedisClient(redis);
	await server.close();
});

const bookOn = () =>
	openAccountBook(
		redis,
		clock,
		createFakeExchanges(() => nowMs),
		["a sealing key of at least thirty-two bytes"],
	);

test("an exchange that asks for fewer requests is left alone for its pause, by every process", async () => {
	const { book, userId, add, calls, failing, store, vault, exchanges } = await bookOn();
	await add();
	nowMs += 3_600_000;
	failing.set("key-0001", "rate_limited");
	Object.assign(calls, { read: 0, permissions: 0 });
	const other = createAccountBook({ store, vault, exchanges, clock, entropy: systemEntropy, log: testLogger() });
	for (let i = 0; i < 50; i++) {
		nowMs += 1_000;
		const [held] = await (i % 2 === 0 ? book : other).read(userId, open, 1_000);
		assert.equal([held?.error, held?.held?.cash_usd], ["rate_limited", 100]);
	}
	assert.equal(calls, { read: 1, permissions: 1 });
	nowMs += LIMITED_PAUSE_MS;
	failing.clear();
	assert.is((await other.read(userId, open, 1_000))[0]?.error, null);
	nowMs += 11_000;
	await book.read(userId, open, 1_000);
	assert.equal(calls.read, 3);
});

test("the pause is the one that the exchange names, also where only the word about a key was refused", async () => {
	const { book, userId, add, calls, exchanges } = await bookOn();
	await add();
	nowMs += 3_600_000;
	calls.read = 0;
	const { permissions } = exchanges;
	exchanges.permissions = async () => {
		throw new ExchangeAccountError("rate_limited", 90_000);
	};
	assert.is((await book.read(userId, open, 1_000))[0]?.error, null);
	nowMs += 89_000;
	await book.read(userId, open, 1_000);
	assert.is(calls.read, 1);
	exchanges.permissions = permissions;
	nowMs += 2_000;
	await book.read(userId, open, 1_000);
	assert.is(calls.read, 2);
	assert.equal([(await book.list(userId))[0]?.permissions_checked, calls.permissions], [true, 2]);
});

/** When, in seconds of so many, a scan that begins every second has the account read. */
async function looksOf(code: AccountErrorCode, seconds: number) {
	const { book, userId, add, calls, failing } = await bookOn();
	await add();
	nowMs += 60_000;
	failing.set("key-0001", code);
	const looks: number[] = [];
	calls.read = 0;
	for (let second = 0; second < seconds; second++) {
		const before: number = calls.read;
		await book.read(userId, open, 1_000);
		if (calls.read > before) looks.push(second);
		nowMs += 1_000;
	}
	failing.clear();
	return { looks, book, userId, calls };
}

test("an account that fails is asked ever more rarely, and as often as ever once it has been read", async () => {
	const { looks, book, userId, calls } = await looksOf("timeout", 200);
	assert.equal(looks, [0, 10, 30, 70, 150]);
	nowMs += 600_000;
	calls.read = 0;
	for (let i = 0; i < 3; i++) {
		assert.is((await book.read(userId, open, 1_000))[0]?.error, null);
		nowMs += 10_000;
	}
	assert.is(calls.read, 3);
	for (const code of ["authentication_failed", "permission_denied"] as const)
		assert.equal((await looksOf(code, 200)).looks, [0, 60, 180], code);
});

test("a user may try forty keys in a minute, however they end", async () => {
	const { book, userId, add, calls, failing } = await bookOn();
	failing.set("key-0001", "authentication_failed");
	for (let i = 0; i < 40; i++) {
		const { account_id, last_error } = await add();
		assert.is(last_error, "authentication_failed");
		await book.remove(userId, account_id);
	}
	nowMs += 20_000;
	const refusal = (await add().catch((error: ApiError) => error)) as ApiError;
	assert.equal([refusal.code, refusal.extra["retry_after_seconds"], calls.read], ["rate_limited", 40, 40]);
	const other = await bookOn();
	assert.is((await other.add()).status, "ok");
	failing.clear();
	nowMs += 40_000;
	assert.is((await add()).status, "ok");
});

test("who has more accounts has each read more rarely: a reading in three seconds on the whole", async () => {
	const { book, userId, add, calls } = await bookOn();
	for (let i = 0; i < 20; i++) await add(`key-${1000 + i}`);
	calls.read = 0;
	for (let second = 0; second < 180; second++) {
		nowMs += 1_000;
		await book.read(userId, open, 1_000);
	}
	assert.is(calls.read, 60);
});

test.run();
