import type { Redis } from "ioredis";
import type { DayStatistics, EndedScan, StatisticsReader, WorkerInfo } from "./contract.ts";
import { dayKeys, globalKeys } from "./keys.ts";

/** Running figures over all users, read for metrics and estimates; no decision rests on them. */
export function createStatistics(redis: Redis): StatisticsReader {
	const newest = async (last: number): Promise<EndedScan[]> =>
		(await redis.lrange(globalKeys.recent, 0, last)).map((text) => JSON.parse(text) as EndedScan);
	return {
		recentScans: (limit) => newest(limit - 1),
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
			return (await newest(-1)).map((scan) => ({
				duration_ms: scan.execution_time_ms,
				strategies: scan.strategies_scanned,
				completed: scan.success,
			}));
		},
		async activeScans() {
			const [active, queued] = await Promise.all([redis.zcard(globalKeys.due), redis.zcard(globalKeys.unclaimed)]);
			return { active, queued };
		},
		queuedScans: () => redis.zcard(globalKeys.unclaimed),
		activeScanIds: (limit) => redis.zrange(globalKeys.due, 0, String(limit - 1)),
		async workers() {
			const held = await redis.hvals(globalKeys.workers);
			return held.map((text) => JSON.parse(text) as WorkerInfo);
		},
		async someWorkers(most) {
			const drawn = (await redis.hrandfield(globalKeys.workers, most, "WITHVALUES")) as unknown[];
			// Names and values in turn, or in pairs: servers differ.
			const texts = (drawn.flat() as string[]).filter((_, i) => i % 2 === 1);
			return texts.map((text) => JSON.parse(text) as WorkerInfo);
		},
	};
}
