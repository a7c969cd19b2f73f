import { suite } from "uvu";
import * as assert from "uvu/assert";
import { endedScan } from "../../src/runtime/booking.ts";
import { sampleContext, sampleEntry, sampleRecord } from "../support/records.ts";
import { amountsOf } from "../support/totals.ts";

const booking = suite("runtime: what is counted of an ended scan");

booking("strategies that were skipped or never started were not scanned", () => {
	const unstarted = { attempt: 0, started_at_ms: null };
	const strategies = [
		sampleEntry(0, "ai_spot_momentum_strategy", { verdict: "ok_found" }),
		sampleEntry(1, "ai_spot_mean_reversion", { verdict: "timed_out" }),
		// Not run at all, and run only to find that there was nothing to run on.
		sampleEntry(2, "ai_spot_breakout_strategy", { ...unstarted, verdict: "skipped", reason: "not_entitled" }),
		sampleEntry(3, "ai_risk_management", { verdict: "skipped", reason: "no_positions" }),
		sampleEntry(4, "ai_pairs_trading", { ...unstarted, verdict: "cancelled" }),
	];
	const record = sampleRecord({ context: sampleContext({ strategies }) });
	assert.is(endedScan(record).strategies_scanned, 2);
	assert.is(endedScan(record).timeouts, 1);
	const counted = Object.entries(amountsOf(record)).filter(([field]) => field.startsWith("strategy_verdicts|"));
	assert.is(counted.length, strategies.length, "each verdict is counted under its own word");
});

booking.run();
