import { isoOf } from "../clock.ts";
import type { ScanReader, ScanRecord, Viewer } from "../store/contract.ts";
import { jsonArray, spliceJson } from "../views/json.ts";
import { statusView } from "../views/status.ts";
import { RecordGone } from "./absent.ts";
import type { ScanBodies } from "./bodies.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import type { JournalQueries } from "./journal.ts";

/** Bounds of one document; what does not fit stands behind `next_cursor`. */
export const EXPORT_SCANS_MAX = 100;
export const EXPORT_CHARACTERS_MAX = 16 * 1024 * 1024;
/** Entries of one scan; far above what a scan of all strategies writes. */
const JOURNAL_MAX = 10_000;
const JOURNAL_PAGE = 500;

export interface ScanExport {
	/**
	 * The viewer's retained scans, newest first: status, results of ended ones, journal. `scans` is a JSON array.
	 * Throws validation_failed for a cursor that is not ours.
	 */
	scans(viewer: Viewer, cursor: string | null): Promise<{ scans: string; next_cursor: string | null }>;
}

interface ExportParts {
	reader: ScanReader;
	bodies: ScanBodies;
	journal: JournalQueries;
	/** Characters of one document; smaller in tests. */
	charactersMax?: number;
}

export function createScanExport({
	reader,
	bodies,
	journal,
	charactersMax = EXPORT_CHARACTERS_MAX,
}: ExportParts): ScanExport {
	/** No further than the record, which may have been read before the newest commits. */
	async function entriesOf(record: ScanRecord): Promise<string[]> {
		const texts: string[] = [];
		for (let after = 0; after < record.revision && texts.length < JOURNAL_MAX; ) {
			const page = await journal.entries(record, after, Math.min(JOURNAL_PAGE, record.revision - after));
			texts.push(...page.map(({ text }) => text));
			const last = page.at(-1);
			if (!last) break;
			after = last.entry.seq;
		}
		return texts;
	}

	/** Null: the scan expired while it was read, or is not the viewer's. */
	async function one(viewer: Viewer, scanId: string): Promise<string | null> {
		const record = await reader.read(scanId);
		if (!record || record.user_id !== viewer.user_id) return null;
		try {
			const status = statusView(record, await bodies.topRowsNow(record), reader.now(), []);
			const results = record.terminal ? await bodies.results(record) : "null";
			const parts = { status, results, journal: jsonArray(await entriesOf(record)) };
			return spliceJson({ scan_id: scanId, accepted_at: isoOf(record.context.input.accepted_at_ms) }, parts);
		} catch (error) {
			if (error instanceof RecordGone) return null;
			throw error;
		}
	}

	return {
		async scans(viewer, cursor) {
			const before = cursor === null ? null : decodeCursor(cursor);
			const page = await reader.pageByUser(viewer.user_id, {
				from_ms: null,
				to_ms: null,
				before,
				limit: EXPORT_SCANS_MAX + 1,
			});
			const texts: string[] = [];
			let characters = 0;
			let seen = 0;
			for (const { scan_id } of page.slice(0, EXPORT_SCANS_MAX)) {
				const text = await one(viewer, scan_id);
				// The first always goes: a document without any would be asked for again for ever.
				if (text !== null && texts.length > 0 && characters + text.length > charactersMax) break;
				seen += 1;
				if (text === null) continue;
				texts.push(text);
				characters += text.length;
			}
			const last = page[seen - 1];
			return { scans: jsonArray(texts), next_cursor: seen < page.length && last ? encodeCursor(last) : null };
		},
	};
}
