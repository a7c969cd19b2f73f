import fc from "fast-check";
import { Matrix, solve } from "ml-matrix";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { logReturns } from "../../src/strategies/indicators/volatility.ts";
import { edgeOf, fires, PREMIUM_RULES, percentileAt } from "../../src/strategies/options/premium-rules.ts";
import {
	ewmaVariance,
	forecastBarsMin,
	harVariance,
	volatilityForecast,
} from "../../src/strategies/options/volatility-forecast.ts";
import { gaussian, randomWalk } from "../support/synthetic-market.ts";

const test = suite("volatility forecast");
const near = (actual: number, expected: number, tolerance: number) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
const squaresOf = (close: Float64Array) => logReturns(close).map((value) => value * value);

test("the exponential mean weighs the newest day with 0.06 once it is warm", () => {
	const squares = squaresOf(randomWalk("X/USDT", 400, 1).close);
	const ewma = ewmaVariance(squares);
	assert.ok(Number.isNaN(ewma[59]) && !Number.isNaN(ewma[60]));
	near(ewma[399] ?? 0, 0.94 * (ewma[398] ?? 0) + 0.06 * (squares[399] ?? 0), 1e-12);
	near(ewmaVariance(new Float64Array(200).fill(0.0004))[199] ?? 0, 0.0004, 1e-18);
});

test("HAR is the least squares fit over the windows that have ended", () => {
	const horizon = 14;
	const squares = squaresOf(randomWalk("X/USDT", 500, 2).close);
	const mean = (from: number, until: number) =>
		squares.subarray(from, until).reduce((sum, value) => sum + value, 0) / (until - from);
	const features = (t: number) => [1, squares[t] ?? 0, mean(t - 4, t + 1), mean(t - 21, t + 1)];
	const begun = Array.from({ length: 500 - horizon - 22 }, (_, i) => 22 + i);
	const weights = solve(
		new Matrix(begun.map(features)),
		Matrix.columnVector(begun.map((t) => mean(t + 1, t + 1 + horizon))),
		true,
	).to1DArray();
	const expected = features(499).reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0);
	near((harVariance(squares, horizon)[499] ?? 0) / expected, 1, 1e-6);
});

test("no forecast knows a later close", () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 150, max: 398 }), (seed, t) => {
			const { close } = randomWalk("X/USDT", 400, seed);
			const [whole, short] = [volatilityForecast(close, 14), volatilityForecast(close.slice(0, t + 1), 14)];
			assert.equal([...short], [...whole.subarray(0, t + 1)]);
		}),
		{ numRuns: 30, seed: 1 },
	);
});

test("it finds a constant volatility, starts where it says, and ignores the scale of prices", () => {
	const normal = gaussian(5);
	let log = 0;
	const close = Float64Array.from({ length: 3000 }, () => {
		log += 0.03 * normal();
		return Math.exp(log);
	});
	const forecast = volatilityForecast(close, 14);
	const tail = forecast.subarray(500);
	near(tail.reduce((sum, value) => sum + value, 0) / tail.length / (0.03 * Math.sqrt(365)), 1, 0.05);
	const first = forecast.findIndex((value) => !Number.isNaN(value));
	assert.is(first + 1, forecastBarsMin(14));
	const scaled = volatilityForecast(
		close.map((value) => value * 1000),
		14,
	);
	near(scaled.at(-1) ?? 0, forecast.at(-1) ?? 1, 1e-9);
});

test("premium is bought five points below the forecast, sold five above it in the dear quarter", () => {
	const { straddle, iron_condor } = PREMIUM_RULES;
	const cheap = { bid: 0.48, ask: 0.5, forecast: 0.551, percentile: 0.1 };
	assert.ok(fires(straddle, cheap) && !fires(iron_condor, cheap));
	near(edgeOf(straddle, cheap), 0.051, 1e-12);
	assert.not.ok(fires(straddle, { ...cheap, forecast: 0.5499 }));
	const dear = { bid: 0.6, ask: 0.62, forecast: 0.54, percentile: 0.8 };
	assert.ok(fires(iron_condor, dear) && !fires(straddle, dear));
	assert.not.ok(fires(iron_condor, { ...dear, percentile: 0.75 }));
	assert.ok(fires(iron_condor, { ...dear, percentile: null }), "without a history only the distance counts");
	assert.not.ok(fires(iron_condor, { ...dear, forecast: Number.NaN }));
	const history = Float64Array.from({ length: 400 }, (_, i) => i);
	assert.is(percentileAt(history, 50, 1), null, "51 days are no history");
	assert.is(percentileAt(history, 399, 34), 0, "only the last year counts");
	assert.is(percentileAt(history, 399, 399), 1);
});

test.run();
