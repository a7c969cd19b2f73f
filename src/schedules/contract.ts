import type { ScanFilters } from "../../machines/types.ts";
import type { StartRequest } from "../services.ts";
import type { EndedScan } from "./bases.ts";

/** Recurring scans of a user, as stored. Moments are epoch ms on the store's clock. */
export interface ScheduleSpec {
	schedule_id: string;
	name: string | null;
	cron: string;
	/** IANA time zone. */
	tz: string;
	/** Canonical. */
	filters: ScanFilters;
	/** What a run does while the scan of the run before still goes on. */
	overlap: "skip" | "queue_one";
	/** Runs come up to this much later, ms; how much follows from the schedule and the run's time. */
	jitter_ms: number;
	paused: boolean;
	/** Who is told of its scans; null: every webhook of the user. */
	webhook_ids: string[] | null;
	created_at_ms: number;
	/** Runs up to here are none of this schedule: it was created, changed or taken out of its pause then. */
	since_ms: number;
}

/** A complete scan, and the strategies of which none ended well later. */
export interface ScheduleBase {
	scan_id: string;
	ended_at_ms: number;
	strategy_ids: string[];
}

/** What became of a schedule's runs. */
export interface ScheduleState {
	/** Time of the newest run that was dealt with, by the cron and without jitter. */
	done_ms: number | null;
	/** A run that waits for the end of the scan before it (overlap queue_one). */
	waiting_ms: number | null;
	last_scan_id: string | null;
	/** What the next complete scan is compared with, newest first; the newest complete one is always the first. */
	bases: ScheduleBase[];
	last_error: string | null;
}

export interface StoredSchedule {
	spec: ScheduleSpec;
	state: ScheduleState;
}

export type SaveAnswer = "saved" | "limit" | "no_account" | "changed" | "gone";

export type RunClaim =
	| { kind: "granted" }
	| { kind: "gone" | "paused" | "done" }
	| { kind: "busy"; retry_after_ms: number };

/** How a run ended, as far as the schedule is concerned. */
export interface RunOutcome {
	kind: "started" | "joined" | "skipped" | "queued" | "refused";
	scan_id: string | null;
	/** null: no error; the last one goes when a run starts. */
	error: string | null;
	/** The schedule stops until its owner wants it again. */
	pause?: boolean;
}

/** Schedules in Redis. Every change of one is one script in its owner's slot. */
export interface ScheduleStore {
	list(userId: string): Promise<StoredSchedule[]>;
	read(userId: string, scheduleId: string): Promise<StoredSchedule | null>;
	/** `before`: the spec that is replaced, null for a new schedule. */
	save(userId: string, spec: ScheduleSpec, before: ScheduleSpec | null, limit: number): Promise<SaveAnswer>;
	remove(userId: string, scheduleId: string): Promise<boolean>;
	/** Takes one run for this process, for `leaseMs`. */
	claimRun(userId: string, scheduleId: string, tickMs: number, token: string, leaseMs: number): Promise<RunClaim>;
	/** False: another process holds the run by now. */
	concludeRun(userId: string, scheduleId: string, tickMs: number, token: string, outcome: RunOutcome): Promise<boolean>;
	/** Notes a complete scan to compare the next one with, unless a newer one is noted. */
	noteBase(userId: string, scheduleId: string, scan: EndedScan): Promise<void>;
	/** Takes a webhook out of the lists that name it. */
	dropWebhook(userId: string, webhookId: string): Promise<void>;
	ownerOf(scheduleId: string): Promise<string | null>;
	/** When the schedule is looked at next, epoch ms; null: not by itself. */
	index(userId: string, scheduleId: string, dueMs: number | null): Promise<void>;
	unindex(scheduleId: string): Promise<void>;
	/** Schedules whose moment has come by `atMs`, longest first. */
	due(atMs: number, limit: number): Promise<string[]>;
	/** Owners found on the next page of the walk over all schedules. */
	walk(keys: number): Promise<string[]>;
	isIndexed(scheduleId: string): Promise<boolean>;
}

/** The start of a scan, as a schedule asks for it. */
export type ScheduledStart = StartRequest & { schedule_id: string };

/** Its jobs are hints: whoever gets one looks at the schedule's record and does what it says. */
export interface ScheduleHints {
	/** Looks at the schedule at each of its runs from now on. */
	every(scheduleId: string, cron: string, tz: string): Promise<void>;
	isSet(scheduleId: string): Promise<boolean>;
	/** Looks at the schedule once, after `delayMs`; equal names count once. */
	once(scheduleId: string, name: string, delayMs: number): Promise<void>;
	forget(scheduleId: string): Promise<void>;
}
