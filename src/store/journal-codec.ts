import type { JournalType, ScanEvent } from "../../machines/events.ts";
import type { ScanPosition } from "../../machines/types.ts";
import { type Column, columnOf, columnOfMember, type Lists, valuesOf } from "./columns.ts";
import type { JournalEntry } from "./contract.ts";
import { pack, unpack } from "./packing.ts";
import type { MachineEvent, NewEntry } from "./write-contract.ts";

/**
 * The journal in Redis: a stream with one element for each commit, whose id is the seq of the commit's last entry and
 * whose one field holds the entries and the machine events that led to them. An element for each entry would cost the
 * server more than everything else in a commit, and most of an entry's text repeats that of its neighbours.
 */
export const BATCH_FIELD = "b";

/** [type, phase, at_ms, payload] */
type Line = [JournalType, ScanPosition, number, Record<string, unknown>];
/** Lines, then the machine events behind them, left out when there are none: the form of older programs. */
type Lines = [Line[], MachineEvent[]?];

/** Entries of one type: a lone one as it is, several by columns and with their number. Moments count from the batch's. */
type Group =
	| [JournalType, ScanPosition, number, Record<string, unknown>]
	| [JournalType, Column, Column, Column, count: number];

interface Batch {
	at_ms: number;
	groups: Group[];
	/** The group of each entry, in their order; absent where every entry has one of its own. */
	order?: number[];
	/** Machine events, absent when there are none; neighbouring reports by columns. */
	events?: (Omit<MachineEvent, "reports"> & { reports?: unknown[] | { count: number; by: Column } })[];
}

/**
 * Shorter texts are written out: to pack two batches of 2 KiB took an eighth of all that a scan costs its process, most
 * of it for memory outside of the heap. Longer ones would fill a node of the stream (4 KiB) each, and are packed.
 */
const PACKED_FROM_LENGTH = 4_000;

/** Which attempt of which strategy an entry is about: its payload says so. */
export const subjectOf = (payload: Record<string, unknown>): Pick<NewEntry, "strategy_id" | "attempt"> => ({
	strategy_id: typeof payload.strategy_id === "string" ? payload.strategy_id : null,
	attempt: typeof payload.attempt === "number" && typeof payload.strategy_id === "string" ? payload.attempt : null,
});

export function encodeBatch(entries: readonly NewEntry[], events: readonly MachineEvent[]): string {
	const at_ms = entries[0]?.at_ms ?? 0;
	const byType = new Map<JournalType, { index: number; held: NewEntry[] }>();
	const order: number[] = [];
	for (const entry of entries) {
		let group = byType.get(entry.type);
		if (!group) {
			group = { index: byType.size, held: [] };
			byType.set(entry.type, group);
		}
		group.held.push(entry);
		order.push(group.index);
	}
	const lists: Lists = [];
	const groups = [...byType].map(([type, { held }]) => groupOf(type, held, at_ms, lists));
	const batch: Batch = { at_ms, groups };
	if (groups.length < entries.length) batch.order = order;
	if (events.length > 0) batch.events = events.map((event) => eventByColumns(event, lists));
	return pack(JSON.stringify(batch), PACKED_FROM_LENGTH);
}

function groupOf(type: JournalType, held: readonly NewEntry[], fromMs: number, lists: Lists): Group {
	const [first] = held;
	if (first && held.length === 1) return [type, first.phase, first.at_ms - fromMs, first.payload];
	const phases = columnOfMember(held, "phase", lists);
	const atOnce = first !== undefined && held.every(({ at_ms }) => at_ms === first.at_ms);
	const moments = columnOf(atOnce ? [first.at_ms - fromMs] : held.map(({ at_ms }) => at_ms - fromMs), lists);
	const payloads = columnOfMember(held, "payload", lists);
	return [type, phases, moments, payloads, held.length];
}

function eventByColumns(event: MachineEvent, lists: Lists): NonNullable<Batch["events"]>[number] {
	const { reports } = event;
	if (!Array.isArray(reports) || reports.length < 2) return event as NonNullable<Batch["events"]>[number];
	return { ...event, reports: { count: reports.length, by: columnOf(reports, lists) } };
}

type Element = [id: string, fields: string[]];

const seqOf = (id: string): number => Number(id.split("-", 1)[0]);

function batchOf([id, [, text = "[[]]"]]: Element): {
	revision: number;
	first: number;
	lines: Line[];
	events: ScanEvent[];
} {
	const held = JSON.parse(unpack(text)) as Batch | Lines;
	const lists: Lists = [];
	const lines = Array.isArray(held) ? held[0] : linesOf(held, lists);
	const events = Array.isArray(held)
		? (held[1] ?? [])
		: (held.events ?? []).map((event) => eventOfColumns(event, lists));
	const revision = seqOf(id);
	return { revision, first: revision - lines.length + 1, lines, events: events as unknown as ScanEvent[] };
}

function linesOf({ at_ms, groups, order }: Batch, lists: Lists): Line[] {
	const held = groups.map((group): Line[] => {
		if (group.length === 4) return [[group[0], group[1], at_ms + group[2], group[3]]];
		const [type, ...columns] = group;
		const count = columns[3];
		const [phases, moments, payloads] = [columns[0], columns[1], columns[2]].map((column) =>
			valuesOf(column, count, lists),
		);
		return Array.from(
			{ length: count },
			(_, i) => [type, phases?.[i], at_ms + Number(moments?.[i]), payloads?.[i]] as Line,
		);
	});
	const next = held.map((lines) => lines.values());
	return order ? order.map((group) => next[group]?.next().value as Line) : held.flat();
}

const eventOfColumns = (event: NonNullable<Batch["events"]>[number], lists: Lists): unknown =>
	event.reports === undefined || Array.isArray(event.reports)
		? event
		: { ...event, reports: valuesOf(event.reports.by, event.reports.count, lists) };

/** The entries of one element of the stream, in order. */
export function entriesOf(element: Element): JournalEntry[] {
	const { revision, first, lines } = batchOf(element);
	return lines.map(([type, phase, at_ms, payload], i) => ({
		seq: first + i,
		at_ms,
		type,
		phase,
		...subjectOf(payload),
		revision,
		payload,
	}));
}

/** The machine events of one element, at the seq of the first entry that they led to. */
export function eventsOf(element: Element): { seq: number; events: ScanEvent[] } {
	const { first, events } = batchOf(element);
	return { seq: first, events };
}
