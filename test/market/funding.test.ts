import { suite } from "uvu";
import * as assert from "uvu/assert";
import { buildFundingColumns, fundingIntervalHours, mergeFunding } from "../../src/market/funding.ts";
import { fundingUpTo } from "../../src/market/series.ts";

const test = suite("market/funding");
const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

test("times are rounded to the hour, so late stamps make no second settlement", () => {
	const columns = buildFundingColumns([
		{ time: START + 8 * HOUR + 5, rate: 0.0002 },
		{ time: START + 1, rate: 0.0001 },
		{ time: START + 8 * HOUR - 3, rate: 0.5 },
	]);
	assert.equal([...columns.funding_time], [START, START + 8 * HOUR]);
	assert.equal([...columns.rate_e8], [10_000, 20_000]);
});

test("rates are integers of 1e-8: nine times 1 bp is exactly the threshold", () => {
	const columns = buildFundingColumns(
		Array.from({ length: 9 }, (_, i) => ({ time: START + i * 8 * HOUR, rate: 0.0001 })),
	);
	assert.is(columns.rate_e8.reduce((a, b) => a + b) / 9, 10_000);
	assert.is(buildFundingColumns([{ time: START, rate: -0.00012345 }]).rate_e8[0], -12_345);
});

test("the interval is the most frequent spacing seen by as_of", () => {
	const every8 = Array.from({ length: 10 }, (_, i) => ({ time: START + i * 8 * HOUR, rate: 0 }));
	const then4 = Array.from({ length: 30 }, (_, i) => ({ time: START + 72 * HOUR + (i + 1) * 4 * HOUR, rate: 0 }));
	const columns = buildFundingColumns([...every8, ...then4]);
	assert.is(fundingIntervalHours(columns, START + 72 * HOUR), 8);
	assert.is(fundingIntervalHours(columns, START + 400 * HOUR), 4);
	assert.is(fundingIntervalHours(columns, START), null);
	assert.is(fundingUpTo(columns, { symbol: "A", venue: "v" }, 8, START + 16 * HOUR).length, 3);
});

test("merging two sources keeps one settlement an hour", () => {
	const recent = buildFundingColumns([
		{ time: START + 8 * HOUR, rate: 2e-8 },
		{ time: START + 16 * HOUR, rate: 3e-8 },
	]);
	const long = buildFundingColumns([
		{ time: START, rate: 1e-8 },
		{ time: START + 8 * HOUR, rate: 9e-8 },
	]);
	assert.equal([...mergeFunding(recent, long).rate_e8], [1, 2, 3]);
});

test.run();
