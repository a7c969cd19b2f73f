import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { at } from "../../src/strategies/columns.ts";
import { walkForward } from "../../src/strategies/evidence/walk-forward.ts";
import {
	longBreakoutRule,
	longMomentumRule,
	shortBreakdownRule,
	shortMomentumRule,
} from "../../src/strategies/futures-trade.ts";
import type { Rule } from "../../src/strategies/rule.ts";
import { simulate } from "../../src/strategies/simulator.ts";
import { breakoutTargetRule, breakoutTrailRule } from "../../src/strategies/spot-breakout.ts";
import { meanReversionRule } from "../../src/strategies/spot-mean-reversion.ts";
import { momentumRule } from "../../src/strategies/spot-momentum.ts";
import { cut } from "../support/cut-series.ts";
import { DAY_MS, randomWalk } from "../support/synthetic-market.ts";

/** No rule may know of bar t+1 at bar t: it is asked again on data cut at t. */
const test = suite("look-ahead");
const RULES: Rule[] = [
	momentumRule,
	meanReversionRule,
	breakoutTargetRule,
	breakoutTrailRule,
	longMomentumRule,
	shortMomentumRule,
	longBreakoutRule,
	shortBreakdownRule,
];

for (const rule of RULES) {
	test(`${rule.name}: signal and levels of bar t are the same on data cut at t`, () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 60, max: 399 }), (seed, t) => {
				const series = randomWalk("X/USDT", 400, seed);
				const [whole, short] = [rule.read(series), rule.read(cut(series, t + 1))];
				assert.is(short.plan.signal[t], whole.plan.signal[t]);
				assert.is(at(short.plan.stop, t), at(whole.plan.stop, t));
				if (whole.plan.target && short.plan.target) assert.is(at(short.plan.target, t), at(whole.plan.target, t));
				if (whole.plan.trail && short.plan.trail) assert.is(at(short.plan.trail, t), at(whole.plan.trail, t));
				assert.equal(short.indicatorsAt(t), whole.indicatorsAt(t));
				assert.is(short.gateAt(t), whole.gateAt(t));
			}),
			{ numRuns: 40, seed: 1 },
		);
	});

	test(`${rule.name}: trades that ended by bar t are the same on data cut at t`, () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 200, max: 599 }), (seed, t) => {
				const series = randomWalk("X/USDT", 600, seed);
				const short = cut(series, t + 1);
				const ended = simulate(series, rule.read(series).plan, 0.003).trades.filter((trade) => trade.exitIndex <= t);
				assert.equal(simulate(short, rule.read(short).plan, 0.003).trades, ended);
			}),
			{ numRuns: 20, seed: 2 },
		);
	});
}

test("evidence counts only trades whose whole horizon has passed", () => {
	const series = randomWalk("X/USDT", 1500, 4);
	const asOfMs = at(series.open_time, 999) + DAY_MS;
	const options = { cost: 0.003, barsMin: 300, asOfMs };
	const embargoed = walkForward(momentumRule, [series], options);
	assert.ok(embargoed.trades.length > 0);
	for (const trade of embargoed.trades) assert.ok(trade.signalTime + (momentumRule.horizonBars + 1) * DAY_MS <= asOfMs);
	const known = walkForward(momentumRule, [cut(series, 1000)], options);
	assert.equal(known.trades, embargoed.trades, "later bars changed the record");
});

test("series below the least length take no part", () => {
	const result = walkForward(momentumRule, [randomWalk("X/USDT", 299, 4)], {
		cost: 0.003,
		barsMin: 300,
		asOfMs: Number.POSITIVE_INFINITY,
	});
	assert.equal([result.universeSize, result.trades.length], [0, 0]);
});

test.run();
