import { suite } from "uvu";
import * as assert from "uvu/assert";
import { book } from "../../src/runtime/booking.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import type { ScanStore } from "../../src/store/index.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { commandsOn, quickEffects, runtimeOn, startRequest, viewer } from "../support/system.ts";

const books = suite("store: what is kept of ended scans");

let redis: TestRedis;
let store: ScanStore;
let users = 500;

books.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
books.after(async () => {
	await redis.close();
});

const today = (): string => new Date(store.clock.now()).toISOString().slice(0, 10);

async function endedScan(on: ScanStore = store): Promise<ScanRecord> {
	users += 1;
	const { scan_id } = await commandsOn(on, async () => {}).startScan(viewer(users), startRequest());
	await runtimeOn(on, quickEffects()).run(scan_id);
	const record = await on.reader.read(scan_id);
	if (!record) throw new Error(`${scan_id} is gone`);
	return record;
}

books("it is counted once and listed among the recent ones of all users", async () => {
	const before = (await store.statistics.day(today())).total_scans;
	const record = await endedScan();
	await book(store.writer, record, 1_000);
	assert.is((await store.statistics.day(today())).total_scans, before + 1, "booking it again counts it once");
	const [newest] = await store.statistics.recentScans(5);
	assert.is(newest?.scan_id, record.scan_id);
	assert.is((await store.statistics.recentDurations())[0]?.completed, true);
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

books.run();
