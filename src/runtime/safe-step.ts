import type { ScanEvent } from "../../machines/events.ts";
import { type HostState, type HostStep, step } from "./scan-host.ts";
import type { RunDeps } from "./scan-run.ts";

/** A rule that throws must not take the scan's record with it: the scan fails with a reason instead. */
export function stepOrAbandon(
	state: HostState,
	event: ScanEvent,
	scanId: string,
	{ log, writer }: Pick<RunDeps, "log" | "writer">,
): HostStep | null {
	try {
		return step(state, event);
	} catch (error) {
		log.error({ scan_id: scanId, event: event.type, err: error }, "transition threw");
		const message = "A rule of the scan machine failed";
		return step(state, { type: "scan.abandoned", at_ms: writer.now(), code: "internal_error", message });
	}
}
