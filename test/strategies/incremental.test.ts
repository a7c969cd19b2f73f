import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { FundingSeries, Series } from "../../src/market/contract.ts";
import { walkForward } from "../../src/strategies/evidence/walk-forward.ts";
import {
	longBreakoutRule,
	longMomentumRule,
	shortBreakdownRule,
	shortMomentumRule,
} from "../../src/strategies/futures-trade.ts";
import { sliceOf } from "../../src/strategies/history.ts";
import { readNewest } from "../../src/strategies/newest-reading.ts";
import { formationsOf, keptFormations, pairPanel } from "../../src/strategies/pairs-trading-replay.ts";
import type { Replayable, ReplayRule } from "../../src/strategies/rule.ts";
import { bandRule, crossRule } from "../../src/strategies/scalping/rules.ts";
import { breakoutTargetRule, breakoutTrailRule } from "../../src/strategies/spot-breakout.ts";
import { meanReversionRule } from "../../src/strategies/spot-mean-reversion.ts";
import { momentumRule } from "../../src/strategies/spot-momentum.ts";
import { squeezeRule, withEntryStop } from "../../src/strategies/squeeze-rule.ts";
import { evidencePanel, factorRules, replaysOf } from "../../src/strategies/statistical-arbitrage-evidence.ts";
import { replayPanel, stepsOf } from "../../src/strategies/statistical-arbitrage-replay.ts";
import { measureStatement } from "../../src/strategies/volatility-statement.ts";
import { DAY_MS, randomWalk } from "../support/synthetic-market.ts";

/**
 * A history that grows is never replayed twice: what the walk of a growing history says must be what one from
 * scratch says, to the last bit, wherever the history was cut before.
 */
const test = suite("incremental");
const BARS = 600;
const RULES: readonly ReplayRule[] = [
	momentumRule,
	meanReversionRule,
	breakoutTargetRule,
	breakoutTrailRule,
	longMomentumRule,
	shortMomentumRule,
	longBreakoutRule,
	shortBreakdownRule,
	squeezeRule,
	withEntryStop(squeezeRule),
	crossRule(1),
	bandRule(-1),
];

let symbols = 0;
/** A symbol of its own each time, so that no example knows another's history. */
const walkOf = (seed: number): Series => randomWalk(`I${symbols++}/USDT`, BARS, seed);

const asOfEnd = (series: Series): number => (series.open_time.at(-1) ?? 0) + DAY_MS;

/** Three settlements a day over part of the history. */
function fundingOf(series: Series, firstBar: number, lastBar: number): FundingSeries {
	const times = Array.from(
		{ length: 3 * (lastBar - firstBar) },
		(_, i) => (series.open_time[firstBar] ?? 0) + (i * DAY_MS) / 3,
	);
	return {
		symbol: series.symbol,
		venue: series.venue,
		length: times.length,
		funding_time: Float64Array.from(times),
		rate_e8: Float64Array.from(times, (_, i) => 10_000 + 7_919 * ((i * i) % 11) - 40_000),
		interval_hours: 8,
		as_of_ms: asOfEnd(series),
	};
}

const settledBy = (funding: FundingSeries, asOfMs: number): FundingSeries => {
	const length = funding.funding_time.filter((time) => time <= asOfMs).length;
	return {
		...funding,
		length,
		funding_time: funding.funding_time.slice(0, length),
		rate_e8: funding.rate_e8.slice(0, length),
	};
};

/** As a source answers: columns of its own each time. */
function copyOf(series: Series, length: number): Series {
	const cut = sliceOf(series, 0, length);
	const copies = Object.entries(cut).map(([name, value]) => [
		name,
		value instanceof Float64Array ? value.slice() : value,
	]);
	return Object.fromEntries(copies) as unknown as Series;
}

for (const rule of RULES) {
	test(`${rule.name}: a walk continued at any bars is the walk from scratch`, () => {
		// Bars and settlements of a source that is late come later.
		const late = fc.record({ bars: fc.constantFrom(0, 0, 3, 40), settlements: fc.constantFrom(0, 0, 9, 30) });
		const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: BARS }), late), { minLength: 2, maxLength: 7 });
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1e6 }), steps, fc.boolean(), (seed, instants, charged) => {
				const series = walkOf(seed);
				const whole = fundingOf(series, 200, BARS);
				for (const [bar, { bars, settlements }] of instants.sort(([a], [b]) => a - b)) {
					const now = copyOf(series, Math.max(1, bar - bars));
					const asOfMs = asOfEnd(copyOf(series, bar));
					const settled = settledBy(whole, asOfMs - settlements * DAY_MS);
					const funding = charged && settled.length > 0 ? { funding: new Map([[series.symbol, settled]]) } : {};
					const options = { cost: 0.003, barsMin: 1, asOfMs, ...funding };
					const continued = walkForward(rule, [now], { ...options, kept: true });
					assert.equal(continued, walkForward(rule, [now], options));
				}
			}),
			{ numRuns: 12, seed: 3 },
		);
	});
}

test("a walk continued bar by bar is the walk from scratch, and so is what it reads", () => {
	for (const rule of RULES) {
		const series = walkOf(77);
		for (let length = 550; length <= 556; length++) {
			const now = copyOf(series, length);
			const options = { cost: 0.003, barsMin: 1, asOfMs: asOfEnd(now) };
			assert.equal(walkForward(rule, [now], { ...options, kept: true }), walkForward(rule, [now], options));
			const { reading, tail, offset, from } = readNewest(rule, now);
			const whole = rule.read(now);
			// What a window just too short would spoil lies at the beginning.
			for (const t of [Math.max(from, length - 45), Math.max(from, length - 45) + 1, length - 1])
				assert.equal(wordsOf(reading, t - offset), wordsOf(whole, t));
			if (length > 551) assert.ok(tail.length < length, `${rule.name} read ${tail.length} of ${length} bars`);
		}
	}
});

/** Everything a reading says of a bar. */
function wordsOf(reading: Replayable, t: number): unknown {
	const words = Object.entries(reading).map(([name, value]) => [name, typeof value === "function" ? value(t) : null]);
	const plan = Object.entries(reading.plan).map(([name, value]) => [
		name,
		ArrayBuffer.isView(value) ? Reflect.get(value, t) : value,
	]);
	return [words, plan];
}

test("a walk of the factor model continued at any bars is the walk from scratch", () => {
	const lengths = fc.uniqueArray(fc.integer({ min: 230, max: 460 }), { minLength: 2, maxLength: 5 });
	const late = fc.constantFrom(0, 20, 40);
	const revision = fc.boolean();
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 1e6 }), lengths, late, revision, (seed, cuts, lateDays, revised) => {
			const common = walkOf(seed + 99);
			const universe = Array.from({ length: 12 }, (_, i) => {
				const own = walkOf(seed + i);
				return { ...own, close: own.close.map((close, t) => close * (common.close[t] ?? 1)) };
			});
			for (const length of cuts.sort((a, b) => a - b)) {
				const now = universe.map((series) => copyOf(series, length));
				const [first] = now;
				if (revised && first && length === cuts.at(-1)) first.close[100] = 2 * (first.close[100] ?? 0);
				const asOfMs = asOfEnd(copyOf(universe[0] as Series, length)) + lateDays * DAY_MS;
				const panel = evidencePanel(now, asOfMs);
				const scratch = factorRules(asOfMs).map((rule) => replayPanel(panel, stepsOf(panel), rule));
				assert.equal(replaysOf(panel, asOfMs), scratch);
			}
		}),
		{ numRuns: 8, seed: 4 },
	);
});

test("days counted for the statement about volatility are counted once", () => {
	const instants = fc.uniqueArray(fc.integer({ min: 300, max: BARS }), { minLength: 2, maxLength: 6 });
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 1e6 }), instants, fc.constantFrom(0, 4), (seed, cuts, lateDays) => {
			const series = walkOf(seed);
			for (const length of cuts.sort((a, b) => a - b)) {
				const now = copyOf(series, length);
				const options = { barsMin: 1, asOfMs: asOfEnd(now) + lateDays * DAY_MS, percentileMax: 0.1 };
				// A name that nobody has counted under.
				const unknown = { ...now, symbol: `I${symbols++}/USDT` };
				assert.equal(measureStatement(squeezeRule, [now], options), measureStatement(squeezeRule, [unknown], options));
			}
		}),
		{ numRuns: 12, seed: 5 },
	);
});

test("windows of pairs that were fitted are not fitted again, and revised ones are", () => {
	const universe = Array.from({ length: 4 }, (_, i) => walkOf(i));
	for (const [length, revised] of [
		[470, false],
		[540, false],
		[560, false],
		[590, true],
		[BARS, true],
	] as const) {
		const now = universe.map((series) => copyOf(series, length));
		const [first] = now;
		if (revised && first) first.close[250] = 2 * (first.close[250] ?? 0);
		const panel = pairPanel(now, Number.POSITIVE_INFINITY);
		const formations = keptFormations(panel);
		assert.equal(formations, formationsOf(panel));
		assert.is(formations.length, 6 * Math.floor((length - 365) / 90));
	}
});

test("a revised bar, an earlier instant and a shorter history are walked from scratch", () => {
	const rule = breakoutTargetRule;
	const series = walkOf(5);
	const walked = (now: Series, asOfMs = asOfEnd(now)) => {
		const options = { cost: 0.003, barsMin: 1, asOfMs };
		assert.equal(walkForward(rule, [now], { ...options, kept: true }), walkForward(rule, [now], options));
	};
	walked(copyOf(series, 540));
	const revised = copyOf(series, 560);
	for (const column of [revised.high, revised.close]) column[300] = 3 * (column[300] ?? 0);
	walked(revised);
	walked(copyOf(series, 560));
	walked(copyOf(series, 560), asOfEnd(copyOf(series, 500)));
	walked(copyOf(series, 450));
	walked(copyOf(series, BARS));
});

test.run();
