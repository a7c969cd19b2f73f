import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { fillRate, fitIntensity, intensityOfBook } from "../../src/strategies/market-making/intensity.ts";
import { onTicks, optimalSpread, quotesOf, riskAversion } from "../../src/strategies/market-making/quotes.ts";
import { createRandom } from "../../src/strategies/random.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { gaussian } from "../support/synthetic-market.ts";

const test = suite("market making, quotes");
const near = (actual: number, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

interface Golden {
	cases: {
		s: number;
		q: number;
		gamma: number;
		sigma: number;
		k: number;
		tau: number;
		reservation: number;
		spread: number;
		bid: number;
		ask: number;
	}[];
	average_spread_over_session: Record<string, number>;
}

if (!sharedRoot) skipAloud("Avellaneda-Stoikov reference");
else {
	const golden = JSON.parse(readFileSync(join(sharedRoot, "reference/avellaneda_stoikov.json"), "utf8")) as Golden;

	test("54 published quote cases", () => {
		assert.is(golden.cases.length, 54);
		for (const { s: mid, q, gamma, sigma, k, tau, ...expected } of golden.cases) {
			const quotes = quotesOf({ mid, q, gamma, sigma, k, tau });
			near(quotes.reservation, expected.reservation);
			near(quotes.spread, expected.spread);
			near(quotes.bid, expected.bid);
			near(quotes.ask, expected.ask);
			assert.ok(quotes.bid < quotes.ask);
			if (q === 0) assert.is(quotes.reservation, mid);
		}
	});

	test("average spread over the session of the paper: 1.49 and 1.35", () => {
		const steps = 200;
		for (const gamma of [0.1, 0.01, 0.5]) {
			let sum = 0;
			for (let i = 0; i < steps; i++) sum += optimalSpread({ gamma, sigma: 2, k: 1.5, tau: 1 - i / steps });
			near(sum / steps, golden.average_spread_over_session[`gamma${gamma}`] ?? Number.NaN);
		}
	});
}

test("the inventory strategy ends with a far smaller spread of inventories than a symmetric one", () => {
	// The paper's parameters: s 100, sigma 2, k 1.5, A 140, dt 0.005, gamma 0.1.
	const deviation = (skewed: boolean): number => {
		const normal = gaussian(11);
		const random = createRandom(12);
		const ends: number[] = [];
		for (let path = 0; path < 300; path++) {
			let [mid, q] = [100, 0];
			for (let i = 0; i < 200; i++) {
				const input = { mid, q, gamma: 0.1, sigma: 2, k: 1.5, tau: 1 - i / 200 };
				const { spread, ...quotes } = quotesOf(input);
				const [bid, ask] = skewed ? [quotes.bid, quotes.ask] : [mid - spread / 2, mid + spread / 2];
				const chance = (distance: number) => 140 * Math.exp(-1.5 * distance) * 0.005;
				if (random() < chance(mid - bid)) q++;
				if (random() < chance(ask - mid)) q--;
				mid += 2 * Math.sqrt(0.005) * normal();
			}
			ends.push(q);
		}
		return Math.sqrt(ends.reduce((sum, q) => sum + q * q, 0) / ends.length);
	};
	const [symmetric, skewed] = [deviation(false), deviation(true)];
	assert.ok(symmetric > 2 * skewed, `${symmetric} against ${skewed}`);
});

test("risk aversion: a full maker's skew is half his spread, whatever the unit of price", () => {
	for (const [sigma, k, inventory] of [
		[0.01, 2000, 3],
		[0.002, 300, 5],
		[0.05, 4000, 1],
	] as const) {
		const gamma = riskAversion(sigma, k, 1, inventory);
		const skew = inventory * gamma * sigma * sigma;
		near(skew / (optimalSpread({ gamma, sigma, k, tau: 1 }) / 2), 1, 1e-9);
		near(riskAversion(sigma * 1024, k / 1024, 1, inventory) * 1024, gamma, gamma * 1e-12);
	}
});

test("k and A are found again in counts that follow the law", () => {
	const random = createRandom(5);
	const [a, k] = [0.9, 2500];
	// One taker a step with chance 1 - exp(-a) beyond distance 0, reaching exponentially far: lambda(d) = a exp(-k d).
	const excursions = Float64Array.from({ length: 200_000 }, () => {
		let furthest = 0;
		let clock = -Math.log(1 - random()) / a;
		while (clock < 1) {
			furthest = Math.max(furthest, -Math.log(1 - random()) / k);
			clock += -Math.log(1 - random()) / a;
		}
		return furthest;
	});
	const fit = fitIntensity(excursions, 1);
	assert.ok(fit);
	near(fit.k / k, 1, 0.03);
	near(fit.a / a, 1, 0.05);
	assert.is(fit.method, "trade_through");
	near(fillRate(fit, 1 / fit.k), fit.a / Math.E, 1e-12);
	near((fitIntensity(excursions, 6)?.a ?? 0) / fit.a, 6, 1e-9);
	assert.is(fitIntensity(new Float64Array(100), 1), null, "nothing traded");
	assert.is(fitIntensity(new Float64Array(100).fill(Number.NaN), 1), null, "no mid known");
});

test("without trades k is the slope of the book's depth, flagged", () => {
	const levels = (sign: number) =>
		Array.from({ length: 12 }, (_, i): [number, number] => {
			const distance = 0.001 * (i + 1);
			// Cumulative depth exp(400 d).
			const depth = Math.exp(400 * distance) - (i === 0 ? 0 : Math.exp(400 * 0.001 * i));
			return [100 * (1 + sign * distance), depth / (100 * (1 + sign * distance))];
		});
	const book = { symbol: "X", bids: levels(-1), asks: levels(1), at_ms: 0 };
	const fit = intensityOfBook(book, 100, 14_400_000, 100);
	assert.ok(fit);
	near(fit.k, 400, 1e-6);
	near(fit.a, 50);
	assert.is(fit.method, "book_slope");
	assert.is(intensityOfBook({ ...book, bids: [], asks: [] }, 100, 1e6, 100), null);
	assert.is(intensityOfBook(book, 100, 0, 100), null);
});

test("quotes lie on ticks, bid down and ask up, and never cross", () => {
	assert.equal(onTicks(0.29999999999, 0.3000000001, 0.1), { bid: 0.3, ask: 0.3 });
	assert.equal(onTicks(99.96, 100.04, 0.1), { bid: 99.9, ask: 100.1 });
	assert.equal(onTicks(1234, 1239, 5), { bid: 1230, ask: 1240 });
	assert.equal(onTicks(1.5, 2.5, null), { bid: 1.5, ask: 2.5 });
});

test.run();
