import { suite } from "uvu";
import * as assert from "uvu/assert";
import { measure } from "../../src/strategies/evidence/measure.ts";
import { walkForward } from "../../src/strategies/evidence/walk-forward.ts";
import type { Rule } from "../../src/strategies/rule.ts";
import { breakoutTargetRule } from "../../src/strategies/spot-breakout.ts";
import { meanReversionRule } from "../../src/strategies/spot-mean-reversion.ts";
import { momentumRule } from "../../src/strategies/spot-momentum.ts";
import { randomWalk } from "../support/synthetic-market.ts";

/**
 * On martingales there is nothing to find (35 symbols, 1500 days): at least 95 of 100 seeds must end without grade A or B.
 * PLACEBO_SEEDS=100 runs all; the default keeps the suite short and asks the same share.
 */
const test = suite("placebo");
const seeds = Number(process.env.PLACEBO_SEEDS ?? 12);
const allowed = Math.max(1, Math.floor(0.05 * seeds));
const SYMBOLS = 35;
const BARS = 1500;

for (const rule of [momentumRule, meanReversionRule, breakoutTargetRule] satisfies Rule[]) {
	test(`${rule.name}: at most ${allowed} of ${seeds} random markets look like an edge`, () => {
		const fooled: number[] = [];
		for (let seed = 1; seed <= seeds; seed++) {
			const universe = Array.from({ length: SYMBOLS }, (_, i) => randomWalk(`R${i}/USDT`, BARS, seed * 1000 + i));
			const replay = walkForward(rule, universe, { cost: 0.003, barsMin: 300, asOfMs: Number.POSITIVE_INFINITY });
			assert.ok(replay.trades.length > 20, `only ${replay.trades.length} trades`);
			const { grade } = measure({ rule: rule.name, method: "placebo", hindsight: false, ...replay });
			if (grade === "A" || grade === "B") fooled.push(seed);
		}
		assert.ok(fooled.length <= allowed, `fooled by seeds ${fooled.join(", ")}`);
	});
}

test.run();
