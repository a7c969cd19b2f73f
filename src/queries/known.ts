import { isScanId } from "../entropy.ts";
import type { ScanHead, ScanReader, ScanRecord, Viewer } from "../store/contract.ts";
import type { DurationSample } from "../views/estimates.ts";
import { type StatusText, statusAt } from "../views/status.ts";
import { createSizedCache } from "./cache.ts";
import { strongTag, weakTag } from "./etags.ts";

const ENTRIES_MAX = 2_000;
const BYTES_MAX = 32 * 1024 * 1024;

/** A body as compact JSON with what the HTTP layer needs beside it. */
export interface ScanAnswer<Body = string> {
	scan_id: string;
	body: Body;
	etag: string;
	/** Results only: false while the scan runs (202). */
	complete: boolean;
}

/**
 * Answers about scans whose record has not changed since the last one was made: only the head of the record is read,
 * which says whose it is, whether it is still there, and which commit it stands at. Nothing is shown on the word of
 * this process alone. Null: the record has to be read.
 */
export interface KnownAnswers {
	status(viewer: Viewer, scanId: string, samples: () => Promise<readonly DurationSample[]>): Promise<ScanAnswer | null>;
	results(viewer: Viewer, scanId: string): Promise<ScanAnswer<Buffer> | null>;
	keepStatus(record: ScanRecord, text: StatusText): void;
	/** Of a complete scan. */
	keepResults(record: ScanRecord, body: string): void;
}

type Commit = Pick<ScanRecord, "revision" | "progress_at_ms" | "position">;
/** With its moment and position: a server that lost its last commits may see another one of the same number. */
const keyOf = (part: string, scanId: string, { revision, progress_at_ms, position }: Commit): string =>
	`${part}:${scanId}:${revision}:${progress_at_ms}:${position}`;

export function createKnownAnswers(reader: ScanReader): KnownAnswers {
	const statuses = createSizedCache<StatusText>(
		ENTRIES_MAX,
		BYTES_MAX,
		({ before, after }) => before.length + after.length,
	);
	const results = createSizedCache<Buffer>(ENTRIES_MAX, BYTES_MAX, (body) => body.length);

	async function headOf(viewer: Viewer, scanId: string): Promise<ScanHead | null> {
		if (!isScanId(scanId)) return null;
		const head = await reader.head(scanId);
		if (head === null || head.user_id !== viewer.user_id) return null;
		return head.expires_at_ms !== null && head.expires_at_ms <= reader.now() ? null : head;
	}

	return {
		async status(viewer, scanId, samples) {
			const head = await headOf(viewer, scanId);
			const text = head && statuses.get(keyOf("status", scanId, head));
			if (!head || !text) return null;
			const body = statusAt(text, reader.now(), text.plan === null ? [] : await samples());
			const etag = weakTag({ scan_id: scanId, revision: head.revision });
			return { scan_id: scanId, body, etag, complete: text.complete };
		},
		async results(viewer, scanId) {
			const head = await headOf(viewer, scanId);
			const body = head && results.get(keyOf("results", scanId, head));
			if (!head || !body) return null;
			return { scan_id: scanId, body, etag: strongTag({ scan_id: scanId, revision: head.revision }), complete: true };
		},
		keepStatus: (record, text) => statuses.set(keyOf("status", record.scan_id, record), text),
		keepResults: (record, body) => results.set(keyOf("results", record.scan_id, record), Buffer.from(body)),
	};
}
