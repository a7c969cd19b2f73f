import { z } from "zod";
import { assetDiscovery, userProfile } from "./results.ts";
import { count, lenientBoolean, outcome, position, scanId, timestamp } from "./scan.ts";

/** Schemas of the diagnostics and of user-status. */

const number = z.number().nullable();

export const userParams = z.object({ user_id: z.string() });
export const historyQuery = z.object({
	limit: z.coerce.number({ error: "must be a whole number from 1 to 50" }).int().min(1).max(50).default(10),
});
export const scanMetricsQuery = z.object({
	user_id: z.string().optional(),
	include_daily_stats: z
		.union([lenientBoolean, z.enum(["1", "0"]).transform((word) => word === "1")], { error: "must be true or false" })
		.default(true),
});

export const stuckReport = z.object({
	since: timestamp,
	waiting_on: z.object({
		kind: z.enum(["worker", "strategy", "source", "store"]),
		id: z.string().nullable(),
		since: timestamp,
	}),
	evidence: z.object({
		heartbeat_age_ms: count,
		last_seq: count,
		last_event_type: z.string(),
		lease_expires_at: timestamp.nullable(),
		deadline_at: timestamp,
		strategies_running: z.array(z.string()),
	}),
	suggested_action: z.enum(["wait", "cancel", "redrive", "check_dependency"]),
});

const phaseStatus = z.enum(["in_progress", "completed", "error", "timeout", "cancelled"]);

export const phase = z.looseObject({
	phase: position,
	status: phaseStatus,
	timestamp,
	user_id: z.string(),
	started_at: timestamp,
	ended_at: timestamp.nullable(),
	duration_ms: count.nullable(),
});

export const lifecycleReply = z.object({
	success: z.literal(true),
	scan_id: scanId,
	resolved_scan_id: scanId.nullable(),
	current_phase: position,
	current_status: phaseStatus,
	last_updated: timestamp,
	last_heartbeat_at: timestamp.nullable(),
	phases: z.record(z.string(), phase),
	is_stuck: z.boolean(),
	stuck_duration_seconds: number,
	stuck: stuckReport.nullable(),
	redis_key: z.string(),
	recovered_from_index: z.literal(false),
	timestamp,
});

export const step = z.looseObject({
	step: z.int().min(1),
	name: z.string().min(1),
	status: z.enum(["starting", "completed", "failed", "cancelled", "timed_out", "skipped"]),
	timestamp,
	user_id: z.string(),
	scan_id: scanId,
	started_at: timestamp.nullable(),
	ended_at: timestamp.nullable(),
	execution_time_ms: count.nullable(),
	error: z.string().nullable(),
	error_type: z.string().nullable(),
});

export const debugReply = z.object({
	success: z.literal(true),
	scan_id: scanId,
	overall_status: z.enum(["in_progress", "completed", "failed", "cancelled"]),
	current_step: count,
	last_updated: timestamp,
	total_steps: count,
	expected_steps: count,
	steps: z.record(z.string(), step),
	failed_steps: z.array(z.int()),
	failure_info: z
		.object({
			step: z.int().nullable(),
			name: z.string().nullable(),
			status: z.enum(["failed", "timed_out"]),
			error: z.string(),
			error_type: z.string(),
			timestamp,
		})
		.nullable(),
	timestamp,
});

const endedScan = z.object({
	scan_id: z.string(),
	user_id: z.string(),
	opportunities_discovered: count,
	strategies_scanned: count,
	execution_time_ms: z.number(),
	success: z.boolean(),
	timestamp: z.string(),
});

export const scanMetricsReply = z.object({
	success: z.literal(true),
	latest_scan: endedScan.nullable(),
	daily_stats: z
		.object({
			date: z.iso.date(),
			stats: z.object({
				total_scans: count,
				successful_scans: count,
				total_opportunities: count,
				total_strategies: count,
				avg_execution_time_ms: z.number(),
			}),
			success_rate: z.number().min(0).max(100),
		})
		.nullable(),
	recent_scans: z
		.array(
			z.object({
				scan_id: z.string(),
				opportunities_count: count,
				execution_time_ms: z.number(),
				last_updated: z.string(),
				cache_key: z.string(),
			}),
		)
		.max(5),
	system_health: z.object({
		redis_connected: z.boolean(),
		daily_errors: count,
		status: z.enum(["healthy", "degraded", "unhealthy"]),
		last_check: timestamp,
	}),
	timestamp,
});

export const historyReply = z.object({
	success: z.literal(true),
	user_id: z.string(),
	total_scans: count,
	scans: z.array(
		z.object({
			scan_id: scanId,
			user_id: z.string(),
			status: z.enum(["scanning", "complete", "failed"]),
			outcome,
			opportunities_count: count,
			opportunities: count,
			strategies_scanned: count,
			execution_time_ms: count.nullable(),
			last_updated: timestamp,
			user_profile: userProfile,
			asset_discovery: assetDiscovery,
			partial: z.boolean(),
			cache_key: z.string(),
		}),
	),
	timestamp,
});

export const clearReply = z.object({
	success: z.literal(true),
	user_id: z.string(),
	entries_deleted: count,
	message: z.string(),
	timestamp,
});

export const metricsReply = z.object({
	success: z.literal(true),
	daily_errors: count,
	system_status: z.enum(["operational", "degraded", "unhealthy"]),
	active_scans: count,
	queued_scans: count,
	scans_today: count,
	success_rate: z.number().min(0).max(100).nullable(),
	p50_ms: number,
	p95_ms: number,
	cache_hit_rate: z.number().min(0).max(1).nullable(),
	timeouts_today: count,
	last_updated: timestamp,
});

export const testDiscoveryReply = z.object({
	success: z.literal(true),
	message: z.string(),
	test_user_id: z.string(),
	scan_id: scanId,
});

export const stuckScansReply = z.object({
	success: z.literal(true),
	scans: z
		.array(
			z.object({
				scan_id: scanId,
				user_id: z.string(),
				current_phase: position,
				accepted_at: timestamp,
				deadline_at: timestamp,
				stuck: stuckReport,
			}),
		)
		.max(100),
	timestamp,
});

export const systemReply = z.object({
	success: z.literal(true),
	workers: z.array(
		z.object({
			worker_id: z.string(),
			version: z.string(),
			started_at: timestamp,
			last_seen_at: timestamp,
			scans_active: count,
			draining: z.boolean(),
		}),
	),
	queue: z.object({ waiting: count, active: count, oldest_wait_ms: number }),
	redis: z.object({
		ok: z.boolean(),
		kind: z.enum(["external", "private", "memory"]),
		latency_ms: number,
		used_memory_bytes: number,
	}),
	sweeper: z.object({ last_pass_at: timestamp.nullable(), age_ms: number }),
	sources: z.array(z.object({ source: z.string(), ok: z.boolean(), breaker_open: z.boolean() })),
	timestamp,
});

export const userStatusReply = z.object({
	success: z.literal(true),
	user_id: z.string(),
	onboarding_status: z.object({
		onboarded: z.boolean(),
		onboarded_at: timestamp.nullable(),
		has_credit_account: z.boolean(),
		total_earned_credits: z.number(),
		active_strategies: count,
		needs_onboarding: z.boolean(),
	}),
	last_scan_info: z
		.object({
			scan_id: scanId,
			status: z.enum(["scanning", "complete", "failed"]),
			last_scan: timestamp,
			time_since_last_scan: count,
		})
		.nullable(),
	discovery_available: z.boolean(),
	recommendations: z.object({
		next_action: z.enum(["onboard", "discover", "view_results", "wait_for_scan"]),
		estimated_opportunities: count.nullable(),
	}),
});
