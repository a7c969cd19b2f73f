import type { JournalType, ScanEvent } from "../../machines/events.ts";
import type { ScanPosition } from "../../machines/types.ts";
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
/** Lines, then the machine events behind them, left out when there are none. */
type Batch = [Line[], MachineEvent[]?];

/** Which attempt of which strategy an entry is about: its payload says so. */
export const subjectOf = (payload: Record<string, unknown>): Pick<NewEntry, "strategy_id" | "attempt"> => ({
	strategy_id: typeof payload.strategy_id === "string" ? payload.strategy_id : null,
	attempt: typeof payload.attempt === "number" && typeof payload.strategy_id === "string" ? payload.attempt : null,
});

export function encodeBatch(entries: readonly NewEntry[], events: MachineEvent[]): string {
	const lines = entries.map(({ type, phase, at_ms, payload }): Line => [type, phase, at_ms, payload]);
	const batch: Batch = events.length > 0 ? [lines, events] : [lines];
	return pack(JSON.stringify(batch));
}

type Element = [id: string, fields: string[]];

const seqOf = (id: string): number => Number(id.split("-", 1)[0]);

function batchOf([id, [, text = "[[]]"]]: Element): { revision: number; first: number; batch: Batch } {
	const batch = JSON.parse(unpack(text)) as Batch;
	const revision = seqOf(id);
	return { revision, first: revision - batch[0].length + 1, batch };
}

/** The entries of one element of the stream, in order. */
export function entriesOf(element: Element): JournalEntry[] {
	const { revision, first, batch } = batchOf(element);
	return batch[0].map(([type, phase, at_ms, payload], i) => ({
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
	const { first, batch } = batchOf(element);
	return { seq: first, events: (batch[1] ?? []) as unknown as ScanEvent[] };
}
