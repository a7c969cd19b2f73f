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
import { continuousWalk } from "../support/synthetic-perps.ts";

/**
 * Martingales as in the placebo of the long rules, for both sides and for order pairs: at least 95 of 100
 * seeds must end without grade A or B. PLACEBO_SEEDS=100 runs all; the default asks the same share of fewer.
 */
const test = suite("placebo, both sides");
const seeds = Number(process.env.PLACEBO_SEEDS ?? 8);
const allowed = Math.max(1, Math.floor(0.05 * seeds));
const SYMBOLS = 35;
const BARS = 1500;
type Walk = typeof randomWalk;

/** Seeds whose record of a rule is graded A or B although there is nothing to find. */
function fooledBy(rules: readonly ReplayRule[], walk: Walk, cost: number): Map<string, number[]> {
	const fooled = new Map<string, number[]>(rules.map((rule) => [rule.name, []]));
	for (let seed = 1; seed <= seeds; seed++) {
		const universe = Array.from({ length: SYMBOLS }, (_, i) => walk(`R${i}/USDT`, BARS, seed * 1000 + i));
		for (const rule of rules) {
			const replay = walkForward(rule, universe, { cost, barsMin: 300, asOfMs: Number.POSITIVE_INFINITY });
			assert.ok(replay.trades.length > 20, `${rule.name}: only ${replay.trades.length} trades`);
			const { grade } = measure({ rule: rule.name, method: "placebo", hindsight: false, ...replay });
			if (grade === "A" || grade === "B") fooled.get(rule.name)?.push(seed);
		}
	}
	return fooled;
}

const expectHonest = (fooled: Map<string, number[]>): void => {
	for (const [name, by] of fooled) assert.ok(by.length <= allowed, `${name} was fooled by seeds ${by.join(", ")}`);
};

test(`at most ${allowed} of ${seeds} random markets look like an edge to a side`, () => {
	expectHonest(
		fooledBy([longMomentumRule, shortMomentumRule, longBreakoutRule, shortBreakdownRule], randomWalk, 0.002),
	);
});

test(`at most ${allowed} of ${seeds} random markets look like an edge to order pairs`, () => {
	expectHonest(fooledBy([squeezeRule], continuousWalk, 0.003));
});

test.run();
