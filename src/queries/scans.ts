import type { Clock } from "../clock.ts";
import { isoOf } from "../clock.ts";
import { ApiError } from "../errors.ts";
import type { CancelResult, StartResult } from "../services.ts";
import type { Lookup, ScanReader, ScanRecord, Viewer } from "../store/contract.ts";
import { discoverView } from "../views/discover.ts";
import type { DurationSample } from "../views/estimates.ts";
import { progressOf } from "../views/progress.ts";
import { resultsPendingView, statusAt, statusText } from "../views/status.ts";
import { absentError, absentWordError, foundOr, whileThere } from "./absent.ts";
import type { ScanBodies } from "./bodies.ts";
import { matchesTag, strongTag, weakTag } from "./etags.ts";
import { createKnownAnswers, type KnownAnswers, type ScanAnswer } from "./known.ts";
import { NO_WAIT, type Wait, waitUntil } from "./long-poll.ts";
import type { ScanLookup } from "./lookup.ts";

export interface ScanQueries {
	/** What is known already of a scan by its id, for one read of its head; null: ask the queries below. */
	known: Pick<KnownAnswers, "status" | "results">;
	/** `scanId` or `latest`. Throws scan_not_found, scan_expired. */
	status(viewer: Viewer, scanId: string, wait: Wait, ifNoneMatch: string | undefined): Promise<ScanAnswer>;
	/** `scanId` or `latest`. Throws scan_not_found, scan_expired, scan_failed, scan_cancelled. */
	results(viewer: Viewer, scanId: string, wait: Wait): Promise<ScanAnswer<string | Buffer>>;
	/**
	 * The start answer; `wait` null: the caller did not ask to wait. `replayed`: a repetition of a start that was
	 * decided earlier; throws scan_expired when its scan is gone by now.
	 */
	discover(viewer: Viewer, result: StartResult, wait: Wait | null, replayed?: boolean): Promise<string>;
	/** Throws unless the scan is the viewer's own and has ended: scan_not_found, scan_expired, scan_not_terminal. */
	mayRedrive(viewer: Viewer, scanId: string): Promise<void>;
	/** Throws unless the viewer may cancel the scan; `reason` etc. come from the command. */
	mayCancel(viewer: Viewer, scanId: string): Promise<void>;
	cancelled(viewer: Viewer, result: CancelResult): Promise<object>;
}

export interface ScanQueryParts {
	reader: ScanReader;
	clock: Clock;
	lookup: ScanLookup;
	bodies: ScanBodies;
	samples: () => Promise<readonly DurationSample[]>;
}

const LATEST = "latest";

export function createScanQueries({ reader, clock, lookup, bodies, samples }: ScanQueryParts): ScanQueries {
	const known = createKnownAnswers(reader, samples);

	/** `latest` is resolved once: a wait stays with the scan it began with. */
	async function resolve(viewer: Viewer, word: string): Promise<string | null> {
		if (word !== LATEST) return word;
		return (await lookup.latest(viewer.user_id))?.scan_id ?? null;
	}

	async function waitFor(
		viewer: Viewer,
		word: string,
		wait: Wait,
		done: (found: Extract<Lookup, { kind: "found" }>) => boolean,
	): Promise<ScanRecord> {
		const scanId = await resolve(viewer, word);
		if (scanId === null) throw absentWordError({ kind: "unknown" });
		const found = await waitUntil({ reader, clock }, () => lookup.byId(viewer, scanId), done, wait);
		// An alias never answers 410, so that a client holding a dead id forgets it.
		if (word === LATEST && found.kind === "expired") throw absentWordError({ kind: "unknown" });
		return foundOr(found, absentWordError);
	}

	const shown = <T>(viewer: Viewer, record: ScanRecord, show: () => Promise<T>): Promise<T> =>
		whileThere(show, () => lookup.byId(viewer, record.scan_id), absentWordError);

	async function status(
		viewer: Viewer,
		word: string,
		wait: Wait,
		ifNoneMatch: string | undefined,
	): Promise<ScanAnswer> {
		const unchanged = wait.waitMs === 0 && word !== LATEST ? await known.status(viewer, word) : null;
		if (unchanged) return { ...unchanged, body: unchanged.body.toString() };
		let arrival: number | null = null;
		const record = await waitFor(viewer, word, wait, ({ record: read }) => {
			arrival ??= read.revision;
			if (read.terminal) return true;
			return ifNoneMatch === undefined ? read.revision !== arrival : !matchesTag(ifNoneMatch, read);
		});
		return shown(viewer, record, async () => {
			const text = statusText(record, await bodies.topRows(record));
			known.keepStatus(record, text);
			const body = statusAt(text, reader.now(), await samples());
			return { scan_id: record.scan_id, body, etag: weakTag(record), complete: text.complete };
		});
	}

	async function results(viewer: Viewer, word: string, wait: Wait): Promise<ScanAnswer<string | Buffer>> {
		// Whoever waits for results that are there already has nothing to wait for.
		const unchanged = word === LATEST ? null : await known.results(viewer, word);
		if (unchanged) return unchanged;
		const record = await waitFor(viewer, word, wait, ({ record: read }) => read.terminal);
		return shown(viewer, record, async () => {
			const complete = record.position === "completed";
			if (record.terminal && !complete) throw await bodies.endedBadly(record);
			const body = complete
				? await bodies.results(record)
				: resultsPendingView(record, await bodies.topRows(record), reader.now(), await samples());
			if (complete) known.keepResults(record, body);
			return { scan_id: record.scan_id, body, etag: complete ? strongTag(record) : weakTag(record), complete };
		});
	}

	async function discover(viewer: Viewer, result: StartResult, wait: Wait | null, replayed = false): Promise<string> {
		const found = await waitUntil(
			{ reader, clock },
			() => lookup.byId(viewer, result.scan_id),
			({ record: read }) => read.terminal,
			wait ?? NO_WAIT,
		);
		if (replayed) foundOr(found, absentError);
		if (found.kind !== "found") throw new Error(`scan ${result.scan_id} cannot be read after its start was decided`);
		const { record } = found;
		const merged = wait !== null && record.terminal ? await bodies.results(record) : null;
		return discoverView(result, record, await samples(), { waited: wait !== null, replayed }, merged);
	}

	async function mayCancel(viewer: Viewer, scanId: string): Promise<void> {
		const { position } = foundOr(await lookup.byId(viewer, scanId, true), absentError);
		if (position === "completed" || position === "failed") throw new ApiError("scan_already_terminal");
	}

	async function mayRedrive(viewer: Viewer, scanId: string): Promise<void> {
		if (!foundOr(await lookup.byId(viewer, scanId), absentError).terminal) throw new ApiError("scan_not_terminal");
	}

	async function cancelled(viewer: Viewer, result: CancelResult): Promise<object> {
		const record = foundOr(await lookup.byId(viewer, result.scan_id, true), absentError);
		return {
			success: true,
			scan_id: result.scan_id,
			status: "failed",
			state: "cancelled",
			reason: result.reason,
			cancelled_at: isoOf(result.cancelled_at_ms),
			progress: progressOf(record.context, record.position),
		};
	}

	return { known, status, results, discover, mayRedrive, mayCancel, cancelled };
}
