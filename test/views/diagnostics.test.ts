import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emptyTally } from "../../machines/strategy-rules.ts";
import { metricsReply, userStatusReply } from "../../src/api/schemas/diagnostics.ts";
import { STANDARD_STRATEGIES } from "../../src/catalogue.ts";
import type { Account } from "../../src/services.ts";
import { debugView, lifecycleView } from "../../src/views/diagnostics.ts";
import { dailyStats, metricsView, successRate, systemHealth } from "../../src/views/metrics.ts";
import { stepView } from "../../src/views/steps.ts";
import { stuckVerdict } from "../../src/views/stuck.ts";
import { userStatusView } from "../../src/views/user-status.ts";
import { verdictObject } from "../../src/views/verdict.ts";
import { conforms } from "../support/conform.ts";
import { queuedRecord, runningRecord, sampleContext, sampleEntry, sampleRecord, USER_ID } from "../support/records.ts";
import { T0 } from "../support/scan-input.ts";

const diagnostics = suite("diagnostic views");
const STUCK_AFTER_MS = 120_000;

diagnostics("a scan is stuck once its heartbeat is older than the threshold, not before (F11)", () => {
	const record = runningRecord({ heartbeat_at_ms: T0 });
	assert.is(stuckVerdict(record, T0 + STUCK_AFTER_MS, STUCK_AFTER_MS).is_stuck, false);
	const stuck = stuckVerdict(record, T0 + STUCK_AFTER_MS + 1, STUCK_AFTER_MS);
	assert.is(stuck.is_stuck, true);
	assert.is(stuck.stuck_duration_seconds, 120);
	assert.equal(stuck.stuck?.waiting_on, { kind: "worker", id: "worker-1", since: "2026-03-19T19:00:00.000Z" });
	assert.equal(stuck.stuck?.evidence.strategies_running, ["ai_spot_mean_reversion"]);
	assert.is(stuck.stuck?.suggested_action, "wait");
});

diagnostics("a healthy scan is never stuck within its budget", () => {
	for (let nowMs = T0; nowMs <= T0 + 150_000; nowMs += 1_000) {
		assert.is(stuckVerdict(runningRecord({ heartbeat_at_ms: nowMs - 500 }), nowMs, STUCK_AFTER_MS).is_stuck, false);
	}
});

diagnostics("with a fresh heartbeat the phase's budget decides, and the verdict names what is waited for", () => {
	const atMs = T0 + 145_000 + 5_001;
	const late = stuckVerdict(runningRecord({ heartbeat_at_ms: atMs }), atMs, STUCK_AFTER_MS);
	assert.is(late.is_stuck, true);
	assert.is(late.stuck_duration_seconds, 5);
	assert.is(late.stuck?.waiting_on.kind, "strategy");
	assert.is(late.stuck?.waiting_on.id, "ai_spot_mean_reversion");
	assert.is(late.stuck?.suggested_action, "cancel");
	const phases = { asset_discovery: { started_at_ms: T0 + 100, ended_at_ms: null } };
	const discovering = runningRecord({
		context: sampleContext({ phases, end: null }),
		position: "asset_discovery",
		heartbeat_at_ms: T0 + 36_000,
	});
	const source = stuckVerdict(discovering, T0 + 36_000, STUCK_AFTER_MS);
	assert.is(source.stuck?.waiting_on.kind, "source");
	assert.is(source.stuck?.suggested_action, "check_dependency");
});

diagnostics("an unclaimed scan waits for a worker, counted from its acceptance", () => {
	const stuck = stuckVerdict(queuedRecord(), T0 + 130_000, STUCK_AFTER_MS);
	assert.equal(stuck.stuck?.waiting_on, { kind: "worker", id: null, since: "2026-03-19T19:00:00.000Z" });
	assert.is(stuck.stuck?.suggested_action, "check_dependency");
	assert.is(stuckVerdict(sampleRecord(), T0 + 9e8, STUCK_AFTER_MS).is_stuck, false);
});

diagnostics("before the claim the lifecycle is queued and has no phases", () => {
	const body = JSON.parse(lifecycleView(queuedRecord(), {}, T0, STUCK_AFTER_MS));
	assert.is(body.current_phase, "queued");
	assert.is(body.current_status, "in_progress");
	assert.equal(body.phases, {});
	assert.is(body.redis_key, `scan_lifecycle:{${body.scan_id}}`);
});

diagnostics("a cancelled scan closes the phase in hand as cancelled", () => {
	const end = {
		at_ms: T0 + 900,
		error: null,
		is_timeout: false,
		reason: "user_request" as const,
		superseded_by: null,
		by: USER_ID,
	};
	const context = sampleContext({ phases: runningRecord().context.phases, end, ranking: null, outcome: null });
	const body = JSON.parse(lifecycleView(sampleRecord({ context, position: "cancelled" }), {}, T0, STUCK_AFTER_MS));
	assert.is(body.phases.strategies_scan.status, "cancelled");
	assert.is(body.phases.strategies_scan.ended_at, "2026-03-19T19:00:00.900Z");
	assert.is(body.phases.cancelled.reason, "user_request");
	assert.is(body.phases.started.force_refresh, false);
	assert.is(body.phases.started.start_time, T0 / 1000 + 0.05);
});

diagnostics("a strategy's step follows its verdict and keeps its start", () => {
	const verdicts = {
		ok_found: "completed",
		ok_empty: "completed",
		degraded: "completed",
		failed: "failed",
		timed_out: "timed_out",
		skipped: "skipped",
		cancelled: "cancelled",
	} as const;
	for (const [verdict, status] of Object.entries(verdicts)) {
		const entry = sampleEntry(8, "ai_futures_trade", { verdict: verdict as keyof typeof verdicts });
		const step = stepView(sampleContext({ strategies: [entry] }), 100, T0 + 700);
		assert.is(step?.status, status);
		assert.is(step?.name, "Strategy: AI Futures Trading");
		assert.is(step?.strategy_index, 8);
		assert.is(step?.started_at, "2026-03-19T19:00:00.200Z");
		assert.is(step?.execution_time_ms, 500);
		assert.is(step?.is_timeout, verdict === "timed_out");
	}
});

diagnostics("failed strategies of a complete scan are in failed_steps only (F13)", () => {
	const failed = sampleEntry(0, "ai_spot_momentum_strategy", { verdict: "failed" });
	const slow = sampleEntry(1, "ai_spot_mean_reversion", { verdict: "timed_out" });
	const body = debugView(sampleRecord({ context: sampleContext({ strategies: [failed, slow] }) }), {}, T0) as Record<
		string,
		unknown
	>;
	assert.equal(body.failed_steps, [100, 101]);
	assert.is(body.overall_status, "completed");
	assert.is(body.failure_info, null);
	assert.is(body.expected_steps, 15);
	assert.is(body.total_steps, 15);
});

diagnostics("an open verdict object is null where nothing is known yet", () => {
	const open = sampleEntry(3, "ai_pairs_trading", {
		verdict: null,
		ended_at_ms: null,
		started_at_ms: null,
		attempt: 0,
		tally: emptyTally(),
	});
	const object = verdictObject(open);
	assert.is(object.duration_ms, null);
	assert.is(object.verdict, null);
	assert.is(object.index, 3);
	assert.is(verdictObject(open, 7).index, 7);
	assert.is(verdictObject({ ...open, strategy_id: "gone_strategy" }).strategy_name, "gone_strategy");
});

const day = (overrides = {}) => ({
	date: "2026-03-19",
	total_scans: 4,
	successful_scans: 3,
	total_opportunities: 9,
	total_strategies: 56,
	avg_execution_time_ms: 900.5,
	errors: 1,
	timeouts: 2,
	...overrides,
});

diagnostics("metrics are numbers from the first scan on and null before", () => {
	assert.is(successRate(day()), 75);
	assert.is(successRate(day({ total_scans: 0 })), null);
	assert.is(dailyStats(day({ total_scans: 0 })), null);
	const samples = [
		{ duration_ms: 800, strategies: 14, completed: true },
		{ duration_ms: 9_000, strategies: 14, completed: false },
	];
	const view = metricsView({ day: day(), samples, active: 1, queued: 0, cacheHitRate: null }, T0) as Record<
		string,
		unknown
	>;
	conforms(metricsReply, view);
	assert.is(view.p95_ms, 800);
	for (const [errors, word] of [
		[9, "operational"],
		[10, "degraded"],
		[50, "unhealthy"],
	] as const) {
		assert.is(
			(
				metricsView({ day: day({ errors }), samples, active: 0, queued: 0, cacheHitRate: 0.5 }, T0) as {
					system_status: string;
				}
			).system_status,
			word,
		);
	}
	assert.is((systemHealth(day(), true, T0) as { status: string }).status, "healthy");
	assert.is((systemHealth(day(), false, T0) as { status: string }).status, "unhealthy");
});

const account = (overrides: Partial<Account> = {}): Account => ({
	user_id: USER_ID,
	email: "trader@example.com",
	full_name: null,
	role: "trader",
	status: "active",
	strategy_ids: [],
	created_at: "2026-01-01T00:00:00.000Z",
	last_login: null,
	premium_welcome: false,
	onboarded_at: null,
	...overrides,
});

diagnostics("user-status has one shape for every kind of user (F12)", () => {
	const users = [
		userStatusView(account(), null, null, T0),
		userStatusView(account({ onboarded_at: "2026-01-02T00:00:00.000Z" }), 25, queuedRecord(), T0 + 4_900),
		userStatusView(
			account({ role: "admin", strategy_ids: STANDARD_STRATEGIES.map((entry) => entry.id) }),
			null,
			sampleRecord(),
			T0 + 1_000,
		),
	] as Record<string, Record<string, unknown>>[];
	for (const user of users) {
		conforms(userStatusReply, user);
		assert.equal(Object.keys(user), Object.keys(users[0] ?? {}));
	}
	assert.is(users[0]?.onboarding_status?.needs_onboarding, true);
	assert.is(users[1]?.last_scan_info?.time_since_last_scan, 4);
	assert.is(users[1]?.recommendations?.next_action, "wait_for_scan");
	assert.is(users[2]?.discovery_available, true, "an admin with fourteen strategies counts as onboarded");
	assert.is(users[2]?.recommendations?.estimated_opportunities, 3);
});

diagnostics.run();
