import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ewmaVariance, shrunkCorrelation, varianceOf } from "../../src/strategies/risk/covariance.ts";
import {
	cornishFisherVar,
	effectiveNumber,
	historicalTail,
	maxDrawdown,
	overlapping,
	riskShares,
} from "../../src/strategies/risk/measures.ts";
import { sharpeSample } from "../../src/strategies/statistics/sharpe.ts";
import { recordedSpotDaily, sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { gaussian } from "../support/synthetic-market.ts";

const test = suite("risk measures");
const near = (actual: number, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

test("risk shares sum to one; Cornish-Fisher equals the normal VaR without skew and kurtosis", () => {
	const shares = riskShares(
		[0.3, 0.2, 0.5],
		[
			[0.04, 0.01, 0],
			[0.01, 0.09, 0.02],
			[0, 0.02, 0.01],
		],
	);
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
