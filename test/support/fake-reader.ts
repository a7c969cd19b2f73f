import type { EndedScan, ScanReader, ScanRecord, StatisticsReader } from "../../src/store/contract.ts";
import { T0 } from "./scan-input.ts";

/** A store of a few lines: what a test puts in is what queries read. Time moves only by `advance`. */
export interface FakeStore {
	reader: ScanReader;
	statistics: StatisticsReader;
	clock: { now(): number; setTimeout(): unknown; clearTimeout(): void };
	/** Stores the record and wakes whoever waits for a commit of it. */
	commit(record: ScanRecord): void;
	/** Stores the record and loses the wake-up. */
	commitSilently(record: ScanRecord): void;
	remove(scanId: string): void;
	rows: Map<string, string>;
	documents: Map<string, unknown>;
	hashes: Map<string, Record<string, string>>;
	expired: Map<string, number>;
	durations: { duration_ms: number; strategies: number; completed: boolean }[];
	latest: { scan: EndedScan | null };
	active: string[];
	/** Every wait armed so far, in ms. */
	waits: number[];
	waiting(): number;
	/** Moves time and lets waits whose time is over resolve. */
	advance(ms: number): void;
}

interface Waiter {
	scanId: string;
	endsAtMs: number;
	resolve(committed: boolean): void;
}

export function createFakeStore(): FakeStore {
	let nowMs = T0 + 2_000;
	const records = new Map<string, ScanRecord>();
	const waiters = new Set<Waiter>();
	const store: Omit<FakeStore, "reader" | "statistics" | "clock"> = {
		rows: new Map(),
		documents: new Map(),
		hashes: new Map(),
		expired: new Map(),
		durations: [],
		latest: { scan: null },
		active: [],
		waits: [],
		waiting: () => waiters.size,
		commit(record) {
			records.set(record.scan_id, record);
			for (const waiter of waiters) if (waiter.scanId === record.scan_id) waiter.resolve(true);
		},
		commitSilently: (record) => void records.set(record.scan_id, record),
		remove: (scanId) => void records.delete(scanId),
		advance(ms) {
			nowMs += ms;
			for (const waiter of waiters) if (waiter.endsAtMs <= nowMs) waiter.resolve(false);
		},
	};
	const reader: ScanReader = {
		now: () => nowMs,
		read: async (scanId) => records.get(scanId) ?? null,
		head: async (scanId) => records.get(scanId) ?? null,
		rows: async (_, ids) => ids.flatMap((id) => store.rows.get(id) ?? []),
		document: async <T>(scanId: string, name: string) =>
			(store.documents.get(`${scanId}:${name}`) as T | undefined) ?? null,
		journal: async () => [],
		events: async () => [],
		pageByUser: async (userId, { limit }) =>
			[...records.values()]
				.filter((record) => record.user_id === userId)
				.map(({ scan_id, context }) => ({ scan_id, accepted_at_ms: context.input.accepted_at_ms }))
				.sort((a, b) => b.accepted_at_ms - a.accepted_at_ms)
				.slice(0, limit),
		summaries: async (_, ids) => ids.map(() => null),
		keepSummaries: async () => undefined,
		async readBeside(scanId, hash) {
			const record = records.get(scanId);
			return record ? { record, fields: store.hashes.get(`${hash}:${scanId}`) ?? {} } : null;
		},
		listByUser: async (userId, offset, limit) =>
			[...records.values()]
				.filter((record) => record.user_id === userId)
				.sort((a, b) => b.context.input.accepted_at_ms - a.context.input.accepted_at_ms)
				.map((record) => record.scan_id)
				.slice(offset, offset + limit),
		countByUser: async (userId) => [...records.values()].filter((record) => record.user_id === userId).length,
		expiredAt: async (userId, scanId) => store.expired.get(`${userId}:${scanId}`) ?? null,
		nextCommit: (scanId, timeoutMs, signal) =>
			new Promise((resolve) => {
				if (signal.aborted) return resolve(false);
				store.waits.push(timeoutMs);
				const waiter: Waiter = {
					scanId,
					endsAtMs: nowMs + timeoutMs,
					resolve(committed) {
						waiters.delete(waiter);
						resolve(committed);
					},
				};
				waiters.add(waiter);
				signal.addEventListener("abort", () => waiter.resolve(false), { once: true });
			}),
	};
	const statistics: StatisticsReader = {
		latestScan: async () => store.latest.scan,
		recentScans: async (limit) => (store.latest.scan ? [store.latest.scan].slice(0, limit) : []),
		day: async (date) => ({
			date,
			total_scans: store.durations.length,
			successful_scans: store.durations.filter((sample) => sample.completed).length,
			total_opportunities: 4,
			total_strategies: 14,
			avg_execution_time_ms: 950,
			errors: store.durations.filter((sample) => !sample.completed).length,
			timeouts: 1,
		}),
		recentDurations: async () => store.durations,
		activeScans: async () => ({ active: store.active.length, queued: 0 }),
		queuedScans: async () => 0,
		activeScanIds: async (limit) => store.active.slice(0, limit),
		someWorkers: async () => [],
		workers: async () => [
			{
				worker_id: "worker-1",
				version: "0.1.0",
				started_at_ms: T0,
				last_seen_at_ms: T0 + 1_000,
				scans_active: 1,
				draining: false,
			},
		],
	};
	const clock = { now: () => nowMs, setTimeout: () => null, clearTimeout: () => undefined };
	return { ...store, reader, statistics, clock };
}

/** Lets every promise that can settle do so. */
export const settle = async (turns = 50): Promise<void> => {
	for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
};
