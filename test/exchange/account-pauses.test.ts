/** What follows when an exchange says that there were too many requests, over a real Redis. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemEntropy } from "../../src/entropy.ts";
import { createAccountBook } from "../../src/exchange/account-book.ts";
import { ExchangeAccountError, LIMITED_PAUSE_MS } from "../../src/exchange/contract.ts";
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

test.run();
