import { z } from "zod";
import { VERDICTS } from "../../../machines/types.ts";
import {
	cancelReason,
	count,
	dataSource,
	filters,
	opportunity,
	outcome,
	progress,
	scanError,
	scanId,
	timestamp,
	unprovenRow,
} from "./scan.ts";

/** Schemas of results and of a start that waited for them. */

const number = z.number().nullable();

export const verdict = z.object({
	strategy_id: z.string().min(1),
	strategy_name: z.string().min(1),
	index: count,
	verdict: z.enum(VERDICTS),
	reason: z.string().nullable(),
	candidate_unit: z.string(),
	candidates_total: count,
	evaluated: count,
	published: count,
	unproven: count,
	rejected: z.record(z.string(), count),
	near_misses: z
		.array(z.object({ symbol: z.string(), reason: z.string(), value: number, threshold: number, distance: number }))
		.max(3),
	data_as_of: timestamp.nullable(),
	data_age_seconds: number,
	attempts: count,
	started_at: timestamp.nullable(),
	ended_at: timestamp.nullable(),
	duration_ms: count.nullable(),
	error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).nullable(),
	carried_over_from: z.string().nullable(),
});

export const userProfile = z.object({
	active_strategies: count,
	active_strategy_count: count,
	user_tier: z.enum(["basic", "pro", "enterprise"]),
	monthly_strategy_cost: z.number(),
	total_monthly_strategy_cost: z.number(),
	scan_limit: count.nullable(),
	opportunity_scan_limit: count.nullable(),
	max_asset_tier: z.string(),
	asset_tier_floor: z.string(),
	risk_profile: z.string(),
	strategy_fingerprint: z.string(),
});

export const assetDiscovery = z.object({
	success: z.boolean(),
	error: z.string().nullable(),
	total_assets_scanned: count.nullable(),
	total_assets: count.nullable(),
	total_signals_analyzed: count,
	asset_tiers: z.array(z.string()),
	max_tier_accessed: z.string().nullable(),
	asset_tier_floor: z.string(),
	excluded: z.record(z.string(), count),
	sources: z.array(z.object({ name: z.string(), ok: z.boolean(), error: z.string().nullable(), assets: count })),
});

const signalAnalysis = z.object({
	total_signals_analyzed: count,
	signals_by_strength: z.object({
		"very_strong (>6.0)": count,
		"strong (4.5-6.0)": count,
		"moderate (3.0-4.5)": count,
		"weak (<3.0)": count,
		unrated: count,
	}),
	threshold_analysis: z.object({
		original_threshold: z.number(),
		opportunities_above_original: count,
		opportunities_shown: count,
		additional_opportunities_revealed: count,
	}),
});

const strategyPerformance = z.object({
	count,
	total_potential: z.number(),
	avg_confidence: number,
	opportunities_found: count,
	success: z.boolean(),
	verdict: z.enum(VERDICTS),
	error: z.string().nullable(),
});

export const scanMetadata = z.object({
	outcome,
	scan_state: z.enum(["complete", "partial"]),
	strategies_completed: count,
	total_strategies: count,
	remaining_strategies: count,
	scan_duration_seconds: z.number().min(0),
	filters,
	filters_unmatched: z.array(z.string()),
	message: z.string().min(1),
	generated_at: timestamp,
	verdicts: progress.shape.verdicts,
	strategy_fingerprint: z.string(),
	redrive_of: scanId.nullable(),
	superseded_by: scanId.nullable(),
	schedule_id: z.string().nullable(),
	capital_assumptions: z.object({
		capital_usd: number,
		assumed: z.boolean().nullable(),
		source: z.string().nullable(),
	}),
	profit_projection_summary: z.object({
		expected_profit_total_usd: z.number(),
		best_case_total_usd: number,
		worst_case_total_usd: number,
		average_expected_return_pct: number,
		opportunity_count: count,
	}),
	performance_metrics: z.object({
		portfolio_fetch_time_ms: number,
		cache_hit_rate: number,
		total_timeouts: count,
		total_errors: count,
	}),
});

const resultsShape = {
	scan_id: scanId,
	user_id: z.string(),
	opportunities: z.array(opportunity),
	total_opportunities: count,
	unproven: z.array(unprovenRow),
	strategy_results: z.array(verdict),
	signal_analysis: signalAnalysis,
	threshold_transparency: z.object({ message: z.string(), recommendation: z.string() }),
	user_profile: userProfile,
	strategy_performance: z.record(z.string(), strategyPerformance),
	asset_discovery: assetDiscovery,
	strategy_recommendations: z
		.array(
			z.object({
				strategy_id: z.string(),
				name: z.string(),
				benefit: z.string(),
				reason: z.string(),
				type: z.string(),
			}),
		)
		.max(3),
	metadata: scanMetadata,
	data_source: dataSource.nullable().describe("null when the scan ended before any market data was read"),
	execution_time_ms: count,
	last_updated: timestamp,
	fallback_used: z.literal(false),
};

export const resultsReply = z.object({ success: z.literal(true), status: z.literal("complete"), ...resultsShape });

export const resultsPendingReply = z.object({
	success: z.literal(true),
	status: z.literal("scanning"),
	scan_id: scanId,
	message: z.string(),
	progress,
	partial_results: z.array(opportunity).max(10),
	estimated_time_remaining_seconds: count,
	poll_url: z.string(),
	results_url: z.string(),
});

/** Members that the problem body of a failed or cancelled scan has beside the general ones. */
export const resultsFailedExtra = z.object({
	success: z.literal(false),
	message: z.string(),
	status: z.literal("failed"),
	http_status: z.literal(409),
	scan_id: scanId,
	state: z.enum(["failed", "cancelled"]),
	reason: cancelReason,
	failure: scanError.nullable(),
	partial: z.literal(true),
	opportunities: resultsShape.opportunities,
	strategy_results: resultsShape.strategy_results,
	metadata: scanMetadata,
});

/** The start answer; the optional members are there when `wait` saw the scan end. */
export const discoverReply = z.object({
	...z.object(resultsShape).partial().shape,
	success: z.boolean(),
	scan_id: scanId,
	user_id: z.string(),
	status: z.enum(["initiated", "scanning", "complete", "failed"]),
	message: z.string().min(1),
	instructions: z.string().min(1),
	poll_url: z.string(),
	results_url: z.string(),
	events_url: z.string(),
	polling_interval_seconds: z.int().min(1),
	estimated_completion_seconds: count,
	progress,
	filters,
	joined: z.boolean(),
	from_cache: z.boolean(),
	age_seconds: z.number().min(0).nullable(),
	superseded_scan_id: scanId.nullable(),
	accepted_at: timestamp,
	deadline_at: timestamp,
	state: z.enum(["failed", "cancelled"]).optional(),
	reason: cancelReason.optional(),
	failure: scanError.nullable().optional(),
});
