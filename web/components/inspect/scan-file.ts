import { get, type Json } from "../../lib/api.ts";
import type { JournalEvent } from "../../lib/events.ts";
import { signal } from "../../lib/html.ts";

/** A whole scan in one file: made by this page, read by this page anywhere. */
export interface ScanFile {
	format: "lookout.scan";
	version: 1;
	exported_at: string;
	scan_id: string;
	/** False: the scan was still running when the file was made. */
	ended: boolean;
	status: Json;
	/** The answer for the results, whatever its status: a failed scan keeps what it found there. */
	results: { http_status: number; body: Json };
	verdicts: Json[];
	journal: JournalEvent[];
}

export const FILE_BYTES_MAX = 50 * 1024 * 1024;
export const ENTRIES_MAX = 20_000;
const PAGE = 500;

/** The scan that was opened from a file, for as long as this tab lives. */
export const importedScan = signal<{ file: ScanFile; name: string } | null>(null);

/** Reads the journal from its start, 500 entries at a time. */
export async function readJournal(
	scanId: string,
	signal: AbortSignal | undefined,
	onPage: (entries: JournalEvent[]) => void,
): Promise<void> {
	for (let after = 0; ; ) {
		const path = `/scan-diagnostics/scan-journal/${encodeURIComponent(scanId)}?after=${after}&limit=${PAGE}`;
		const { body } = await get(path, signal ? { signal } : {});
		onPage(body.entries as JournalEvent[]);
		if (!body.has_more || body.entries.length === 0) return;
		after = body.next_after;
	}
}

/** Collects everything the server keeps of a scan. Throws ApiProblem. */
export async function collectScan(scanId: string): Promise<ScanFile> {
	const id = encodeURIComponent(scanId);
	const journal: JournalEvent[] = [];
	await readJournal(scanId, undefined, (entries) => void journal.push(...entries));
	// An administrator may look into another's scan but not at its results: the status is then what its journal implies.
	const [own, results] = await Promise.all([
		get(`/opportunities/status/${id}`, { accept: [404] }),
		get(`/opportunities/results/${id}`, { accept: [202, 404, 409] }),
	]);
	const status: Json =
		own.status === 200
			? own.body
			: (await get(`/scan-diagnostics/scan-journal/${id}/${journal.at(-1)?.seq ?? 1}`)).body.view;
	const settled = journal.filter(({ type }) => type === "strategy.settled").map(({ payload }) => payload);
	return {
		format: "lookout.scan",
		version: 1,
		exported_at: new Date().toISOString(),
		scan_id: scanId,
		ended: status.status !== "scanning",
		status,
		results: { http_status: results.status, body: results.body },
		verdicts: (results.body.strategy_results as Json[] | undefined) ?? settled,
		journal,
	};
}

export function saveFile(file: ScanFile): void {
	const url = URL.createObjectURL(new Blob([JSON.stringify(file, null, "\t")], { type: "application/json" }));
	const link = document.createElement("a");
	link.href = url;
	link.download = `${file.scan_id}.json`;
	link.click();
	setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

const isGroup = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const isTime = (value: unknown): boolean => typeof value === "string" && Number.isFinite(Date.parse(value));
const isName = (value: unknown): boolean => typeof value === "string" && value.length > 0 && value.length <= 200;
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** Why an entry cannot be shown, or null. */
function entryFault(entry: unknown, seq: number): string | null {
	if (!isGroup(entry)) return "is not an object";
	if (entry.seq !== seq) return `has the number ${JSON.stringify(entry.seq)} instead of ${seq}`;
	if (!isTime(entry.at)) return "has no time";
	if (!isName(entry.type) || !isName(entry.phase)) return "has no type or phase";
	if (entry.strategy_id !== null && !isName(entry.strategy_id)) return "has a strategy_id that is no text";
	if (entry.attempt !== null && !isCount(entry.attempt)) return "has an attempt that is no count";
	if (!isCount(entry.revision) || entry.revision < seq) return "has no revision";
	return isGroup(entry.payload) ? null : "has no payload";
}

/** The file's content, checked. Throws an Error that says what is wrong. */
export function parseScanFile(text: string): ScanFile {
	if (text.length > FILE_BYTES_MAX) throw new Error("The file is larger than 50 MB.");
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		throw new Error("The file is not JSON.");
	}
	if (!isGroup(value) || value.format !== "lookout.scan") throw new Error("The file is not an exported scan.");
	if (value.version !== 1)
		throw new Error(`This page reads version 1 of the format, not ${JSON.stringify(value.version)}.`);
	const { scan_id, exported_at, ended, status, results, verdicts, journal } = value;
	if (!isName(scan_id)) throw new Error("The file names no scan.");
	if (!isTime(exported_at) || typeof ended !== "boolean") throw new Error("The file does not say when it was made.");
	if (!isGroup(status)) throw new Error("The file has no status.");
	if (!isGroup(results) || !isGroup(results.body)) throw new Error("The file has no results.");
	if (!Array.isArray(verdicts) || !verdicts.every(isGroup)) throw new Error("The file has no verdicts.");
	if (!Array.isArray(journal) || journal.length === 0) throw new Error("The file has no journal.");
	if (journal.length > ENTRIES_MAX) throw new Error(`The journal has more than ${ENTRIES_MAX} entries.`);
	for (const [i, entry] of journal.entries()) {
		const fault = entryFault(entry, i + 1);
		if (fault) throw new Error(`Entry ${i + 1} of the journal ${fault}.`);
	}
	return value as unknown as ScanFile;
}
