/** Keys of which the exchange does not say what they may do, over a real Redis. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ApiError } from "../../src/errors.ts";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { openAccountBook } from "../support/account-book.ts";
import { createFakeExchanges } from "../support/fake-exchanges.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";

const test = suite("exchange/account-rights");
const open = new AbortController().signal;
const HOUR_MS = 3_600_000;

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

async function bookOn() {
	const fake = createFakeExchanges(() => nowMs);
	const opened = await openAccountBook(redis, clock, fake, ["a sealing key of at least thirty-two bytes"]);
	const { book, userId } = opened;
	return {
		...opened,
		/** The account as the next scan reads it, after a pause of any kind. */
		async look(afterMs = HOUR_MS) {
			nowMs += afterMs;
			const [held] = await book.read(userId, open, 1_000);
			return [held?.error, held?.held?.cash_usd ?? null];
		},
	};
}
test("nothing of an account counts while the exchange does not say what its key may do, new or replaced", async () => {
	const { book, userId, add, entry, mute, rights } = await bookOn();
	const { account_id } = await add("key-0001");
	const { credentials } = entry("key-0002");
	for (const code of [
		"timeout",
		"exchange_unavailable",
		"bad_response",
		"rate_limited",
		"permission_denied",
	] as const) {
		mute.set("key-0002", code);
		const added = await add("key-0002");
		const changed = await book.change(userId, account_id, { credentials }, open);
		for (const account of [added, changed])
			assert.equal([account.status, account.last_error, account.permissions_checked], ["failing", code, false]);
		nowMs += HOUR_MS;
		assert.equal(
			(await book.read(userId, open, 1_000)).map(({ error, held }) => [error, held]),
			[
				[code, null],
				[code, null],
			],
		);
		await book.remove(userId, added.account_id);
	}
	mute.clear();
	nowMs += HOUR_MS;
	assert.equal(
		(await book.read(userId, open, 1_000)).map(({ error, held }) => [error, held?.cash_usd]),
		[[null, 100]],
	);
	rights.set("key-0003", { trade: true, withdraw: false });
	assert.is(await add("key-0003").catch(({ code }: ApiError) => code), "account_key_too_powerful");
});

test("a key that is not accepted takes no other's place", async () => {
	const { book, userId, add, entry, failing, mute } = await bookOn();
	const kept = await add("key-0001");
	const { credentials } = entry("key-0002");
	for (const refuse of [failing, mute]) {
		refuse.set("key-0002", "authentication_failed");
		const refusal = await book.change(userId, kept.account_id, { credentials }, open).then(
			() => null,
			(error: ApiError) => error,
		);
		assert.equal(
			[refusal?.code, refusal?.extra["errors"]],
			["validation_failed", [{ path: "body.api_key", message: "is not accepted by the exchange" }]],
		);
		refuse.clear();
	}
	assert.equal(await book.list(userId), [kept]);
});

test("a refused key stays refused until the exchange itself says otherwise", async () => {
	const { book, userId, add, rights, mute, look } = await bookOn();
	await add();
	rights.set("key-0001", { trade: true, withdraw: true });
	assert.equal(await look(), ["account_key_too_powerful", null]);
	for (const code of ["exchange_unavailable", "timeout", "rate_limited"] as const) {
		mute.set("key-0001", code);
		assert.equal(await look(), ["account_key_too_powerful", null], code);
	}
	mute.clear();
	rights.set("key-0001", null);
	assert.equal(await look(), ["account_key_too_powerful", null], "says nothing");
	assert.is((await book.list(userId))[0]?.status, "refused");
	rights.delete("key-0001");
	assert.equal(await look(), [null, 100]);
});

test("the last good word of an exchange holds for a day while it says nothing", async () => {
	const { book, userId, add, rights, mute, held, look } = await bookOn();
	await add();
	mute.set("key-0001", "timeout");
	for (let hour = 1; hour < 24; hour++) assert.equal(await look(), [null, 100], `hour ${hour}`);
	held.balances = [{ asset: "USDT", quantity: 7 }];
	for (let hour = 0; hour < 3; hour++) assert.equal(await look(), ["timeout", 100], "what it held before counts");
	mute.clear();
	rights.set("key-0001", null);
	assert.equal(await look(), ["bad_response", 100], "it has said it before, so it can");
	assert.is((await book.list(userId))[0]?.status, "failing");
	rights.delete("key-0001");
	assert.equal(await look(), [null, 7]);
});

test("an account whose rights were never known is not read on when the question fails", async () => {
	const { add, rights, mute, look } = await bookOn();
	rights.set("key-0001", null);
	await add();
	mute.set("key-0001", "exchange_unavailable");
	assert.equal((await look())[0], "exchange_unavailable");
	mute.clear();
	assert.equal((await look())[0], null, "on trust again");
});

test.run();
