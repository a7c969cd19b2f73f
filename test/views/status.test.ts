import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { outcomeOf } from "../../machines/scan-rules.ts";
import { patienceSeconds, quantile, remainingSeconds } from "../../src/views/estimates.ts";
import { scanMessage } from "../../src/views/messages.ts";
import { progressOf } from "../../src/views/progress.ts";
import { statusView } from "../../src/views/status.ts";
import {
	queuedRecord,
	runningRecord,
	sampleAssets,
	sampleContext,
	sampleEntry,
	samplePortfolio,
	sampleRecord,
	sampleRow,
} from "../support/records.ts";
import { scanInput, T0 } from "../support/scan-input.ts";

const status = suite("status view");
const body = (record = sampleRecord(), rows: string[] = [], nowMs = T0 + 2_000) =>
	JSON.parse(statusView(record, rows, nowMs, []));
const end = (facts: object) => ({
	at_ms: T0 + 1_000,
	error: null,
	is_timeout: false,
	reason: null,
	superseded_by: null,
	by: null,
	...facts,
});

status("a queued scan shows zeros and no start", () => {
	const queued = body(queuedRecord());
	assert.is(queued.status, "scanning");
	assert.is(queued.state, "queued");
	assert.is(queued.started_at, null);
	assert.is(queued.completed_at, null);
	assert.is(queued.progress.total_strategies, 0);
	assert.is(queued.progress.percentage, 0);
});

status("a running scan counts the settled, the running and the pending", () => {
	const running = body(runningRecord());
	assert.is(running.state, "running");
	assert.is(running.progress.percentage, 33);
	assert.is(running.progress.verdicts.ok_found, 1);
	assert.is(running.progress.verdicts.running, 1);
	assert.is(running.progress.verdicts.pending, 1);
	assert.is(running.outcome, null);
});

status("rows are spliced as they are stored, at most ten", () => {
	const rows = Array.from({ length: 12 }, (_, n) => JSON.stringify(sampleRow(`row_0_${n}`)));
	const text = statusView(sampleRecord(), rows, T0, []);
	assert.is(text.includes(rows[9] ?? ""), true);
	assert.is(text.includes(rows[10] ?? ""), false);
	assert.is(JSON.parse(text).partial_results.length, 10);
});

status("cancelled and superseded scans say failed, cancelled and why", () => {
	const context = sampleContext({
		ranking: null,
		outcome: null,
		end: end({ reason: "superseded", superseded_by: "scan_x" }),
	});
	const cancelled = body(sampleRecord({ context, position: "cancelled" }));
	assert.is(cancelled.status, "failed");
	assert.is(cancelled.state, "cancelled");
	assert.is(cancelled.reason, "superseded");
	assert.is(cancelled.superseded_by, "scan_x");
	assert.is(cancelled.success, false);
	assert.match(cancelled.message, /superseded/);
	assert.is(cancelled.error, null);
});

status("the percentage of a cancelled scan is the one it had, though every strategy now has a verdict", () => {
	const cancelledAt = { state: "settled" as const, verdict: "cancelled" as const, ended_at_ms: T0 + 1_000 };
	const strategies = [
		sampleEntry(0, "ai_spot_momentum_strategy", {}, 1),
		sampleEntry(1, "ai_spot_mean_reversion", cancelledAt),
		sampleEntry(2, "ai_spot_breakout_strategy", cancelledAt),
	];
	const context = sampleContext({ strategies, end: end({ reason: "user_request" }) });
	const progress = progressOf(context, "cancelled");
	assert.is(progress.percentage, 33);
	assert.is(progress.strategies_completed, 3);
});

status("what a redriven scan carries over counts as done from its start to its end, cancelled before or not", () => {
	const settledAt = { state: "settled" as const, ended_at_ms: T0 };
	const carried = { ...settledAt, verdict: "cancelled" as const, carried_over_from: "scan_before" };
	const first = sampleEntry(0, "ai_spot_momentum_strategy", carried);
	const second = sampleEntry(1, "ai_spot_mean_reversion", { verdict: null, state: "evaluating" });
	const running = sampleContext({ strategies: [first, second] });
	assert.is(progressOf(running, "strategies_scan").percentage, 50);
	const strategies = [first, { ...second, ...settledAt, verdict: "cancelled" as const }];
	const cancelled = sampleContext({ strategies, end: end({ reason: "user_request" }) });
	assert.is(progressOf(cancelled, "cancelled").percentage, 50);
});

status("a failed scan carries code, sentence and phase", () => {
	const error = {
		code: "worker_lost" as const,
		message: "The scan lost its worker 3 times",
		phase: "strategies_scan" as const,
	};
	const failed = body(
		sampleRecord({ context: sampleContext({ end: end({ error }), ranking: null, outcome: null }), position: "failed" }),
	);
	assert.equal(failed.error, error);
	assert.match(failed.message, /lost its worker/);
	assert.is(failed.reason, null);
});

status("each outcome has its own sentence", () => {
	const gap = sampleEntry(1, "ai_spot_mean_reversion", { verdict: "timed_out" });
	const empty = sampleEntry(0, "ai_spot_momentum_strategy");
	const say = (overrides: Parameters<typeof sampleContext>[0]) => scanMessage(sampleContext(overrides), "completed");
	const ranking = {
		ranked_count: 0,
		unproven_count: 0,
		cut: {},
		recommendations_count: 0,
		recommendations: "completed" as const,
		duration_ms: 1,
	};
	assert.match(say({}), /3 opportunities from 2 strategies/);
	assert.match(say({ outcome: "found_with_gaps", strategies: [empty, gap] }), /AI Mean Reversion/);
	assert.match(say({ outcome: "empty", ranking }), /no opportunities/);
	const incomplete = say({ outcome: "incomplete", ranking, strategies: [empty, gap] });
	assert.match(incomplete, /AI Mean Reversion/);
	assert.not.match(incomplete, /no opportunities/i);
});

status("exchange accounts that were not read are named after the outcome and do not change it", () => {
	const report = { account_id: "a", exchange: "kraken", error: null, missing: [], as_of_ms: T0 };
	const accounts = [
		report,
		{ ...report, exchange: "okx", missing: ["futures_wallet", "beyond_limit"] },
		{ ...report, exchange: "binance", error: "timeout" },
		{ ...report, exchange: "bybit", error: "authentication_failed", as_of_ms: null },
	];
	const verdicts = fc.array(fc.constantFrom("ok_found", "ok_empty", "degraded", "failed", "timed_out", "skipped"));
	fc.assert(
		fc.property(verdicts, fc.subarray(accounts), (words, held) => {
			const strategies = words.map((verdict, i) => sampleEntry(i, "ai_spot_mean_reversion", { verdict }));
			const whole = sampleContext({ strategies, portfolio: samplePortfolio() });
			const lacking = sampleContext({ strategies, portfolio: samplePortfolio({ accounts: held }) });
			assert.is(outcomeOf(lacking), outcomeOf(whole));
			const say = (context: typeof whole) => scanMessage({ ...context, outcome: outcomeOf(context) }, "completed");
			const [before, after] = [say(whole), say(lacking)];
			assert.ok(after.startsWith(before));
			for (const { exchange } of held) assert.is(after.includes(`account at ${exchange} `), exchange !== "kraken");
		}),
		{ numRuns: 50 },
	);
	const context = sampleContext({ portfolio: samplePortfolio({ accounts }) });
	assert.match(
		scanMessage(context, "completed"),
		/okx was read in part, without futures wallet and what is beyond the limit of entries\./,
	);
	assert.match(scanMessage(context, "completed"), /bybit was not read \(authentication_failed\), it is left out/);
});

status("nothing to scan names its cause", () => {
	const profile = { ...scanInput().profile, strategy_ids: [] };
	const poor = sampleContext({
		input: scanInput({ strategies: [], profile }),
		strategies: [],
		outcome: "nothing_to_scan",
		ranking: null,
	});
	assert.match(scanMessage(poor, "completed"), /own no strategy/);
	const filtered = sampleContext({
		input: scanInput({ strategies: [], filters: { strategy_ids: ["x"] } }),
		strategies: [],
		outcome: "nothing_to_scan",
	});
	assert.match(scanMessage(filtered, "completed"), /no strategy matches/);
	const skipped = sampleEntry(0, "ai_options_trade", { verdict: "skipped", reason: "not_available" });
	assert.match(
		scanMessage(sampleContext({ strategies: [skipped], outcome: "nothing_to_scan" }), "completed"),
		/not_available/,
	);
});

status("filters without a match stand in the message, each once", () => {
	const context = sampleContext({
		input: scanInput({ filters_unmatched: ["strategy:foo"] }),
		assets: sampleAssets({ filters_unmatched: ["symbol:ZZZ", "strategy:foo"] }),
	});
	assert.match(scanMessage(context, "completed"), /without a match: strategy:foo and symbol:ZZZ\./);
});

status("remaining time is the median of scans alike minus elapsed, never past the deadline", () => {
	const samples = [40, 10, 20].map((seconds) => ({ duration_ms: seconds * 1_000, strategies: 14, completed: true }));
	const record = runningRecord();
	assert.is(remainingSeconds(record, T0 + 5_000, samples), 15);
	assert.is(remainingSeconds(record, T0 + 50_000, samples), 0);
	assert.is(remainingSeconds(record, T0 + 149_500, [{ duration_ms: 900_000, strategies: 14, completed: true }]), 0);
	assert.is(remainingSeconds(record, T0, []), 120);
	assert.is(remainingSeconds(sampleRecord(), T0, samples), 0);
});

status("the client's patience is p95 of recent scans inside 100..150", () => {
	const of = (seconds: number) => [{ duration_ms: seconds * 1_000, strategies: 14, completed: true }];
	assert.is(patienceSeconds([]), 120);
	assert.is(patienceSeconds(of(3)), 100);
	assert.is(patienceSeconds(of(131.2)), 132);
	assert.is(patienceSeconds(of(400)), 150);
	assert.is(quantile([], 0.5), null);
	assert.is(quantile([3, 1, 2], 0.5), 2);
});

status.run();
