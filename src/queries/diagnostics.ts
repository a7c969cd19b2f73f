import type { Clock } from "../clock.ts";
import { isoOf } from "../clock.ts";
import type {
	DayStatistics,
	EndedScan,
	RecordBeside,
	ScanReader,
	ScanRecord,
	StatisticsReader,
	Viewer,
} from "../store/contract.ts";
import { debugView, lifecycleView } from "../views/diagnostics.ts";
import { endedScanOf, historyEntry, recentScan } from "../views/history.ts";
import { dailyStats, metricsView, systemHealth } from "../views/metrics.ts";
import { stuckVerdict } from "../views/stuck.ts";
import { absentError, foundOr } from "./absent.ts";
import type { ScanLookup } from "./lookup.ts";
import type { SystemProbes } from "./probes.ts";

const RECENT_SCANS_MAX = 5;
/** Newest scans of a user among which ended ones are looked for, and how many of them are read at a time. */
const RECENT_AMONG_MAX = 50;
const RECENT_READS = 8;
const STUCK_SCANS_MAX = 100;
/** Running scans looked at for stuck ones, oldest first: the stuck are among the oldest. */
const ACTIVE_SCANS_READ_MAX = 2_000;
const READS_AT_ONCE = 50;

export interface DiagnosticsQueries {
	/** Own scans, any scan for an admin. Throws scan_not_found, scan_expired. */
	lifecycle(viewer: Viewer, scanId: string): Promise<string>;
	debug(viewer: Viewer, scanId: string): Promise<object>;
	history(userId: string, limit: number): Promise<object>;
	scanMetrics(userId: string | undefined, includeDailyStats: boolean): Promise<object>;
	metrics(): Promise<object>;
	stuckScans(): Promise<{ scans: readonly object[] }>;
	system(): Promise<object>;
}

export interface DiagnosticsParts {
	reader: ScanReader;
	statistics: StatisticsReader;
	clock: Clock;
	lookup: ScanLookup;
	probes: SystemProbes;
	stuckAfterMs: number;
}

/** Records of `ids` that are still there, in order, a bounded number of reads at a time. */
async function readAll(reader: ScanReader, ids: readonly string[]): Promise<ScanRecord[]> {
	const records: ScanRecord[] = [];
	for (let from = 0; from < ids.length; from += READS_AT_ONCE) {
		const batch = await Promise.all(ids.slice(from, from + READS_AT_ONCE).map((id) => reader.read(id)));
		records.push(...batch.filter((record) => record !== null));
	}
	return records;
}

export function createDiagnosticsQueries(parts: DiagnosticsParts): DiagnosticsQueries {
	const { reader, statistics, lookup, probes, stuckAfterMs } = parts;
	const today = (): Promise<DayStatistics> => statistics.day(isoOf(reader.now()).slice(0, 10));

	/** Newest ended scans, of one user or as the statistics of all users know them. */
	async function endedScans(userId: string | undefined): Promise<EndedScan[]> {
		if (userId === undefined) {
			return statistics.recentScans(RECENT_SCANS_MAX);
		}
		// The newest few are looked at, not all that the user has kept: more than these hardly ever run at once.
		const ids = await reader.listByUser(userId, 0, RECENT_AMONG_MAX);
		const ended: ScanRecord[] = [];
		for (let from = 0; from < ids.length && ended.length < RECENT_SCANS_MAX; from += RECENT_READS) {
			const read = await readAll(reader, ids.slice(from, from + RECENT_READS));
			ended.push(...read.filter((record) => record.terminal));
		}
		return ended.slice(0, RECENT_SCANS_MAX).map(endedScanOf);
	}

	/** One commit: a record and a hash that were read apart could tell of two. */
	async function beside(viewer: Viewer, scanId: string, hash: "lifecycle" | "debug"): Promise<RecordBeside> {
		let fields: RecordBeside["fields"] = {};
		const found = await lookup.byId(viewer, scanId, true, async (id) => {
			const read = await reader.readBeside(id, hash);
			fields = read?.fields ?? {};
			return read?.record ?? null;
		});
		return { record: foundOr(found, absentError), fields };
	}

	return {
		async lifecycle(viewer, scanId) {
			const { record, fields } = await beside(viewer, scanId, "lifecycle");
			return lifecycleView(record, fields, reader.now(), stuckAfterMs);
		},

		async debug(viewer, scanId) {
			const { record, fields } = await beside(viewer, scanId, "debug");
			return debugView(record, fields, reader.now());
		},

		async history(userId, limit) {
			const [total, records] = await Promise.all([
				reader.countByUser(userId),
				reader.listByUser(userId, 0, limit).then((ids) => readAll(reader, ids)),
			]);
			return {
				success: true,
				user_id: userId,
				total_scans: total,
				scans: records.map(historyEntry),
				timestamp: isoOf(reader.now()),
			};
		},

		async scanMetrics(userId, includeDailyStats) {
			const [ended, day, redis] = await Promise.all([endedScans(userId), today(), probes.redis()]);
			return {
				success: true,
				latest_scan: ended[0] ?? null,
				daily_stats: includeDailyStats ? dailyStats(day) : null,
				recent_scans: ended.map(recentScan),
				system_health: systemHealth(day, redis.ok, reader.now()),
				timestamp: isoOf(reader.now()),
			};
		},

		async metrics() {
			const [day, samples, scans, cacheHitRate] = await Promise.all([
				today(),
				statistics.recentDurations(),
				statistics.activeScans(),
				probes.cacheHitRate(),
			]);
			return metricsView({ day, samples, ...scans, cacheHitRate }, reader.now());
		},

		async stuckScans() {
			const records = await readAll(reader, await statistics.activeScanIds(ACTIVE_SCANS_READ_MAX));
			const nowMs = reader.now();
			const scans = records
				.map((record) => ({ record, verdict: stuckVerdict(record, nowMs, stuckAfterMs) }))
				.filter(({ verdict }) => verdict.is_stuck)
				.sort((a, b) => (b.verdict.stuck_duration_seconds ?? 0) - (a.verdict.stuck_duration_seconds ?? 0))
				.slice(0, STUCK_SCANS_MAX)
				.map(({ record, verdict }) => ({
					scan_id: record.scan_id,
					user_id: record.user_id,
					current_phase: record.position,
					accepted_at: isoOf(record.context.input.accepted_at_ms),
					deadline_at: isoOf(record.context.input.deadline_at_ms),
					stuck: verdict.stuck,
				}));
			return { success: true, scans, timestamp: isoOf(nowMs) };
		},

		async system() {
			const [workers, queue, redis, sweeper, sources] = await Promise.all([
				statistics.workers(),
				probes.queue(),
				probes.redis(),
				probes.sweeper(),
				probes.sources(),
			]);
			const nowMs = reader.now();
			const lastPassMs = sweeper.last_pass_at_ms;
			return {
				success: true,
				workers: workers.map(({ started_at_ms, last_seen_at_ms, worker_id, version, scans_active, draining }) => ({
					worker_id,
					version,
					started_at: isoOf(started_at_ms),
					last_seen_at: isoOf(last_seen_at_ms),
					scans_active,
					draining,
				})),
				queue,
				redis,
				sweeper: {
					last_pass_at: lastPassMs === null ? null : isoOf(lastPassMs),
					age_ms: lastPassMs === null ? null : Math.max(0, nowMs - lastPassMs),
				},
				sources,
				timestamp: isoOf(nowMs),
			};
		},
	};
}
