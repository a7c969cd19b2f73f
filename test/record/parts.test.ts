/** Parts of the recording that need no exchange. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RecordClient } from "../../src/record/client.ts";
import { RecordError } from "../../src/record/client.ts";
import { decimalField } from "../../src/record/fields.ts";
import { gapsOf } from "../../src/record/files.ts";
import { RecordUsageError, recordOptions } from "../../src/record/options.ts";
import { candleRows } from "../../src/record/pages.ts";

const test = suite("record, parts");
const HOUR = 3_600_000;

test("a decimal keeps its value and loses needless zeros; anything else is refused", () => {
	fc.assert(
		fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 8 }), (whole, decimals) => {
			const text = (whole / 10 ** decimals).toFixed(8);
			const kept = decimalField(text, "x");
			assert.is(Number(kept), Number(text));
			assert.not.match(kept, /\.\d*0$|\.$/);
		}),
	);
	assert.is(decimalField("100", "x"), "100");
	for (const wrong of ["", "1e5", "NaN", null, undefined, "1,2", "1\n2", {}]) {
		assert.throws(
			() => decimalField(wrong, "x"),
			(error: unknown) => error instanceof RecordError,
		);
	}
});

test("missing steps are counted, whatever was left out", () => {
	fc.assert(
		fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 200 }), { minLength: 1 }), (steps) => {
			const times = steps.sort((a, b) => a - b).map((step) => step * HOUR);
			const { missing, gaps } = gapsOf(times, HOUR);
			const span = ((times.at(-1) as number) - (times[0] as number)) / HOUR + 1;
			assert.is(missing, span - times.length);
			assert.is(
				gaps.reduce((sum, gap) => sum + gap.missing, 0),
				missing,
			);
		}),
	);
	assert.equal(gapsOf([0, 3 * HOUR], HOUR).gaps, [
		{ from: "1970-01-01T01:00:00.000Z", to: "1970-01-01T02:00:00.000Z", missing: 2 },
	]);
});

const kline = (time: number, close = "1.5") => [
	time,
	"1",
	"2",
	"0.5",
	close,
	"7",
	time + HOUR - 1,
	"10",
	3,
	"1",
	"1",
	"0",
];
/** A client whose exchange answers these pages and then empty ones. */
function answering(...pages: unknown[][]): RecordClient & { asked: Record<string, unknown>[] } {
	const asked: Record<string, unknown>[] = [];
	return {
		asked,
		venue: "binance",
		markets: async () => [],
		serverTime: async () => 0,
		rows: async (_, params) => {
			asked.push(params);
			return pages[asked.length - 1] ?? [];
		},
		close: async () => {},
	};
}
const rowsOf = (client: RecordClient, until_ms = 10 * HOUR) =>
	candleRows(client, "AAAUSDT", "1h", { since_ms: 0, until_ms });

test("pages are joined whatever their length, exact repetitions dropped", async () => {
	const client = answering([kline(0), kline(HOUR), kline(HOUR)], [kline(2 * HOUR)], [kline(5 * HOUR)]);
	assert.equal(
		(await rowsOf(client)).map(({ time }) => time / HOUR),
		[0, 1, 2, 5],
	);
	assert.equal(
		client.asked.map(({ startTime }) => startTime),
		[0, HOUR + 1, 2 * HOUR + 1, 5 * HOUR + 1],
	);
});

test("an exchange that contradicts itself is not believed", async () => {
	const messageOf = (client: RecordClient) =>
		rowsOf(client).then(
			() => "none",
			(error: Error) => error.message,
		);
	assert.match(await messageOf(answering([kline(0), kline(0, "1.6")])), "two different rows");
	assert.match(await messageOf(answering([kline(HOUR), kline(0)])), "out of order");
	assert.match(await messageOf(answering([kline(HOUR)], [kline(0)])), "before the time asked for");
	assert.match(await messageOf(answering([[1, 2]])), "nothing as high");
	assert.match(await messageOf(answering([{ time: 1 }])), "no list");
});

test("a candle that closes after the end is left out", async () => {
	const rows = await rowsOf(answering([kline(0), kline(HOUR), kline(2 * HOUR)]), 2 * HOUR);
	assert.equal(
		rows.map(({ time }) => time),
		[0, HOUR],
	);
});

test("the words of the command are checked and put in order", () => {
	const { request, out, baseUrl } = recordOptions(
		"--exchange binanceusdm,binance --out d --timeframes 1d,1h --symbols b,a,b --since 2026-01-01 --base-url http://h".split(
			" ",
		),
	);
	assert.equal(request, {
		exchanges: ["binance", "binanceusdm"],
		timeframes: ["1h", "1d"],
		symbols: ["a", "b"],
		since_ms: Date.UTC(2026, 0, 1),
		until_ms: null,
	});
	assert.equal([out, baseUrl], ["d", "http://h"]);
	const wrong: [string, RegExp][] = [
		["--out d", /--exchange is missing/],
		["--exchange binance", /--out is missing/],
		["--exchange kraken --out d", /kraken cannot be recorded \(known: binance, binanceusdm\)/],
		["--exchange binance --out d --timeframes 5m", /5m cannot be recorded/],
		["--exchange binance --out d --since soon", /--since soon is no time/],
		["--exchange binance --out d --since 2026-02-01 --until 2026-01-01", /not before/],
		["--exchange binance --out d --symbols ,", /names nothing/],
		["--exchange binance --out d --force", /--force/],
	];
	for (const [line, pattern] of wrong) {
		assert.throws(
			() => recordOptions(line.split(" ")),
			(error: unknown) => error instanceof RecordUsageError && pattern.test(error.message),
			line,
		);
	}
});

test.run();
