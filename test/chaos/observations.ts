import type { ShownStatus } from "../support/status-rules.ts";

/** What is seen of a cluster from outside while it is disturbed. */

/** From and to, epoch ms. */
export type Span = [from_ms: number, to_ms: number];

export interface StatusSeen {
	kind: "status";
	scan_id: string;
	sent_ms: number;
	done_ms: number;
	http: number;
	/** Null when the answer was a problem. */
	body: StatusBody | null;
	code: string | null;
}

export interface StatusBody extends ShownStatus {
	deadline_at_ms: number;
}

export interface StartSeen {
	kind: "start";
	sent_ms: number;
	done_ms: number;
	user: string;
	/** Canonical filters, as text. */
	filters: string;
	scan_id: string;
}

export interface CancelSeen {
	kind: "cancel";
	scan_id: string;
	done_ms: number;
}

/** A final result; it never changes. */
export interface ResultsSeen {
	kind: "results";
	scan_id: string;
	/** Hash of the body as it was sent. */
	digest: string;
}

/** Any answer at all, for how long it took and whether it may be given. */
export interface AnswerSeen {
	kind: "answer";
	what: string;
	sent_ms: number;
	done_ms: number;
	/** 0: none, the connection failed or the client gave up. */
	http: number;
	gave_up: boolean;
	/** How long the caller had asked to wait. */
	wait_ms: number;
}

export type Observation = StatusSeen | StartSeen | CancelSeen | ResultsSeen | AnswerSeen;

export interface JournalLine {
	seq: number;
	at_ms: number;
	type: string;
	strategy_id: string | null;
	revision: number;
}

/** What a scan ended as, read when all was calm again. */
export interface ScanEndSeen {
	state: string;
	/** Why it failed or was cancelled. */
	reason: string | null;
	/** Counts per strategy: [strategy_id, verdict, evaluated, published, unproven, rejected in sum]. */
	verdicts: [string, string, number, number, number, number][];
	/** Ids of the rows in their order; null where the scan has no results. */
	rows: string[] | null;
}

export interface History {
	observations: Observation[];
	journals: Map<string, JournalLine[]>;
	ends: Map<string, ScanEndSeen>;
	/** Canonical filters -> the end of an undisturbed scan of the same user. */
	undisturbed: Map<string, ScanEndSeen>;
	/** Spans in which Redis could not answer, epoch ms. */
	outages: Span[];
	/** Spans in which the machine was busy with other things (machine-load.ts). */
	held_up: Span[];
}

export interface Violation {
	rule: string;
	scan_id: string;
	detail: string;
}
