import { ApiError } from "../errors.ts";
import type { JournalEntry, ScanReader, ScanRecord, Viewer } from "../store/contract.ts";
import { isTerminalEntry } from "../views/journal.ts";
import { absentError, foundOr, goneAsNull } from "./absent.ts";
import type { JournalQueries } from "./journal.ts";
import type { ScanLookup } from "./lookup.ts";
import { createScanNews } from "./news.ts";

/** Between two events a comment says that the stream lives. */
export const KEEP_ALIVE_MS = 15_000;
/** Entries read in one go. */
const PAGE = 100;
const RETRY = "retry: 2000\n\n";
const KEEP_ALIVE = ": keep-alive\n\n";
const END = "event: end\ndata: {}\n\n";

export interface OpenStream {
	text: AsyncIterable<string>;
	/** Gives the stream's place back; its opener calls it, however the stream ends. */
	release(): void;
}

export interface EventQueries {
	/**
	 * The scan's journal after `afterSeq` as Server-Sent Events text, live until its terminal entry or the abort.
	 * Null: the scan has ended and nothing is missing. Throws scan_not_found, scan_expired, overloaded.
	 */
	open(viewer: Viewer, scanId: string, afterSeq: number, signal: AbortSignal): Promise<OpenStream | null>;
	/** Streams open in this process. */
	readonly openStreams: number;
}

interface EventParts {
	reader: ScanReader;
	lookup: ScanLookup;
	journal: JournalQueries;
	/** Streams at once in this process. */
	streamsMax: number;
}

interface Batch {
	text: string;
	lastSeq: number;
	ended: boolean;
	/** More may lie behind it. */
	full: boolean;
}

/** One event: the entry's number is its id, so a reader that comes back names what it has. */
const eventOf = (entry: JournalEntry, text: string): string =>
	`id: ${entry.seq}\nevent: ${entry.type}\ndata: ${text}\n\n`;

export function createEventQueries({ reader, lookup, journal, streamsMax }: EventParts): EventQueries {
	let openStreams = 0;
	/** Watchers of one scan are woken together and stand at the same entry: they share one read and one text. */
	const reads = new Map<string, Map<number, Promise<Batch>>>();
	// Whoever begins to wait after a commit hears no more of it, and must not share a read that was under way before.
	const news = createScanNews(reader, (scanId) => reads.delete(scanId));

	function readAfter(record: ScanRecord, afterSeq: number): Promise<Batch> {
		const { scan_id } = record;
		const ofScan = reads.get(scan_id) ?? new Map<number, Promise<Batch>>();
		const held = ofScan.get(afterSeq);
		if (held) return held;
		reads.set(scan_id, ofScan);
		const made = batchOf(record, afterSeq).finally(() => {
			ofScan.delete(afterSeq);
			if (ofScan.size === 0 && reads.get(scan_id) === ofScan) reads.delete(scan_id);
		});
		ofScan.set(afterSeq, made);
		return made;
	}

	async function batchOf(record: ScanRecord, afterSeq: number): Promise<Batch> {
		const entries = await journal.entries(record, afterSeq, PAGE);
		const last = entries.at(-1)?.entry;
		return {
			text: entries.map(({ entry, text }) => eventOf(entry, text)).join(""),
			lastSeq: last?.seq ?? afterSeq,
			ended: last !== undefined && isTerminalEntry(last),
			full: entries.length >= PAGE,
		};
	}

	async function* follow(record: ScanRecord, afterSeq: number, signal: AbortSignal): AsyncGenerator<string> {
		yield RETRY;
		let seq = afterSeq;
		let quietSinceMs = reader.now();
		let wake = () => {};
		signal.addEventListener("abort", () => wake(), { once: true });
		while (!signal.aborted) {
			// Armed before the read, so that a commit between the two is not missed.
			const woken = new Promise<void>((resolve) => {
				wake = resolve;
				news.next(record.scan_id, resolve);
			});
			const batch = await readAfter(record, seq).catch(goneAsNull);
			// Expired while it was read: there is nothing more to come.
			if (!batch) return yield END;
			if (batch.text !== "") {
				seq = batch.lastSeq;
				if (batch.ended) return yield batch.text + END;
				yield batch.text;
				quietSinceMs = reader.now();
				// What was committed since the wait was armed ends it: nothing need be read before.
				if (!batch.full && !record.terminal && !signal.aborted) await woken;
				continue;
			}
			// The journal of an ended scan grows no more: what is not there now never comes.
			if (record.terminal) return yield END;
			// Cleared or expired while it was watched: there is nothing more to come.
			if (reader.now() >= quietSinceMs + KEEP_ALIVE_MS && !(await reader.read(record.scan_id))) return yield END;
			if (!signal.aborted) await woken;
			if (signal.aborted || reader.now() < quietSinceMs + KEEP_ALIVE_MS) continue;
			yield KEEP_ALIVE;
			quietSinceMs = reader.now();
		}
	}

	return {
		get openStreams() {
			return openStreams;
		},
		async open(viewer, scanId, afterSeq, signal) {
			const record = foundOr(await lookup.byId(viewer, scanId, true), absentError);
			if (record.terminal && afterSeq >= record.revision) return null;
			if (openStreams >= streamsMax) throw new ApiError("overloaded", undefined, { retry_after_seconds: 5 });
			openStreams += 1;
			let open = true;
			const release = () => {
				if (open) openStreams -= 1;
				open = false;
			};
			return { text: follow(record, afterSeq, signal), release };
		},
	};
}
