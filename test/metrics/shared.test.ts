import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type SharedFigures, sharedMetrics } from "../../src/metrics/shared.ts";
import { SCAN_SECONDS, type Totals, totalField } from "../../src/store/totals.ts";
import { runningRecord, SCAN_ID, sampleContext, sampleEntry, sampleRecord, USER_ID } from "../support/records.ts";
import { T0 } from "../support/scan-input.ts";
import { amountsOf } from "../support/totals.ts";

const test = suite("metrics: what concerns all processes");

const figures = (totals: Totals, rest: Partial<SharedFigures> = {}): SharedFigures => ({
	totals,
	active: 3,
	queued: 1,
	heartbeat_age_ms: 1_500,
	queue_age_ms: null,
	sweep_age_ms: 40,
	redis_ms: 0.5,
	stuck: 0,
	hit_rate: 0.75,
	sources: [{ source: "simulated:1", ok: true, breaker_open: true }],
	...rest,
});

const added = (...all: Totals[]): Totals => {
	const sum: Totals = {};
	for (const totals of all)
		for (const [field, amount] of Object.entries(totals)) sum[field] = (sum[field] ?? 0) + amount;
	return sum;
};

/** Samples of the text format: name and labels as they stand -> value. */
function samples(text: string): Map<string, number> {
	const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
	return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.split(" ").at(-1))]));
}

const ended = (position: "failed" | "cancelled", facts: object) => {
	const { context } = runningRecord();
	const end = {
		at_ms: T0 + 900,
		error: null,
		is_timeout: false,
		reason: null,
		superseded_by: null,
		by: null,
		...facts,
	};
	return sampleRecord({ position, context: { ...context, end, strategies: [] } });
};

test("an ended scan counts once, its strategies by verdict and time", async () => {
	const strategies = [
		sampleEntry(0, "ai_spot_momentum_strategy", { verdict: "ok_found", started_at_ms: T0, ended_at_ms: T0 + 700 }),
		sampleEntry(1, "ai_spot_mean_reversion", { verdict: "timed_out", started_at_ms: T0, ended_at_ms: T0 + 61_000 }),
		sampleEntry(2, "ai_spot_breakout_strategy", { verdict: "skipped", started_at_ms: null }),
		sampleEntry(3, "ai_pairs_trading", { verdict: "ok_empty", carried_over_from: SCAN_ID }),
	];
	const complete = sampleRecord({ context: sampleContext({ strategies, outcome: "found_with_gaps" }) });
	const failed = ended("failed", { error: { code: "worker_lost", message: "", phase: "ranking" } });
	const cancelled = ended("cancelled", { reason: "superseded" });
	const found = samples(
		await sharedMetrics(figures(added({ scans_started: 4 }, ...[complete, failed, cancelled].map(amountsOf)))),
	);
	assert.is(found.get("scans_started_total"), 4);
	assert.is(found.get('scans_terminal_total{status="complete",reason="found_with_gaps"}'), 1);
	assert.is(found.get('scans_terminal_total{status="failed",reason="worker_lost"}'), 1);
	assert.is(found.get('scans_terminal_total{status="cancelled",reason="superseded"}'), 1);
	assert.is(found.get("scan_duration_seconds_count"), 3);
	const momentum = 'strategy_id="ai_spot_momentum_strategy"';
	assert.is(found.get(`strategy_verdicts_total{${momentum},verdict="ok_found"}`), 1);
	assert.is(found.get(`strategy_duration_seconds_bucket{${momentum},le="0.5"}`), 0);
	assert.is(found.get(`strategy_duration_seconds_bucket{${momentum},le="1"}`), 1);
	assert.is(found.get(`strategy_duration_seconds_sum{${momentum}}`), 0.7);
	const late = 'strategy_duration_seconds_bucket{strategy_id="ai_spot_mean_reversion",le=';
	assert.equal([found.get(`${late}"60"}`), found.get(`${late}"+Inf"}`)], [0, 1]);
	assert.is(found.get('strategy_verdicts_total{strategy_id="ai_spot_breakout_strategy",verdict="skipped"}'), 1);
	assert.not.ok(
		[...found.keys()].some((name) => name.includes("ai_pairs_trading")),
		"a carried-over verdict was counted by the scan that reached it",
	);
	assert.is(found.get("scans_active"), 3);
	assert.is(found.get("scans_queued"), 1);
	assert.is(found.get("scan_heartbeat_age_seconds"), 1.5);
	assert.is(found.get("market_cache_hit_ratio"), 0.75);
	assert.is(found.get('source_breaker_open{source="simulated:1"}'), 1);
});

test("a histogram's buckets never fall, end in its count, and hold each observation where it belongs", async () => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 20 }), async (durations) => {
			const records = durations.map((ms) =>
				ended("failed", { at_ms: T0 + ms, error: { code: "x", message: "", phase: "ranking" } }),
			);
			const accepted = records[0]?.context.input.accepted_at_ms ?? T0;
			const found = samples(await sharedMetrics(figures(added(...records.map(amountsOf)))));
			for (const le of SCAN_SECONDS) {
				const within = durations.filter((ms) => (T0 + ms - accepted) / 1000 <= le).length;
				assert.is(found.get(`scan_duration_seconds_bucket{le="${le}"}`), within);
			}
			assert.is(found.get('scan_duration_seconds_bucket{le="+Inf"}'), durations.length);
			assert.is(found.get("scan_duration_seconds_count"), durations.length);
		}),
		{ numRuns: 25 },
	);
});

test("phases count by their own name and time, commits and heals as they were added", async () => {
	const context = sampleContext({
		phases: {
			portfolio_fetch: { started_at_ms: T0, ended_at_ms: T0 + 200 },
			ranking: { started_at_ms: T0, ended_at_ms: null },
		},
	});
	const counted = { "scan_commits|fenced": 2, "scan_commits|ok": 9, "scan_heals|lease_lost": 1 };
	const found = samples(await sharedMetrics(figures(added(counted, amountsOf(sampleRecord({ context }))))));
	assert.is(found.get('scan_phase_duration_seconds_bucket{phase="portfolio_fetch",le="0.1"}'), 0);
	assert.is(found.get('scan_phase_duration_seconds_bucket{phase="portfolio_fetch",le="0.25"}'), 1);
	assert.not.ok(
		[...found.keys()].some((name) => name.includes('phase="ranking"')),
		"what has not ended has no time",
	);
	assert.is(found.get('scan_commits_total{result="fenced"}'), 2);
	assert.is(found.get('scan_commits_total{result="ok"}'), 9);
	assert.is(found.get('scan_heals_total{cause="lease_lost"}'), 1);
	assert.equal([found.get("scan_queue_oldest_seconds"), found.get("sweep_age_seconds")], [0, 0.04]);
});

test("no label names a user or a scan", async () => {
	const text = await sharedMetrics(figures(amountsOf(sampleRecord())));
	assert.not.match(text, SCAN_ID);
	assert.not.match(text, USER_ID);
	assert.not.match(text, /scan_[0-9a-f]{32}/);
});

test("what Redis did not tell has no value, and every metric is still named", async () => {
	const text = await sharedMetrics(null);
	assert.is(samples(text).size, 0);
	for (const name of ["scans_started_total", "scans_terminal_total", "lease_takeovers_total", "source_requests_total"])
		assert.match(text, `# TYPE ${name} counter`);
});

test("label values are escaped", async () => {
	const field = totalField("source_requests", 'a"b\\c', "ok");
	const text = await sharedMetrics(figures({ [field]: 2 }));
	assert.match(text, 'source_requests_total{source="a\\"b\\\\c",outcome="ok"} 2');
});

test.run();
