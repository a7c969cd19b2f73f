/** Histories read page by page: whatever was read before and wherever it was cut, the end is the exchange's history. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createHistories, type HistoryReading } from "../../../src/market/ccxt/pages.ts";

const test = suite("market/ccxt/pages");
const STEP = 10;
type Columns = { times: Float64Array };

/** An exchange that has data at some steps of a line, and publishes the newest ones late. */
function exchangeOf(times: readonly number[]) {
	const asked: [number, number][] = [];
	let oldestAsked = 0;
	let failAfter = Number.POSITIVE_INFINITY;
	let publishedTo = Number.POSITIVE_INFINITY;
	const reading = (
		fromMs: number,
		toMs: number,
		options: { window: number; tells: boolean },
	): HistoryReading<Columns> => ({
		from_ms: fromMs,
		to_ms: toMs,
		window_ms: options.window * STEP,
		ended: true,
		first: ({ times: known }) => known[0] ?? null,
		settled: ({ times: known }) => (known.at(-1) ?? Number.NEGATIVE_INFINITY) + STEP,
		async page(from, to) {
			if (failAfter-- <= 0) throw new Error("cut");
			asked.push([from, to]);
			return { times: Float64Array.from(times.filter((time) => time >= from && time < to && time < publishedTo)) };
		},
		oldest: options.tells
			? async () => {
					oldestAsked++;
					return times.find((time) => time >= fromMs && time < publishedTo) ?? null;
				}
			: null,
		merge: (one, other) => ({
			times: Float64Array.from(new Set([...one.times, ...other.times])).sort(),
		}),
	});
	return {
		reading,
		asked,
		oldestAsked: () => oldestAsked,
		failAfter: (pages: number) => {
			failAfter = pages;
		},
		publishTo: (ms: number) => {
			publishedTo = ms;
		},
	};
}

const steps = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => (from + i) * STEP);
const within = (times: readonly number[], from: number, to: number) =>
	times.filter((time) => time >= from && time < to);

test("property: with gaps of any length, cuts and growing ends, the whole history comes out", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.uniqueArray(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 120 }),
			fc.integer({ min: 3, max: 40 }),
			fc.array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 320 }), fc.boolean()), {
				maxLength: 5,
			}),
			async (places, window, calls) => {
				const times = places.sort((a, b) => a - b).map((place) => place * STEP);
				const exchange = exchangeOf(times);
				const histories = createHistories<Columns>();
				// Time goes on from call to call: what was published is not taken back.
				for (const [pages, end, late] of calls.sort((a, b) => a[1] - b[1])) {
					exchange.failAfter(pages);
					exchange.publishTo(late ? (end - 2) * STEP : Number.POSITIVE_INFINITY);
					await histories.read("a", exchange.reading(0, end * STEP, { window, tells: true })).catch(() => undefined);
				}
				exchange.failAfter(Number.POSITIVE_INFINITY);
				exchange.publishTo(Number.POSITIVE_INFINITY);
				const end = 330 * STEP;
				const { times: found } = await histories.read("a", exchange.reading(0, end, { window, tells: true }));
				assert.equal(
					[...found].filter((time) => time < end),
					times,
				);
			},
		),
		{ numRuns: 200 },
	);
});

test("what is known is not asked for again; what is new is, and nothing else", async () => {
	const exchange = exchangeOf(steps(100, 400));
	const histories = createHistories<Columns>();
	const read = async (to: number) =>
		(await histories.read("a", exchange.reading(0, to * STEP, { window: 50, tells: true }))).times;
	assert.equal([...(await read(390))], steps(100, 390));
	assert.is(exchange.oldestAsked(), 1);
	exchange.asked.length = 0;
	await read(390);
	await read(200);
	assert.equal(exchange.asked, []);
	assert.equal([...(await read(392))], steps(100, 392));
	assert.equal(exchange.asked, [[3900, 3920]]);
});

test("a history that was only continued is read whole again in time: the exchange may have revised its past", async () => {
	const DAY = 86_400_000;
	let revision = 0;
	let asked = 0;
	const histories = createHistories<{ values: Float64Array; times: Float64Array }>();
	const read = (days: number) =>
		histories.read("a", {
			from_ms: 0,
			to_ms: days * DAY,
			window_ms: 10 * DAY,
			ended: false,
			first: ({ times }) => times[0] ?? null,
			settled: ({ times }) => (times.at(-1) ?? -DAY) + DAY,
			async page(from, to) {
				asked++;
				const times = Float64Array.from({ length: (to - from) / DAY }, (_, i) => from + i * DAY);
				return { times, values: times.map(() => revision) };
			},
			oldest: null,
			merge(one, other) {
				const values = new Map(
					[other, one].flatMap(({ times, values }) =>
						[...times].map((time, i) => [time, values[i] as number] as const),
					),
				);
				const times = Float64Array.from(values.keys()).sort();
				return { times, values: times.map((time) => values.get(time) as number) };
			},
		});
	await read(30);
	revision = 1;
	asked = 0;
	for (let day = 31; day <= 33; day++) await read(day);
	assert.is(asked, 3);
	const { times, values } = await read(34);
	assert.is(times.length, 34);
	assert.ok(values.every((value) => value === 1));
	asked = 0;
	await read(35);
	assert.is(asked, 1);
});

test("a bar that is published late is asked for again", async () => {
	const exchange = exchangeOf(steps(0, 100));
	const histories = createHistories<Columns>();
	const read = async (to: number) =>
		(await histories.read("a", exchange.reading(0, to * STEP, { window: 50, tells: true }))).times;
	exchange.publishTo(99 * STEP);
	assert.is((await read(100)).length, 99);
	exchange.publishTo(Number.POSITIVE_INFINITY);
	assert.is((await read(100)).length, 100);
});

test("a gap longer than a page is no begin where the exchange can tell its oldest datum", async () => {
	const times = [...steps(0, 20), ...steps(200, 260)];
	for (const [tells, expected] of [
		[true, times],
		[false, steps(200, 260)],
	] as const) {
		const exchange = exchangeOf(times);
		const { times: found } = await createHistories<Columns>().read(
			"a",
			exchange.reading(0, 2600, { window: 50, tells }),
		);
		assert.equal([...found], expected, `tells: ${tells}`);
	}
});

test("a short reading leaves the begin open for a longer one", async () => {
	const times = steps(0, 100);
	const exchange = exchangeOf(times);
	const histories = createHistories<Columns>();
	const few = await histories.read("a", exchange.reading(990, 1000, { window: 50, tells: false }));
	assert.equal([...few.times], [990]);
	const all = await histories.read("a", exchange.reading(0, 1000, { window: 50, tells: false }));
	assert.equal(within([...all.times], 0, 1000), times);
});

test("readers of one history at once ask for each page once, also after one that was cut", async () => {
	const exchange = exchangeOf(steps(0, 100));
	const histories = createHistories<Columns>();
	const read = () => histories.read("one", exchange.reading(0, 1000, { window: 10, tells: false }));
	exchange.failAfter(4);
	assert.is(await read().catch((error: Error) => error.message), "cut");
	exchange.failAfter(Number.POSITIVE_INFINITY);
	for (const { times } of await Promise.all([read(), read(), read()])) assert.equal([...times], steps(0, 100));
	assert.is(exchange.asked.length, 10);
	assert.is(new Set(exchange.asked.map(String)).size, 10, "a page was read twice");
});

test.run();
