import type { Phase, PhaseSpan, ScanContext } from "../../machines/types.ts";
import type { ScanRecord } from "./contract.ts";
import type { Dynamic } from "./salvage.ts";

/**
 * What changes with nearly every commit, as its two fields of the scan hash hold it: the context without input, strategies,
 * summaries and what a claim says, and the armed deadlines. Both are written anew each time, so what a new scan has too is left out, and
 * names that say the same twice are written once; spans of phases count back from `now_ms`. The longer forms of before are
 * read as well.
 */
type Json = Record<string, unknown>;

const UNCLAIMED = { worker_id: null, claimed_at_ms: null, attempt: 0, resumes: 0 } as const satisfies Partial<Dynamic>;

const BEGINNING = {
	opportunities_found: 0,
	wake_at_ms: null,
	outcome: null,
	end: null,
} as const satisfies Partial<Dynamic>;

const BEGINNING_NAMES = Object.keys(BEGINNING) as (keyof typeof BEGINNING)[];
const CLAIM_KEYS = Object.keys(UNCLAIMED) as (keyof typeof UNCLAIMED)[];

export const SNAPSHOT_KEYS = ["now_ms", "phases", ...BEGINNING_NAMES] as const satisfies (keyof Dynamic)[];

/** What this version leaves out of its snapshots where it is so. */
export const LEFT_OUT = { ...UNCLAIMED, ...BEGINNING } as const;

/** The field of what a claim changes and nothing else. */
export const CLAIM = "k:claim";

/** Does it say something else than before? */
export const isClaimed = (before: ScanContext | null, after: ScanContext): boolean =>
	CLAIM_KEYS.some((key) => (before ?? UNCLAIMED)[key] !== after[key]);

export const encodeClaim = ({ worker_id, claimed_at_ms, attempt, resumes }: ScanContext): string =>
	JSON.stringify({ worker_id, claimed_at_ms, attempt, resumes });

export function encodeSnapshot(context: ScanContext): string {
	const { now_ms } = context;
	const phases: Record<string, number[] | PhaseSpan> = {};
	for (const name in context.phases) phases[name] = encodeSpan(context.phases[name as Phase] as PhaseSpan, now_ms);
	const snapshot: Json = { now_ms, phases };
	for (const name of BEGINNING_NAMES) if (context[name] !== BEGINNING[name]) snapshot[name] = context[name];
	return JSON.stringify(snapshot);
}

/** Spans of phases that were retried or stood still say more, and stay as they are. */
function encodeSpan(span: PhaseSpan, nowMs: number): number[] | PhaseSpan {
	const { started_at_ms, ended_at_ms, ...more } = span;
	for (const _ in more) return span;
	return ended_at_ms === null ? [nowMs - started_at_ms] : [nowMs - started_at_ms, nowMs - ended_at_ms];
}

const isObject = (value: unknown): value is Json =>
	typeof value === "object" && value !== null && !Array.isArray(value);

const moment = (value: unknown): number => (typeof value === "number" ? value : Number.NaN);

/** With spans as the machine has them; what has another shape stays, to be found by who checks it. */
export function wholeSnapshot(held: Json): Json {
	const nowMs = moment(held.now_ms);
	if (!isObject(held.phases)) return held;
	const phases = Object.entries(held.phases).map(([name, span]): [string, unknown] => {
		if (!Array.isArray(span)) return [name, span];
		const [started, ended] = span as unknown[];
		return [
			name,
			{ started_at_ms: nowMs - moment(started), ended_at_ms: ended === undefined ? null : nowMs - moment(ended) },
		];
	});
	return { ...held, phases: Object.fromEntries(phases) };
}

/** Most of them raise an event that is called as they are and says nothing else: then the moment is all. */
export function encodeDeadlines(deadlines: ScanRecord["deadlines"]): string {
	const held: Json = {};
	for (const id in deadlines) {
		const armed = deadlines[id] as ScanRecord["deadlines"][string];
		held[id] = armed.event.type === id && Object.keys(armed.event).length === 1 ? armed.at_ms : armed;
	}
	return JSON.stringify(held);
}

export const wholeDeadlines = (held: Json): Json =>
	Object.fromEntries(
		Object.entries(held).map(([id, armed]) => [
			id,
			typeof armed === "number" ? { at_ms: armed, event: { type: id } } : armed,
		]),
	);
