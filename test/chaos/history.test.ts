/** The checker finds what is planted, and nothing where nothing is. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkHistory } from "./history.ts";
import { sharedMs } from "./machine-load.ts";
import type { History, JournalLine, Observation, ScanEndSeen, StatusBody, StatusSeen } from "./observations.ts";

const test = suite("history checker");

const VERDICTS = { ok_found: 0, ok_empty: 0, degraded: 0, failed: 0, timed_out: 0, skipped: 0, cancelled: 0 };

const status = (at: number, changes: Partial<StatusBody> = {}, http = 200): StatusSeen => {
	const body: StatusBody = {
		state: "running",
		revision: 5,
		completed: 0,
		total: 2,
		found: 0,
		percentage: 0,
		verdicts: { ...VERDICTS, running: 2, pending: 0 },
		deadline_at_ms: 30_000,
		ended_at_ms: null,
		...changes,
	};
	return {
		kind: "status",
		scan_id: "a",
		sent_ms: at,
		done_ms: at + 10,
		http,
		body: http === 200 ? body : null,
		code: null,
	};
};
const done: Partial<StatusBody> = {
	state: "complete",
	revision: 9,
	completed: 2,
	found: 1,
	percentage: 100,
	verdicts: { ...VERDICTS, ok_found: 1, ok_empty: 1, running: 0, pending: 0 },
	ended_at_ms: 5_000,
};
const line = (seq: number, type: string, strategy_id: string | null = null, at_ms = seq * 100): JournalLine => ({
	seq,
	type,
	strategy_id,
	at_ms,
	revision: seq,
});
const TYPES: [type: string, strategy?: string][] = [
	["scan.created"],
	["scan.claimed"],
	["strategy.started", "s1"],
	["strategy.settled", "s1"],
	["strategy.started", "s2"],
	["scan.resumed"],
	["strategy.started", "s2"],
	["strategy.settled", "s2"],
	["scan.completed"],
];
const journal = (): JournalLine[] => TYPES.map(([type, strategy], i) => line(i + 1, type, strategy ?? null));
const end = (): ScanEndSeen => ({
	state: "complete",
	reason: null,
	verdicts: [
		["s1", "ok_found", 3, 1, 1, 1],
		["s2", "ok_empty", 2, 0, 0, 2],
	],
	rows: ["r1"],
});

const history = (): History => ({
	observations: [
		{ kind: "start", sent_ms: 0, done_ms: 20, user: "u", filters: "{}", scan_id: "a" },
		status(100, { state: "queued", revision: 1, total: 0, verdicts: { ...VERDICTS, running: 0, pending: 0 } }),
		status(1_000),
		status(6_000, done),
	],
	journals: new Map([["a", journal()]]),
	ends: new Map([["a", end()]]),
	undisturbed: new Map([["{}", end()]]),
	outages: [],
	held_up: [],
});

const ANSWER: Observation = {
	kind: "answer",
	what: "GET /x",
	sent_ms: 0,
	done_ms: 10,
	http: 200,
	gave_up: false,
	wait_ms: 0,
};

const found = (change: (history: History) => void): string[] => {
	const changed = history();
	change(changed);
	return [...new Set(checkHistory(changed).map(({ rule }) => rule))];
};
const seen = (...more: Observation[]) => found(({ observations }) => observations.push(...more));
const written = (change: (journal: JournalLine[]) => JournalLine[]) =>
	found(({ journals }) => journals.set("a", change(journal())));

test("an undisturbed history has no violation", () =>
	assert.equal(
		found(() => undefined),
		[],
	));

test("lost: not found or expired after it was told, but not before", () => {
	assert.equal(seen(status(2_000, {}, 404)), ["never lost"]);
	assert.equal(seen(status(2_000, {}, 410)), ["never lost"]);
	assert.equal(seen(status(-100, {}, 404)), []);
	assert.equal(seen(status(2_000, {}, 503)), []);
});

test("monotone: revision, counters, total and state", () => {
	assert.equal(seen(status(2_000, { revision: 4 })), ["monotone"]);
	assert.equal(seen(status(2_000, { found: 2 }), status(3_000, { found: 1 })), ["monotone"]);
	assert.equal(seen(status(2_000, { total: 3, verdicts: { ...VERDICTS, running: 3, pending: 0 } })), ["monotone"]);
	assert.equal(seen(status(2_000, { state: "queued" })), ["monotone"]);
	// Two reads at the same time may come back in any order.
	assert.equal(seen({ ...status(995, { revision: 4 }), done_ms: 1_500 }), []);
});

test("one end, and it is final", () => {
	assert.equal(seen(status(7_000, { ...done, state: "failed", percentage: 100 })), ["one end"]);
	assert.equal(seen(status(7_000, { ...done, ended_at_ms: 5_001 })), ["one end"]);
	assert.equal(
		written((entries) => [...entries, line(10, "scan.failed")]),
		["one end"],
	);
	assert.equal(
		written((entries) => entries.slice(0, -1)),
		["one end"],
	);
	assert.equal(
		found(({ ends }) => ends.set("a", { ...end(), state: "failed" })),
		["one end"],
	);
});

test("in time: deadline and grace, longer only by the outage that touches them", () => {
	assert.equal(seen(status(35_100)), ["monotone", "one end", "end in time"]);
	const late = (outages: History["outages"]) =>
		found((changed) => {
			changed.observations[3] = status(40_000, { ...done, ended_at_ms: 38_000 });
			changed.outages = outages;
		});
	assert.equal(late([]), ["end in time"]);
	assert.equal(late([[1_000, 9_000]]), ["end in time"]);
	assert.equal(late([[29_000, 33_500]]), []);
	assert.equal(late([[29_000, 32_500]]), ["end in time"]);
});

test("time in which the machine was busy with other things does not count, and only that", () => {
	const late = (held_up: History["held_up"]) =>
		found((changed) => {
			changed.observations[3] = status(40_000, { ...done, ended_at_ms: 38_000 });
			changed.observations.push({ ...ANSWER, sent_ms: 31_000, done_ms: 39_000 });
			changed.held_up = held_up;
		});
	assert.equal(late([]), ["end in time", "answers in time"]);
	assert.equal(late([[31_000, 34_100]]), []);
	assert.equal(
		late([
			[31_000, 33_000],
			[32_000, 34_100],
		]),
		[],
	);
	assert.equal(late([[1_000, 29_000]]), ["end in time", "answers in time"]);
	assert.equal(late([[31_000, 33_500]]), ["end in time", "answers in time"]);
	assert.is(
		sharedMs(
			[
				[0, 10],
				[5, 20],
				[30, 40],
			],
			[8, 35],
		),
		17,
	);
});

test("counts: verdicts of a status, candidates of a strategy", () => {
	assert.equal(seen(status(2_000, { verdicts: { ...VERDICTS, running: 1, pending: 0 } })), ["counts"]);
	assert.equal(seen(status(6_500, { ...done, verdicts: { ...VERDICTS, ok_found: 1, running: 1, pending: 0 } })), [
		"counts",
	]);
	const short: ScanEndSeen["verdicts"][0] = ["s1", "ok_found", 4, 1, 1, 1];
	assert.equal(
		found((changed) => {
			changed.ends.set("a", { ...end(), verdicts: [short, end().verdicts[1] ?? short] });
			changed.undisturbed.clear();
		}),
		["counts"],
	);
});

test("journal: gapless, numbered from 1, revisions that rise", () => {
	assert.equal(
		written((entries) => entries.filter(({ seq }) => seq !== 4)),
		["journal"],
	);
	assert.equal(
		written((entries) => entries.slice(1)),
		["journal"],
	);
	assert.equal(
		written((entries) => entries.map((entry) => (entry.seq === 5 ? { ...entry, revision: 3 } : entry))),
		["journal"],
	);
	assert.equal(
		written(() => []),
		["journal"],
	);
});

test("what is settled does not run again", () => {
	const again = (type: string) =>
		written((entries) => [...entries.slice(0, 8), line(9, type, "s1"), line(10, "scan.completed")]);
	assert.equal(again("strategy.started"), ["done stays done"]);
	assert.equal(again("strategy.settled"), ["done stays done"]);
	assert.equal(again("strategy.row_found"), ["done stays done"]);
});

test("one active scan per user and filters", () => {
	const second = (user: string, claimedAt: number) =>
		found(({ observations, journals, ends }) => {
			observations.push({ kind: "start", sent_ms: 0, done_ms: 20, user, filters: "{}", scan_id: "b" });
			const entries = journal().map((entry) => ({ ...entry, at_ms: entry.at_ms + claimedAt - 200 }));
			journals.set("b", entries);
			ends.set("b", end());
		});
	assert.equal(second("u", 300), ["one active"]);
	assert.equal(second("u", 900), []);
	assert.equal(second("v", 300), []);
});

test("cancelled stays cancelled", () => {
	assert.equal(seen({ kind: "cancel", scan_id: "a", done_ms: 2_000 }), ["cancelled stays"]);
});

test("the result is that of an undisturbed scan, unless strategies did not answer", () => {
	const differ = (change: (end: ScanEndSeen) => ScanEndSeen) => found(({ ends }) => ends.set("a", change(end())));
	assert.equal(
		differ((same) => ({ ...same, rows: ["r2"] })),
		["same result"],
	);
	const [, second] = end().verdicts;
	const other: ScanEndSeen["verdicts"][0] = ["s1", "ok_found", 4, 1, 2, 1];
	assert.equal(
		differ((same) => ({ ...same, verdicts: second ? [other, second] : [other] })),
		["same result"],
	);
	const cut: ScanEndSeen["verdicts"][0] = ["s1", "timed_out", 4, 1, 2, 1];
	assert.equal(
		differ((same) => ({ ...same, verdicts: second ? [cut, second] : [cut] })),
		[],
	);
});

test("answers come in time and are honest", () => {
	const answer = (done_ms: number, http: number, gave_up = false) =>
		seen({ kind: "answer", what: "GET /x", sent_ms: 0, done_ms, http, gave_up, wait_ms: 1_000 });
	assert.equal(answer(5_900, 200), []);
	assert.equal(answer(6_100, 200), ["answers in time"]);
	assert.equal(answer(100, 0), []);
	assert.equal(answer(9_000, 0, true), ["answers in time"]);
	assert.equal(answer(100, 500), ["honest answers"]);
	assert.equal(answer(100, 503), []);
});

test.run();
