import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PERP_FEES, SPOT_FEES } from "../../src/market/fees.ts";
import { fundingRate } from "../../src/market/simulated-funding.ts";
import {
	breakEvenIntervals,
	compoundedApy,
	eightHourRate,
	exceedsThreshold,
	pastWindow,
	simpleApr,
} from "../../src/strategies/funding-rates.ts";
import { fundingOf, sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { settlements } from "../support/settlements.ts";
import { START_MS } from "../support/synthetic-market.ts";

const test = suite("funding rates");
const HOUR = 3_600_000;
const near = (actual: number, expected: number, tolerance = 1e-12) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test("rates add as integers: nine times 1 bp does not exceed, one unit more does", () => {
	const exact = settlements("X", 9, () => 0.0001);
	assert.is(exceedsThreshold(pastWindow(exact, exact.as_of_ms).sumE8), false);
	const more = settlements("X", 9, (i) => (i === 4 ? 0.00010001 : 0.0001));
	assert.is(exceedsThreshold(pastWindow(more, more.as_of_ms).sumE8), true);
});

test("1, 4 and 8 hour contracts of equal yearly pay have equal 8-hour means", () => {
	for (const hours of [1, 4, 8]) {
		const count = 200;
		const funding = fundingOf(
			Array.from({ length: count }, (_, i) => [START_MS + i * hours * HOUR + 7, (0.0004 * hours) / 8] as const),
			"X",
			START_MS + count * hours * HOUR,
		);
		assert.is(funding.interval_hours, hours, "late stamps are rounded to the hour");
		assert.is(pastWindow(funding, funding.as_of_ms).sumE8 / 9, 40_000);
		near(eightHourRate((0.0004 * hours) / 8, hours), 0.0004);
	}
});

if (!sharedRoot) skipAloud("published funding rates");
else {
	const root = sharedRoot;
	test("published annual rates and break-even times", () => {
		const golden = JSON.parse(readFileSync(join(root, "reference/funding_apr.json"), "utf8")) as {
			apr: { rate: number; interval_h: number; apr_simple: number; apy_compounded: number }[];
			fees_assumed: Record<string, number>;
			rates: { premium: number; interest: number; rate: number }[];
			breakeven: { rate: number; interval_h: number; round_trip_cost: number; intervals: number; hours: number }[];
		};
		for (const { rate, interval_h, apr_simple, apy_compounded } of golden.apr) {
			near(simpleApr(rate, interval_h), apr_simple);
			near(compoundedApy(rate, interval_h), apy_compounded);
		}
		for (const { rate, interval_h, round_trip_cost, intervals, hours } of golden.breakeven) {
			near(breakEvenIntervals(round_trip_cost, rate), intervals);
			near(breakEvenIntervals(round_trip_cost, rate) * interval_h, hours);
		}
		assert.is(golden.rates.length, 10);
		for (const { premium, interest, rate } of golden.rates) near(fundingRate(premium, interest, 0.0005), rate);
		const { binance_spot_taker, binance_usdm_taker, binance_usdm_maker } = golden.fees_assumed;
		assert.equal(
			[SPOT_FEES.taker, PERP_FEES.taker, PERP_FEES.maker],
			[binance_spot_taker, binance_usdm_taker, binance_usdm_maker],
		);
	});
}

test.run();
