import type { ScanEvent } from "../../machines/events.ts";
import type { ScanInput } from "../../machines/types.ts";
import { begin, type HostState, step } from "./scan-host.ts";

/** Events of a journal in order; each was taken at or after the entry `seq` was written. */
export type RecordedEvents = readonly { seq: number; events: readonly ScanEvent[] }[];

/**
 * The state of a scan right after its journal entry `seq`, by running its events again; entries of one
 * transition share it. Pure: the same journal gives the same states for ever. Null: the journal does not
 * reach that entry.
 */
export function replay(input: ScanInput, recorded: RecordedEvents, seq: number): HostState | null {
	const first = begin(input);
	let state = first.state;
	let reached = first.entries.length;
	for (const { events } of recorded) {
		for (const event of events) {
			if (reached >= seq) return state;
			const next = step(state, event);
			if (!next) continue;
			state = next.state;
			reached += next.entries.length;
		}
	}
	return reached >= seq ? state : null;
}
