import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { at } from "../../src/strategies/columns.ts";
import { errorCorrection, varianceRatio } from "../../src/strategies/indicators/persistence.ts";
import { engleGranger } from "../../src/strategies/statistics/cointegration.ts";
import { discoveries } from "../../src/strategies/statistics/false-discovery.ts";
import { dot, leastSquares } from "../../src/strategies/statistics/least-squares.ts";
import { mackinnonCritical, mackinnonP, type Trend } from "../../src/strategies/statistics/mackinnon.ts";
import { fitPair, legOf } from "../../src/strategies/statistics/pair-fit.ts";
import { principalFactors } from "../../src/strategies/statistics/principal-factors.ts";
import { residualScore } from "../../src/strategies/statistics/residual-score.ts";
import { autoregressiveHalfLife, chanHalfLife } from "../../src/strategies/statistics/reversion.ts";
import { RollingCovariance } from "../../src/strategies/statistics/rolling-covariance.ts";
import { dickeyFuller, dickeyFullerTau } from "../../src/strategies/statistics/unit-root.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { gaussian } from "../support/synthetic-market.ts";

const test = suite("statistics");

const near = (actual: number, expected: number, tolerance: number, what: string): void =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} against ${expected}`);
const reference = <T>(name: string): T =>
	JSON.parse(readFileSync(join(sharedRoot ?? "", "reference", name), "utf8")) as T;

/** Linear congruential generator of the reference; normals are sums of twelve uniforms less 6. */
function referenceNormals(seed: number): () => number {
	let state = seed;
	return () => {
		let sum = -6;
		for (let i = 0; i < 12; i++) {
			state = (1664525 * state + 1013904223) % 4294967296;
			sum += state / 4294967296;
		}
		return sum;
	};
}

/** `start` then y(t) = phi y(t-1) + e. */
function autoregression(phi: number, bars: number, next: () => number): Float64Array {
	const values = new Float64Array(bars);
	for (let t = 1; t < bars; t++) values[t] = phi * at(values, t - 1) + next();
	return values;
}

test("least squares: a line by hand, residuals orthogonal to every regressor, no digit lost to a large level", () => {
	const line = leastSquares(Float64Array.from([1, 3, 2, 5]), [Float64Array.from([0, 1, 2, 3])], true);
	near(line.intercept ?? 0, 1.1, 1e-12, "intercept");
	near(at(line.slopes, 0), 1.1, 1e-12, "slope");
	near(line.r2, 6.05 / 8.75, 1e-12, "R2");
	near(line.residualVariance, 1.35, 1e-12, "variance");
	const normal = gaussian(3);
	const columns = [0, 1, 2].map((k) => Float64Array.from({ length: 60 }, () => 1e6 * k + normal()));
	const y = (columns[2] ?? new Float64Array()).map((value) => 5 + 2 * value + normal());
	const fit = leastSquares(y, columns, true);
	near(at(fit.slopes, 2), 2, 0.5, "planted slope");
	for (const column of columns) near(dot(fit.residuals, column) / 1e6, 0, 1e-6, "cross product");
	assert.throws(() => leastSquares(y, [new Float64Array(3)], true), /3 values, not 60/);
	assert.ok(Number.isNaN(at(leastSquares(y, [columns[0] ?? y, columns[0] ?? y], true).slopes, 1)), "collinear");
});

test("Benjamini-Hochberg: the example by hand, step-up, ties and the order of tests", () => {
	const p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06];
	assert.equal(discoveries(p, 0.05), [true, true, false, false, false, false]);
	assert.equal(discoveries([0.04, 0.03, 0.02], 0.04), [true, true, true], "the largest k takes all before it along");
	assert.equal(discoveries([0.5, Number.NaN, 0.001], 0.1), [false, false, true]);
	assert.equal(discoveries([], 0.1), []);
	fc.assert(
		fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (values) => {
			const straight = discoveries(values, 0.1);
			assert.equal(discoveries([...values].reverse(), 0.1).reverse(), straight);
		}),
		{ numRuns: 50, seed: 1 },
	);
});

test("principal components of three assets by hand", () => {
	// One common correlation r: eigenvalues 1+2r, 1-r, 1-r and the first vector is (1,1,1)/sqrt 3.
	const r = 0.4;
	const one = principalFactors(Float64Array.from([1, r, r, r, 1, r, r, r, 1]), 3, {
		varianceShare: 0.55,
		factorsMax: 3,
	});
	const all = principalFactors(Float64Array.from([1, r, r, r, 1, r, r, r, 1]), 3, { varianceShare: 2, factorsMax: 3 });
	[1.8 / 3, 0.6 / 3, 0.6 / 3].forEach((share, k) => {
		near(all.shares[k] ?? 0, share, 1e-12, `share ${k}`);
	});
	assert.is(one.vectors.length, 1, "the first explains 60 %");
	near(one.shares[0] ?? 0, 0.6, 1e-12, "its share");
	for (const value of one.vectors[0] ?? []) near(value, 1 / Math.sqrt(3), 1e-12, "loading");
	// A pair and a loner: 1.8, 1 and 0.2; the second component is the loner.
	const two = principalFactors(Float64Array.from([1, 0.8, 0, 0.8, 1, 0, 0, 0, 1]), 3, {
		varianceShare: 0.9,
		factorsMax: 2,
	});
	assert.is(two.vectors.length, 2);
	near(at(two.vectors[1] ?? new Float64Array(), 2), 1, 1e-12, "the loner");
});

test("rolling sums give the correlation of the window, however far it has moved", () => {
	const normal = gaussian(8);
	const columns = Array.from({ length: 4 }, () => Float64Array.from({ length: 200 }, () => 0.03 * normal()));
	const rolling = new RollingCovariance(columns, 50, 0);
	while (rolling.row < 180) rolling.advance();
	const fresh = new RollingCovariance(columns, 50, 131);
	assert.is(fresh.row, 180);
	const [a, b] = [rolling.standardised(), fresh.standardised()];
	b.correlation.forEach((value, i) => {
		near(at(a.correlation, i), value, 1e-10, "correlation");
	});
	const first = columns[0]?.subarray(131, 181) ?? new Float64Array();
	const mean = first.reduce((sum, value) => sum + value, 0) / 50;
	near(at(b.deviations, 0), Math.sqrt(first.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 49), 1e-12, "deviation");
});

test("half-lives: exact and Chan's", () => {
	near(autoregressiveHalfLife(0.9), 6.578813478960585, 1e-9, "exact .9");
	near(autoregressiveHalfLife(0.98), 34.309618491520645, 1e-9, "exact .98");
	near(chanHalfLife(-0.1), 6.931471805599452, 1e-9, "Chan .9");
	assert.equal(
		[chanHalfLife(0.01), autoregressiveHalfLife(1.01)],
		[Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
	);
});

test("the score of an AR(1) residual finds its coefficient and its distance from the centre", () => {
	const level = autoregression(0.9, 4000, gaussian(5));
	const steps = level.subarray(1).map((value, t) => value - at(level, t));
	const score = residualScore(steps);
	near(score.b, 0.9, 0.02, "b");
	near(score.halfLife, 6.58, 1.5, "half-life");
	near(score.deviation, 1 / Math.sqrt(1 - 0.81), 0.15, "deviation");
	const end = at(level, level.length - 1);
	// X ends where the level ends, up to its start, so the score is the level's distance from its mean.
	const drift = steps.reduce((sum, value) => sum + value, 0);
	near(score.s * score.deviation + score.centre, 0, 1e-9, "s");
	near(score.centre - drift, -end, 0.6, "centre");
});

test("the fast pair fit is Engle-Granger in both directions, and does not care which leg comes first", () => {
	for (let seed = 1; seed <= 20; seed++) {
		const normal = gaussian(seed);
		const x = autoregression(1, 365, () => 0.04 * normal());
		const e = autoregression(0.9, 365, () => 0.03 * normal());
		const y = x.map((value, t) => 3 + 0.7 * value + at(e, t));
		const [a, b] = [legOf(x), legOf(y)];
		const [fit, turned] = [fitPair(a, b), fitPair(b, a)];
		const both = [engleGranger(x, y, { trend: "c", lags: 1 }), engleGranger(y, x, { trend: "c", lags: 1 })] as const;
		const best = both[1].tau < both[0].tau ? both[1] : both[0];
		assert.is(fit.flipped, best === both[1]);
		near(fit.tau, best.tau, 1e-8, "tau");
		near(fit.p, best.p, 1e-9, "p");
		near(fit.slope, best.slope, 1e-10, "slope");
		near(fit.intercept, best.intercept, 1e-10, "intercept");
		near(fit.deviation, Math.sqrt(dot(best.residuals, best.residuals) / 364), 1e-10, "deviation");
		near(fit.z * fit.deviation, at(best.residuals, 364), 1e-10, "z");
		const { tau } = dickeyFullerTau(best.residuals, "n", 1);
		near(fit.tau, tau, 1e-8, "tau of residuals");
		const before = best.residuals.subarray(0, 364);
		const change = before.map((value, t) => at(best.residuals, t + 1) - value);
		near(fit.halfLife, -Math.LN2 / (dot(before, change) / dot(before, before)), 1e-7, "half-life");
		near(turned.tau, fit.tau, 1e-10, "turned tau");
		assert.is(turned.flipped, !fit.flipped);
		near(turned.correlation, fit.correlation, 1e-12, "correlation");
	}
});

interface UnitRoots {
	adf_cases: {
		series: "realgdp" | "infl";
		regression: Trend;
		lags: number;
		stat: number;
		pvalue: number | null;
		verified_p: number;
		nobs: number;
		crit: number[];
	}[];
	engle_granger_cases: {
		trend: "c" | "ct";
		y: number;
		x: number[];
		maxlag: number;
		coint_t: number;
		pvalue: number;
		crit_1_5_10: number[];
	}[];
	coint_realcons_realgdp: { coint_t: number; pvalue: number };
	mackinnonp_checks: { stat: number; N: number; reg: Trend; p: number }[];
	mackinnoncrit_checks: { N: number; reg: Trend; nobs: number; crit: number[] }[];
	data: { realgdp: number[]; infl: number[]; realcons: number[]; egranger_Y: number[][] };
}

if (!sharedRoot) skipAloud("published unit root and cointegration numbers");
else {
	const published = reference<UnitRoots>("adf_engle_granger.json");
	const critical = (found: readonly number[], expected: readonly number[], what: string) =>
		expected.forEach((value, i) => {
			near(found[i] ?? 0, value, 6e-7, `${what}: critical value ${i}`);
		});

	test("augmented Dickey-Fuller without terms, with a constant, with a trend", () => {
		assert.is(published.adf_cases.length, 6);
		for (const { series, regression, lags, stat, pvalue, verified_p, nobs, crit } of published.adf_cases) {
			const what = `${series} ${regression} ${lags}`;
			const found = dickeyFuller(Float64Array.from(published.data[series]), regression, lags);
			near(found.tau, stat, 1e-5, what);
			near(found.p, pvalue ?? verified_p, 1e-5, `${what}: p`);
			assert.is(found.observations, nobs, what);
			critical(found.critical, crit, what);
		}
	});

	test("Engle-Granger of two series", () => {
		const column = (i: number) => Float64Array.from(published.data.egranger_Y, (row) => row[i] ?? Number.NaN);
		const cases = published.engle_granger_cases.filter(({ x }) => x.length === 1);
		assert.is(cases.length, 2);
		for (const { trend, y, x, maxlag, coint_t, pvalue, crit_1_5_10 } of cases) {
			const found = engleGranger(column(y), column(x[0] ?? 0), { trend, lags: maxlag });
			near(found.tau, coint_t, 1e-5, trend);
			near(found.p, pvalue, 1e-5, `${trend}: p`);
			critical(found.critical, crit_1_5_10, trend);
		}
		const { realcons, realgdp } = published.data;
		const macro = engleGranger(Float64Array.from(realcons), Float64Array.from(realgdp), { trend: "c", lags: 0 });
		near(macro.tau, published.coint_realcons_realgdp.coint_t, 1e-5, "consumption on product");
		near(macro.p, published.coint_realcons_realgdp.pvalue, 1e-5, "consumption on product: p");
	});

	test("MacKinnon's p-values and critical values", () => {
		for (const { stat, N, reg, p } of published.mackinnonp_checks)
			near(mackinnonP(stat, reg, N), p, 1e-5, `${stat} ${reg} ${N}`);
		for (const { N, reg, nobs, crit } of published.mackinnoncrit_checks)
			critical(mackinnonCritical(reg, N, nobs), crit, `${reg} ${N} ${nobs}`);
		assert.equal([mackinnonP(5, "c", 2), mackinnonP(-40, "c", 2)], [1, 0]);
		assert.throws(() => mackinnonP(-3, "c", 3), /no response surface for 3 series/);
	});

	test("AR(1) and random walk of the reference", () => {
		type Numbers = { first5: number[]; last: number; vr2: number; vr8: number } & Record<string, number>;
		const golden = reference<{
			analytic: { phi: number; half_life_exact: number; half_life_chan: number }[];
			ar1: Numbers;
			random_walk: Numbers;
		}>("half_life_ou.json");
		const next = referenceNormals(42);
		// The first draw belongs to index 0, which starts at 0 all the same.
		next();
		const ar1 = autoregression(0.9, 1000, next);
		golden.ar1.first5.forEach((value, t) => {
			near(at(ar1, t), value, 1e-9, `value ${t}`);
		});
		near(at(ar1, 999), golden.ar1.last, 1e-9, "last value");
		near(varianceRatio(ar1, 2), golden.ar1.vr2, 1e-9, "VR(2)");
		near(varianceRatio(ar1, 8), golden.ar1.vr8, 1e-9, "VR(8)");
		const { a, b } = errorCorrection(ar1);
		near(a, golden.ar1.ols_a ?? 0, 1e-9, "a");
		near(b, golden.ar1.ols_b ?? 0, 1e-9, "b");
		near(chanHalfLife(b), golden.ar1.half_life_chan ?? 0, 1e-9, "Chan");
		near(autoregressiveHalfLife(1 + b), golden.ar1.half_life_exact ?? 0, 1e-9, "exact");
		const test1 = dickeyFuller(ar1, "c", 1);
		near(test1.tau, golden.ar1.adf_c_lag1_stat ?? 0, 1e-9, "tau");
		near(test1.p, golden.ar1.adf_p ?? 0, 1e-14, "p");
		const draw = referenceNormals(7);
		const walk = new Float64Array(1024);
		let level = 0;
		for (let t = 0; t < walk.length; t++) {
			level += draw();
			walk[t] = level;
		}
		golden.random_walk.first5.forEach((value, t) => {
			near(at(walk, t), value, 1e-9, `walk ${t}`);
		});
		near(at(walk, 1023), golden.random_walk.last, 1e-9, "end of the walk");
		near(varianceRatio(walk, 2), golden.random_walk.vr2, 1e-9, "walk VR(2)");
		near(varianceRatio(walk, 8), golden.random_walk.vr8, 1e-9, "walk VR(8)");
		for (const { phi, half_life_exact, half_life_chan } of golden.analytic) {
			near(autoregressiveHalfLife(phi), half_life_exact, 1e-9, `exact ${phi}`);
			near(chanHalfLife(phi - 1), half_life_chan, 1e-9, `Chan ${phi}`);
		}
		near(dickeyFuller(walk, "c", 1).tau, golden.random_walk.adf_c_lag1_stat ?? 0, 1e-9, "random walk");
	});
}

test.run();
