import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { at, type Column } from "../../src/strategies/columns.ts";
import { exponentialMean, populationDeviation, simpleMean } from "../../src/strategies/indicators/averages.ts";
import { highestBefore, lowestBefore } from "../../src/strategies/indicators/channel.ts";
import { trueRange, wilderRange } from "../../src/strategies/indicators/range.ts";
import { wilderRsi } from "../../src/strategies/indicators/rsi.ts";
import { varianceOf } from "../../src/strategies/risk/covariance.ts";
import { leastSquares } from "../../src/strategies/statistics/least-squares.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";

const test = suite("indicators against Achelis and Tulip");
const reference = (name: string): string => readFileSync(join(sharedRoot ?? "", "reference", name), "utf8");
const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);

interface TulipCase {
	name: string;
	options: number[];
	inputs: number[][];
	outputs: number[][];
	source: string;
}

/** The printed values of Achelis hold to half of their last digit, those of the C library to 5e-4. */
function toleranceOf({ source, outputs }: TulipCase): number {
	if (!source.includes("atoz")) return 5e-4;
	const digits = Math.max(...outputs.flat().map((value) => String(value).split(".")[1]?.length ?? 0));
	return 0.5 * 10 ** -digits + 1e-12;
}

/** One column by case of `inputs` (high, low, close as far as there are) and the period; aligned on the last value. */
type Tulip = (inputs: Column[], period: number, one: TulipCase) => Column;

const candlesOf = ([high, low, close]: Column[]) => ({
	high: high ?? new Float64Array(),
	low: low ?? new Float64Array(),
	close: close ?? new Float64Array(),
});

/**
 * Tulip seeds the exponential mean with the first value and Wilder's range with a bar that has no close before
 * it; ours are seeded with means, as TA-Lib does. Two seeds of one recursion differ by a share that shrinks by
 * (1 - alpha) a bar, so the published series follows from ours and the difference at its first value.
 */
function reseeded(ours: Column, seed: (first: number) => number, alpha: number): Column {
	const first = ours.findIndex((value) => !Number.isNaN(value));
	const difference = seed(first) - at(ours, first);
	return ours.map((value, t) => value + difference * (1 - alpha) ** (t - first));
}

const emaFromFirst = (x: Column, alpha: number) => (first: number) =>
	x.subarray(0, first + 1).reduce((mean, value) => mean + alpha * (value - mean), at(x, 0));
const rangeFromFirst = (range: Column, n: number) => (first: number) => {
	const mean = range.subarray(0, n).reduce((sum, value) => sum + value / n, 0);
	return range.subarray(n, first + 1).reduce((smoothed, value) => smoothed + (value - smoothed) / n, mean);
};

const window = (values: Column, period: number, read: (part: Column) => number): Column =>
	values.map((_, t) => (t < period - 1 ? Number.NaN : read(values.subarray(t - period + 1, t + 1))));
const line = (part: Column) => leastSquares(part, [part.map((_, i) => i + 1)], true);

/** By name of the published indicator, one function a column of it. */
const TULIP: Record<string, Tulip[]> = {
	sma: [([x = new Float64Array()], n) => simpleMean(x, n)],
	ema: [([x = new Float64Array()], n) => reseeded(exponentialMean(x, n), emaFromFirst(x, 2 / (n + 1)), 2 / (n + 1))],
	rsi: [([x = new Float64Array()], n) => wilderRsi(x, n)],
	tr: [(inputs) => trueRange(candlesOf(inputs))],
	atr: [
		(inputs, n) => {
			const candles = candlesOf(inputs);
			return reseeded(wilderRange(candles, n), rangeFromFirst(trueRange(candles), n), 1 / n);
		},
	],
	stddev: [([x = new Float64Array()], n) => populationDeviation(x, n)],
	var: [([x = new Float64Array()], n) => window(x, n, varianceOf)],
	bbands: [-1, 0, 1].map(
		(side): Tulip =>
			([x = new Float64Array()], n, { options }) =>
				simpleMean(x, n).map((mean, t) => mean + side * (options[1] ?? 0) * at(populationDeviation(x, n), t)),
	),
	// Ours ask about the bars BEFORE a bar: what Tulip says of the bar before.
	max: [([x = new Float64Array()], n) => highestBefore(Float64Array.of(...x, 0), n).subarray(1)],
	min: [([x = new Float64Array()], n) => lowestBefore(Float64Array.of(...x, 0), n).subarray(1)],
	linregslope: [([x = new Float64Array()], n) => window(x, n, (part) => at(line(part).slopes, 0))],
	linreg: [
		([x = new Float64Array()], n) =>
			window(x, n, (part) => (line(part).intercept ?? Number.NaN) + n * at(line(part).slopes, 0)),
	],
};

if (!sharedRoot) skipAloud("Tulip's indicators");
else {
	test("Tulip: every indicator that is computed here, on every value of every case", () => {
		const { cases } = JSON.parse(reference("indicators_tulip.json")) as { cases: TulipCase[] };
		for (const [name, columns] of Object.entries(TULIP)) {
			const own = cases.filter((one) => one.name === name);
			assert.ok(own.length > 0, `no case of ${name}`);
			for (const one of own) {
				const inputs = one.inputs.map((values) => Float64Array.from(values));
				columns.forEach((compute, column) => {
					const published = one.outputs[column] ?? [];
					const found = compute(inputs, one.options[0] ?? 0, one);
					let compared = 0;
					published.forEach((value, i) => {
						const t = found.length - published.length + i;
						if (Number.isNaN(at(found, t))) return;
						near(at(found, t), value, toleranceOf(one), `${name} ${one.source.slice(40, 50)} column ${column} at ${i}`);
						compared++;
					});
					assert.ok(compared > 0, `${name}: nothing compared`);
					near(at(found, found.length - 1), published.at(-1) ?? Number.NaN, toleranceOf(one), `${name} last`);
				});
			}
		}
	});
}

test.run();
