import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { boundedWeights, maximumSharpe, minimumVariance } from "../../src/strategies/portfolio/bounded-quadratic.ts";
import { correlationOf, hierarchicalRiskParity, leafOrder } from "../../src/strategies/portfolio/hierarchical.ts";
import { shrunkMeans } from "../../src/strategies/portfolio/means.ts";
import { METHODS, weighAll } from "../../src/strategies/portfolio/methods.ts";
import { equalRisk, inverseVolatility } from "../../src/strategies/portfolio/risk-parity.ts";
import { shrunkCovariance } from "../../src/strategies/portfolio/shrinkage.ts";
import { simpleReturns } from "../../src/strategies/risk/book.ts";
import { quadratic, times, varianceOf } from "../../src/strategies/risk/covariance.ts";
import { riskShares } from "../../src/strategies/risk/measures.ts";
import { RollingCovariance } from "../../src/strategies/statistics/rolling-covariance.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { gaussian } from "../support/synthetic-market.ts";

const test = suite("portfolio methods");
const near = (actual: number, expected: number, tolerance: number, what = "") =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual} is not within ${tolerance} of ${expected}`);
const nearAll = (actual: readonly number[], expected: readonly number[], tolerance: number, what = "") => {
	assert.is(actual.length, expected.length, what);
	expected.forEach((value, i) => {
		near(actual[i] ?? Number.NaN, value, tolerance, `${what} ${i}`);
	});
};
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** A covariance of a common factor and own noise. */
function factorCovariance(n: number, seed: number): number[][] {
	const normal = gaussian(seed);
	const betas = Array.from({ length: n }, () => 1 + 0.4 * normal());
	const own = Array.from({ length: n }, () => 0.2 + Math.abs(normal()));
	return betas.map((a, i) => betas.map((b, j) => a * b + (i === j ? (own[i] ?? 0) ** 2 : 0)));
}

test("bounded weights meet the optimality conditions on random problems", () => {
	for (let seed = 1; seed <= 20; seed++) {
		const covariance = factorCovariance(12, seed);
		const cap = 0.2;
		const weights = minimumVariance(covariance, cap);
		near(sum(weights), 1, 1e-12, "budget");
		const gradient = times(covariance, weights);
		const free = gradient.filter((_, i) => (weights[i] ?? 0) > 0 && (weights[i] ?? 0) < cap);
		const price = sum(free) / free.length;
		weights.forEach((weight, i) => {
			assert.ok(weight >= 0 && weight <= cap + 1e-15);
			const slope = (gradient[i] ?? 0) - price;
			if (weight === 0) assert.ok(slope >= -1e-8, `seed ${seed}: asset ${i} should have weight`);
			else if (weight >= cap) assert.ok(slope <= 1e-8, `seed ${seed}: asset ${i} should have less`);
			else near(slope, 0, 1e-8, `seed ${seed} asset ${i}`);
		});
	}
});

test("a cap that cannot be met is refused; the start changes nothing", () => {
	assert.throws(() => boundedWeights(factorCovariance(2, 1), { cap: 0.35 }), /do not sum to one/);
	const covariance = factorCovariance(5, 3);
	nearAll(minimumVariance(covariance, 1, [1, 0, 0, 0, 0]), minimumVariance(covariance), 1e-8);
});

test("equal risk: contributions agree; two assets give inverse deviations whatever they share", () => {
	for (const correlation of [-0.9, 0, 0.7]) {
		const covariance = [
			[0.04, correlation * 0.2 * 0.3],
			[correlation * 0.2 * 0.3, 0.09],
		];
		nearAll(equalRisk(covariance), [0.6, 0.4], 1e-10);
	}
	const covariance = factorCovariance(30, 9);
	const weights = equalRisk(covariance);
	const shares = times(covariance, weights).map((value, i) => value * (weights[i] ?? 0));
	nearAll(
		shares,
		shares.map(() => sum(shares) / 30),
		1e-10,
	);
});

test("weights do not depend on the scale of prices nor on the order of assets", () => {
	const covariance = factorCovariance(7, 4);
	const means = [0.3, 0.1, -0.2, 0.4, 0.05, 0.2, 0.1];
	const order = [3, 1, 6, 0, 2, 5, 4];
	const turned = order.map((i) => order.map((j) => covariance[i]?.[j] ?? 0));
	const pick = (values: readonly number[]) => order.map((i) => values[i] ?? 0);
	nearAll(equalRisk(turned), pick(equalRisk(covariance)), 1e-9);
	nearAll(minimumVariance(turned, 0.35), pick(minimumVariance(covariance, 0.35)), 1e-7);
	nearAll(maximumSharpe(turned, pick(means), 0.35) ?? [], pick(maximumSharpe(covariance, means, 0.35) ?? []), 1e-4);
	const scaled = covariance.map((row) => row.map((value) => value * 1e-6));
	nearAll(hierarchicalRiskParity(scaled), hierarchicalRiskParity(covariance), 1e-12);
});

test("maximum Sharpe answers nothing where no mean is positive; a lone positive one takes all", () => {
	const covariance = factorCovariance(3, 5);
	assert.is(maximumSharpe(covariance, [-0.1, -0.2, 0]), null);
	const diagonal = [
		[1, 0, 0],
		[0, 1, 0],
		[0, 0, 1],
	];
	nearAll(maximumSharpe(diagonal, [0.2, 0.1, -0.3]) ?? [], [2 / 3, 1 / 3, 0], 1e-5);
});

test("shrinkage: the intensity falls with the sample, trace kept; means go to the least risky mean", () => {
	const columns = (length: number) => {
		const factor = Float64Array.from({ length }, gaussian(77));
		return [1, 2, 3, 4].map((seed) => {
			const own = gaussian(seed);
			return factor.map((value) => value + 0.5 * seed * own());
		});
	};
	const [short, long] = [shrunkCovariance(columns(60)), shrunkCovariance(columns(3000))];
	assert.ok(short.intensity > long.intensity && long.intensity > 0 && short.intensity < 1);
	const variances = columns(60).map(varianceOf);
	near(sum(short.matrix.map((row, i) => row[i] ?? 0)), sum(variances), 1e-9, "trace");
	const shrunk = shrunkMeans(columns(60), short.matrix);
	assert.ok(shrunk && shrunk.intensity > 0 && shrunk.intensity <= 1);
	const spread = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
	assert.ok(spread(shrunk.means) < spread(columns(60).map((column) => sum([...column]) / 60)));
});

test("every method sums to one, long only, capped where it says so", () => {
	const logs = [1, 2, 3, 4, 5].map((seed) => {
		const factor = gaussian(50);
		const own = gaussian(seed);
		return Float64Array.from({ length: 180 }, () => 0.002 + 0.03 * factor() + 0.01 * seed * own());
	});
	const { weights } = weighAll(logs);
	for (const { key, capped } of METHODS) {
		const found = weights[key];
		if (!found) continue;
		near(sum(found), 1, 1e-9, key);
		assert.ok(
			found.every((weight) => weight >= 0),
			key,
		);
		if (capped) assert.ok(Math.max(...found) <= 0.35 + 1e-12, key);
	}
});

interface Reference {
	pypfopt: {
		order: string[];
		min_volatility: { vol: number; weights: Record<string, number> };
		max_sharpe_long: { rf: number; vol: number; sharpe: number; weights: Record<string, number> };
		hrp_single: { vol: number; weights: Record<string, number> };
	};
	sample_cov_dummy: { prices: number[][]; daily_cov: number[][] };
	four_asset: {
		mu: number[];
		cov: number[][];
		min_var: { weights: number[]; vol: number };
		tangency_rf0: { weights: number[]; vol: number };
		erc: { weights: number[] };
	};
	erc_maillard: {
		sigma: number[];
		corr: number[][];
		published_erc_pct: number[];
		erc: number[];
		erc_vol: number;
		risk_contributions: number[];
		min_var: number[];
		published_mv_pct: number[];
		inverse_vol: number[];
	};
}

/** Daily prices of the 20 stocks, NaN before a listing. */
function stockPrices(root: string): { names: string[]; columns: Float64Array[] } {
	const text = gunzipSync(readFileSync(join(root, "reference/pypfopt_stock_prices.csv.gz"))).toString("utf8");
	const [header = "", ...lines] = text.trim().split("\n");
	const rows = lines.map((line) =>
		line
			.split(",")
			.slice(1)
			.map((cell) => (cell === "" ? Number.NaN : Number(cell))),
	);
	const names = header.trim().split(",").slice(1);
	return { names, columns: names.map((_, i) => Float64Array.from(rows, (row) => row[i] ?? Number.NaN)) };
}

/** Sample covariance of what two columns have in common, and the correlation of the same days. */
function pairwise(columns: readonly Float64Array[]): { covariance: number[][]; correlation: number[][] } {
	const entry = (a: Float64Array, b: Float64Array) => {
		const both = [...a.keys()].filter((t) => !Number.isNaN(a[t]) && !Number.isNaN(b[t]));
		const mean = (of: Float64Array) => sum(both.map((t) => of[t] ?? 0)) / both.length;
		const [ma, mb] = [mean(a), mean(b)];
		const product = (x: Float64Array, mx: number, y: Float64Array, my: number) =>
			sum(both.map((t) => ((x[t] ?? 0) - mx) * ((y[t] ?? 0) - my))) / (both.length - 1);
		const covariance = product(a, ma, b, mb);
		return { covariance, correlation: covariance / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb)) };
	};
	const all = columns.map((a) => columns.map((b) => entry(a, b)));
	return {
		covariance: all.map((row) => row.map((cell) => cell.covariance)),
		correlation: all.map((row) => row.map((cell) => cell.correlation)),
	};
}

if (!sharedRoot) skipAloud("published portfolio numbers");
else {
	const root = sharedRoot;
	const reference = JSON.parse(readFileSync(join(root, "reference/portfolio.json"), "utf8")) as Reference;

	test("Maillard, Roncalli, Teiletche: equal risk, minimum variance and inverse volatility", () => {
		const { sigma, corr, ...expected } = reference.erc_maillard;
		const covariance = corr.map((row, i) => row.map((c, j) => c * (sigma[i] ?? 0) * (sigma[j] ?? 0)));
		const weights = equalRisk(covariance);
		nearAll(weights, expected.erc, 1e-9, "ERC");
		nearAll(
			weights.map((weight) => Math.round(1000 * weight) / 10),
			expected.published_erc_pct,
			0.051,
			"published ERC",
		);
		near(Math.sqrt(quadratic(covariance, weights)), expected.erc_vol, 1e-9, "volatility");
		nearAll(
			riskShares(weights, times(covariance, weights)).map((share) => share * expected.erc_vol),
			expected.risk_contributions,
			1e-9,
			"contributions",
		);
		nearAll(minimumVariance(covariance), expected.min_var, 1e-7, "minimum variance");
		nearAll(
			minimumVariance(covariance).map((weight) => 100 * weight),
			expected.published_mv_pct,
			0.06,
			"published",
		);
		nearAll(inverseVolatility(covariance), expected.inverse_vol, 1e-12, "inverse volatility");
	});

	test("four assets: minimum variance, tangency and equal risk", () => {
		const { mu, cov, ...expected } = reference.four_asset;
		nearAll(minimumVariance(cov), expected.min_var.weights, 1e-7, "minimum variance");
		nearAll(maximumSharpe(cov, mu) ?? [], expected.tangency_rf0.weights, 1e-4, "tangency");
		nearAll(equalRisk(cov), expected.erc.weights, 1e-6, "ERC");
		const volatility = (weights: readonly number[]) => Math.sqrt(quadratic(cov, weights));
		near(volatility(minimumVariance(cov)), expected.min_var.vol, 1e-8, "least volatility");
		near(volatility(maximumSharpe(cov, mu) ?? []), expected.tangency_rf0.vol, 1e-4, "volatility of the tangency");
	});

	test("sample covariance of five prices", () => {
		const { prices, daily_cov } = reference.sample_cov_dummy;
		const returns = [0, 1, 2].map((i) => simpleReturns(Float64Array.from(prices, (row) => row[i] ?? Number.NaN)));
		const { correlation, deviations } = new RollingCovariance(returns, 4, 0).standardised();
		daily_cov.forEach((row, i) => {
			const own = row.map((_, j) => (correlation[3 * i + j] ?? 0) * (deviations[i] ?? 0) * (deviations[j] ?? 0));
			nearAll(own, row, 1e-12, "covariance");
		});
	});

	test("twenty stocks: minimum variance, maximum Sharpe and single-linkage HRP", () => {
		const { names, columns } = stockPrices(root);
		const returns = columns.map(simpleReturns);
		const { covariance: daily, correlation } = pairwise(returns);
		const covariance = daily.map((row) => row.map((value) => 252 * value));
		const { min_volatility, max_sharpe_long, hrp_single } = reference.pypfopt;
		const expected = (weights: Record<string, number>) => names.map((name) => weights[name] ?? 0);
		const calm = minimumVariance(covariance);
		nearAll(calm, expected(min_volatility.weights), 1e-4, "minimum variance");
		near(Math.sqrt(quadratic(covariance, calm)), min_volatility.vol, 1e-8, "volatility");
		const means = returns.map((column) => {
			const known = [...column].filter((value) => !Number.isNaN(value));
			return Math.exp((252 * sum(known.map(Math.log1p))) / known.length) - 1;
		});
		const excess = means.map((mean) => mean - max_sharpe_long.rf);
		const best = maximumSharpe(covariance, excess) ?? [];
		nearAll(best, expected(max_sharpe_long.weights), 1e-3, "maximum Sharpe");
		const sharpe = sum(best.map((weight, i) => weight * (excess[i] ?? 0))) / Math.sqrt(quadratic(covariance, best));
		near(sharpe, max_sharpe_long.sharpe, 1e-6, "Sharpe ratio");
		const volatility = (weights: readonly number[]) => Math.sqrt(quadratic(covariance, weights));
		near(volatility(best), max_sharpe_long.vol, 1e-4, "volatility of the best");
		near(volatility(hierarchicalRiskParity(daily, correlation)), hrp_single.vol, 1e-6, "volatility of HRP");
		nearAll(hierarchicalRiskParity(daily, correlation), expected(hrp_single.weights), 1e-6, "HRP");
		assert.equal(new Set(leafOrder(correlationOf(daily))).size, 20);
	});
}

test.run();
