import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { recalibrationOf } from "../../src/strategies/evidence/recalibration.ts";
import { selectionOf, selectionReport, weeklySharpe } from "../../src/strategies/evidence/selection.ts";
import { createRandom } from "../../src/strategies/random.ts";
import { isotonicBlocks, isotonicFit } from "../../src/strategies/statistics/isotonic.ts";
import { normalDistribution, normalQuantile } from "../../src/strategies/statistics/normal.ts";
import {
	deflatedSharpe,
	expectedMaximumSharpe,
	probabilisticSharpe,
	sharpeSample,
} from "../../src/strategies/statistics/sharpe.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { gaussian } from "../support/synthetic-market.ts";

const test = suite("isotonic regression and deflated Sharpe ratios");
const near = (actual: number, expected: number, tolerance = 1e-9, what = ""): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);

interface Calibration {
	isotonic_pav: { y: number[]; w: number[] | null; out: number[] }[];
	deflated_sharpe: { sr_daily: number; sr0_daily: number; dsr: number; psr_vs_0: number };
}

if (!sharedRoot) skipAloud("published isotonic fits and deflated Sharpe ratio");
else {
	const published = JSON.parse(readFileSync(join(sharedRoot, "reference/calibration.json"), "utf8")) as Calibration;

	test("pool adjacent violators: the published fits", () => {
		assert.is(published.isotonic_pav.length, 3);
		for (const { y, w, out } of published.isotonic_pav) {
			const fit = isotonicFit(y, w ?? undefined);
			assert.is(fit.length, out.length);
			out.forEach((value, i) => {
				near(fit[i] ?? Number.NaN, value, 1e-12, `${y} at ${i}`);
			});
		}
	});

	test("Bailey and Lopez de Prado's example: 100 trials turn 2.5 a year into 0.9004", () => {
		const { sr_daily, sr0_daily, dsr, psr_vs_0 } = published.deflated_sharpe;
		const sample = { observations: 1250, ratio: 2.5 / Math.sqrt(250), skewness: -3, kurtosis: 10 };
		near(sample.ratio, sr_daily, 1e-15, "ratio a day");
		near(expectedMaximumSharpe(100, 0.5 / 250), sr0_daily, 1e-9, "expected maximum");
		near(deflatedSharpe(sample, 100, 0.5 / 250), dsr, 1e-7, "deflated");
		near(probabilisticSharpe(sample, 0), psr_vs_0, 1e-9, "against 0");
	});
}

test("an isotonic fit keeps the mean, never falls, and no nondecreasing sequence is closer", () => {
	const anySample = fc.array(
		fc.record({ y: fc.double({ min: -5, max: 5, noNaN: true }), w: fc.integer({ min: 1, max: 9 }) }),
		{
			minLength: 1,
			maxLength: 30,
		},
	);
	fc.assert(
		fc.property(
			anySample,
			fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 30, maxLength: 30 }),
			(sample, other) => {
				const [y, w] = [sample.map((one) => one.y), sample.map((one) => one.w)];
				const fit = isotonicFit(y, w);
				const total = (values: readonly number[]) => values.reduce((sum, value, i) => sum + value * (w[i] ?? 0), 0);
				near(total(fit), total(y), 1e-9, "weighted sum");
				assert.ok(fit.every((value, i) => i === 0 || value >= (fit[i - 1] ?? 0)));
				const loss = (values: readonly number[]) => total(values.map((value, i) => (value - (y[i] ?? 0)) ** 2));
				const rival = [...other.slice(0, y.length)].sort((a, b) => a - b);
				assert.ok(loss(fit) <= loss(rival) + 1e-9);
				near(total(isotonicFit(fit, w)), total(fit), 1e-9, "again");
			},
		),
		{ numRuns: 200, seed: 5 },
	);
	assert.throws(() => isotonicBlocks([1], [0]), /weight 0 must be positive/);
	assert.equal(isotonicBlocks([]), []);
});

test("quantiles undo the distribution", () => {
	for (const p of [1e-6, 0.01, 0.3, 0.5, 0.9, 1 - 1e-6]) near(normalDistribution(normalQuantile(p)), p, 1e-12, `${p}`);
	near(normalQuantile(0.975), 1.959963984540054, 1e-9);
});

test("a ratio is deflated by trials, short samples and losing tails", () => {
	const sample = { observations: 200, ratio: 0.2, skewness: 0, kurtosis: 3 };
	const dsr = (change: Partial<typeof sample>, trials = 10, variance = 0.01) =>
		deflatedSharpe({ ...sample, ...change }, trials, variance);
	assert.ok(dsr({}, 100) < dsr({}) && dsr({}) < dsr({}, 1));
	assert.ok(dsr({ observations: 50 }) < dsr({}) && dsr({ skewness: -2 }) < dsr({}) && dsr({ kurtosis: 20 }) < dsr({}));
	near(dsr({}, 1, 5), probabilisticSharpe(sample, 0), 1e-15, "one trial");
	assert.throws(() => expectedMaximumSharpe(0, 1), /trials must be a positive integer/);
	assert.is(sharpeSample([0.1]), null);
	assert.is(sharpeSample([0.1, 0.1, 0.1]), null);
	const moments = sharpeSample([1, 2, 3, 6]);
	near(moments?.ratio ?? 0, 3 / Math.sqrt(14 / 3), 1e-12, "ratio");
	near(moments?.skewness ?? 0, 18 / 4 / 3.5 ** 1.5, 1e-12, "skewness");
	near(moments?.kurtosis ?? 0, 98 / 4 / 3.5 ** 2, 1e-12, "kurtosis");
});

test("the best of 50 worthless rules looks real by itself and does not once the other 49 are counted", () => {
	const rules = Array.from({ length: 50 }, (_, i) => {
		const normal = gaussian(1000 + i);
		const sample = sharpeSample(Array.from({ length: 150 }, () => 0.03 * normal()));
		assert.ok(sample);
		return [`rule ${i}`, sample] as const;
	});
	const selection = selectionOf(rules);
	assert.ok(selection && selection.trials === 50);
	const [best] = [...rules].sort((a, b) => b[1].ratio - a[1].ratio);
	assert.ok(best);
	assert.ok(probabilisticSharpe(best[1], 0) > 0.97, `${probabilisticSharpe(best[1], 0)}`);
	assert.ok((selection.deflated[best[0]] ?? 1) < 0.9, `${selection.deflated[best[0]]}`);
	assert.is(selectionOf(rules.slice(0, 1)), null, "nothing was chosen");
	assert.is(selectionOf([["a", null], ...rules.slice(0, 1)]), null);
	assert.is(selectionOf([["a", null], ...rules.slice(0, 2)])?.trials, 3, "a rule without trades was tried too");
	assert.is(selectionReport([["a", { sharpe: null }]]), null);
});

test("weeks count once, however many trades they held", () => {
	const trade = (week: number, net: number) => ({
		symbol: "A/USDT",
		signalTime: week * 7 * 86_400_000,
		exitTime: (week + 1) * 7 * 86_400_000,
		net,
		r: net,
		holdBars: 7,
	});
	const once = weeklySharpe([trade(0, 0.1), trade(1, -0.05), trade(2, 0.2)]);
	const often = weeklySharpe([trade(0, 0.1), ...Array.from({ length: 40 }, () => trade(1, -0.05)), trade(2, 0.2)]);
	near(once?.ratio ?? 0, often?.ratio ?? 1, 1e-12);
	assert.is(often?.observations, 3);
	assert.is(weeklySharpe([trade(4, 0.1)]), null);
});

test("recalibration: true probabilities have nothing to save, shouted ones have, constant ones tell nothing apart", () => {
	const random = createRandom(4);
	const forecasts = (said: (p: number) => number) =>
		Array.from({ length: 4000 }, (_, i) => {
			const p = 0.3 + 0.4 * random();
			return { p: said(p), pool: 0.5, won: (random() < p ? 1 : 0) as 0 | 1, atMs: i };
		});
	const honest = recalibrationOf(forecasts((p) => p));
	const loud = recalibrationOf(forecasts(() => 0.8));
	assert.ok(honest && loud);
	assert.ok(honest.miscalibration < 0.004 && honest.discrimination > 0.008, JSON.stringify({ ...honest, curve: [] }));
	assert.ok(loud.miscalibration > 0.07, `${loud.miscalibration}`);
	near(loud.discrimination, 0, 1e-12, "a constant");
	assert.is(loud.curve.length, 1, "equal forecasts are one");
	assert.is(recalibrationOf([]), null);
});

test.run();
