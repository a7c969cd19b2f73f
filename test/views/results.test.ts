import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compareRows } from "../../src/strategies/ranking.ts";
import { jsonArray, spliceJson } from "../../src/views/json.ts";
import { resultsView } from "../../src/views/results.ts";
import { orderRows } from "../../src/views/rows.ts";
import { sampleContext, sampleEntry, sampleRecord, sampleRow, sampleUnproven } from "../support/records.ts";
import { scanInput } from "../support/scan-input.ts";

const results = suite("results view");
const text = (rows: object[]) => rows.map((row) => JSON.stringify(row));
const view = (rows: object[], unproven: object[] = [], record = sampleRecord()) =>
	JSON.parse(resultsView({ record, rows: text(rows), unproven: text(unproven), recommendations: [] }));

results("splicing gives the JSON that a whole print would give", () => {
	fc.assert(
		fc.property(
			fc.dictionary(
				fc.string({ minLength: 1 }).map((key) => `f${key}`),
				fc.jsonValue(),
			),
			fc.array(fc.jsonValue()),
			(fields, rows) => {
				const spliced = spliceJson(fields, { rows: jsonArray(rows.map((row) => JSON.stringify(row))) });
				assert.is(spliced, JSON.stringify({ ...fields, rows }));
			},
		),
		{ numRuns: 100 },
	);
	assert.is(spliceJson({}, {}), "{}");
	assert.is(spliceJson({ a: 1 }, {}), '{"a":1}');
});

results("strength bands follow metadata.signal_strength and sum to the rows", () => {
	const strengths = [6.01, 6, 4.5, 4.49, 3, 2.99, undefined];
	const body = view(
		strengths.map((signal_strength, n) =>
			sampleRow(`r${n}`, { metadata: signal_strength === undefined ? {} : { signal_strength } }),
		),
	);
	assert.equal(body.signal_analysis.signals_by_strength, {
		"very_strong (>6.0)": 1,
		"strong (4.5-6.0)": 2,
		"moderate (3.0-4.5)": 2,
		"weak (<3.0)": 1,
		unrated: 1,
	});
	assert.equal(body.signal_analysis.threshold_analysis, {
		original_threshold: 6,
		opportunities_above_original: 1,
		opportunities_shown: 7,
		additional_opportunities_revealed: 6,
	});
	assert.is(body.signal_analysis.total_signals_analyzed, 20);
});

results("performance of every strategy: counts, potential and confidence of its rows", () => {
	const rows = [
		sampleRow("a", { profit_potential_usd: 10, confidence_score: 60 }),
		sampleRow("b", { profit_potential_usd: -4, confidence_score: 70 }),
	];
	const { strategy_performance: performance } = view(rows);
	assert.equal(performance.ai_spot_momentum_strategy, {
		count: 2,
		total_potential: 6,
		avg_confidence: 65,
		opportunities_found: 3,
		success: true,
		verdict: "ok_found",
		error: null,
	});
	assert.is(performance.ai_spot_mean_reversion.avg_confidence, null);
	assert.is(performance.ai_spot_mean_reversion.count, 0);
});

results("a failed strategy is unsuccessful and says why, and the scan is partial", () => {
	const failed = sampleEntry(0, "ai_spot_momentum_strategy", {
		verdict: "failed",
		reason: "fetch_failed",
		error: { code: "fetch_failed", message: "No data", retryable: true },
	});
	const body = view([], [], sampleRecord({ context: sampleContext({ strategies: [failed], outcome: "incomplete" }) }));
	assert.is(body.strategy_performance.ai_spot_momentum_strategy.success, false);
	assert.is(body.strategy_performance.ai_spot_momentum_strategy.error, "No data");
	assert.is(body.metadata.scan_state, "partial");
	assert.is(body.metadata.performance_metrics.total_errors, 1);
});

results("projections add what rows state and stay null where no row states it", () => {
	const stated = view([sampleRow("a"), sampleRow("b", { metadata: {}, required_capital_usd: 0 })]).metadata
		.profit_projection_summary;
	assert.equal(stated, {
		expected_profit_total_usd: 25,
		best_case_total_usd: 50,
		worst_case_total_usd: -25,
		average_expected_return_pct: 0.5,
		opportunity_count: 2,
	});
	const silent = view([]).metadata.profit_projection_summary;
	assert.is(silent.best_case_total_usd, null);
	assert.is(silent.worst_case_total_usd, null);
	assert.is(silent.average_expected_return_pct, null);
	assert.is(silent.expected_profit_total_usd, 0);
});

results("tiers are listed from the highest down, only those with assets", () => {
	const { asset_discovery: discovery } = view([]);
	assert.equal(discovery.asset_tiers, ["tier_institutional", "tier_retail"]);
	assert.is(discovery.max_tier_accessed, "tier_institutional");
	assert.is(discovery.success, true);
});

results("what was never discovered is null with a cause, not zero", () => {
	const { asset_discovery: discovery, data_source } = view(
		[],
		[],
		sampleRecord({ context: sampleContext({ assets: null, outcome: "nothing_to_scan" }) }),
	);
	assert.is(discovery.success, false);
	assert.is(discovery.total_assets, null);
	assert.type(discovery.error, "string");
	assert.is(data_source, null);
});

results("unproven rows stand apart and do not count", () => {
	const body = view([sampleRow("a")], [sampleUnproven("u")]);
	assert.is(body.total_opportunities, 1);
	assert.is(body.unproven[0].unproven_reason, "grade_c");
	assert.is(body.metadata.profit_projection_summary.opportunity_count, 1);
	assert.match(body.threshold_transparency.recommendation, /1 more/);
});

results("a scheduled, redriven scan says so in its metadata", () => {
	const input = scanInput({ schedule_id: "schedule_1", redrive_of: `scan_${"c".repeat(32)}` });
	const { metadata } = view([], [], sampleRecord({ context: sampleContext({ input }) }));
	assert.is(metadata.schedule_id, "schedule_1");
	assert.is(metadata.redrive_of, input.redrive_of);
});

const figureRow = fc.record({
	id: fc.string(),
	grade: fc.constantFrom("A", "B"),
	bps: fc.integer({ min: -50, max: 50 }),
	n: fc.integer({ min: 1, max: 5 }),
	stop: fc.constantFrom(null, 90, 95),
	risk_distance_bps: fc.constantFrom(undefined, 10, 500),
});

results("unranked rows are ordered totally and repeatably, whatever order they came in", () => {
	fc.assert(
		fc.property(fc.uniqueArray(figureRow, { selector: (row) => row.id, maxLength: 8 }), (rows) => {
			const base = sampleRow("x").evidence;
			const made = rows.map(({ id, grade, bps, n, stop, risk_distance_bps }) =>
				sampleRow(id, {
					entry_price: 100,
					stop_price: stop,
					metadata: risk_distance_bps === undefined ? {} : { risk_distance_bps },
					evidence: { ...base, grade: grade as "A" | "B", mean_net_bps: bps, n_effective: n },
				}),
			);
			const forward = orderRows(text(made));
			assert.equal(orderRows(text([...made].reverse())), forward);
			assert.equal(forward, text([...made].sort(compareRows)), "the order that ranking would give");
		}),
		{ numRuns: 60 },
	);
});

results("a row found twice is shown once", () => {
	assert.is(orderRows(text([sampleRow("a"), sampleRow("a")])).length, 1);
});

results.run();
