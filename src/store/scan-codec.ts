import { settle } from "../../machines/strategy-rules.ts";
import type { ScanContext, ScanEnd, ScanInput, StrategyEntry } from "../../machines/types.ts";
import type { ScanRecord } from "./contract.ts";
import { encodeInput, wholeInput } from "./input-codec.ts";
import { builtVersions, type Versions } from "./migrations.ts";
import { BEGUN, Damage, type Dynamic, SUMMARIES, summaryField } from "./salvage.ts";
import { CLAIM, encodeClaim, encodeSnapshot, isClaimed, SNAPSHOT_KEYS } from "./snapshot-codec.ts";
import { begunTogether, encodeEntry, settledTogether } from "./strategy-codec.ts";
import type { MachineEvent } from "./write-contract.ts";

/**
 * Between the machine's context and the fields of the scan hash. The fixed input is written once, each
 * strategy and each summary of a phase has a field of its own, and only what changed is written again: comparing references is
 * enough, because the machine never mutates.
 */
export type Deadlines = ScanRecord["deadlines"];

/** Parts that stand in the snapshot, as it was written before they had fields of their own; null: none. */
function movedParts(fields: Readonly<Record<string, string>>, context: ScanContext): Record<string, string> | null {
	const moved: Record<string, string> = {};
	for (const name of SUMMARIES) {
		const field = summaryField(name);
		if (context[name] !== null && fields[field] === undefined) moved[field] = JSON.stringify(context[name]);
	}
	if (fields[CLAIM] === undefined && isClaimed(null, context)) moved[CLAIM] = encodeClaim(context);
	return Object.keys(moved).length > 0 ? moved : null;
}

/** Fields of the scan hash that differ between two contexts; `before` null gives all of them. */
export function encodeContext(before: ScanContext | null, after: ScanContext): Record<string, string> {
	const fields: Record<string, string> = {};
	if (!before) fields.input = encodeInput(after.input);
	if (!before || SNAPSHOT_KEYS.some((key) => before[key] !== after[key])) fields.snapshot = encodeSnapshot(after);
	if (isClaimed(before, after)) fields[CLAIM] = encodeClaim(after);
	for (const name of SUMMARIES) {
		if (after[name] !== (before?.[name] ?? null)) fields[summaryField(name)] = JSON.stringify(after[name]);
	}
	// When the strategies are resolved nearly all of them begin at once; a field for each would be written to be overwritten.
	const begun = before?.strategies.length === 0 ? begunTogether(after.strategies) : null;
	if (begun) fields[BEGUN] = begun.text;
	if (before?.strategies === after.strategies) return fields;
	const settled = settledTogether(before?.strategies ?? [], after.strategies, after.input.strategies);
	if (settled) fields[settled.field] = settled.text;
	after.strategies.forEach((entry, position) => {
		if (before?.strategies[position] === entry || begun?.places.has(position) || settled?.places.has(position)) return;
		fields[`s:${position}`] = encodeEntry(entry, after.input.strategies[position], position);
	});
	return fields;
}

/** Never throws: what cannot be read is named in `damage` and replaced by what else the record says. */
export function decodeContext(
	scanId: string,
	fields: Record<string, string>,
	damage = new Damage(builtVersions.current),
): ScanContext {
	const input = damage.input(scanId, fields);
	const strategies = damage.strategies(fields, input);
	const dynamic = damage.dynamic(fields, input);
	if (fields.foreign_end !== undefined) return endedFromOutside(fields.foreign_end, input, dynamic, strategies);
	return { input, ...dynamic, strategies };
}

/** A scan that was ended beside a snapshot nobody here can read: no strategy of it is open any more. */
function endedFromOutside(text: string, input: ScanInput, dynamic: Dynamic, strategies: StrategyEntry[]): ScanContext {
	const end = JSON.parse(text) as ScanEnd;
	const verdict = end.error ? "failed" : "cancelled";
	const facts = { reason: end.error?.code ?? "cancelled", error: null };
	const closed = strategies.map((entry) => (entry.verdict ? entry : settle(entry, verdict, end.at_ms, facts)));
	return { input, ...dynamic, end, strategies: closed };
}

export const numberOrNull = (text: string | undefined): number | null =>
	text === undefined || text === "" || text === "0" ? null : Number(text);

/** Migrations take the input as JSON. What cannot be read stays, and is found to be damaged where it is read. */
function plain(stored: Record<string, string>, current: string): Record<string, string> {
	if (stored.input === undefined || stored.machine === current) return stored;
	try {
		return { ...stored, input: JSON.stringify(wholeInput(stored.input)) };
	} catch {
		return stored;
	}
}

/** An older version's record is read as the current one says, and carries what its next commit has to write. */
export function decodeRecord(
	scanId: string,
	stored: Record<string, string>,
	versions: Versions = builtVersions,
): ScanRecord {
	const { fields, changed, failure } = versions.upgrade(plain(stored, versions.current));
	const damage = new Damage(versions.current);
	if (failure !== null) damage.fields.push(failure);
	const context = decodeContext(scanId, fields, damage);
	const deadlines = damage.deadlines<Deadlines>(fields);
	const moved = movedParts(fields, context);
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
		context,
		deadlines,
		expires_at_ms: numberOrNull(fields.expires_at),
		...(damage.fields.length > 0 ? { damaged: damage.fields } : {}),
		...(versions.carried.includes(stored.machine ?? "") ? {} : { foreign: true as const }),
		...(changed === null && moved === null ? {} : { upgrade: { ...changed, ...moved } }),
		...(fields.migrated_from === undefined ? {} : { migrated_from: fields.migrated_from }),
	};
}

/** Pairs of a flat Lua reply as an object. */
export function fromPairs(flat: readonly string[]): Record<string, string> {
	const fields: Record<string, string> = {};
	for (let i = 0; i + 1 < flat.length; i += 2) fields[flat[i] as string] = flat[i + 1] as string;
	return fields;
}

/** An entry that cannot be read is passed over like one of an unknown type: it must not hide those behind it. */
export function eventOf(text = "{}"): MachineEvent {
	try {
		return JSON.parse(text) as MachineEvent;
	} catch {
		return { type: "unreadable" };
	}
}
