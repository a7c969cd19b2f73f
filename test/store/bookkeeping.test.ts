import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import { closeRedisClient, createRedisClient } from "../../src/redis/clients.ts";
import { book, endedScan as endedScanOf } from "../../src/runtime/booking.ts";
import { createWatchdog } from "../../src/runtime/watchdog.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { dayKeys, totalsGuardKey, userKeys } from "../../src/store/keys.ts";
import { purgeTombstones } from "../../src/store/scan-booking.ts";
import { TOTAL } from "../../src/store/totals.ts";
import { startTestRedis, type TestRedis, testLogger } from "../support/store.ts";
import { commandDeps, commandsOn, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";
import { amountsOf } from "../support/totals.ts";

const books = suite("store: what is kept of ended scans");

let redis: TestRedis;
let store: ScanStore;
let client: Redis;
let users = 500;

books.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
	client = createRedisClient(redis.connection, "commands", testLogger());
});
books.after(async () => {
	await closeRedisClient(client);
	await redis.close();
});

const today = (): string => new Date(store.clock.now()).toISOString().slice(0, 10);

/** Ended, and not booked yet. */
async function acceptedAndRun(): Promise<ScanRecord> {
	users += 1;
	const { scan_id } = await commandsOn(store, async () => {}).startScan(viewer(users), startRequest());
	await runtimeOn(store, quickEffects(), { onEnded: async () => {} }).run(scan_id);
	const record = await store.reader.read(scan_id);
	if (!record) throw new Error(`${scan_id} is gone`);
	return record;
}

async function endedScan(on: ScanStore = store): Promise<ScanRecord> {
	users += 1;
	const { scan_id } = await commandsOn(on, async () => {}).startScan(viewer(users), startRequest());
	await runtimeOn(on, quickEffects()).run(scan_id);
	const record = await on.reader.read(scan_id);
	if (!record) throw new Error(`${scan_id} is gone`);
	return record;
}

books("one that was cleared before its booking arrived does not become fresh again", async () => {
	const record = await acceptedAndRun();
	const { filter_key } = record.context.input;
	await book(store.writer, record, 1_000);
	assert.is((await store.writer.freshScan(record.user_id, filter_key))?.scan_id, record.scan_id);
	await store.writer.forgetFresh(record.user_id, filter_key, record.scan_id);
	await store.writer.expireNow(record.user_id, record.scan_id);
	await book(store.writer, record, 1_000);
	assert.is(await store.writer.freshScan(record.user_id, filter_key), null);
});

books("it is counted once and listed among the recent ones of all users", async () => {
	const before = (await store.statistics.day(today())).total_scans;
	const record = await endedScan();
	await book(store.writer, record, 1_000);
	assert.is((await store.statistics.day(today())).total_scans, before + 1, "booking it again counts it once");
	const [newest] = await store.statistics.recentScans(5);
	assert.is(newest?.scan_id, record.scan_id);
	assert.is((await store.statistics.recentDurations())[0]?.completed, true);
});

books("scans booked together, again, and beside new ones are each counted once", async () => {
	const first = await Promise.all([endedScan(), endedScan(), endedScan()]);
	const [before, totals] = [await store.statistics.day(today()), await store.monitoring.totals()];
	const others = await Promise.all([acceptedAndRun(), acceptedAndRun()]);
	// The first is under way when the others come; what was counted before is among them, twice.
	await Promise.all([...first, ...others, ...first].map((record) => book(store.writer, record, 1_000)));
	const [after, grown] = [await store.statistics.day(today()), await store.monitoring.totals()];
	assert.is(after.total_scans, before.total_scans + 2);
	const sum = others.reduce((ms, record) => ms + endedScanOf(record).execution_time_ms, 0);
	const mean = (before.avg_execution_time_ms * before.total_scans + sum) / after.total_scans;
	assert.ok(Math.abs(after.avg_execution_time_ms - mean) < 1e-6, `${after.avg_execution_time_ms} for ${mean}`);
	for (const [field, amount] of Object.entries(grown)) {
		if (field.startsWith("scans_started") || field.startsWith("scan_commits")) continue;
		const added = others.reduce((amounts, record) => amounts + (amountsOf(record)[field] ?? 0), 0);
		assert.is(amount - (totals[field] ?? 0), added, field);
	}
	const recent = await store.statistics.recentScans(2);
	assert.equal(recent.map(({ scan_id }) => scan_id).sort(), others.map(({ scan_id }) => scan_id).sort());
});

books("a scan whose end is booked by two at once, while another is being counted, is counted once", async () => {
	const [first, twice] = await Promise.all([acceptedAndRun(), acceptedAndRun()]);
	const [before, totals] = [await store.statistics.day(today()), await store.monitoring.totals()];
	await Promise.all([first, twice, twice].map((record) => book(store.writer, record, 1_000)));
	const [after, grown] = [await store.statistics.day(today()), await store.monitoring.totals()];
	assert.is(after.total_scans, before.total_scans + 2);
	for (const field of Object.keys(amountsOf(twice))) {
		const added = [first, twice].reduce((amount, record) => amount + (amountsOf(record)[field] ?? 0), 0);
		assert.is((grown[field] ?? 0) - (totals[field] ?? 0), added, field);
	}
	const recent = await store.statistics.recentScans(3);
	assert.is(recent.filter(({ scan_id }) => scan_id === twice.scan_id).length, 1);
});

books("that a scan was counted is known for as long as it may be booked again", async () => {
	const days = 30;
	const lasting = await redis.store({ retention_ms: days * 86_400_000 });
	await endedScan(lasting);
	const { counted, stats } = dayKeys(today());
	for (const guard of [counted, totalsGuardKey(today())])
		assert.ok((await client.ttl(guard)) > days * 86_400, `${guard}: ${await client.ttl(guard)} s`);
	assert.ok((await client.ttl(stats)) <= 7 * 86_400, "the figures themselves are not kept longer");
});

books("an id answers as expired for its tombstone's time and is unknown afterwards", async () => {
	const brief = await redis.store({ retention_ms: 300, tombstone_ms: 600 });
	const { scan_id, user_id } = await endedScan(brief);
	const until = async (wanted: boolean) => {
		for (let i = 0; i < 100; i++) {
			const gone = (await brief.reader.read(scan_id)) === null;
			const expired = gone ? await brief.reader.expiredAt(user_id, scan_id) : null;
			if (gone && (expired !== null) === wanted) return true;
			await brief.reader.nextCommit("scan_none", 30, AbortSignal.timeout(1_000));
		}
		return false;
	};
	assert.ok(await until(true), "expired with its date");
	assert.ok(await until(false), "then unknown");
});

/** How many scan ids the user's two indexes hold. */
async function indexed(userId: string): Promise<number> {
	const { scans, ended } = userKeys(userId);
	return (await client.zcard(scans)) + (await client.zcard(ended));
}

const TOMBSTONE_MS = 600_000;
const overAtMs = ({ expires_at_ms }: ScanRecord): number => (expires_at_ms ?? Number.NaN) + TOMBSTONE_MS;

books("what is past its tombstone is forgotten to the millisecond, though its user never comes back", async () => {
	const records = [await endedScan(), await endedScan(), await endedScan()];
	const [first, second, third] = records.map(overAtMs) as [number, number, number];
	await purgeTombstones(client, first - 1, 1_000);
	for (const { user_id } of records) assert.is(await indexed(user_id), 2, "nothing of these is over yet");
	assert.is(await purgeTombstones(client, first, 1_000), 1);
	assert.equal(await Promise.all(records.map(({ user_id }) => indexed(user_id))), [0, 2, 2]);
	assert.is(await purgeTombstones(client, third, 1), 1, "a bounded number a pass");
	assert.is(await purgeTombstones(client, third, 1), 1);
	assert.is(await purgeTombstones(client, third, 1), 0);
	assert.ok(second <= third);
	for (const { user_id } of records) assert.is(await indexed(user_id), 0);
});

books("a list meets ids of expired scans once, and they are remembered all the same", async () => {
	users += 1;
	const { user_id } = viewer(users);
	const { scans, ended: gone } = userKeys(user_id);
	const nowMs = store.clock.now();
	const id = (n: number) => `scan_${String(n).padStart(32, "0")}`;
	const expired = Array.from({ length: 250 }, (_, n) => id(n));
	for (const [n, scanId] of expired.entries()) {
		await client.zadd(scans, nowMs - 1_000_000 + n, scanId);
		await client.zadd(gone, nowMs - 1 - n, scanId);
	}
	// Neither booked nor there: what it was is told by the list alone.
	await client.zadd(scans, nowMs - 2_000_000, id(999));
	const started = await commandsOn(store, async () => {}).startScan(viewer(users), startRequest());
	const page = { from_ms: null, to_ms: null, before: null, limit: 100 };
	const [half] = await Promise.all([store.reader.pageByUser(user_id, { ...page, to_ms: nowMs - 1_000_000 + 120 })]);
	assert.equal(
		half.map(({ scan_id }) => scan_id),
		[id(999)],
	);
	assert.is(await client.zcard(scans), 252 - 120);
	assert.equal(await store.reader.listByUser(user_id, 0, 10), [started.scan_id]);
	assert.is(await client.zcard(scans), 2, "the next list has nothing to pass over");
	assert.equal(await store.reader.listByUser(user_id, 0, 10), [started.scan_id]);
	for (const scanId of [id(0), id(249), id(999)])
		assert.ok((await store.reader.expiredAt(user_id, scanId)) !== null, `${scanId} has expired`);
	assert.is((await store.writer.scansOf(user_id, 1_000)).length, 252, "and is forgotten with its user");
});

books("lists that are made at once are whole, though both take the same ids off the index", async () => {
	const page = { from_ms: null, to_ms: null, before: null, limit: 100 };
	for (let round = 0; round < 10; round++) {
		users += 1;
		const { user_id } = viewer(users);
		const { scans, ended: gone } = userKeys(user_id);
		const started = await commandsOn(store, async () => {}).startScan(viewer(users), startRequest());
		const nowMs = store.clock.now();
		// The newest hundred have gone, one page; what is retained is older.
		for (let n = 0; n < 100; n++) {
			await client.zadd(scans, nowMs + 1 + n, `scan_${String(n).padStart(32, "0")}`);
			await client.zadd(gone, nowMs - 1, `scan_${String(n).padStart(32, "0")}`);
		}
		const lists = await Promise.all([
			store.reader.listByUser(user_id, 0, 10),
			store.reader.pageByUser(user_id, page),
			store.reader.listByUser(user_id, 0, 10),
			store.reader.pageByUser(user_id, page),
		]);
		const ids = lists.map((list) => list.map((one) => (typeof one === "string" ? one : one.scan_id)));
		assert.equal(ids, Array(4).fill([started.scan_id]));
	}
});

books("every pass of the watchdog does so on the store's clock", async () => {
	const brief = await redis.store({ retention_ms: 500, tombstone_ms: 1 });
	const { user_id, expires_at_ms } = await endedScan(brief);
	while (brief.clock.now() <= (expires_at_ms ?? 0) + 1)
		await brief.reader.nextCommit("scan_none", 30, AbortSignal.timeout(1_000));
	assert.is(await indexed(user_id), 2, "only a sweep takes it away");
	await watchdogOn(brief).pass();
	assert.is(await indexed(user_id), 0);
});

books("a cleared scan's tombstone counts from its clearing, and a running one is never touched", async () => {
	const { scan_id, user_id, expires_at_ms } = await endedScan();
	const { scan_id: running } = await commandsOn(store, async () => {}).startScan(
		{ user_id, role: "admin" },
		startRequest({ filter_key: "other" }),
	);
	await store.writer.expireNow(user_id, scan_id);
	assert.is(await purgeTombstones(client, store.clock.now() + TOMBSTONE_MS, 1_000), 1);
	assert.ok(store.clock.now() < (expires_at_ms ?? 0), "long before its retention would have ended");
	assert.equal(await store.reader.listByUser(user_id, 0, 10), [running]);
});

const watchdogOn = (on: ScanStore) =>
	createWatchdog({
		writer: on.writer,
		reader: on.reader,
		clock: systemClock,
		log: testLogger(),
		apply: commandDeps(on, async () => {}).apply,
		runtime: null,
		finishStart: async () => true,
		book: (record) => book(on.writer, record, 1_000),
		settings: { watchdog_ms: 500, lease_ms: 2_000 },
	});

books("what a process counts for many scans together is counted before its store is closed", async () => {
	const apart = await startTestRedis();
	try {
		const [own, other] = [await apart.store(), await apart.store()];
		const starts = commandsOn(own, async () => {});
		// The first is counted at once, the others by a round that rests.
		await Promise.all([1, 2, 3].map((user) => starts.startScan(viewer(user), startRequest())));
		await own.close();
		assert.is((await other.monitoring.totals())[TOTAL.started], 3);
	} finally {
		await apart.close();
	}
});

books.run();
