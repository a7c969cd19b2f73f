import { isoOf } from "../clock.ts";
import type { DayStatistics } from "../store/contract.ts";
import { type DurationSample, quantile } from "./estimates.ts";

/** Failed scans of a day from which on the word changes. */
const DEGRADED_FROM_ERRORS = 10;
const UNHEALTHY_FROM_ERRORS = 50;

const grade = (errors: number, good: string): string =>
	errors < DEGRADED_FROM_ERRORS ? good : errors < UNHEALTHY_FROM_ERRORS ? "degraded" : "unhealthy";

/** Percent 0..100; null before the day's first scan. */
export const successRate = (day: DayStatistics): number | null =>
	day.total_scans === 0 ? null : Number(((100 * day.successful_scans) / day.total_scans).toFixed(2));

/** `daily_stats` of the metrics answer; null before the day's first scan. */
export function dailyStats(day: DayStatistics): object | null {
	if (day.total_scans === 0) return null;
	const { date, total_scans, successful_scans, total_opportunities, total_strategies, avg_execution_time_ms } = day;
	return {
		date,
		stats: { total_scans, successful_scans, total_opportunities, total_strategies, avg_execution_time_ms },
		success_rate: successRate(day),
	};
}

/** `system_health` of the metrics answer. */
export const systemHealth = (day: DayStatistics, redisConnected: boolean, nowMs: number): object => ({
	redis_connected: redisConnected,
	daily_errors: day.errors,
	status: redisConnected ? grade(day.errors, "healthy") : "unhealthy",
	last_check: isoOf(nowMs),
});

export interface MetricsSource {
	day: DayStatistics;
	samples: readonly DurationSample[];
	active: number;
	queued: number;
	/** Share 0..1 of market reads answered from the shared cache; null when not measured. */
	cacheHitRate: number | null;
}

/** Body of /opportunities/metrics. Durations of complete scans in ms. */
export function metricsView(source: MetricsSource, nowMs: number): object {
	const durations = source.samples.filter((sample) => sample.completed).map((sample) => sample.duration_ms);
	return {
		success: true,
		daily_errors: source.day.errors,
		system_status: grade(source.day.errors, "operational"),
		active_scans: source.active,
		queued_scans: source.queued,
		scans_today: source.day.total_scans,
		success_rate: successRate(source.day),
		p50_ms: quantile(durations, 0.5),
		p95_ms: quantile(durations, 0.95),
		cache_hit_rate: source.cacheHitRate,
		timeouts_today: source.day.timeouts,
		last_updated: isoOf(nowMs),
	};
}
