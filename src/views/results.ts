import type { ScanContext } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import type { RankingDocument } from "../effects/contract.ts";
import type { ScanRecord } from "../store/contract.ts";
import { jsonArray, spliceJson } from "./json.ts";
import { scanMessage, unmatchedFilters } from "./messages.ts";
import { progressOf } from "./progress.ts";
import {
	assetDiscoveryView,
	profitProjection,
	signalAnalysis,
	strategyPerformance,
	thresholdTransparency,
	userProfileView,
} from "./results-parts.ts";
import { type RowFigures, rowFigures } from "./rows.ts";
import { verdictObjects } from "./verdict.ts";
import { endedAtMs, executionTimeMs, stateOf, statusOf } from "./words.ts";

/** Stored texts that a results body is made of; rows best first. */
export interface ResultsSource {
	record: ScanRecord;
	rows: readonly string[];
	unproven: readonly string[];
	recommendations: RankingDocument["recommendations"];
}

/** partial: ended badly, or some strategy gave no full answer. */
export function scanState(record: ScanRecord): "complete" | "partial" {
	if (record.position !== "completed") return "partial";
	const gaps = ["degraded", "failed", "timed_out", "cancelled"];
	return record.context.strategies.some((entry) => entry.verdict !== null && gaps.includes(entry.verdict))
		? "partial"
		: "complete";
}

function performanceMetrics(context: ScanContext) {
	const count = (verdict: string) => context.strategies.filter((entry) => entry.verdict === verdict).length;
	return {
		portfolio_fetch_time_ms: context.portfolio?.duration_ms ?? null,
		// Hits of the shared market cache are counted per process, not per scan.
		cache_hit_rate: null,
		total_timeouts: count("timed_out"),
		total_errors: count("failed"),
	};
}

/** `metadata` of the results; immutable once the scan is terminal. */
export function metadataView(record: ScanRecord, figures: readonly RowFigures[]) {
	const { context, position } = record;
	const { input, portfolio } = context;
	const progress = progressOf(context, position);
	const executionMs = executionTimeMs(context);
	return {
		outcome: position === "completed" ? context.outcome : null,
		scan_state: scanState(record),
		strategies_completed: progress.strategies_completed,
		total_strategies: progress.total_strategies,
		remaining_strategies: progress.total_strategies - progress.strategies_completed,
		scan_duration_seconds: executionMs === null ? null : executionMs / 1000,
		filters: input.filters,
		filters_unmatched: unmatchedFilters(context),
		message: scanMessage(context, position),
		generated_at: isoOf(endedAtMs(context) ?? record.progress_at_ms),
		verdicts: progress.verdicts,
		strategy_fingerprint: input.profile.strategy_fingerprint,
		redrive_of: input.redrive_of,
		superseded_by: context.end?.superseded_by ?? null,
		schedule_id: input.schedule_id,
		capital_assumptions: {
			capital_usd: portfolio?.capital_usd ?? null,
			assumed: portfolio?.assumed ?? null,
			source: portfolio?.source ?? null,
		},
		profit_projection_summary: profitProjection(figures),
		performance_metrics: performanceMetrics(context),
	};
}

/**
 * Body of the results endpoint as compact JSON. For a failed or cancelled scan it
 * is the same shape with what was found, success false and no `error` key: only a waited start
 * shows it that way, the results endpoint itself answers 409.
 */
export function resultsView(source: ResultsSource): string {
	const { record } = source;
	const { context, position } = record;
	const figures = source.rows.map(rowFigures);
	const signals = signalAnalysis(context, figures);
	const status = statusOf(position);
	const failure =
		status === "failed"
			? { state: stateOf(position), reason: context.end?.reason ?? null, failure: context.end?.error ?? null }
			: {};
	const fields = {
		success: status === "complete",
		status,
		...failure,
		scan_id: record.scan_id,
		user_id: record.user_id,
		total_opportunities: source.rows.length,
		strategy_results: verdictObjects(context.strategies),
		signal_analysis: signals,
		threshold_transparency: thresholdTransparency(signals.threshold_analysis, source.unproven.length),
		user_profile: userProfileView(context.input.profile),
		strategy_performance: strategyPerformance(context, figures),
		asset_discovery: assetDiscoveryView(context),
		strategy_recommendations: source.recommendations,
		metadata: metadataView(record, figures),
		data_source: context.assets?.data_source ?? null,
		execution_time_ms: executionTimeMs(context),
		last_updated: isoOf(endedAtMs(context) ?? record.progress_at_ms),
		fallback_used: false,
	};
	return spliceJson(fields, { opportunities: jsonArray(source.rows), unproven: jsonArray(source.unproven) });
}

/**
 * Members that turn a problem body into the 409 of a failed or cancelled scan:
 * nothing that was found is lost, and no client takes the scan for a finished one.
 */
export function endedBadlyExtra(record: ScanRecord, rows: readonly string[]) {
	const { context, position } = record;
	const message = scanMessage(context, position);
	return {
		success: false,
		message,
		status: "failed",
		http_status: 409,
		scan_id: record.scan_id,
		state: stateOf(position),
		reason: context.end?.reason ?? null,
		failure: context.end?.error ?? null,
		partial: true,
		opportunities: rows.map((row): unknown => JSON.parse(row)),
		strategy_results: verdictObjects(context.strategies),
		metadata: metadataView(record, rows.map(rowFigures)),
	};
}
