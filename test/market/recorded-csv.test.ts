import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseBars, parseCsv, parseNumber } from "../../src/market/recorded-csv.ts";

const test = suite("market/recorded-csv");
const HOUR = 3_600_000;
const bars = (...rows: string[]) =>
	parseBars(Buffer.from(["open_time,open,high,low,close,volume", ...rows].join("\n")), "X.csv", HOUR);

test("numbers are read exactly as Number() reads them", () => {
	const number = (text: string) => parseNumber(Buffer.from(`x${text}x`), 1, 1 + text.length);
	fc.assert(
		fc.property(fc.double({ noNaN: true }), (value) => assert.is(number(String(value)), value)),
		{ numRuns: 300 },
	);
	fc.assert(
		fc.property(fc.nat(1e9), fc.nat(8), (digits, decimals) => {
			const text = (digits / 10 ** decimals).toFixed(decimals);
			assert.is(number(text), Number(text));
		}),
	);
	for (const text of [
		"0.1",
		"4.805e-05",
		"-6.92e-05",
		"123456789012345678901",
		"0.00000000000000000000001",
		"00012",
		"5.",
	])
		assert.is(number(text), Number(text));
	for (const text of ["", ".", "abc", "1.2.3", "1,2"]) assert.ok(Number.isNaN(number(text)), text);
});

test("rows may come unsorted, repeated, with CRLF and without a last line break", () => {
	const read = bars(`${2 * HOUR},1,2,1,2,5\r`, `${HOUR},1,2,1,2,6\r`, `${2 * HOUR},9,9,9,9,9\r`, "");
	assert.equal([...read.open_time], [HOUR, 2 * HOUR]);
	assert.equal([...read.volume], [6, 5]);
	assert.is(read.duplicates, 1);
	assert.is(read.quote_volume[1], 5 * 1.5);
});

test("columns are found by name and the true quote volume is preferred", () => {
	const text = `quote_volume,close,open,low,high,volume,open_time\n77,2,1,1,2,3,${HOUR}\n`;
	assert.is(parseBars(Buffer.from(text), "X.csv", HOUR).quote_volume[0], 77);
});

test("a file with only a header has no bars", () => {
	assert.is(bars().length, 0);
});

test("what cannot be a candle is refused with file and line", () => {
	assert.throws(() => bars(`${HOUR},1,2,1,2,5`, `${2 * HOUR},1,2,1,oops,5`), /^X\.csv: line 3: 'oops' is not a number/);
	assert.throws(() => bars(`${HOUR},1,2,1,2`), /line 2: 5 fields where the header has 6/);
	assert.throws(() => bars(`${HOUR},1,2,1,2,5,6`), /line 2: 7 fields/);
	assert.throws(() => bars(`${HOUR},1,2,3,2,5`), /line 2: not a candle/);
	assert.throws(() => bars(`${HOUR},0,2,0,2,5`), /not a candle/);
	assert.throws(() => bars(`${HOUR},1,2,1,2,-5`), /not a candle/);
	assert.throws(() => bars(`${HOUR + 1},1,2,1,2,5`), /does not lie on the 3600000 ms grid/);
	assert.throws(
		() => parseCsv(Buffer.from("a,b\n1,2"), "Y.csv", [{ name: "c", kind: "number" }]),
		/Y\.csv: column 'c' is missing/,
	);
	assert.throws(
		() => parseCsv(Buffer.from(""), "Z.csv", [{ name: "c", kind: "number" }]),
		/Z\.csv: column 'c' is missing/,
	);
});

test.run();
