import { suite } from "uvu";
import * as assert from "uvu/assert";
import { systemClock } from "../../src/clock.ts";
import type { MarketData } from "../../src/market/contract.ts";
import { createSimulatedMarketData } from "../../src/market/simulated.ts";
import { SIMULATED_COINS, SIMULATED_PAIRS } from "../../src/market/simulated-coins.ts";
import { hasRevertingResiduals, RESIDUAL } from "../../src/market/simulated-factors.ts";

const test = suite("market/simulated statistics");
const DAY = 86_400_000;
const AS_OF = Date.UTC(2026, 2, 19, 19);
const SEEDS = [1, 2, 3];
const open = (seed: number): MarketData =>
	createSimulatedMarketData({ seed, asOfMs: AS_OF, latencyMs: 0, clock: systemClock });
const read = () => ({ signal: new AbortController().signal, as_of_ms: AS_OF });

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
function covariance(x: readonly number[], y: readonly number[]): number {
	const [mx, my] = [mean(x), mean(y)];
	return mean(x.map((value, i) => (value - mx) * ((y[i] as number) - my)));
}
const correlation = (x: readonly number[], y: readonly number[]): number =>
	covariance(x, y) / Math.sqrt(covariance(x, x) * covariance(y, y));

async function logCloses(market: MarketData, symbol: string, days: number): Promise<number[]> {
	const series = await market.candles(symbol, "1d", { ...read(), limit: days });
	return [...series.close].map(Math.log);
}
const returnsOf = (logs: readonly number[]): number[] => logs.slice(1).map((value, i) => value - (logs[i] as number));

/**
 * Engle and Granger's second step: y on x with a constant, then the t value of phi in
 * de = phi e(-1) + gamma de(-1). Critical value at 1 % for two series is -3.90 (MacKinnon 2010).
 */
function engleGranger(y: readonly number[], x: readonly number[]): { t: number; halfLifeDays: number } {
	const slope = covariance(x, y) / covariance(x, x);
	const constant = mean(y) - slope * mean(x);
	const e = y.map((value, i) => value - constant - slope * (x[i] as number));
	const de = returnsOf(e);
	const [target, level, lagged] = [de.slice(1), e.slice(1, -1), de.slice(0, -1)];
	const dot = (a: readonly number[], b: readonly number[]) =>
		a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
	const determinant = dot(level, level) * dot(lagged, lagged) - dot(level, lagged) ** 2;
	const phi = (dot(level, target) * dot(lagged, lagged) - dot(lagged, target) * dot(level, lagged)) / determinant;
	const gamma = (dot(lagged, target) * dot(level, level) - dot(level, target) * dot(level, lagged)) / determinant;
	const residuals = target.map((value, i) => value - phi * (level[i] as number) - gamma * (lagged[i] as number));
	const variance = (dot(residuals, residuals) / (target.length - 2)) * (dot(lagged, lagged) / determinant);
	return { t: phi / Math.sqrt(variance), halfLifeDays: -Math.LN2 / phi };
}

test("volatility clusters and tails are fat, as in measured coins", async () => {
	for (const seed of SEEDS) {
		const market = open(seed);
		for (const symbol of ["BTC/USDT", "DOT/USDT", "GRT/USDT"]) {
			const returns = returnsOf(await logCloses(market, symbol, 1900));
			const sizes = returns.map(Math.abs);
			const lags = [1, 2, 3, 4, 5].map((lag) => correlation(sizes.slice(lag), sizes.slice(0, -lag)));
			assert.ok(mean(lags) > 0.03, `${symbol} seed ${seed}: |r| correlates by ${mean(lags)}`);
			const variance = covariance(returns, returns);
			const kurtosis = mean(returns.map((value) => (value - mean(returns)) ** 4)) / variance ** 2;
			assert.ok(kurtosis > 3.5, `${symbol} seed ${seed}: kurtosis ${kurtosis}`);
			const yearly = Math.sqrt(variance * 365);
			assert.ok(yearly > 0.4 && yearly < 1.4, `${symbol} seed ${seed}: volatility ${yearly}`);
		}
	}
});

test("coins share a factor: one BTC hedge takes out a good part of the variance", async () => {
	for (const seed of SEEDS) {
		const market = open(seed);
		const btc = returnsOf(await logCloses(market, "BTC/USDT", 800));
		const r2 = [];
		for (const base of ["ETH", "SOL", "LINK", "LTC", "DOT", "AVAX", "NEAR"]) {
			r2.push(correlation(returnsOf(await logCloses(market, `${base}/USDT`, 800)), btc) ** 2);
		}
		assert.ok(mean(r2) > 0.25 && mean(r2) < 0.75, `seed ${seed}: mean R2 ${mean(r2)}`);
	}
});

test("planted pairs are cointegrated with the stated half-life, unrelated coins are not", async () => {
	assert.is(SIMULATED_PAIRS.length, 3);
	let unrelated = 0;
	const others = [
		["SOL", "LINK"],
		["LTC", "XLM"],
		["NEAR", "FIL"],
		["ADA", "BCH"],
		["GRT", "VET"],
	] as const;
	for (const seed of SEEDS) {
		const market = open(seed);
		for (const pair of SIMULATED_PAIRS) {
			const [y, x] = [
				await logCloses(market, `${pair.base}/USDT`, 1500),
				await logCloses(market, `${pair.with}/USDT`, 1500),
			];
			const { t, halfLifeDays } = engleGranger(y, x);
			assert.ok(t < -8, `${pair.base}-${pair.with} seed ${seed}: t ${t}`);
			assert.ok(
				Math.abs(halfLifeDays - 4.3) < 1.5,
				`${pair.base}-${pair.with} seed ${seed}: half-life ${halfLifeDays}`,
			);
			// One formation window of the pairs strategy is enough to see it.
			assert.ok(engleGranger(y.slice(-365), x.slice(-365)).t < -3.9);
		}
		for (const [a, b] of others) {
			const { t } = engleGranger(await logCloses(market, `${a}/USDT`, 365), await logCloses(market, `${b}/USDT`, 365));
			if (t < -3.9) unrelated++;
		}
	}
	assert.ok(unrelated <= 3, `${unrelated} of 15 unrelated pairs at the 1 % level`);
});

test("on a fifth of the exchanges residuals beyond the factors revert, on the others they drift", async () => {
	const seeds = Array.from({ length: 1000 }, (_, seed) => seed);
	const reverting = seeds.filter(hasRevertingResiduals);
	assert.ok(Math.abs(reverting.length / seeds.length - RESIDUAL.exchangeShare) < 0.05, `${reverting.length} of 1000`);
	assert.ok(SEEDS.every((seed) => !hasRevertingResiduals(seed)));
	/** Variance of 30 days over 30 times that of one, of each coin less the mean of all: about 1 for a walk. */
	const ratiosOn = async (seed: number): Promise<number[]> => {
		const market = open(seed);
		const bases = ["LINK", "FIL", "GRT", "VET", "BAT", "CVC", "XRP", "PHA"];
		const logs = await Promise.all(bases.map((base) => logCloses(market, `${base}/USDT`, 1900)));
		const centre = (logs[0] ?? []).map((_, t) => mean(logs.map((log) => log[t] as number)));
		return logs.map((log) => {
			const own = log.map((value, t) => value - (centre[t] as number));
			const variance = (days: number) => {
				const moves = own.slice(days).map((value, t) => value - (own[t] as number));
				return covariance(moves, moves);
			};
			return variance(30) / (30 * variance(1));
		});
	};
	const shareThatReverts = async (on: readonly number[]): Promise<number> =>
		mean((await Promise.all(on.map(ratiosOn))).flat().map((ratio) => (ratio < 0.6 ? 1 : 0)));
	assert.is(await shareThatReverts(SEEDS), 0);
	const share = await shareThatReverts(reverting.slice(0, 5));
	assert.ok(Math.abs(share - RESIDUAL.coinShare) < 0.15, `${share} of the coins`);
});

test("funding persists: the mean of three days tells the mean of the next seven by about 0.72", async () => {
	for (const seed of SEEDS) {
		const market = open(seed);
		const [past, next]: [number[], number[]] = [[], []];
		for (const coin of SIMULATED_COINS.filter((entry) => entry.perp_volume > 0 && entry.ended === null)) {
			const funding = await market.funding(`${coin.base}/USDT:USDT`, read());
			if (funding === null) continue;
			assert.is(funding.interval_hours, coin.funding_interval_hours);
			const perDay = 24 / funding.interval_hours;
			// 8 h equivalents in bp.
			const meanOf = (from: number, days: number) => {
				let sum = 0;
				for (let i = from; i < from + days * perDay; i++) sum += funding.rate_e8[i] as number;
				return sum / (days * 3) / 10_000;
			};
			for (let i = 3 * perDay; i + 7 * perDay <= funding.length; i += perDay) {
				past.push(meanOf(i - 3 * perDay, 3));
				next.push(meanOf(i, 7));
			}
		}
		const r = correlation(past, next);
		assert.ok(r > 0.62 && r < 0.82, `seed ${seed}: correlation ${r}`);
		assert.ok(mean(past) > 0.5 && mean(past) < 2.5, `seed ${seed}: mean ${mean(past)} bp`);
		assert.ok(Math.max(...past.slice(-20_000)) > 8, "some contracts are crowded");
		assert.ok(Math.min(...past.slice(-20_000)) < -3, "some the other way");
	}
});

test("the perp stays near the spot price", async () => {
	const market = open(1);
	const [spot, perp] = [await logCloses(market, "ETH/USDT", 700), await logCloses(market, "ETH/USDT:USDT", 700)];
	const basis = perp.map((value, i) => (value - (spot[i] as number)) * 10_000);
	const changes = basis.slice(7).map((value, i) => value - (basis[i] as number));
	const sd = Math.sqrt(covariance(changes, changes));
	assert.ok(Math.abs(sd - 6.1) < 1.2, `7-day change of the basis ${sd} bp`);
});

test("breaks come on raised volume: volume rises with the size of the day's move", async () => {
	const market = open(1);
	const series = await market.candles("LINK/USDT", "1d", read());
	const sizes = returnsOf([...series.close].map(Math.log)).map(Math.abs);
	const volumes = [...series.quote_volume].slice(1).map(Math.log);
	assert.ok(correlation(sizes, volumes) > 0.3);
	assert.ok(series.length > 1500 && AS_OF - (series.open_time[0] as number) > 1500 * DAY);
});

test.run();
