import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanStore } from "../../src/store/index.ts";
import { deferred } from "../effects/fake-clock.ts";
import { beginner, quick } from "../support/begun.ts";
import { startTestRedis, type TestRedis } from "../support/store.ts";
import { runtimeOn } from "../support/system.ts";
import { until, within } from "../support/wait.ts";

const places = suite("runtime: places of a process");

let redis: TestRedis;
let store: ScanStore;
places.before(async () => {
	redis = await startTestRedis();
	store = await redis.store();
});
places.after(() => redis.close());

places("scans give theirs to the next one when they have ended, and are booked meanwhile", async () => {
	const booked = deferred<void>();
	const booking: string[] = [];
	const onEnded = (record: { scan_id: string }) => {
		booking.push(record.scan_id);
		return booked.promise;
	};
	const runtime = runtimeOn(store, quick, { capacity: 1, onEnded });
	const { start } = beginner(store, { reserve: () => null });
	const [first, second, third] = [await start(), await start(), await start()];
	const place = runtime.reserve(first);
	assert.equal([runtime.active(), runtime.hasRoom()], [1, false]);
	place?.run(null);
	assert.ok(place);
	await within(place.free, "the end of the run");
	assert.equal([runtime.active(), runtime.hasRoom()], [0, true]);
	assert.is(runtime.reserve(first), null, "it is still this process's");
	const answers = [place.answer, runtime.run(second), runtime.runBeside(third)];
	await until(() => booking.length === 3, "three bookings");
	assert.equal([runtime.active(), runtime.hasRoom(), runtime.hasRoomBeside()], [0, true, true]);
	booked.resolve();
	assert.equal(await Promise.all(answers), ["ended", "ended", "ended"]);
	assert.is(runtime.active(), 0, "a place is given back once");
});

places("scans keep theirs while the bookings of four times as many are under way", async () => {
	const booked = deferred<void>();
	let bookings = 0;
	const onEnded = () => {
		bookings += 1;
		return booked.promise;
	};
	const runtime = runtimeOn(store, quick, { capacity: 1, onEnded });
	const { start } = beginner(store, { reserve: () => null });
	const answers: Promise<unknown>[] = [];
	for (let n = 1; n <= 5; n++) {
		assert.is(runtime.hasRoom(), true);
		answers.push(runtime.run(await start()));
		await until(() => bookings === n, `${n} bookings`);
	}
	assert.equal([runtime.active(), runtime.hasRoom()], [1, false]);
	booked.resolve();
	await Promise.all(answers);
	assert.equal([runtime.active(), runtime.hasRoom()], [0, true]);
});

places.run();
