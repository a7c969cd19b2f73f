import type { ScanEvent } from "../../machines/events.ts";
import type { ScanContext, ScanInput, ScanPosition } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import { ApiError } from "../errors.ts";
import type { JournalEntry, ScanReader, ScanRecord, Viewer } from "../store/contract.ts";
import { cutToSize } from "../views/cut.ts";
import { isTerminalEntry, journalEntryView, rowIdOf } from "../views/journal.ts";
import { jsonArray, spliceJson } from "../views/json.ts";
import { statusView } from "../views/status.ts";
import { absentError, foundOr, unlessGone, whileThere } from "./absent.ts";
import type { ScanBodies } from "./bodies.ts";
import type { ScanLookup } from "./lookup.ts";

/** Where a scan stood after one of its entries; null: the journal does not reach it. */
export type Replay = (
	input: ScanInput,
	recorded: readonly { seq: number; events: readonly ScanEvent[] }[],
	seq: number,
) => { position: ScanPosition; context: ScanContext; ended: boolean } | null;

export interface JournalQueries {
	/** Throws scan_not_found, scan_expired. */
	page(viewer: Viewer, scanId: string, afterSeq: number, limit: number): Promise<string>;
	/** The machine's full state right after entry `seq`. Throws journal_entry_not_found too. */
	stateAt(viewer: Viewer, scanId: string, seq: number): Promise<string>;
	/** Entries after `afterSeq` as every reader sees them; the last may be terminal. */
	entries(record: ScanRecord, afterSeq: number, limit: number): Promise<{ entry: JournalEntry; text: string }[]>;
}

/** A context that is larger is shown with marks where members were left out. */
export const CONTEXT_BYTES_MAX = 1024 * 1024;

interface JournalParts {
	reader: ScanReader;
	lookup: ScanLookup;
	bodies: ScanBodies;
	replay: Replay;
}

export function createJournalQueries({ reader, lookup, bodies, replay }: JournalParts): JournalQueries {
	const visible = async (viewer: Viewer, scanId: string): Promise<ScanRecord> =>
		foundOr(await lookup.byId(viewer, scanId, true), absentError);

	const stillThere = <T>(viewer: Viewer, scanId: string, show: () => Promise<T>): Promise<T> =>
		whileThere(show, () => lookup.byId(viewer, scanId, true), absentError);

	/** The status body of the scan as `record` holds it, at that moment: no clock is read. */
	const statusOf = async (record: ScanRecord, atMs: number): Promise<string> =>
		statusView(record, await bodies.topRowsNow(record), atMs, []);

	async function entries(record: ScanRecord, afterSeq: number, limit: number) {
		const read = await reader.journal(record.scan_id, afterSeq, limit);
		if (read.length === 0 && afterSeq < record.revision) await unlessGone(reader, record.scan_id);
		const ids = [...new Set(read.flatMap((entry) => rowIdOf(entry) ?? []))];
		const rows = new Map<string, string>();
		for (const row of await reader.rows(record.scan_id, ids)) {
			rows.set((JSON.parse(row) as { opportunity_id: string }).opportunity_id, row);
		}
		if (rows.size < ids.length) await unlessGone(reader, record.scan_id);
		const shown: { entry: JournalEntry; text: string }[] = [];
		for (const entry of read) {
			const row = rows.get(rowIdOf(entry) ?? "") ?? null;
			const status = isTerminalEntry(entry) ? await statusAtEnd(record, entry) : null;
			shown.push({ entry, text: journalEntryView(entry, { row, status }) });
		}
		return shown;
	}

	/** `record` may have been read before the scan ended. */
	async function statusAtEnd(record: ScanRecord, entry: JournalEntry): Promise<string | null> {
		const ended = record.terminal ? record : await reader.read(record.scan_id);
		return ended?.terminal ? statusOf(ended, entry.at_ms) : null;
	}

	return {
		entries,
		async page(viewer, scanId, afterSeq, limit) {
			const record = await visible(viewer, scanId);
			const shown = await stillThere(viewer, scanId, () => entries(record, afterSeq, limit));
			const last_seq = Math.max(record.revision, shown.at(-1)?.entry.seq ?? 0);
			const next_after = shown.at(-1)?.entry.seq ?? afterSeq;
			return spliceJson(
				{ success: true, scan_id: scanId },
				{
					entries: jsonArray(shown.map(({ text }) => text)),
					last_seq: String(last_seq),
					next_after: String(next_after),
					has_more: String(next_after < last_seq),
				},
			);
		},

		async stateAt(viewer, scanId, seq) {
			const record = await visible(viewer, scanId);
			const [entry] = seq < 1 || seq > record.revision ? [] : await reader.journal(scanId, seq - 1, 1);
			const orGone = () => stillThere(viewer, scanId, () => unlessGone(reader, scanId));
			if (!entry && seq >= 1 && seq <= record.revision) await orGone();
			if (!entry || entry.seq !== seq) throw new ApiError("journal_entry_not_found");
			const { input } = record.context;
			// What an older version of the machine did is not what this one would make of the same events.
			const state = record.migrated_from ? null : replay(input, await reader.events(scanId, seq), seq);
			if (!state) await orGone();
			if (!state) throw new ApiError("journal_entry_not_found", "This version cannot replay the scan's journal");
			const { position, context, ended } = state;
			// When an earlier commit was written is not kept; its entries say when they happened.
			const progress_at_ms = entry.revision === record.revision ? record.progress_at_ms : entry.at_ms;
			const then: ScanRecord = {
				...record,
				revision: entry.revision,
				position,
				context,
				terminal: ended,
				progress_at_ms,
				expires_at_ms: ended ? record.expires_at_ms : null,
			};
			return spliceJson(
				{ success: true, scan_id: scanId, seq, at: isoOf(entry.at_ms), type: entry.type },
				{
					state: JSON.stringify({ value: position, context: cutToSize(context, CONTEXT_BYTES_MAX) }),
					view: await stillThere(viewer, scanId, () => statusOf(then, entry.at_ms)),
				},
			);
		},
	};
}
