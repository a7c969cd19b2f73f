import { suite } from "uvu";
import * as assert from "uvu/assert";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { checked, reasonCounts } from "../support/checked-evaluation.ts";
import {
	hourlyBases,
	PEGGED,
	SNAPSHOT_MS,
	sharedRoot,
	skipAloud,
	spotDailyAtSnapshot,
} from "../support/recorded-bars.ts";
import { RECORDED, requestOf } from "../support/synthetic-market.ts";

const test = suite("spot strategies at the reference snapshot");
const MOMENTUM = "ai_spot_momentum_strategy";
const REVERSION = "ai_spot_mean_reversion";
const BREAKOUT = "ai_spot_breakout_strategy";

if (!sharedRoot) skipAloud("reference snapshot, spot");
else {
	const all = spotDailyAtSnapshot().filter((series) => !PEGGED.has(series.symbol.split("/")[0] ?? ""));
	const current = hourlyBases().map((base) => `${base}/USDT`);
	const at = (strategyId: string) =>
		checked(
			evaluate(
				requestOf({
					strategyId,
					series: all.filter((s) => current.includes(s.symbol)),
					evidence: all,
					source: RECORDED,
					asOfMs: SNAPSHOT_MS,
				}),
			),
		);

	test("snapshot: momentum signals NEAR and TRX of 16 coins", () => {
		const evaluation = at(MOMENTUM);
		const rows = [...evaluation.published, ...evaluation.unproven];
		const z = Object.fromEntries(rows.map((row) => [row.symbol, Number(row.metadata.signal_strength).toFixed(2)]));
		assert.is(evaluation.evaluated, 16);
		assert.equal(Object.keys(z).sort(), ["NEAR/USDT", "TRX/USDT"]);
		assert.ok(
			Math.abs(Number(z["NEAR/USDT"]) - 1.09) <= 0.011 && Math.abs(Number(z["TRX/USDT"]) - 1.12) <= 0.011,
			JSON.stringify(z),
		);
	});

	test("snapshot: both are published with grade B, and the drift of the last 200 trades is shown", () => {
		const evaluation = at(MOMENTUM);
		const evidence = evaluation.report.evidence as {
			n_effective: number;
			bootstrap_90: [number, number];
			p_placebo: number;
			calibration: { drift_alert: boolean; ece_last_200: number };
		};
		// Grade A by the numbers, B after the drift; the hindsight cap asks for no more than B.
		assert.ok(evidence.n_effective >= 100 && evidence.bootstrap_90[0] > 0 && evidence.p_placebo < 0.05);
		assert.ok(evidence.calibration.ece_last_200 > 0.1 && evidence.calibration.drift_alert);
		assert.equal(
			evaluation.published.map((row) => [row.evidence.grade, row.metadata.drift_alert]),
			[
				["B", true],
				["B", true],
			],
		);
		assert.is(evaluation.unproven.length, 0);
	});

	test("snapshot: no breakout and no oversold coin; breakout keeps grade B, mean reversion is C", () => {
		const [breakout, reversion] = [at(BREAKOUT), at(REVERSION)];
		assert.equal([reasonCounts(breakout), reasonCounts(reversion)], [{ no_trigger: 16 }, { no_trigger: 16 }]);
		assert.equal([breakout.near_misses.length, reversion.near_misses.length], [3, 3]);
		assert.is((breakout.report.evidence as { grade: string }).grade, "B");
		assert.is((reversion.report.evidence as { grade: string }).grade, "C");
	});
}

test.run();
