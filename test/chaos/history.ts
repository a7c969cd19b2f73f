import { checkCounts, checkNeverGoesBack, hasEnded, type StatusRead } from "../support/status-rules.ts";
import { sharedMs } from "./machine-load.ts";
import type {
	AnswerSeen,
	History,
	JournalLine,
	ScanEndSeen,
	StartSeen,
	StatusBody,
	Violation,
} from "./observations.ts";

/** What must hold of a cluster whatever was done to it, checked on what was seen from outside. */

export interface Bounds {
	/** A scan ends by its deadline and this, and the outages of Redis that fell into the time. */
	end_grace_ms: number;
	/** A call is answered within the wait it asked for and this, not counting time in which the machine was held up. */
	answer_ms: number;
	/** By how much the clocks of two processes may differ. */
	clock_slack_ms: number;
	/** After the last fault a cluster is ready again within this. */
	ready_ms: number;
}

export const BOUNDS: Bounds = { end_grace_ms: 5_000, answer_ms: 5_000, clock_slack_ms: 500, ready_ms: 15_000 };

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
	const groups = new Map<string, T[]>();
	for (const item of items) {
		const group = groups.get(keyOf(item));
		if (group) group.push(item);
		else groups.set(keyOf(item), [item]);
	}
	return groups;
}

const END_TYPES: Record<string, string> = {
	"scan.completed": "complete",
	"scan.failed": "failed",
	"scan.cancelled": "cancelled",
};
const GONE = new Set([404, 410]);

export function checkHistory(history: History, bounds: Bounds = BOUNDS): Violation[] {
	const violations: Violation[] = [];
	const report = (rule: string, scan_id: string, detail: string) => violations.push({ rule, scan_id, detail });
	const statuses = groupBy(
		history.observations.filter((seen) => seen.kind === "status"),
		({ scan_id }) => scan_id,
	);
	const starts = history.observations.filter((seen) => seen.kind === "start");
	for (const [scanId, seen] of statuses) {
		const reads = seen.filter((read): read is typeof read & StatusRead<StatusBody> => read.body !== null);
		checkNeverGoesBack(reads, (rule, detail) => report(rule, scanId, detail));
		for (const { body, done_ms } of reads) {
			checkCounts(body, (rule, detail) => report(rule, scanId, detail));
			const late = lateBy(body, done_ms, history, bounds);
			if (late > 0) report("end in time", scanId, `${body.state} ${late} ms past its deadline and grace`);
		}
	}
	for (const scanId of new Set(starts.map(({ scan_id }) => scan_id))) {
		const told = starts.filter(({ scan_id }) => scan_id === scanId);
		const firstTold = Math.min(...told.map(({ done_ms }) => done_ms));
		for (const { http, sent_ms } of statuses.get(scanId) ?? []) {
			if (GONE.has(http) && sent_ms >= firstTold) report("never lost", scanId, `answered ${http} after it was told`);
		}
		journalIsWhole(history, scanId, (rule, detail) => report(rule, scanId, detail));
	}
	oneActive(history, starts, bounds, report);
	resultsNeverChange(history, report);
	cancelledStays(history, report);
	sameAsUndisturbed(history, starts, report);
	for (const [scanId, { verdicts }] of history.ends) {
		for (const [strategy, , evaluated, published, unproven, rejected] of verdicts) {
			const sum = published + unproven + rejected;
			if (sum !== evaluated) report("counts", scanId, `${strategy}: ${sum} of ${evaluated} candidates accounted for`);
		}
	}
	for (const seen of history.observations) if (seen.kind === "answer") answered(seen, history.held_up, bounds, report);
	return violations;
}

/**
 * Milliseconds past deadline and grace; an outage that touches them moves them by as long as it lasted, and time
 * in which the machine was held up does not count.
 */
function lateBy(body: StatusBody, doneMs: number, { outages, held_up }: History, bounds: Bounds): number {
	const at = hasEnded(body) ? (body.ended_at_ms ?? doneMs) : doneMs;
	let latest = body.deadline_at_ms + bounds.end_grace_ms;
	for (const [from, to] of outages) {
		if (to > body.deadline_at_ms && from < latest) latest += to - Math.max(from, body.deadline_at_ms);
	}
	if (at <= latest) return 0;
	return at - latest - sharedMs(held_up, [body.deadline_at_ms, at]);
}

function journalIsWhole(history: History, scanId: string, report: (rule: string, detail: string) => void): void {
	const journal = history.journals.get(scanId);
	if (!journal || journal.length === 0) {
		report("journal", "there is none");
		return;
	}
	const settled = new Set<string>();
	journal.forEach(({ seq, type, strategy_id, revision }, index) => {
		if (seq !== index + 1) report("journal", `entry ${index + 1} has seq ${seq}`);
		if (revision < seq || revision < (journal[index - 1]?.revision ?? 0))
			report("journal", `revision ${revision} at seq ${seq}`);
		if (type in END_TYPES && index < journal.length - 1) report("one end", `${type} at ${seq} of ${journal.length}`);
		if (strategy_id === null) return;
		if (settled.has(strategy_id)) report("done stays done", `${type} of ${strategy_id} after it was settled`);
		if (type === "strategy.settled") settled.add(strategy_id);
	});
	const end = history.ends.get(scanId);
	const last = journal.at(-1)?.type ?? "";
	if (!(last in END_TYPES)) report("one end", `the journal ends with ${last}`);
	else if (end && end.state !== END_TYPES[last]) report("one end", `shown as ${end.state}, journal says ${last}`);
}

/** Of one user and one set of filters at most one scan is in the hands of a worker at a time. */
function oneActive(
	history: History,
	starts: StartSeen[],
	bounds: Bounds,
	report: (rule: string, scanId: string, detail: string) => void,
): void {
	for (const told of groupBy(starts, ({ user, filters }) => `${user} ${filters}`).values()) {
		const spans = [...new Set(told.map(({ scan_id }) => scan_id))]
			.map((scanId) => ({ scanId, ...runningSpan(history.journals.get(scanId) ?? []) }))
			.filter((span): span is { scanId: string; from: number; to: number } => span.from !== null)
			.sort((a, b) => a.from - b.from);
		let latest: { scanId: string; to: number } | null = null;
		for (const span of spans) {
			const overlap = latest ? latest.to - span.from : 0;
			if (latest && overlap > bounds.clock_slack_ms)
				report("one active", span.scanId, `ran together with ${latest.scanId} for ${overlap} ms`);
			if (!latest || span.to > latest.to) latest = span;
		}
	}
}

const runningSpan = (journal: JournalLine[]): { from: number | null; to: number } => ({
	from: journal.find(({ type }) => type === "scan.claimed")?.at_ms ?? null,
	to: journal.find(({ type }) => type in END_TYPES)?.at_ms ?? Number.POSITIVE_INFINITY,
});

function cancelledStays(history: History, report: (rule: string, scanId: string, detail: string) => void): void {
	for (const seen of history.observations) {
		if (seen.kind !== "cancel") continue;
		const last = history.journals.get(seen.scan_id)?.at(-1)?.type;
		if (last !== "scan.cancelled") report("cancelled stays", seen.scan_id, `journal ends with ${last}`);
		const end = history.ends.get(seen.scan_id);
		if (end && end.state !== "cancelled") report("cancelled stays", seen.scan_id, `shown as ${end.state}`);
	}
}

function resultsNeverChange(history: History, report: (rule: string, scanId: string, detail: string) => void): void {
	const first = new Map<string, string>();
	for (const seen of history.observations) {
		if (seen.kind !== "results") continue;
		const { scan_id, digest } = seen;
		if ((first.get(scan_id) ?? digest) !== digest) report("one end", scan_id, "its result has changed");
		first.set(scan_id, digest);
	}
}

const WITHOUT_GAPS = new Set(["ok_found", "ok_empty", "skipped"]);

/** A completed scan whose strategies all answered is the one that nobody disturbed. */
function sameAsUndisturbed(
	history: History,
	starts: StartSeen[],
	report: (rule: string, scanId: string, detail: string) => void,
): void {
	const filtersOf = new Map(starts.map(({ scan_id, filters }) => [scan_id, filters]));
	for (const [scanId, end] of history.ends) {
		const expected = history.undisturbed.get(filtersOf.get(scanId) ?? "");
		if (!expected || !isWhole(end) || !isWhole(expected)) continue;
		const differ = end.verdicts.findIndex((line, i) => JSON.stringify(line) !== JSON.stringify(expected.verdicts[i]));
		if (differ >= 0 || end.verdicts.length !== expected.verdicts.length) {
			report(
				"same result",
				scanId,
				`${JSON.stringify(end.verdicts[differ])} instead of ${JSON.stringify(expected.verdicts[differ])}`,
			);
		}
		if (JSON.stringify(end.rows) !== JSON.stringify(expected.rows))
			report("same result", scanId, "other rows or another order");
	}
}

export const isWhole = (end: ScanEndSeen): boolean =>
	end.state === "complete" && end.verdicts.every(([, verdict]) => WITHOUT_GAPS.has(verdict));

function answered(
	seen: AnswerSeen,
	heldUp: History["held_up"],
	bounds: Bounds,
	report: (rule: string, scanId: string, detail: string) => void,
): void {
	const took = seen.done_ms - seen.sent_ms;
	if (seen.gave_up || (seen.http > 0 && took > seen.wait_ms + bounds.answer_ms)) {
		const held = sharedMs(heldUp, [seen.sent_ms, seen.done_ms]);
		if (took - held > seen.wait_ms + bounds.answer_ms)
			report("answers in time", "", `${seen.what} took ${took} ms, of which the machine was held up for ${held} ms`);
	}
	if (seen.http >= 500 && seen.http !== 503) report("honest answers", "", `${seen.what} answered ${seen.http}`);
}
