/** The book of exchange accounts over a real Redis, with exchanges of a few lines. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ACCOUNTS_MAX } from "../../src/accounts/exchange-account-store.ts";
import { createPortfolioStore } from "../../src/accounts/portfolio-store.ts";
import { rotateAccounts } from "../../src/accounts/rotation.ts";
import { createVault } from "../../src/accounts/vault.ts";
import { systemEntropy } from "../../src/entropy.ts";
import { createAccountBook } from "../../src/exchange/account-book.ts";
import { closeRedisClient, createRedisClient, type Redis } from "../../src/redis/clients.ts";
import { openAccountBook } from "../support/account-book.ts";
import { createFakeExchanges } from "../support/fake-exchanges.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";

const test = suite("exchange/account-book");
const open = new AbortController().signal;
const OLD = "an older sealing key of thirty-two bytes";
const NEW = "a newer sealing key of thirty-two bytes!";

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

const fakeExchanges = () => createFakeExchanges(() => nowMs);

const bookOn = (fake = fakeExchanges(), keys: readonly [string, ...string[]] = [NEW]) =>
	openAccountBook(redis, clock, fake, keys);

const codeOf = (work: Promise<unknown>): Promise<string> =>
	work.then(
		() => "no error",
		(error: { code: string }) => error.code,
	);
const version = async (userId: string): Promise<number> =>
	(await createPortfolioStore(redis, clock, systemEntropy).get(userId)).version;

test("an account's life: added, listed, changed, deleted; each change of what is held is a new version", async () => {
	const { book, userId, add, entry } = await bookOn();
	const added = await add();
	assert.equal(added, {
		account_id: added.account_id,
		exchange: "binance",
		label: null,
		key_hint: "0001",
		status: "ok",
		permissions_checked: true,
		last_read_at: new Date(nowMs).toISOString(),
		last_error: null,
	});
	assert.is(await version(userId), 1);
	assert.equal(await book.list(userId), [added]);
	const named = await book.change(userId, added.account_id, { label: "mine" }, open);
	assert.equal(named, { ...added, label: "mine" });
	assert.is(await version(userId), 1, "a label changes nothing that a scan sees");
	const rekeyed = await book.change(userId, added.account_id, { credentials: entry("key-0002").credentials }, open);
	assert.equal([rekeyed.key_hint, rekeyed.label], ["0002", "mine"]);
	assert.is(await version(userId), 2);
	assert.equal(await book.remove(userId, added.account_id), rekeyed);
	assert.is(await version(userId), 3);
	assert.equal(await book.list(userId), []);
	for (const work of [
		book.get(userId, added.account_id),
		book.remove(userId, added.account_id),
		book.change(userId, added.account_id, { label: "x" }, open),
	])
		assert.is(await codeOf(work), "account_not_found");
});

test("I10: another user's account is one that does not exist", async () => {
	const { book, add } = await bookOn();
	const { account_id } = await add();
	const stranger = systemEntropy.uuid();
	assert.is(await codeOf(book.get(stranger, account_id)), "account_not_found");
	assert.is(await codeOf(book.change(stranger, account_id, { label: "x" }, open)), "account_not_found");
	assert.is(await codeOf(book.remove(stranger, account_id)), "account_not_found");
	assert.equal(await book.list(stranger), []);
	assert.equal(await book.read(stranger, open, 1_000), []);
});

test("I14: twenty accounts and not one more, however many are added at once", async () => {
	const { book, userId, add } = await bookOn();
	const outcomes = await Promise.all(
		Array.from({ length: ACCOUNTS_MAX + 8 }, (_, i) => codeOf(add(`key-${1000 + i}`))),
	);
	assert.is(outcomes.filter((code) => code === "no error").length, ACCOUNTS_MAX);
	assert.is(outcomes.filter((code) => code === "limit_reached").length, 8);
	assert.is((await book.list(userId)).length, ACCOUNTS_MAX);
	assert.is(await codeOf(add()), "limit_reached");
});

test("a key that may trade or withdraw is refused and not kept, by POST and by PATCH", async () => {
	const { book, userId, add, entry, rights } = await bookOn();
	rights.set("key-trade", { trade: true, withdraw: false });
	rights.set("key-move", { trade: false, withdraw: true });
	assert.is(await codeOf(add("key-trade")), "account_key_too_powerful");
	assert.is(await codeOf(add("key-move")), "account_key_too_powerful");
	const { account_id, key_hint } = await add();
	const changed = book.change(userId, account_id, { credentials: entry("key-trade").credentials }, open);
	assert.is(await codeOf(changed), "account_key_too_powerful");
	assert.is((await book.get(userId, account_id)).key_hint, key_hint);
});

test("an exchange that does not say is taken on trust, and asked again with every reading", async () => {
	const { book, userId, add, rights } = await bookOn();
	rights.set("key-0001", null);
	const added = await add();
	assert.equal([added.status, added.permissions_checked], ["ok", false]);
	nowMs += 60_000;
	rights.set("key-0001", { trade: true, withdraw: false });
	const [holdings] = await book.read(userId, open, 1_000);
	assert.equal([holdings?.error, holdings?.held], ["account_key_too_powerful", null]);
	const refused = await book.get(userId, added.account_id);
	assert.equal([refused.status, refused.permissions_checked], ["refused", false]);
	rights.delete("key-0001");
	nowMs += 10_000;
	assert.is((await book.read(userId, open, 1_000))[0]?.error, null, "its owner took the right away");
	assert.is((await book.get(userId, added.account_id)).status, "ok");
});

test("rights that grow later are seen within the hour", async () => {
	const { book, userId, add, rights, calls } = await bookOn();
	await add();
	rights.set("key-0001", { trade: false, withdraw: true });
	nowMs += 30 * 60_000;
	assert.is((await book.read(userId, open, 1_000))[0]?.error, null);
	assert.is(calls.permissions, 1);
	nowMs += 31 * 60_000;
	assert.is((await book.read(userId, open, 1_000))[0]?.error, "account_key_too_powerful");
});

test("one account that fails keeps its earlier reading and costs the others nothing", async () => {
	const { book, userId, add, failing } = await bookOn();
	const first = await add("key-0001");
	nowMs += 1;
	await add("key-0002");
	const readAtMs = nowMs - 1;
	nowMs += 60_000;
	failing.set("key-0001", "timeout");
	const [broken, whole] = await book.read(userId, open, 1_000);
	assert.equal([broken?.error, broken?.held?.as_of_ms, broken?.held?.cash_usd], ["timeout", readAtMs, 100]);
	assert.equal([whole?.error, whole?.held?.as_of_ms], [null, nowMs]);
	const view = await book.get(userId, first.account_id);
	assert.equal(
		[view.status, view.last_error, view.last_read_at],
		["failing", "timeout", new Date(readAtMs).toISOString()],
	);
	failing.clear();
	nowMs += 10_000;
	assert.equal(
		(await book.read(userId, open, 1_000)).map(({ error }) => error),
		[null, null],
	);
	assert.is((await book.get(userId, first.account_id)).status, "ok");
});

test("scans that start together share one reading, later ones within ten seconds too", async () => {
	const { book, userId, add, calls } = await bookOn();
	await add();
	nowMs += 60_000;
	calls.read = 0;
	await Promise.all(Array.from({ length: 50 }, () => book.read(userId, open, 1_000)));
	assert.is(calls.read, 1);
	nowMs += 9_000;
	await book.read(userId, open, 1_000);
	assert.is(calls.read, 1);
	nowMs += 2_000;
	await book.read(userId, open, 1_000);
	assert.is(calls.read, 2);
});

test("a reading with an old key is not noted under a new one, an older one not over a newer one", async () => {
	const { userId, store, add, book, entry } = await bookOn();
	const { account_id } = await add();
	const before = await store.get(userId, account_id);
	if (!before) throw new Error("it is there");
	await book.change(userId, account_id, { credentials: entry("key-0002").credentials }, open);
	await store.note(userId, before, nowMs + 5, { ...before.state, last_error: "timeout" });
	assert.is((await book.get(userId, account_id)).last_error, null);
	const current = await store.get(userId, account_id);
	if (!current) throw new Error("it is there");
	await store.note(userId, current, nowMs + 10, { ...current.state, last_error: "timeout" });
	await store.note(userId, current, nowMs + 9, { ...current.state, last_error: "rate_limited" });
	assert.is((await book.get(userId, account_id)).last_error, "timeout");
	await book.remove(userId, account_id);
	await store.note(userId, current, nowMs + 11, current.state);
	assert.is(await redis.exists(`exchange_readings:{${userId}}`), 0, "nothing of a deleted account comes back");
});

test("without a sealing key accounts are refused, and those that are there say that they cannot be opened", async () => {
	const { userId, store, add, exchanges, entry } = await bookOn();
	await add();
	nowMs += 60_000;
	const closed = createAccountBook({ store, vault: null, exchanges, clock, entropy: systemEntropy, log: testLogger() });
	const refusal = await closed.add(userId, entry("key-0002"), open).catch((error: Error) => error.message);
	assert.match(String(refusal), /ACCOUNTS_KEY/);
	assert.is((await closed.read(userId, open, 1_000))[0]?.error, "key_unreadable");
	const { account_id } = (await closed.list(userId))[0] ?? { account_id: "" };
	assert.is((await closed.remove(userId, account_id)).account_id, account_id, "deleting needs no key");
});

test("the rotation reseals all users' accounts, may be ended and begun again, and reports what it cannot open", async () => {
	await redis.flushdb();
	const worlds = await Promise.all([bookOn(fakeExchanges(), [OLD]), bookOn(fakeExchanges(), [OLD])]);
	for (const { add } of worlds) for (const name of ["key-0001", "key-0002"]) await add(name);
	const [one] = worlds;
	if (!one) throw new Error("two worlds");
	const both = createVault([NEW, OLD], systemEntropy);
	// A walk that dies after its first write: the next one does the rest.
	let writes = 0;
	const dying = {
		...one.store,
		replace: async (...args: Parameters<typeof one.store.replace>) => {
			if (writes++ > 0) throw new Error("killed");
			return one.store.replace(...args);
		},
	};
	await rotateAccounts(redis, dying, both).then(
		() => assert.unreachable(),
		() => undefined,
	);
	assert.equal(await rotateAccounts(redis, one.store, both), { resealed: 3, current: 1, unreadable: 0 });
	assert.equal(await rotateAccounts(redis, one.store, both), { resealed: 0, current: 4, unreadable: 0 });
	assert.equal(await rotateAccounts(redis, one.store, one.vault), { resealed: 0, current: 0, unreadable: 4 });
	nowMs += 60_000;
	const only = createAccountBook({
		...one,
		vault: createVault([NEW], systemEntropy),
		clock,
		entropy: systemEntropy,
		log: testLogger(),
	});
	assert.equal(
		(await only.read(one.userId, open, 1_000)).map(({ error }) => error),
		[null, null],
	);
});

test("an envelope that is moved to another user's account does not open there", async () => {
	const [mine, theirs] = [await bookOn(), await bookOn()];
	const { account_id } = await theirs.add();
	const stolen = await redis.hget(`exchange_accounts:{${theirs.userId}}`, account_id);
	await redis.hset(`exchange_accounts:{${mine.userId}}`, account_id, String(stolen));
	nowMs += 60_000;
	assert.is((await mine.book.read(mine.userId, open, 1_000))[0]?.error, "key_unreadable");
});

test.run();
