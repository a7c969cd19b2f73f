import type { StrategyEntry } from "../../machines/types.ts";
import { stateOf } from "../../src/runtime/claimed.ts";
import type { StartResult } from "../../src/services.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import { globalKeys, scanKeys, userKeys } from "../../src/store/keys.ts";
import { checkState } from "../support/invariants.ts";
import {
	type ApiStatus,
	checkCounts,
	checkNeverGoesBack,
	type StatusRead,
	shownStatus,
} from "../support/status-rules.ts";
import type { Observation } from "./clients.ts";
import { SETTINGS } from "./cluster.ts";
import { onceByKey, redrives, startsOf } from "./repetitions.ts";
import type { ScanShadow } from "./shadow.ts";
import { type SimulationResult, START_MS } from "./simulate.ts";

/**
 * What must hold of a whole history, judged from what clients were told and from what lies in the store at
 * the end. What can be judged at the moment of a write is judged there (shadow.ts).
 */
export type Violate = (invariant: string, text: string) => void;

/** The bounds that are promised past a deadline, ms. */
const LATE_WITH_WORKER_MS = 1_000;
const LATE_IN_EVERY_CASE_MS = 5_000;
/** Trouble that ended this long before a deadline is over for it: lease, take-over and a start of processes. */
const RECOVERED_MS = 20_000;
/** A start whose job was lost is queued again within this. */
const CLAIMED_WITHIN_MS = 10_000;

export function checkHistory(result: SimulationResult, violate: Violate): void {
	const healMs = START_MS + result.plan.healAtMs;
	registered(result, violate);
	onceByKey(result, violate);
	redrives(result, violate);
	monotone(result.observations, violate);
	answered(result, healMs, violate);
	ended(result, healMs, violate);
	starts(result, violate);
	cancels(result, violate);
	leftovers(result, violate);
	alarms(result, violate);
	sameAsUndisturbed(result, violate);
}

/** Processes judge by their own reading of the store's clock, and commits take their time. */
const CLOCK_SLACK_MS = 50;

/**
 * I1: an id that was told is never unknown again, on any process, and expired only when its retention is over; then
 * the answer says since when.
 */
function registered({ observations, shadows, plan }: SimulationResult, violate: Violate): void {
	const toldMs = new Map<string, number>();
	for (const { body, receivedMs } of startsOf(observations).sort((a, b) => a.receivedMs - b.receivedMs)) {
		const { scan_id } = body as StartResult;
		if (!toldMs.has(scan_id)) toldMs.set(scan_id, receivedMs);
	}
	for (const { scanId, sentMs, receivedMs, outcome, api, kind, body } of observations) {
		const told = toldMs.get(scanId ?? "");
		if (told === undefined || sentMs < told) continue;
		if (outcome === "scan_not_found")
			violate("I1", `${kind} of ${scanId} on ${api}: ${outcome} ${Math.round(sentMs - told)} ms after it was told`);
		const { endedAtMs = null } = shadows.scans.get(scanId ?? "") ?? {};
		const expiresMs = endedAtMs === null ? Number.POSITIVE_INFINITY : endedAtMs + plan.retentionMs;
		if (outcome === "scan_expired") {
			if (receivedMs < expiresMs - CLOCK_SLACK_MS)
				violate("I1", `${kind} of ${scanId} on ${api}: expired ${Math.round(expiresMs - receivedMs)} ms too early`);
			const date = Date.parse(String((body as { expired_at?: string }).expired_at));
			if (!(Math.abs(date - expiresMs) <= CLOCK_SLACK_MS))
				violate("I1", `${kind} of ${scanId} on ${api}: expired at ${date - expiresMs} ms beside its retention`);
		}
		const isRead = kind === "status" || kind === "results" || kind === "stuck";
		if (isRead && outcome === "ok" && sentMs > expiresMs + CLOCK_SLACK_MS)
			violate("I1", `${kind} of ${scanId} on ${api}: shown ${Math.round(sentMs - expiresMs)} ms after it expired`);
	}
}

/** I4 and I8: whoever asks after an answer was given, anywhere, is not shown anything earlier, and what is shown adds up. */
function monotone(observations: readonly Observation[], violate: Violate): void {
	const reads = new Map<string, StatusRead[]>();
	for (const { kind, outcome, scanId, sentMs, receivedMs, body } of observations) {
		if (kind !== "status" || outcome !== "ok") continue;
		const read = { sent_ms: sentMs, done_ms: receivedMs, body: shownStatus(body as ApiStatus) };
		reads.set(scanId ?? "", [...(reads.get(scanId ?? "") ?? []), read]);
	}
	for (const [scanId, mine] of reads) {
		checkNeverGoesBack(mine, (_, detail) => violate("I4", `${scanId}: ${detail}`));
		for (const { body } of mine) checkCounts(body, (_, detail) => violate("I8", `${scanId}: ${detail}`));
	}
}

/** By then every process has come up; before, a connection may be refused. */
const UP_MS = 50;

/** Nobody is answered with an internal error when nothing is wrong with what the answer needs. */
function answered({ plan, observations }: SimulationResult, healMs: number, violate: Violate): void {
	const sound = plan.profile === "calm" || plan.profile === "market";
	const processesOnly = plan.profile === "crashes" || plan.profile === "freezes";
	for (const { kind, outcome, sentMs, api, scanId, body } of observations) {
		const bad = outcome === "internal_error" || (sound && outcome === "no_answer" && sentMs >= START_MS + UP_MS);
		if (!bad) continue;
		// Processes that stand still are told of time-outs when they wake; that is no error of the store.
		if (
			sound ||
			sentMs > healMs + 3_000 ||
			(processesOnly && kind !== "start" && kind !== "redrive" && plan.profile === "crashes")
		)
			violate("answers", `${kind} of ${scanId} on ${api}: ${outcome} ${JSON.stringify(body)}`);
	}
}

/** I5, I7, I8, I9: every accepted scan has one end, in time, with sums that add up. */
function ended(result: SimulationResult, healMs: number, violate: Violate): void {
	const accepted = [...result.shadows.scans.values()].filter(({ facts }) => facts.accepted);
	const open = accepted.filter(({ facts }) => !facts.ended);
	if (result.end !== "done")
		violate("I5", `the run ended by "${result.end}"; open: ${open.map(({ scanId }) => scanId).join(", ") || "none"}`);
	for (const shadow of accepted) {
		if (shadow.endedAtMs === null) {
			violate("I5", `${shadow.scanId} has no end`);
			continue;
		}
		inTime(shadow, healMs, violate);
		const record = shadow.final?.record;
		const isKept = result.simulatedMs + START_MS < shadow.endedAtMs + result.plan.retentionMs;
		if (isKept && !result.server.keyspace.hash(scanKeys(shadow.scanId).scan))
			violate("I1", `${shadow.scanId} has no record although its retention has not ended`);
		if (!record) continue;
		try {
			checkState(stateOf(record));
		} catch (error) {
			violate("I8", `${shadow.scanId}: ${error instanceof Error ? error.message : String(error)}`);
		}
		claimedInTime(record, healMs, violate);
	}
}

function inTime({ scanId, deadlineAtMs, endedAtMs, facts }: ScanShadow, healMs: number, violate: Violate): void {
	const late = (endedAtMs ?? 0) - Math.max(deadlineAtMs, healMs);
	if (late > LATE_IN_EVERY_CASE_MS)
		violate("I5", `${scanId} ended as ${facts.position} ${Math.round(late)} ms after its deadline`);
	const calm = healMs <= deadlineAtMs - RECOVERED_MS;
	if (calm && (endedAtMs ?? 0) > deadlineAtMs + LATE_WITH_WORKER_MS)
		violate("I7", `${scanId} ended as ${facts.position} ${Math.round(late)} ms after its deadline with live workers`);
}

function claimedInTime({ context, scan_id }: ScanRecord, healMs: number, violate: Violate): void {
	const { claimed_at_ms, input, end } = context;
	const dueMs = Math.max(input.accepted_at_ms, healMs) + CLAIMED_WITHIN_MS;
	const waited = (claimed_at_ms ?? end?.at_ms ?? 0) > dueMs;
	if (waited || (end?.error?.code === "not_claimed" && healMs < input.deadline_at_ms - RECOVERED_MS))
		violate(
			"I9",
			`${scan_id} waited for a worker until ${claimed_at_ms === null ? "its end" : "long after"} the trouble`,
		);
}

/** Never two active scans of one user and filter set once a start has been answered. */
function starts(result: SimulationResult, violate: Violate): void {
	const all = [...result.shadows.scans.values()];
	const decided = (scanId: string) => result.decidedMs.get(scanId) ?? Number.POSITIVE_INFINITY;
	for (const { body, receivedMs, user } of startsOf(result.observations)) {
		const { decision, scan_id, superseded_scan_id } = body as StartResult;
		if (decision !== "created" && decision !== "superseded") continue;
		const mine = result.shadows.scans.get(scan_id);
		if (!mine) {
			violate("I1", `${scan_id} was told but never written`);
			continue;
		}
		const rivals = all.filter(
			(other) =>
				other !== mine &&
				other.owner === user &&
				other.filterKey === mine.filterKey &&
				other.facts.accepted &&
				decided(other.scanId) < decided(mine.scanId) &&
				(other.endedAtMs === null || other.endedAtMs > receivedMs),
		);
		for (const { scanId } of rivals)
			violate("one active scan", `${decision} ${scan_id} was answered while ${scanId} of the same filters was running`);
		if (superseded_scan_id === null) continue;
		const old = result.shadows.scans.get(superseded_scan_id)?.final?.record;
		if (old?.context.end?.superseded_by !== scan_id)
			violate("one active scan", `${superseded_scan_id} was told as superseded by ${scan_id} and is not`);
	}
}

/** A cancel that was confirmed stays; with nothing wrong it takes at most a second. */
function cancels(result: SimulationResult, violate: Violate): void {
	for (const { kind, outcome, scanId, sentMs, receivedMs } of result.observations) {
		if (kind !== "cancel" || outcome !== "ok") continue;
		const position = result.shadows.scans.get(scanId ?? "")?.facts.position;
		if (position !== "cancelled") violate("I5", `${scanId} was told as cancelled and ended as ${position}`);
		if (result.plan.profile === "calm" && receivedMs - sentMs > 1_000)
			violate("I5", `the cancel of ${scanId} took ${Math.round(receivedMs - sentMs)} ms with nothing wrong`);
	}
}

/** No index, claim or count outlives or forgets an ended scan. */
function leftovers(result: SimulationResult, violate: Violate): void {
	const { keyspace } = result.server;
	if (result.end !== "done") return;
	for (const key of [globalKeys.due, globalKeys.unclaimed]) {
		const left = Number(keyspace.execute("ZCARD", [key]));
		if (left > 0) violate("leftovers", `${left} ids are left in ${key}`);
	}
	for (const { scanId, facts } of result.shadows.scans.values()) {
		const { scan, journal } = scanKeys(scanId);
		const left = Object.values(scanKeys(scanId)).filter((key) => keyspace.execute("EXISTS", [key]) === 1);
		if (facts.accepted && left.length === 0) continue;
		if (facts.accepted && !keyspace.hash(scan)) violate("leftovers", `${scanId} has expired and ${left.join()} stays`);
		if (!facts.accepted && keyspace.hash(scan) && !keyspace.expiresAtMs(scan))
			violate("leftovers", `${scanId} was never accepted and its record stays for ever`);
		if (facts.accepted && (!keyspace.expiresAtMs(scan) || !keyspace.expiresAtMs(journal)))
			violate("leftovers", `${scanId} has ended and its record stays for ever`);
	}
	const accepted = [...result.shadows.scans.values()].filter(({ facts }) => facts.accepted);
	for (const user of new Set(accepted.map(({ owner }) => owner))) {
		for (const [filterKey, held] of keyspace.hash(userKeys(user).active) ?? []) {
			// A claim that names no accepted scan is one that nobody was told of; the next start frees it.
			if (result.shadows.scans.get(held.split("|", 1)[0] ?? "")?.facts.accepted)
				violate("leftovers", `the claim of ${filterKey} is still held by ${held}`);
		}
	}
	let counted = 0;
	for (const key of keyspace.keys().filter((name) => /^opportunity_scan_stats:/.test(name)))
		counted += Number(keyspace.hash(key)?.get("total_scans") ?? 0);
	if (counted !== accepted.length) violate("leftovers", `${counted} scans are counted, ${accepted.length} ended`);
}

/** I9: where no process and no store is in trouble nothing is called stuck. */
function alarms({ plan, observations }: SimulationResult, violate: Violate): void {
	if (plan.profile !== "calm" && plan.profile !== "market") return;
	for (const { kind, outcome, body, scanId } of observations) {
		if (kind === "stuck" && outcome === "ok" && JSON.stringify(body).includes('"is_stuck":true'))
			violate("I9", `${scanId} is called stuck with nothing wrong: ${JSON.stringify(body).slice(0, 300)}`);
	}
}

/**
 * I6: where only processes died, a scan that nobody cancelled finds what it would have found undisturbed. All
 * scans of one filter set find the same, so those of a run without any trouble tell what that is.
 */
function sameAsUndisturbed({ plan, shadows, undisturbed }: SimulationResult, violate: Violate): void {
	if (plan.profile !== "crashes" && plan.profile !== "calm") return;
	for (const { scanId, facts, filterKey, resumes, final } of shadows.scans.values()) {
		if (!final || !facts.ended || facts.position === "cancelled") continue;
		// Of a scan that ended early a redrive may have been told to leave out what it lacks.
		if (final.record.context.strategies.some(isCarriedGap)) continue;
		// A scan may lose its worker twice; a third time ends it, which is a promise too.
		if (facts.position === "failed" && resumes > SETTINGS.limits.resumes_max) continue;
		const expected = undisturbed.get(filterKey);
		const found = final.outcome;
		if (expected !== undefined && found !== expected)
			violate("result", `${scanId} differs from an undisturbed run: ${differenceOf(expected, found)}`);
	}
}

const isCarriedGap = ({ carried_over_from, verdict }: StrategyEntry): boolean =>
	carried_over_from !== null && (verdict === "cancelled" || verdict === "failed" || verdict === "timed_out");

function differenceOf(expected: string, found: string): string {
	let at = 0;
	while (at < expected.length && expected[at] === found[at]) at++;
	const part = (text: string) => text.slice(Math.max(0, at - 60), at + 120);
	return `...${part(expected)}... became ...${part(found)}...`;
}
