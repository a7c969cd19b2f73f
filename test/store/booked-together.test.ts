import type { Redis } from "ioredis";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { endedScan } from "../../src/runtime/booking.ts";
import type { CommitHub } from "../../src/store/commit-hub.ts";
import { createPace } from "../../src/store/gathering.ts";
import { createScanWriter } from "../../src/store/scan-writer.ts";
import { COUNT, COUNT_TOTALS, FINISH } from "../../src/store/scripts.ts";
import { ManualClock, settled } from "../effects/fake-clock.ts";
import { sampleRecord } from "../support/records.ts";

/** Scans that end soon after one another are booked in one round, so that what is sent for all of them leaves together. */
const bookings = suite("store: bookings of scans that end together");

const NAMES = new Map(Object.entries({ COUNT, COUNT_TOTALS, FINISH }).map(([name, { urgent }]) => [urgent?.sha, name]));

/** All that is sent for a lone scan, in the order of the alphabet: its marks in three indexes go last. */
const ALL_AT_ONCE = ["COUNT at 0", "COUNT_TOTALS at 0", "FINISH at 0", "zrem at 0", "zrem at 0", "zrem at 0"];

function storeOn(clock: ManualClock) {
	const sent: string[] = [];
	const begun = clock.now();
	const note = (name: string): void => void sent.push(`${name} at ${clock.now() - begun}`);
	/** A server takes longer than what follows in this turn. */
	const answered = async (name: string): Promise<void> => {
		await new Promise((resolve) => setImmediate(resolve));
		note(name);
	};
	const send = async (_: string, __: unknown, [sha]: readonly (string | number)[] = []) => {
		await answered(NAMES.get(String(sha)) ?? "other");
		return [];
	};
	const done = async () => 0;
	const redis = { zadd: done, zrem: () => answered("zrem"), set: done, lpush: done, ltrim: done } as unknown as Redis;
	const writer = createScanWriter({
		...{ redis, send, hub: {} as CommitHub, now: () => clock.now(), pace: createPace(clock, 25) },
		settings: { retention_ms: 1_000, tombstone_ms: 1_000 },
	});
	const book = (digit: string) => {
		const record = sampleRecord({ scan_id: `scan_${digit.repeat(32)}` });
		return writer.finish(record, endedScan(record), 100);
	};
	return { sent, writer, book };
}

bookings("a lone one waits for nothing, what ends within a round is booked and counted at its end", async () => {
	const clock = new ManualClock();
	const { sent, book } = storeOn(clock);
	assert.equal(await book("1"), []);
	await settled();
	assert.equal([...sent].sort(), ALL_AT_ONCE);
	sent.length = 0;
	await clock.advance(10, 1);
	const booked = [book("2"), book("3")];
	await clock.advance(14, 1);
	assert.equal(sent, []);
	await clock.advance(1, 1);
	await Promise.all(booked);
	await settled();
	const times = (name: string) => sent.filter((one) => one.startsWith(name));
	assert.equal(times("FINISH"), ["FINISH at 25", "FINISH at 25"]);
	assert.equal([times("COUNT at"), times("COUNT_TOTALS")], [["COUNT at 25"], ["COUNT_TOTALS at 25"]]);
	assert.equal(times("zrem"), ["zrem at 25", "zrem at 25", "zrem at 25"], "once for each index");
});

bookings("what rests is booked before the store closes", async () => {
	const clock = new ManualClock();
	const { sent, book, writer } = storeOn(clock);
	await book("1");
	await settled();
	sent.length = 0;
	const booked = book("2");
	await writer.settle();
	assert.equal([...sent].sort(), ALL_AT_ONCE);
	assert.equal(await booked, []);
	assert.is(clock.armed(), 0);
});

bookings.run();
