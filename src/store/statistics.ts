import type { Redis } from "ioredis";
import type { DayStatistics, EndedScan, StatisticsReader, WorkerInfo } from "./contract.ts";
import { dayKeys, globalKeys } from "./keys.ts";

/** Running figures over all users, read for metrics and estimates; no decision rests on them. */
export function createStatistics(redis: Redis): StatisticsReader {
	return {
		async latestScan() {
			const text = await redis.get(globalKeys.latest);
			return text === null ? null : (JSON.parse(text) as EndedScan);
		},
		async day(date): Promise<DayStatistics> {
			const keys = dayKeys(date);
			const [stats, errors, timeouts] = await Promise.all([
				redis.hgetall(keys.stats),
				redis.get(keys.errors),
				redis.get(keys.timeouts),
			]);
			return {
				date,
				total_scans: Number(stats.total_scans ?? 0),
				successful_scans: Number(stats.successful_scans ?? 0),
				total_opportunities: Number(stats.total_opportunities ?? 0),
				total_strategies: Number(stats.total_strategies ?? 0),
				avg_execution_time_ms: Number(stats.avg_execution_time_ms ?? 0),
				errors: Number(errors ?? 0),
				timeouts: Number(timeouts ?? 0),
			};
		},
		async recentDurations() {
			const samples = await redis.lrange(globalKeys.durations, 0, -1);
			return samples.map((text) => JSON.parse(text) as { duration_ms: number; strategies: number; completed: boolean });
		},
		async activeScans() {
			const [active, queued] = await Promise.all([redis.zcard(globalKeys.due), redis.zcard(globalKeys.unclaimed)]);
			return { active, queued };
		},
		activeScanIds: (limit) => redis.zrange(globalKeys.due, 0, String(limit - 1)),
		async workers() {
			const held = await redis.hvals(globalKeys.workers);
			return held.map((text) => JSON.parse(text) as WorkerInfo);
		},
	};
}
