import { delay, systemClock } from "../clock.ts";
import type { AccountRemoval, UserRemoval, UserTraces } from "../services.ts";
import { endByCancel } from "./cancel.ts";
import type { StartDeps } from "./deps.ts";

/** Scans taken from the user's list at once. */
const BATCH = 100;
/**
 * A scan is booked as soon as it ends, by the process that ran it: after this it nearly always has been. A booking that
 * comes after the erasure names scan and user again: among recent scans, tombstones, fresh results and what was counted, until
 * these expire.
 */
const BOOKED_WITHIN_MS = 250;

/**
 * Removes a user with everything of theirs. First the account stops working, then its running scans are
 * cancelled and all scans erased, then the account goes and its e-mail is free, then what its schedules and
 * webhooks left in queues and indexes. A start that was under way
 * finds no account and takes its scan back (`start.ts`), or its scan is found by the second look here:
 * one of the two always sees the other.
 */
export function createUserRemoval(
	deps: StartDeps,
	accounts: AccountRemoval,
	traces: readonly UserTraces[] = [],
): UserRemoval {
	async function removeRest(userId: string, by: string): Promise<void> {
		await eraseScans(deps, userId, by);
		await accounts.dropAccount(userId);
		await eraseScans(deps, userId, by);
		for (const trace of traces) await trace.forget(userId);
		await accounts.finish(userId);
	}
	return {
		async remove(userId, by) {
			if (!(await accounts.begin(userId))) return false;
			await removeRest(userId, by);
			return true;
		},
		async settle() {
			const pending = await accounts.pending();
			for (const userId of pending) {
				await accounts.begin(userId);
				await removeRest(userId, userId);
			}
			return pending.length;
		},
	};
}

/** Ends the user's running scans and removes every scan of theirs, remembered ids included. */
export async function eraseScans(deps: StartDeps, userId: string, by: string): Promise<void> {
	for (;;) {
		const scanIds = await deps.writer.scansOf(userId, BATCH);
		if (scanIds.length === 0) return;
		let newestEndMs = 0;
		for (const scanId of scanIds) newestEndMs = Math.max(newestEndMs, await endScan(deps, scanId, userId, by));
		const left = Math.min(BOOKED_WITHIN_MS, newestEndMs + BOOKED_WITHIN_MS - deps.writer.now());
		if (left > 0) await delay(systemClock, left);
		await deps.writer.erase(userId, scanIds);
	}
}

/** Ends the scan if it still runs. @returns when it ended, epoch ms; 0 for one that is gone */
async function endScan(deps: StartDeps, scanId: string, userId: string, by: string): Promise<number> {
	const record = await deps.reader.read(scanId);
	if (!record) return 0;
	if (record.terminal) return record.context.end?.at_ms ?? 0;
	const reason = by === userId ? "user_request" : "admin_request";
	await endByCancel(deps, scanId, { by, reason, superseded_by: null });
	return deps.writer.now();
}
