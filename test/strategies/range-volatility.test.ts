import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { at, type Column, last } from "../../src/strategies/columns.ts";
import {
	closeVolatility,
	garmanKlassVolatility,
	parkinsonVolatility,
	rogersSatchellVolatility,
	yangZhangVolatility,
} from "../../src/strategies/indicators/range-volatility.ts";
import { ewmaVolatility } from "../../src/strategies/squeeze-rule.ts";
import { recordedSpotDaily, sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { randomWalk } from "../support/synthetic-market.ts";

const test = suite("volatility from ranges");
const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);

test("a walk of known volatility: every estimator finds it, ranges with their discreteness", () => {
	const sigma = 0.03 * Math.sqrt(365);
	const walk = randomWalk("X/USDT", 3000, 5, 0.03);
	near(last(closeVolatility(walk.close, 2900)) / sigma, 1, 0.05, "close");
	// Twelve steps a day miss part of the range, so that ranges read low.
	for (const estimate of [parkinsonVolatility, garmanKlassVolatility, rogersSatchellVolatility, yangZhangVolatility]) {
		const ratio = last(estimate(walk, 2900)) / sigma;
		assert.ok(ratio > 0.7 && ratio < 1.02, `${estimate.name}: ${ratio}`);
	}
});

test("flat prices have no volatility; too few bars are unknown", () => {
	const flat = new Float64Array(40).fill(7);
	const candles = { open: flat, high: flat, low: flat, close: flat };
	for (const column of [closeVolatility(flat, 30), yangZhangVolatility(candles, 30), ewmaVolatility(flat)]) {
		assert.is(last(column), 0);
		assert.ok(Number.isNaN(at(column, 0)));
	}
});

test("the forecast weighs the newest return with six percent", () => {
	const close = Float64Array.from({ length: 400 }, (_, t) => (t < 399 ? 100 : 110));
	near(last(ewmaVolatility(close)), Math.sqrt(0.06) * Math.log(1.1), 1e-9, "after one leap");
});

if (!sharedRoot) skipAloud("published volatility series");
else {
	const [header = "", ...lines] = readFileSync(join(sharedRoot, "reference/ttr_btcusdt_1d.csv"), "utf8")
		.trim()
		.split("\n");
	const names = header.split(",");
	const published = (name: string): (number | null)[] =>
		lines
			.map((line) => line.split(",")[names.indexOf(name)])
			.map((cell) => (cell === undefined || cell === "NA" ? null : Number(cell)));

	test("TTR on BTCUSDT: close, Parkinson, Garman-Klass, Rogers-Satchell, Yang-Zhang", () => {
		const btc = recordedSpotDaily().find((series) => series.symbol === "BTC/USDT");
		assert.ok(btc);
		const tail = {
			open: btc.open.slice(-400),
			high: btc.high.slice(-400),
			low: btc.low.slice(-400),
			close: btc.close.slice(-400),
		};
		const compare = (found: Column, name: string) => {
			let compared = 0;
			published(name).forEach((value, i) => {
				if (value === null) return;
				near(at(found, i) / value, 1, 1e-6, `${name}[${i}]`);
				compared++;
			});
			assert.ok(compared > 360, `${name}: only ${compared} values`);
		};
		compare(closeVolatility(tail.close, 30), "vol_close");
		compare(parkinsonVolatility(tail, 30), "vol_park");
		compare(garmanKlassVolatility(tail, 30), "vol_gk");
		compare(rogersSatchellVolatility(tail, 30), "vol_rs");
		compare(yangZhangVolatility(tail, 30), "vol_yz");
	});
}

test.run();
