import type { ScanEvent } from "../../machines/events.ts";
import { type HostState, type HostStep, step } from "./scan-host.ts";
import type { RunDeps } from "./scan-run.ts";

/** A transition with the event that made it, which is what its journal has to name. */
export type Applied = HostStep & { event: ScanEvent };

/**
 * A rule that throws must not take the scan's record with it: the scan fails with a reason instead. The event that it
 * threw at has changed nothing and would throw again in a replay, so the reason names it and the journal does not.
 */
export function stepOrAbandon(
	state: HostState,
	event: ScanEvent,
	scanId: string,
	{ log, writer }: Pick<RunDeps, "log" | "writer">,
): Applied | null {
	try {
		return applied(state, event);
	} catch (error) {
		log.error({ scan_id: scanId, event: event.type, err: error }, "transition threw");
		const message = `A rule of the scan machine failed at ${event.type}`;
		return applied(state, { type: "scan.abandoned", at_ms: writer.now(), code: "internal_error", message });
	}
}

function applied(state: HostState, event: ScanEvent): Applied | null {
	const next = step(state, event);
	return next && { state: next.state, entries: next.entries, event };
}
