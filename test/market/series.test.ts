import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TIMEFRAME_MS } from "../../src/market/contract.ts";
import { seriesQuality } from "../../src/market/quality.ts";
import {
	createBarColumns,
	mergeBars,
	newestBars,
	normaliseBars,
	resampleBars,
	seriesUpTo,
} from "../../src/market/series.ts";
import { fakeBars, fakeSeries } from "../support/fake-market.ts";

const test = suite("market/series");
const HOUR = TIMEFRAME_MS["1h"];
const DAY = TIMEFRAME_MS["1d"];
const START = Date.UTC(2026, 0, 1);
const HOURLY = { symbol: "A/USDT", venue: "fake", market: "spot", timeframe: "1h" } as const;

/** Hours of a growing list, by their offset from START. */
function hoursAt(offsets: readonly number[]) {
	const bars = createBarColumns(offsets.length);
	for (const [i, offset] of offsets.entries()) {
		bars.open_time[i] = START + offset * HOUR;
		const [open, close] = [10 + offset, 11 + offset];
		bars.open[i] = open;
		bars.high[i] = close + 1;
		bars.low[i] = open - 1;
		bars.close[i] = close;
		bars.volume[i] = 2;
		bars.quote_volume[i] = 2 * close;
	}
	return bars;
}

test("no bar that closes after as_of is in a series, and every closed one is", () => {
	fc.assert(
		fc.property(
			fc.uniqueArray(fc.nat(200), { maxLength: 80 }),
			fc.integer({ min: -5 * HOUR, max: 210 * HOUR }),
			(offsets, at) => {
				offsets.sort((a, b) => a - b);
				const asOf = START + at;
				const series = seriesUpTo(hoursAt(offsets), HOURLY, asOf);
				const expected = offsets.filter((offset) => START + (offset + 1) * HOUR <= asOf);
				assert.equal(
					[...series.open_time],
					expected.map((offset) => START + offset * HOUR),
				);
				const span = expected.length === 0 ? 0 : (expected.at(-1) as number) - (expected[0] as number) + 1;
				assert.is(series.missing, span - expected.length);
			},
		),
	);
});

test("limit keeps the newest bars and counts gaps among them only", () => {
	const bars = hoursAt([0, 1, 5, 6, 8]);
	const series = seriesUpTo(bars, HOURLY, START + 9 * HOUR, 2);
	assert.equal([...series.close], [17, 19]);
	assert.is(series.missing, 1);
	const whole = seriesUpTo(bars, HOURLY, START + 9 * HOUR);
	assert.equal(newestBars(whole, 2), series);
	assert.is(newestBars(whole, undefined), whole);
});

test("resampling takes whole days only and adds them up", () => {
	const whole = Array.from({ length: 24 }, (_, i) => i);
	const withGap = whole.filter((hour) => hour !== 13).map((hour) => hour + 24);
	const partial = [48, 49, 50];
	const days = resampleBars(hoursAt([...whole, ...withGap, ...partial]), HOUR, DAY);
	assert.is(days.length, 1);
	assert.is(days.open_time[0], START);
	assert.is(days.open[0], 10);
	assert.is(days.close[0], 34);
	assert.is(days.high[0], 35);
	assert.is(days.low[0], 9);
	assert.is(days.volume[0], 48);
});

test("resampling starts at the day's border, whatever comes before it", () => {
	const days = resampleBars(hoursAt(Array.from({ length: 30 }, (_, i) => i + 18)), HOUR, DAY);
	assert.equal([...days.open_time], [START + DAY]);
	assert.throws(() => resampleBars(hoursAt([0]), HOUR, 5_000_000), /cannot build bars/);
});

test("bars in any order with repeats become growing and unique, the first of equals kept", () => {
	fc.assert(
		fc.property(fc.array(fc.nat(50), { maxLength: 60 }), (offsets) => {
			const bars = hoursAt(offsets);
			for (let i = 0; i < bars.length; i++) bars.volume[i] = i;
			const ordered = normaliseBars(bars);
			const expected = [...new Set(offsets)].sort((a, b) => a - b);
			assert.equal(
				[...ordered.open_time],
				expected.map((offset) => START + offset * HOUR),
			);
			assert.equal(
				[...ordered.volume],
				expected.map((offset) => offsets.indexOf(offset)),
			);
			assert.is(ordered.duplicates, offsets.length - expected.length);
		}),
	);
});

test("merging is the union by open time and prefers its first argument", () => {
	const [a, b] = [hoursAt([0, 1, 3]), hoursAt([1, 2, 3, 4])];
	b.close.fill(99);
	const merged = mergeBars(a, b);
	assert.equal([...merged.close], [11, 12, 99, 14, 99]);
	assert.is(mergeBars(createBarColumns(0), b), b);
});

test("columns lie over shared memory and reach a worker thread without a copy", async () => {
	const series = fakeSeries({ symbol: "A/USDT", bars: [{ close: 1 }, { close: 2 }], asOfMs: START });
	assert.ok(series.close.buffer instanceof SharedArrayBuffer);
	const worker = new Worker(
		"const { parentPort } = require('node:worker_threads'); parentPort.once('message', (s) => { s.close[1] = 42; parentPort.postMessage(s.close.length); });",
		{ eval: true },
	);
	try {
		const length = await new Promise((resolve, reject) => {
			worker.once("message", resolve);
			worker.once("error", reject);
			worker.postMessage(series);
		});
		assert.is(length, 2);
		assert.is(series.close[1], 42);
	} finally {
		await worker.terminate();
	}
});

test("quality names the first gate that fails", () => {
	const closes = (n: number) => Array.from({ length: n }, () => ({ close: 1 }));
	const good = fakeSeries({ symbol: "A/USDT", bars: closes(100), asOfMs: START });
	assert.is(seriesQuality(good).reason, null);
	assert.is(seriesQuality(good).age_ms, 0);
	const gaps = fakeSeries({
		symbol: "A/USDT",
		bars: [...closes(50), { close: 1, steps: 3 }, ...closes(49)],
		asOfMs: START,
	});
	assert.is(gaps.missing, 2);
	assert.is(seriesQuality(gaps).reason, "gaps");
	assert.is(seriesQuality(gaps, 40).reason, null);
	const stale = { ...good, as_of_ms: START + 2 * DAY + 1 };
	assert.is(seriesQuality(stale).reason, "stale_data");
	assert.is(seriesQuality({ ...good, as_of_ms: START + 2 * DAY }).reason, null);
	const quiet = fakeSeries({
		symbol: "A/USDT",
		bars: [...closes(97), ...closes(3).map((bar) => ({ ...bar, volume: 0 }))],
		asOfMs: START,
	});
	assert.is(seriesQuality(quiet).zero_volume_share, 0.03);
	assert.is(seriesQuality(quiet).reason, "illiquid");
	const empty = fakeSeries({ symbol: "A/USDT", bars: [], asOfMs: START });
	assert.is(seriesQuality(empty).reason, "stale_data");
	assert.equal(fakeBars([], START, DAY).length, 0);
});

test.run();
