import { isScanId } from "../entropy.ts";
import type { Lookup, ScanReader, ScanRecord, Viewer } from "../store/contract.ts";

/** Newest ids looked at to find one whose record is still there. */
const LATEST_TRIED_MAX = 20;

export interface ScanLookup {
	/**
	 * What `viewer` may know of `scanId`. `any`: the endpoint lets an admin see anyone's scan.
	 * Malformed, unknown and other people's ids are the same `unknown` and take the same reads.
	 * @param read for whoever wants more than the record from the same moment
	 */
	byId(viewer: Viewer, scanId: string, any?: boolean, read?: ScanReader["read"]): Promise<Lookup>;
	/** The user's most recently started retained scan, running or not. */
	latest(userId: string): Promise<ScanRecord | null>;
}

export function createLookup(reader: ScanReader): ScanLookup {
	/** A record past its retention counts as gone, on every process at the same moment. */
	const expiredRecordAt = (record: ScanRecord): number | null =>
		record.expires_at_ms !== null && record.expires_at_ms <= reader.now() ? record.expires_at_ms : null;

	return {
		async byId(viewer, scanId, any = false, read = reader.read) {
			if (!isScanId(scanId)) return { kind: "unknown" };
			const record = await read(scanId);
			const visible = record && (record.user_id === viewer.user_id || (any && viewer.role === "admin")) ? record : null;
			const expired = visible ? expiredRecordAt(visible) : null;
			if (visible && expired === null) return { kind: "found", record: visible };
			const expiredAtMs = expired ?? (await reader.expiredAt(viewer.user_id, scanId));
			// A record may go before its time (cleared, or the user's limit): never an expiry to come.
			if (expiredAtMs !== null)
				return { kind: "expired", scan_id: scanId, expired_at_ms: Math.min(expiredAtMs, reader.now()) };
			return { kind: "unknown" };
		},

		async latest(userId) {
			for (const scanId of await reader.listByUser(userId, 0, LATEST_TRIED_MAX)) {
				const record = await reader.read(scanId);
				if (record && record.user_id === userId && expiredRecordAt(record) === null) return record;
			}
			return null;
		},
	};
}
