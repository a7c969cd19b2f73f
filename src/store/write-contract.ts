import type { JournalType } from "../../machines/events.ts";
import type { ScanPosition } from "../../machines/types.ts";
import type { Pattern } from "../field-patterns.ts";
import type { EndedScan, ScanRecord, WorkerInfo } from "./contract.ts";

/** The write half of the store: what the runtime, the commands and the watchdog may do to scans. */

export interface NewEntry {
	type: JournalType;
	phase: ScanPosition;
	strategy_id: string | null;
	attempt: number | null;
	at_ms: number;
	payload: Record<string, unknown>;
}

/** The journal's raw material for replay: machine events, on the first entry they led to. */
export type MachineEvent = { type: string } & Record<string, unknown>;

/**
 * Fields of the results key: rows (`r:<opportunity_id>` -> JSON) and documents (`d:<name>` -> JSON). A map: each row has
 * a name that nothing else has, and an object takes several times as long to get a member it has never had.
 */
export type ResultFields = ReadonlyMap<string, string>;

export interface Commit {
	scan_id: string;
	epoch: number;
	/** seq of the last entry before this commit. */
	base_seq: number;
	/** Changed fields of the scan hash. */
	scan: Record<string, string>;
	lifecycle: Record<string, string>;
	debug: Record<string, string>;
	/** Fields of the same hash that say nearly the same; absent: none. */
	debugPatterns?: readonly Pattern[];
	results: ResultFields;
	entries: NewEntry[];
	events: MachineEvent[];
	ended: boolean;
	/** The first of a scan that was made as claimed: it accepts the scan as well. */
	accepts?: boolean;
	lease_ms: number;
}

export type CommitResult = "ok" | "duplicate" | "fenced" | "missing";

/** When a commit was made, and when the record goes if it ended the scan; epoch ms. */
export interface CommitMoment {
	at_ms: number;
	expires_at_ms: number | null;
}

/**
 * What a start has begun and not made known within this time belongs to one that died: a record that nobody has accepted, a
 * claim without a record. Longer than a command of Redis is waited for: one that was given up may still be carried out.
 */
export const ABANDONED_START_MS = 10_000;

export interface NewScan {
	owner: string;
	scan_id: string;
	scan: Record<string, string>;
	lifecycle: Record<string, string>;
	debug: Record<string, string>;
	/** What the scan begins with: rows that a redrive carries over, `r:<opportunity_id>` -> JSON, and documents, `d:<name>`. */
	results: ResultFields;
	entry: NewEntry;
	/** What its claim and what is known with it add to the journal, for a scan that is made as claimed; null: nobody has it. */
	taken: { lease_ms: number; seq: number; entries: NewEntry[]; events: MachineEvent[] } | null;
	deadline_at_ms: number;
	accepted_at_ms: number;
}

export type ClaimMode = "normal" | "deadline" | "always";
export type ClaimResult =
	| {
			kind: "granted";
			record: ScanRecord;
			lost_lease: boolean;
			/** Since a holder was last heard of; 0: there was none. */
			idle_ms: number;
			lease_until_ms: number;
			/** Id of the last inbox entry that was taken, and of the newest one; "" when there is none. */
			inbox_after: string;
			inbox_newest: string;
			/** The record was made as claimed, so the machine knows of the claim already; with what it was made with. */
			begun?: { results: ResultFields };
	  }
	| { kind: "held"; lease_until_ms: number }
	/** foreign: made by another machine version, refused to a worker of this one. */
	| { kind: "ended" | "missing" | "unaccepted" | "foreign" };

export interface Heartbeat {
	status: "ok" | "fenced" | "ended" | "missing";
	/** Id of the newest inbox entry, "" when there is none. */
	inbox_newest: string;
}

export interface StartDecision {
	/** given_up: the id was listed before and its claim was freed; a start needs another one. */
	decision: "joined" | "cached" | "created" | "superseded" | "given_up";
	scan_id: string;
	/** cached: completed_at_ms; superseded: the old scan's id. */
	detail: string;
}

export interface StartClaim {
	user_id: string;
	filter_key: string;
	scan_id: string;
	force: boolean;
	force_join_ms: number;
	fresh_ms: number;
	fingerprint: string;
	accepted_at_ms: number;
}

export type UnacceptedStart =
	| { kind: "named"; user_id: string; filter_key: string }
	| { kind: "waiting"; age_ms: number }
	/** Listed since age_ms; its record was cleared away, or has not arrived yet. */
	| { kind: "gone"; age_ms: number };

export interface ActiveScan {
	scan_id: string;
	accepted_at_ms: number;
	/** The scan that this one took the claim from. */
	superseded: string | null;
}

export interface ScanWriter {
	/** The store's clock, epoch ms. */
	now(): number;
	/** Writes the record with its first entries; not accepted, not listed for its user, not queued. */
	create(scan: NewScan): Promise<void>;
	/** @param begun its run begins here in this turn of the event loop; what its first commit then does as well is left to that */
	accept(scanId: string, begun?: boolean): Promise<boolean>;
	/** Removes a record that was never accepted. */
	drop(scanId: string): Promise<boolean>;
	decideStart(claim: StartClaim): Promise<StartDecision>;
	/**
	 * `create` and `decideStart` in one wait, for claims that are not forced and so take nothing from another scan. Null:
	 * nothing was begun and the id is used up.
	 */
	begin(scan: NewScan, claim: StartClaim): Promise<StartDecision | null>;
	/** A record that is not accepted yet: named by its user's claim, gone, or waiting since age_ms. */
	claimedByStart(scanId: string): Promise<UnacceptedStart>;
	/** What decideStart would join, without creating anything; null when nothing is active. */
	activeScan(userId: string, filterKey: string): Promise<ActiveScan | null>;
	claim(scanId: string, worker: string, nonce: string, leaseMs: number, mode: ClaimMode): Promise<ClaimResult>;
	/** @param accepts nothing is committed yet of a scan that was made as claimed: it is accepted as well */
	heartbeat(scanId: string, epoch: number, leaseMs: number, accepts?: boolean): Promise<Heartbeat>;
	release(scanId: string, epoch: number): Promise<void>;
	/** @param told hears of the moment of a commit that is answered with `ok`, and of no other */
	commit(commit: Commit, told?: (moment: CommitMoment) => void): Promise<CommitResult>;
	/** Leaves a machine event in the scan's inbox and tells whoever holds it. */
	send(scanId: string, event: MachineEvent): Promise<"ok" | "ended" | "missing">;
	inbox(scanId: string, afterId: string): Promise<{ id: string; event: MachineEvent }[]>;
	/** Calls back for each scan that got a command, on this process's one subscription. */
	onInbox(listener: (scanId: string) => void): () => void;
	/**
	 * Frees the claim, books freshness, tombstone and statistics of an ended scan. Repeatable.
	 * @returns retained scans of its user beyond the newest `keep` that have ended, oldest first, a hundred at most
	 */
	finish(record: ScanRecord, ended: EndedScan & { timeouts: number; failed: boolean }, keep: number): Promise<string[]>;
	/** Frees a claim that names a scan whose record is gone. */
	forget(userId: string, filterKey: string, scanId: string): Promise<void>;
	/** The recent complete scan of a filter set, if one was booked. */
	freshScan(
		userId: string,
		filterKey: string,
	): Promise<{ scan_id: string; completed_at_ms: number; fingerprint: string } | null>;
	/** Drops a freshness note that names a scan whose result is gone. */
	forgetFresh(userId: string, filterKey: string, scanId: string): Promise<void>;
	/** Deletes an ended scan's record now; its id answers 410 from then on. */
	expireNow(userId: string, scanId: string): Promise<boolean>;
	/** Its record is there, and its start may not be over. */
	isUnaccepted(scanId: string): Promise<boolean>;
	/** Ids by index, at most `limit`: past their deadline, with an ended lease, unclaimed for `ageMs`. */
	overdue(limit: number): Promise<string[]>;
	leaseless(limit: number): Promise<string[]>;
	unclaimed(ageMs: number, limit: number): Promise<string[]>;
	/** Looks at an overdue scan again only after `delayMs`: one that cannot be ended must not hide the others. */
	postpone(scanId: string, delayMs: number): Promise<void>;
	/** Takes ids off the indexes of live scans. */
	unlist(scanId: string): Promise<void>;
	/**
	 * Looks at the next `count` keys: lists again running scans that an index has lost and returns their ids, frees
	 * claims whose record is gone, and leads the watchdog to ended scans that were never booked.
	 */
	walk(count: number): Promise<string[]>;
	/** Ids of a user's scans, expired ones that are still remembered included, at most `limit`. */
	scansOf(userId: string, limit: number): Promise<string[]>;
	/** Removes ended scans with every trace that names them or their user; their ids are unknown afterwards. */
	erase(userId: string, scanIds: readonly string[]): Promise<void>;
	/** Forgets ids of expired scans whose tombstone is over, at most `limit`; returns how many. */
	purgeTombstones(limit: number): Promise<number>;
	/** Adds whole amounts to the running totals of all processes, by field. */
	addTotals(amounts: Record<string, number>): Promise<void>;
	noteWorker(worker: WorkerInfo): Promise<void>;
	forgetWorker(workerId: string): Promise<void>;
	/** Notes a whole pass, and adds what this process has committed since the last one to the totals. */
	noteSweep(): Promise<void>;
	lastSweepMs(): Promise<number | null>;
	/** Before the store is closed: does at once what rests until more has come, and resolves when none of it is under way. */
	settle(): Promise<void>;
}
