import type { JournalType, ScanEvent } from "../../machines/events.ts";
import type { ScanContext, ScanInput, ScanPosition } from "../../machines/types.ts";

/**
 * The store's contract about scans. Every moment is epoch ms on the store's clock (Redis TIME).
 * Read side: queries and views see ScanRecord and JournalEntry only, never a key.
 */
export interface ScanRecord {
	scan_id: string;
	user_id: string;
	/** `scan.v1` */
	machine: string;
	/** seq of the last committed journal entry = the revision that validators (ETag) name. */
	revision: number;
	epoch: number;
	worker_id: string | null;
	lease_until_ms: number | null;
	heartbeat_at_ms: number | null;
	/** Time of the last commit. */
	progress_at_ms: number;
	last_event_type: JournalType;
	position: ScanPosition;
	terminal: boolean;
	context: ScanContext;
	/** Absolute deadlines that the machine has armed: id -> when and which event. */
	deadlines: Record<string, { at_ms: number; event: { type: string } & Record<string, unknown> }>;
	/** When the record goes; null while the scan runs. */
	expires_at_ms: number | null;
	/** Stored fields that could not be read; absent when all could. Such a scan is ended, never continued. */
	damaged?: readonly string[];
	/** Of a machine version that this build neither runs nor migrates; absent when it may carry the scan on. */
	foreign?: true;
	/** The scan was begun by this older version; its journal is not that of the current one. */
	migrated_from?: string;
	/** Stored fields that are read in a newer form than they stand there; the next commit writes them. */
	upgrade?: Readonly<Record<string, string>>;
}

export type ScanHead = Pick<ScanRecord, "user_id" | "revision" | "progress_at_ms" | "position" | "expires_at_ms">;

/** `fields` is empty for a scan that was written before the hash existed. */
export interface RecordBeside {
	record: ScanRecord;
	fields: Readonly<Record<string, string>>;
}

export interface JournalEntry {
	seq: number;
	at_ms: number;
	type: JournalType;
	phase: ScanPosition;
	strategy_id: string | null;
	attempt: number | null;
	/** Last seq of the commit that wrote the entry. */
	revision: number;
	payload: Record<string, unknown>;
}

export type Lookup =
	| { kind: "found"; record: ScanRecord }
	| { kind: "expired"; scan_id: string; expired_at_ms: number }
	/** Unknown, malformed, or someone else's: indistinguishable on purpose (I10). */
	| { kind: "unknown" };

/** Who asks: admins may look at anyone's scan where `any` is granted by the endpoint. */
export interface Viewer {
	user_id: string;
	role: "admin" | "trader" | "viewer" | "api_only";
}

/** The read half that queries use. */
export interface ScanReader {
	/** The store's clock. */
	now(): number;
	read(scanId: string): Promise<ScanRecord | null>;
	/** What of the record decides whether it is shown and whether a text made from it still holds. */
	head(scanId: string): Promise<ScanHead | null>;
	/** Row documents (compact JSON) by opportunity_id, in the order of `ids`; unknown ids are left out. */
	rows(scanId: string, ids: readonly string[]): Promise<string[]>;
	/** Named documents of the results key (`ranking`, `portfolio`, `report:<strategy_id>`), parsed. */
	document<T>(scanId: string, name: string): Promise<T | null>;
	journal(scanId: string, afterSeq: number, limit: number): Promise<JournalEntry[]>;
	/** The machine events behind the entries up to `seq`, in order; running them again gives the same entries. */
	events(scanId: string, seq: number): Promise<{ seq: number; events: ScanEvent[] }[]>;
	/** The record with one of the hashes that are written beside it, both as the same commit left them. */
	readBeside(scanId: string, hash: "lifecycle" | "debug"): Promise<RecordBeside | null>;
	/** Ids of a user's retained scans, newest accepted first. */
	listByUser(userId: string, offset: number, limit: number): Promise<string[]>;
	/** How many that list has, running scans included. */
	countByUser(userId: string): Promise<number>;
	/** A stretch of the same list, from `before` (exclusive) downwards. */
	pageByUser(userId: string, page: ScanPage): Promise<{ scan_id: string; accepted_at_ms: number }[]>;
	/** Texts kept beside the list by `keepSummaries`; null where there is none. */
	summaries(userId: string, scanIds: readonly string[]): Promise<(string | null)[]>;
	/** Keeps texts that describe ended scans. A cache: any of them may be gone at any time. */
	keepSummaries(userId: string, texts: Readonly<Record<string, string>>): Promise<void>;
	/** When `scanId` of this user expired (or was cleared); null: never the user's, or tombstone over. */
	expiredAt(userId: string, scanId: string): Promise<number | null>;
	/** Resolves true at the next commit of the scan, false at the timeout or when the signal aborts. */
	nextCommit(scanId: string, timeoutMs: number, signal: AbortSignal): Promise<boolean>;
}

export interface ScanPage {
	/** Bounds of accepted_at_ms: from inclusive, to exclusive. */
	from_ms: number | null;
	to_ms: number | null;
	/** The last scan seen; those accepted at the same moment follow by descending id. */
	before: { accepted_at_ms: number; scan_id: string } | null;
	limit: number;
}

export type { ScanContext, ScanInput };

/** Running figures over all users. Never read back as authority. */
export interface StatisticsReader {
	latestScan(): Promise<EndedScan | null>;
	/** Newest ended scans of any user, newest first; a store that keeps only the last one lacks it. */
	recentScans(limit: number): Promise<EndedScan[]>;
	/** date: YYYY-MM-DD (UTC). */
	day(date: string): Promise<DayStatistics>;
	/** Up to 200 most recent ended scans of any user: for medians and percentiles. */
	recentDurations(): Promise<{ duration_ms: number; strategies: number; completed: boolean }[]>;
	/** Scans that have not ended / that no worker has claimed yet. */
	activeScans(): Promise<{ active: number; queued: number }>;
	/** Scans that no worker has claimed. */
	queuedScans(): Promise<number>;
	/** Ids of all scans that have not ended, oldest first, at most `limit`. */
	activeScanIds(limit: number): Promise<string[]>;
	workers(): Promise<WorkerInfo[]>;
	/** So many of them at most, drawn anew each time: its cost does not grow with them. */
	someWorkers(most: number): Promise<WorkerInfo[]>;
}

export interface EndedScan {
	scan_id: string;
	user_id: string;
	opportunities_discovered: number;
	strategies_scanned: number;
	execution_time_ms: number;
	success: boolean;
	timestamp: string;
}

export interface DayStatistics {
	date: string;
	total_scans: number;
	successful_scans: number;
	total_opportunities: number;
	total_strategies: number;
	avg_execution_time_ms: number;
	/** Failed scans of the day. */
	errors: number;
	/** Strategies that timed out that day. */
	timeouts: number;
}

export interface WorkerInfo {
	worker_id: string;
	version: string;
	started_at_ms: number;
	last_seen_at_ms: number;
	scans_active: number;
	draining: boolean;
	/** What the worker knows of its market since its start; absent in one of an older version. */
	market?: WorkerMarket;
}

export interface WorkerMarket {
	/** Reads asked for, and those answered from memory. */
	calls: number;
	hits: number;
	sources: SourceHealth[];
}

export interface SourceHealth {
	source: string;
	ok: boolean;
	breaker_open: boolean;
}
