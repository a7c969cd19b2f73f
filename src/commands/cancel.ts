import type { CancelReason } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import { ApiError } from "../errors.ts";
import { applyOne } from "../runtime/runtime.ts";
import type { CancelResult } from "../services.ts";
import type { Viewer } from "../store/contract.ts";
import type { CommandDeps, StartDeps } from "./deps.ts";

/** How long the holder of a scan has to commit a cancel before any process does it. */
const CANCEL_WAIT_MS = 500;

export async function cancelScan(
	deps: CommandDeps,
	viewer: Viewer,
	scanId: string,
	reasonText: string | null,
): Promise<CancelResult> {
	const record = await deps.reader.read(scanId);
	if (!record) throw await absentScan(deps, viewer, scanId);
	if (!record.terminal) {
		const reason: CancelReason = record.user_id === viewer.user_id ? "user_request" : "admin_request";
		const said = reasonText ? { reason_text: reasonText } : {};
		await endByCancel(deps, scanId, { by: viewer.user_id, reason, superseded_by: null, ...said });
	}
	const after = await deps.reader.read(scanId);
	if (!after) throw await absentScan(deps, viewer, scanId);
	if (!after.terminal) throw new ApiError("internal_error", "the scan could not be ended");
	if (after.position !== "cancelled") throw new ApiError("scan_already_terminal");
	const { end } = after.context;
	return {
		scan_id: scanId,
		reason: end?.reason ?? "user_request",
		cancelled_at_ms: end?.at_ms ?? after.progress_at_ms,
	};
}

/** Retention may end between the caller's look and the command: what was theirs is expired, with its date. */
export async function absentScan(
	{ reader }: Pick<CommandDeps, "reader">,
	viewer: Viewer,
	scanId: string,
): Promise<ApiError> {
	const expiredAtMs = await reader.expiredAt(viewer.user_id, scanId);
	if (expiredAtMs === null) return new ApiError("scan_not_found");
	const expired_at = isoOf(Math.min(expiredAtMs, reader.now()));
	return new ApiError("scan_expired", undefined, { scan_id: scanId, expired_at });
}

/**
 * Leaves the cancel in the scan's inbox for whoever holds it; when no commit follows in time, this process
 * applies it itself. Afterwards the scan has ended, by this cancel or by something that came first.
 */
export async function endByCancel(
	deps: StartDeps,
	scanId: string,
	facts: { by: string; reason: CancelReason; superseded_by: string | null; reason_text?: string },
): Promise<void> {
	const abort = new AbortController();
	const stopAtMs = deps.writer.now() + CANCEL_WAIT_MS;
	const sent = await deps.writer.send(scanId, { type: "scan.cancel_requested", ...facts });
	if (sent !== "ok") return;
	const queued = (await deps.reader.read(scanId))?.position === "queued";
	for (let left = CANCEL_WAIT_MS; !queued && left > 0; left = stopAtMs - deps.writer.now()) {
		if ((await deps.reader.read(scanId))?.terminal) break;
		await deps.reader.nextCommit(scanId, left, abort.signal);
	}
	for (let attempt = 0; attempt < 3; attempt++) {
		const record = await deps.reader.read(scanId);
		if (!record || record.terminal) break;
		await applyOne(deps.apply, scanId, "always", (_, at_ms) => ({ type: "scan.cancel_requested", at_ms, ...facts }));
	}
	const record = await deps.reader.read(scanId);
	if (record?.terminal) await deps.book(record);
}
