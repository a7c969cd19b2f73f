import { isScanId } from "../entropy.ts";
import type { ScanHead, ScanReader, ScanRecord, Viewer } from "../store/contract.ts";
import { type DurationSample, secondsLeft } from "../views/estimates.ts";
import type { StatusText } from "../views/status.ts";
import { createSizedCache, type SizedCache } from "./cache.ts";
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
 * this process alone. Null: the record has to be read. As long as an answer says the same, its body is the same
 * object.
 */
export interface KnownAnswers {
	status(viewer: Viewer, scanId: string): Promise<ScanAnswer<Buffer> | null>;
	results(viewer: Viewer, scanId: string): Promise<ScanAnswer<Buffer> | null>;
	keepStatus(record: ScanRecord, text: StatusText): void;
	/** Of a complete scan. */
	keepResults(record: ScanRecord, body: string): void;
}

type Commit = Pick<ScanRecord, "revision" | "progress_at_ms" | "position">;

/** What was made of one commit of a scan. */
interface Kept {
	/** With its moment and position: a server that lost its last commits may see another one of the same number. */
	commit: Commit;
	answer: ScanAnswer<Buffer>;
	/** Status only: what the body is made from, and the remaining time in it, s. */
	text: StatusText | null;
	seconds: number;
}

const isOf = ({ commit }: Kept, head: ScanHead): boolean =>
	commit.revision === head.revision &&
	commit.progress_at_ms === head.progress_at_ms &&
	commit.position === head.position;

const bodyOf = ({ before, after }: StatusText, seconds: number): Buffer => Buffer.from(before + seconds + after);
const commitOf = ({ revision, progress_at_ms, position }: ScanRecord): Commit => ({
	revision,
	progress_at_ms,
	position,
});

export function createKnownAnswers(
	reader: ScanReader,
	samples: () => Promise<readonly DurationSample[]>,
): KnownAnswers {
	const sizeOf = ({ answer, text }: Kept): number =>
		answer.body.length + (text ? text.before.length + text.after.length : 0);
	const statuses = createSizedCache<Kept>(ENTRIES_MAX, BYTES_MAX, sizeOf);
	const results = createSizedCache<Kept>(ENTRIES_MAX, BYTES_MAX, sizeOf);

	async function keptOf(kept: SizedCache<Kept>, viewer: Viewer, scanId: string): Promise<Kept | null> {
		const head = isScanId(scanId) ? await reader.head(scanId) : null;
		if (head === null || head.user_id !== viewer.user_id) return null;
		if (head.expires_at_ms !== null && head.expires_at_ms <= reader.now()) return null;
		const held = kept.get(scanId);
		return held && isOf(held, head) ? held : null;
	}

	return {
		async status(viewer, scanId) {
			const kept = await keptOf(statuses, viewer, scanId);
			if (!kept?.text) return null;
			const { plan } = kept.text;
			const seconds = plan === null ? 0 : secondsLeft(plan, reader.now(), await samples());
			if (seconds !== kept.seconds) {
				kept.answer = { ...kept.answer, body: bodyOf(kept.text, seconds) };
				kept.seconds = seconds;
			}
			return kept.answer;
		},
		results: async (viewer, scanId) => (await keptOf(results, viewer, scanId))?.answer ?? null,
		keepStatus(record, text) {
			const { scan_id } = record;
			const answer = { scan_id, body: bodyOf(text, 0), etag: weakTag(record), complete: text.complete };
			statuses.set(scan_id, { commit: commitOf(record), answer, text, seconds: 0 });
		},
		keepResults(record, body) {
			const { scan_id } = record;
			const answer = { scan_id, body: Buffer.from(body), etag: strongTag(record), complete: true };
			results.set(scan_id, { commit: commitOf(record), answer, text: null, seconds: 0 });
		},
	};
}
