import { endByCancel } from "./cancel.ts";
import type { StartDeps } from "./deps.ts";

/** Runs a scan in the process that has started it. */
export interface RunHere {
	run(): void;
	/** It was made as claimed for that. */
	begun: boolean;
}

/**
 * What follows from winning the claim, in this order and repeatable by anyone: the record is accepted, the
 * scan it took the claim from is ended, the new one is run here or queued. False: there is no such record.
 * Where nothing is to be ended, nothing waits for the acceptance: whoever takes the scan from the queue before it is
 * told so and asks again.
 * @param known what the claim was taken from, by whoever has just taken it, else it is read; `here`: who runs the scan instead of the queue
 */
export async function finishStart(
	deps: StartDeps,
	userId: string,
	filterKey: string,
	scanId: string,
	{ superseded, here }: { superseded?: null; here?: RunHere | undefined } = {},
): Promise<boolean> {
	const handOn = async () => (here ? here.run() : await deps.enqueue(scanId, userId));
	if (superseded === null) {
		const [accepted] = await Promise.all([deps.writer.accept(scanId, here?.begun), handOn()]);
		return accepted;
	}
	if (!(await deps.writer.accept(scanId))) return false;
	const active = await deps.writer.activeScan(userId, filterKey);
	if (active?.scan_id === scanId && active.superseded) {
		await endSuperseded(deps, active.superseded, userId, scanId);
	}
	await handOn();
	return true;
}

/**
 * Ends the scan that lost the claim. The start that had begun it may have stopped half-way through ending its
 * own predecessor, so the line is followed back to the first one that has ended already. The oldest is ended first:
 * whoever fails on the way leaves no ended scan before which another still runs.
 */
export async function endSuperseded(
	deps: StartDeps,
	superseded: string,
	by: string,
	superseded_by: string | null,
): Promise<void> {
	const line: string[] = [];
	for (let old: string | null = superseded; old !== null; ) {
		const record = await deps.reader.read(old);
		if (record?.terminal && old !== superseded) break;
		line.push(old);
		old = record?.context.input.supersedes ?? null;
	}
	for (const old of line.reverse()) await endByCancel(deps, old, { by, reason: "superseded", superseded_by });
}
