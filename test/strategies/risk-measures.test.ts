import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { meanOf } from "../../src/strategies/evidence/trades.ts";
import {
	ewmaVariance,
	quadratic,
	riskCovariance,
	shrunkCorrelation,
	times,
	varianceOf,
} from "../../src/strategies/risk/covariance.ts";
import { keepForRiskShare, RISK_LIMITS } from "../../src/strategies/risk/limits.ts";
import {
	cornishFisherVar,
	effectiveNumber,
	historicalTail,
	maxDrawdown,
	overlapping,
	riskShares,
	stressedVariance,
} from "../../src/strategies/risk/measures.ts";
import { sharpeSample } from "../../src/strategies/statistics/sharpe.ts";
import { recordedSpotDaily, sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { gaussian } from "../support/synthetic-market.ts";

const test = suite("risk measures");
const near = (actual: number, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test("risk shares sum to one; Cornish-Fisher equals the normal VaR without skew and kurtosis", () => {
	const covariance = [
		[0.04, 0.01, 0],
		[0.01, 0.09, 0.02],
		[0, 0.02, 0.01],
	];
	const shares = riskShares([0.3, 0.2, 0.5], times(covariance, [0.3, 0.2, 0.5]));
	near(
		shares.reduce((sum, share) => sum + share, 0),
		1,
	);
	near(effectiveNumber([0.5, 0.5]), 2);
	near(effectiveNumber([0.5, -0.5]), 2);
	// Three-point distribution with the kurtosis of the normal one.
	const symmetric = Float64Array.from([Math.sqrt(3), -Math.sqrt(3), 0, 0, 0, 0]);
	near(cornishFisherVar(symmetric), 1.6448536269514722, 1e-9);
	assert.equal([...overlapping(Float64Array.from([1, 2, 3, 4]), 2)], [3, 5, 7]);
});

test("shrinkage: unrelated series go to the identity, the intensity falls with the sample", () => {
	const columns = (length: number) => [1, 2, 3, 4].map((seed) => Float64Array.from({ length }, gaussian(seed)));
	const linked = (length: number) => {
		const [first = new Float64Array(0), ...rest] = columns(length);
		return [first, ...rest.map((column) => column.map((value, i) => 0.5 * value + (first[i] ?? 0)))];
	};
	const [short, long] = [shrunkCorrelation(linked(60)), shrunkCorrelation(linked(2000))];
	assert.ok(short.intensity > long.intensity && long.intensity > 0 && short.intensity < 1);
	assert.ok(shrunkCorrelation(columns(200)).intensity > 0.5);
	near(ewmaVariance(Float64Array.from([0.01, -0.01, 0.01])), 1e-4, 1e-15);
});

/** Ledoit and Wolf's formula as it is printed, entry by entry and day by day. */
function writtenOut(columns: readonly Float64Array[]): { matrix: number[][]; intensity: number } {
	const periods = columns[0]?.length ?? 0;
	const standard = columns.map((column) => {
		const [mean, deviation] = [meanOf(column), Math.sqrt(varianceOf(column))];
		return column.map((value) => (deviation > 0 ? (value - mean) / deviation : 0));
	});
	const products = (a: Float64Array, b: Float64Array) => a.map((value, t) => value * (b[t] ?? Number.NaN));
	const sample = standard.map((a) => standard.map((b) => meanOf(products(a, b))));
	let [distance, noise] = [0, 0];
	for (const [i, a] of standard.entries())
		for (const [j, b] of standard.entries()) {
			const s = sample[i]?.[j] ?? Number.NaN;
			distance += (s - (i === j ? 1 : 0)) ** 2;
			noise += products(a, b).reduce((sum, value) => sum + (value - s) ** 2, 0) / periods ** 2;
		}
	const intensity = distance > 0 ? Math.min(1, noise / distance) : 1;
	return { intensity, matrix: sample.map((row, i) => row.map((s, j) => (i === j ? 1 : (1 - intensity) * s))) };
}

test("a covariance that is never written out says what the written one does", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 40 }),
			fc.integer({ min: 2, max: 30 }),
			fc.integer({ min: 1, max: 1e6 }),
			(assets, periods, seed) => {
				const normal = gaussian(seed);
				const common = Float64Array.from({ length: periods + 1 }, normal);
				const columns = Array.from({ length: assets }, (_, i) =>
					// Every tenth does not move at all.
					common.map((value) => (i % 10 === 9 ? 0 : 0.01 * (0.6 * value + normal()))),
				);
				const { matrix, intensity } = writtenOut(columns);
				if (assets > 1) near(shrunkCorrelation(columns).intensity, intensity, 1e-9);
				const deviations = columns.map((column) => Math.sqrt(ewmaVariance(column)));
				const written = matrix.map((row, i) => row.map((c, j) => c * (deviations[i] ?? 0) * (deviations[j] ?? 0)));
				const weights = columns.map(normal);
				const { variances, times: product } = riskCovariance(columns);
				variances.forEach((variance, i) => {
					near(variance, written[i]?.[i] ?? Number.NaN, 1e-15);
				});
				const expected = times(written, weights);
				product(weights).forEach((value, i) => {
					near(value, expected[i] ?? Number.NaN, 1e-13);
				});
				const [stressed, correlation] = [stressedVariance(weights, variances, 0.9), 0.9];
				const one = written.map((row, i) =>
					row.map((value, j) => (i === j ? value : correlation * (deviations[i] ?? 0) * (deviations[j] ?? 0))),
				);
				near(stressed, quadratic(one, weights), 1e-12);
			},
		),
		{ numRuns: 60 },
	);
});

test("the share of a position to keep brings its part of the variance to the limit", () => {
	const weights = [0.9, 0.2, -0.1];
	const covariance = [
		[0.04, 0.01, 0],
		[0.01, 0.09, 0.02],
		[0, 0.02, 0.01],
	];
	const [marginal, variances] = [times(covariance, weights), [0.04, 0.09, 0.01]];
	const keep = keepForRiskShare(weights, { marginal, variances }, 0);
	const after = [0.9 * keep, 0.2, -0.1];
	assert.ok(keep > 0 && keep < 1);
	near(riskShares(after, times(covariance, after))[0] ?? 0, RISK_LIMITS.risk_share_max, 1e-8);
});

if (!sharedRoot) skipAloud("published risk numbers");
else {
	test("VaR, CVaR and drawdown of BTC against the recorded reference", () => {
		const golden = (
			JSON.parse(readFileSync(join(sharedRoot ?? "", "reference/real_data_goldens.json"), "utf8")) as {
				btc_1d_last400: Record<string, number>;
			}
		).btc_1d_last400;
		const btc = recordedSpotDaily().find((series) => series.symbol === "BTC/USDT");
		assert.ok(btc);
		const close = btc.close.slice(-400);
		const returns = close.slice(1).map((value, i) => value / (close[i] ?? Number.NaN) - 1);
		const tail = historicalTail(returns);
		near(tail.var95, golden.hist_var95_simple ?? 0, 1e-6);
		near(tail.cvar95, golden.hist_cvar95_simple ?? 0, 1e-6);
		near(maxDrawdown(close), golden.max_drawdown ?? 0, 1e-6);
		assert.ok(varianceOf(returns) > 0);
		const logs = close.slice(1).map((value, i) => Math.log(value / (close[i] ?? Number.NaN)));
		near((sharpeSample([...logs])?.ratio ?? 0) * Math.sqrt(365), golden.sharpe_ann_365 ?? 0, 1e-6);
	});
}

test.run();
