import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bootstrapMean, designEffectOf, effectiveTrades } from "../../src/strategies/evidence/clusters.ts";
import { frequencyGrade, gradeOf } from "../../src/strategies/evidence/grade.ts";
import { pooledRate, posteriorRate, symbolRate, wilsonInterval } from "../../src/strategies/evidence/intervals.ts";
import { measure, symbolConfidence } from "../../src/strategies/evidence/measure.ts";
import { Memo, seriesFingerprint, universeFingerprint } from "../../src/strategies/evidence/memo.ts";
import { placeboShare } from "../../src/strategies/evidence/placebo.ts";
import { brierScore, reliabilityOf } from "../../src/strategies/evidence/reliability.ts";
import { quantileOf, type ResolvedTrade, shortfallOf, winsorisedMean } from "../../src/strategies/evidence/trades.ts";
import { createRandom, DrawnSums } from "../../src/strategies/random.ts";
import { sharedRoot, skipAloud } from "../support/recorded-bars.ts";
import { randomWalk } from "../support/synthetic-market.ts";

const test = suite("evidence");
const WEEK = 7 * 86_400_000;
const near = (actual: number, expected: number, tolerance = 1e-9) =>
	assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);

const trade = (week: number, net: number, symbol = "A/USDT"): ResolvedTrade => ({
	symbol,
	signalTime: week * WEEK,
	exitTime: week * WEEK + WEEK,
	net,
	r: net / 0.1,
	holdBars: 7,
});

if (!sharedRoot) skipAloud("published calibration numbers");
else {
	interface Calibration {
		wilson: { x: number; n: number; lo: number; hi: number; published: number[] | null }[];
		brier: { y: number[]; p: number[]; score: number }[];
		beta_binomial: { prior: [number, number]; wins: number; n: number; mean: number }[];
	}
	const published = JSON.parse(readFileSync(join(sharedRoot, "reference/calibration.json"), "utf8")) as Calibration;

	test("Wilson intervals of Newcombe (1998)", () => {
		for (const { x, n, lo, hi, published: printed } of published.wilson) {
			const [low, high] = wilsonInterval(x / n, n, 1.959964);
			near(low, lo, 1e-4);
			near(high, hi, 1e-4);
			near(low, printed?.[0] ?? lo, 5.1e-5);
			near(high, printed?.[1] ?? hi, 5.1e-5);
		}
	});

	test("Brier score", () => {
		for (const { y, p, score } of published.brier) near(brierScore(p, y), score);
	});

	test("posterior means of a beta-binomial", () => {
		assert.is(published.beta_binomial.length, 2);
		for (const { prior, wins, n, mean } of published.beta_binomial)
			near(posteriorRate(wins, n, prior[0], prior[0] + prior[1]), mean, 1e-12);
	});
}

test("pool and symbol rates are posterior means", () => {
	near(pooledRate(0, 0), 0.5);
	near(pooledRate(685, 1534), 690 / 1544);
	near(symbolRate(0, 0, 0.45), 0.45);
	near(symbolRate(30, 50, 0.45), (30 + 22.5) / 100);
});

test("Wilson's interval holds its rate and narrows with n", () => {
	fc.assert(
		fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 5000 }), (p, n) => {
			const [low, high] = wilsonInterval(p, n);
			const [tighterLow, tighterHigh] = wilsonInterval(p, 4 * n);
			return low <= p + 1e-12 && p <= high + 1e-12 && tighterHigh - tighterLow <= high - low + 1e-12;
		}),
		{ numRuns: 200 },
	);
	assert.equal(wilsonInterval(0.5, 0), [0, 1]);
});

test("design effect: whole weeks that win or lose together count once", () => {
	const weeks = Array.from({ length: 40 }, (_, week) =>
		Array.from({ length: 5 }, () => trade(week, week % 2 ? 0.1 : -0.1)),
	).flat();
	near(designEffectOf(weeks), 5, 1e-9);
	near(effectiveTrades(200, designEffectOf(weeks)), 40, 1e-9);
	assert.is(designEffectOf(weeks.slice(0, 100)), 4, "fewer than 30 weeks");
	assert.is(designEffectOf(weeks.map((one) => ({ ...one, net: 1 }))), 1, "nothing varies");
});

test("the bootstrap is repeatable and wraps the mean", () => {
	const random = createRandom(3);
	const trades = Array.from({ length: 300 }, (_, i) => trade(Math.floor(i / 4), random() - 0.4));
	const first = bootstrapMean(trades, 9, 500);
	assert.equal(first, bootstrapMean(trades, 9, 500));
	const mean = trades.reduce((sum, one) => sum + one.net, 0) / trades.length;
	assert.ok(first && first[0] < mean && mean < first[1]);
	assert.is(bootstrapMean([], 9, 500), null);
});

test("placebo: the pool's own mean is beaten half the time, a far better one never", () => {
	const random = createRandom(5);
	const outcomes = Float64Array.from({ length: 2000 }, () => random() - 0.5);
	const mean = outcomes.reduce((sum, value) => sum + value, 0) / outcomes.length;
	const share = placeboShare([{ outcomes, entries: 100 }], mean, 1, 1000) ?? 1;
	assert.ok(share > 0.4 && share < 0.6, `${share}`);
	assert.is(placeboShare([{ outcomes, entries: 100 }], 0.4, 1, 500), 0);
	assert.is(placeboShare([], 0.1, 1, 10), null);
});

test("quantiles, winsorised mean and shortfall", () => {
	const values = Float64Array.from({ length: 101 }, (_, i) => i);
	assert.is(quantileOf(values, 0.5), 50);
	near(winsorisedMean(values), 50);
	near(shortfallOf(values), (0 + 1 + 2 + 3 + 4 + 5) / 6);
});

const graded = {
	trades: 500,
	meanNet: 0.01,
	effectiveTrades: 120,
	bootstrapLow: 0.001,
	pPlacebo: 0.01,
	hindsight: false,
	drifted: false,
};

test("grades: the first that fits, hindsight caps, drift lowers", () => {
	assert.is(gradeOf(graded), "A");
	assert.is(gradeOf({ ...graded, hindsight: true }), "B");
	assert.is(gradeOf({ ...graded, effectiveTrades: 99 }), "B");
	assert.is(gradeOf({ ...graded, pPlacebo: 0.07 }), "B");
	assert.is(gradeOf({ ...graded, pPlacebo: 0.1 }), "C");
	assert.is(gradeOf({ ...graded, effectiveTrades: 29 }), "C");
	assert.is(gradeOf({ ...graded, bootstrapLow: 0 }), "C");
	assert.is(gradeOf({ ...graded, meanNet: 0 }), "D");
	assert.is(gradeOf({ ...graded, trades: 0, meanNet: null }), "C");
	assert.is(gradeOf({ ...graded, drifted: true }), "B");
	assert.is(
		gradeOf({ ...graded, drifted: true, hindsight: true }),
		"B",
		"the cap bounds the lowered grade, it is no second deduction",
	);
	assert.is(gradeOf({ ...graded, effectiveTrades: 99, drifted: true }), "C");
	assert.is(gradeOf({ ...graded, meanNet: -1, drifted: true }), "D");
});

test("grades of a frequency", () => {
	assert.is(frequencyGrade(0.9, 0.8, 0, false), "C");
	assert.is(frequencyGrade(0.5, 0.4, 200, false), "D");
	assert.is(frequencyGrade(0.9, 0.8, 100, false), "A");
	assert.is(frequencyGrade(0.9, 0.8, 100, true), "B");
	assert.is(frequencyGrade(0.9, 0.8, 29, false), "C");
	assert.is(frequencyGrade(0.6, 0.49, 90, false), "C");
});

test("a trade is forecast only from trades that had ended by its signal", () => {
	// 60 winners end before week 100; a loser that is open at that time must not be known.
	const past = Array.from({ length: 60 }, (_, i) => trade(i, 0.1, `S${i}/USDT`));
	const open = { ...trade(99, -0.1, "Z/USDT"), exitTime: 200 * WEEK };
	const asked = trade(100, 0.1, "Z/USDT");
	const withOpen = reliabilityOf([...past, open, asked]);
	const without = reliabilityOf([...past, { ...open, net: 0.1 }, asked]);
	assert.is(withOpen.scored, without.scored);
	assert.ok(withOpen.scored >= 2);
	const [a, b] = [withOpen.bins.at(-1)?.predicted, without.bins.at(-1)?.predicted];
	assert.is(a, b, "the open trade's end leaked into the forecast");
});

test("a measurement does not depend on the order of its trades", () => {
	const random = createRandom(8);
	const trades = Array.from({ length: 200 }, (_, i) => trade(Math.floor(i / 3), random() - 0.45, `S${i % 7}/USDT`));
	const input = { rule: "r", method: "m", placebo: [], universeSize: 7, hindsight: false };
	const forward = measure({ ...input, trades });
	assert.equal(measure({ ...input, trades: [...trades].reverse() }).evidence, forward.evidence);
	const { p, confidence_score, confidence_low, confidence_high } = symbolConfidence(forward, "S1/USDT");
	assert.is(confidence_score, 100 * p);
	assert.ok(confidence_low <= confidence_score && confidence_score <= confidence_high);
	near(symbolConfidence(forward, "unknown").p, forward.pool);
});

test("memo: bounded, newest kept; fingerprints see one changed bar and no order", () => {
	const memo = new Memo<number>(2);
	let computed = 0;
	const ask = (key: string) => memo.get(key, () => ++computed);
	ask("a");
	ask("b");
	ask("a");
	ask("c");
	assert.is(memo.size, 2);
	assert.is(ask("a"), 1);
	assert.is(ask("b"), 4);
	assert.throws(() => new Memo(0), /positive integer/);
	const [one, two] = [randomWalk("A/USDT", 50, 1), randomWalk("B/USDT", 50, 2)];
	assert.is(
		universeFingerprint([one, two].map(seriesFingerprint)),
		universeFingerprint([two, one].map(seriesFingerprint)),
	);
	const before = seriesFingerprint(one);
	one.close[20] = (one.close[20] ?? 0) * (1 + 1e-12);
	assert.is.not(seriesFingerprint(one), before);
});

test("sums of draws are those of the numbers one by one, whatever the seed", () => {
	const values = Float64Array.from({ length: 37 }, (_, i) => Math.sin(i));
	for (const seed of [0, 1, -3, 0x7fffffff, 0x80000000, 0xffffffff]) {
		const [random, drawn] = [createRandom(seed), new DrawnSums(seed)];
		for (const count of [3, 0, 500]) {
			let sum = 0.5;
			for (let i = 0; i < count; i++) sum += values[Math.floor(random() * values.length)] ?? Number.NaN;
			assert.is(drawn.add(0.5, values, count), sum);
		}
	}
});

test.run();
