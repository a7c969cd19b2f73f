import { suite } from "uvu";
import * as assert from "uvu/assert";
import { measure } from "../../src/strategies/evidence/measure.ts";
import { walkForward } from "../../src/strategies/evidence/walk-forward.ts";
import {
	longBreakoutRule,
	longMomentumRule,
	shortBreakdownRule,
	shortMomentumRule,
} from "../../src/strategies/futures-trade.ts";
import type { ReplayRule } from "../../src/strategies/rule.ts";
import { squeezeRule } from "../../src/strategies/squeeze-rule.ts";
import { randomWalk } from "../support/synthetic-market.ts";

/**
 * Martingales as in the placebo of the long rules, for both sides and for order pairs: at least 95 of 100
 * seeds must end without grade A or B. PLACEBO_SEEDS=100 runs all; the default asks the same share of fewer.
 */
const test = suite("placebo, both sides");
const seeds = Number(process.env.PLACEBO_SEEDS ?? 8);
const allowed = Math.max(1, Math.floor(0.05 * seeds));
const SYMBOLS = 35;
const BARS = 1500;
const RULES: [rule: ReplayRule, cost: number][] = [
	[longMomentumRule, 0.002],
	[shortMomentumRule, 0.002],
	[longBreakoutRule, 0.002],
	[shortBreakdownRule, 0.002],
	[squeezeRule, 0.003],
];

test(`at most ${allowed} of ${seeds} random markets look like an edge to a side`, () => {
	const fooled = new Map<string, number[]>(RULES.map(([rule]) => [rule.name, []]));
	for (let seed = 1; seed <= seeds; seed++) {
		const universe = Array.from({ length: SYMBOLS }, (_, i) => randomWalk(`R${i}/USDT`, BARS, seed * 1000 + i));
		for (const [rule, cost] of RULES) {
			const replay = walkForward(rule, universe, { cost, barsMin: 300, asOfMs: Number.POSITIVE_INFINITY });
			assert.ok(replay.trades.length > 20, `${rule.name}: only ${replay.trades.length} trades`);
			const { grade } = measure({ rule: rule.name, method: "placebo", hindsight: false, ...replay });
			if (grade === "A" || grade === "B") fooled.get(rule.name)?.push(seed);
		}
	}
	for (const [name, by] of fooled) assert.ok(by.length <= allowed, `${name} was fooled by seeds ${by.join(", ")}`);
});

test.run();
