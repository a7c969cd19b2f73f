import { settle } from "../../machines/strategy-rules.ts";
import {
	SCAN_MACHINE_ID,
	type ScanContext,
	type ScanEnd,
	type ScanInput,
	type StrategyEntry,
} from "../../machines/types.ts";
import type { ScanRecord } from "./contract.ts";

/**
 * Between the machine's context and the fields of the scan hash. The fixed input is written once, each
 * strategy has a field of its own, and only what changed is written again: comparing references is
 * enough, because the machine never mutates.
 */
export type Deadlines = ScanRecord["deadlines"];

type Dynamic = Omit<ScanContext, "input" | "strategies">;

const dynamicOf = ({ input: _input, strategies: _strategies, ...rest }: ScanContext): Dynamic => rest;

const DYNAMIC_KEYS = [
	"now_ms",
	"worker_id",
	"claimed_at_ms",
	"attempt",
	"resumes",
	"phases",
	"portfolio",
	"assets",
	"opportunities_found",
	"wake_at_ms",
	"ranking",
	"outcome",
	"end",
] as const satisfies (keyof Dynamic)[];

/** Fields of the scan hash that differ between two contexts; `before` null gives all of them. */
export function encodeContext(before: ScanContext | null, after: ScanContext): Record<string, string> {
	const fields: Record<string, string> = {};
	if (!before) fields.input = JSON.stringify(after.input);
	if (!before || DYNAMIC_KEYS.some((key) => before[key] !== after[key]))
		fields.snapshot = JSON.stringify(dynamicOf(after));
	after.strategies.forEach((entry, position) => {
		if (before?.strategies[position] !== entry) fields[`s:${position}`] = JSON.stringify(entry);
	});
	return fields;
}

export function decodeContext(fields: Record<string, string>): ScanContext {
	const strategies: StrategyEntry[] = [];
	for (let position = 0; fields[`s:${position}`] !== undefined; position++) {
		strategies.push(JSON.parse(fields[`s:${position}`] as string) as StrategyEntry);
	}
	const stored = JSON.parse(fields.snapshot ?? "{}") as Dynamic;
	// Another version's snapshot may lack what this one reads; its own is taken as it is.
	const dynamic = fields.machine === SCAN_MACHINE_ID ? stored : { ...ABSENT, ...stored };
	if (fields.foreign_end !== undefined) return endedFromOutside(fields, dynamic, strategies);
	return { input: JSON.parse(fields.input ?? "{}") as ScanInput, ...dynamic, strategies };
}

const ABSENT: Omit<Dynamic, "now_ms"> = {
	worker_id: null,
	claimed_at_ms: null,
	attempt: 0,
	resumes: 0,
	phases: {},
	portfolio: null,
	assets: null,
	opportunities_found: 0,
	wake_at_ms: null,
	ranking: null,
	outcome: null,
	end: null,
};

/** A scan of another machine version that was ended beside its snapshot: no strategy of it is open any more. */
function endedFromOutside(fields: Record<string, string>, dynamic: Dynamic, strategies: StrategyEntry[]): ScanContext {
	const end = JSON.parse(fields.foreign_end ?? "{}") as ScanEnd;
	const verdict = end.error ? "failed" : "cancelled";
	const facts = { reason: end.error?.code ?? "cancelled", error: null };
	const closed = strategies.map((entry) => (entry.verdict ? entry : settle(entry, verdict, end.at_ms, facts)));
	return { input: JSON.parse(fields.input ?? "{}") as ScanInput, ...dynamic, end, strategies: closed };
}

const numberOrNull = (text: string | undefined): number | null =>
	text === undefined || text === "" || text === "0" ? null : Number(text);

export function decodeRecord(scanId: string, fields: Record<string, string>): ScanRecord {
	return {
		scan_id: scanId,
		user_id: fields.owner ?? "",
		machine: fields.machine ?? "",
		revision: Number(fields.seq),
		epoch: Number(fields.epoch),
		worker_id: fields.worker ? fields.worker : null,
		lease_until_ms: numberOrNull(fields.lease),
		heartbeat_at_ms: numberOrNull(fields.hb),
		progress_at_ms: Number(fields.progress_at),
		last_event_type: fields.last_type as ScanRecord["last_event_type"],
		position: fields.position as ScanRecord["position"],
		terminal: fields.end === "1",
		context: decodeContext(fields),
		deadlines: JSON.parse(fields.deadlines ?? "{}") as Deadlines,
		expires_at_ms: numberOrNull(fields.expires_at),
	};
}

/** Pairs of a flat Lua reply as an object. */
export function fromPairs(flat: readonly string[]): Record<string, string> {
	const fields: Record<string, string> = {};
	for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] as string] = flat[i + 1] as string;
	return fields;
}
