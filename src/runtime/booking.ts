import { strategiesRun, verdictCounts } from "../../machines/scan-rules.ts";
import { type Clock, isoOf } from "../clock.ts";
import type { EndedScan, ScanReader, ScanRecord } from "../store/contract.ts";
import type { ScanWriter } from "../store/write-contract.ts";

/** What the statistics keep of an ended scan. */
export function endedScan(record: ScanRecord): EndedScan & { timeouts: number; failed: boolean } {
	const { context } = record;
	const endedAtMs = context.end?.at_ms ?? record.progress_at_ms;
	const success = record.position === "completed";
	const own = context.strategies.filter((entry) => entry.carried_over_from === null);
	return {
		scan_id: record.scan_id,
		user_id: record.user_id,
		opportunities_discovered: success ? (context.ranking?.ranked_count ?? 0) : context.opportunities_found,
		strategies_scanned: strategiesRun(context).length,
		execution_time_ms: endedAtMs - context.input.accepted_at_ms,
		success,
		timestamp: isoOf(endedAtMs),
		timeouts: verdictCounts(own).timed_out,
		failed: record.position === "failed",
	};
}

/** Frees the claim, notes freshness and tombstone, counts the scan, drops surplus ones. Repeatable. */
export async function book(writer: ScanWriter, record: ScanRecord, userScansKept: number): Promise<void> {
	const surplus = await writer.finish(record, endedScan(record), userScansKept);
	for (const scanId of surplus) await writer.expireNow(record.user_id, scanId);
}

/** How long the end of a scan waits for others to be booked with. */
export const BOOK_AFTER_MS = 10;

/** Does the scan's record still exist? */
export const isRetained =
	(reader: Pick<ScanReader, "head">) =>
	async (scanId: string): Promise<boolean> =>
		(await reader.head(scanId)) !== null;

interface Waiting {
	record: ScanRecord;
	resolve(booked?: Promise<void>): void;
	reject(error: unknown): void;
}

/**
 * Books scans that end at nearly the same time in one turn, so that what is counted for all of them is counted once, and
 * their owners' next starts need not wait for it. The worker's place is held for so much longer. A start that needs the
 * booking makes it itself, and what a dying process leaves the sweeper does. A scan that was erased meanwhile is not
 * booked: it would leave traces of its owner.
 *
 * @param isThere does the record still exist?
 * @returns resolves, or rejects, with the booking of the scan
 */
export function bookingTogether(
	bookOne: (record: ScanRecord) => Promise<void>,
	isThere: (scanId: string) => Promise<boolean>,
	clock: Clock,
): (record: ScanRecord) => Promise<void> {
	let waiting: Waiting[] = [];
	async function begin(): Promise<void> {
		const due = waiting;
		waiting = [];
		try {
			const there = await Promise.all(due.map(({ record }) => isThere(record.scan_id)));
			for (const [i, { record, resolve }] of due.entries()) resolve(there[i] ? bookOne(record) : undefined);
		} catch (error) {
			for (const { reject } of due) reject(error);
		}
	}
	return (record) => {
		// Whoever cancelled it may be about to erase it, with the whole account.
		if (record.position === "cancelled") return bookOne(record);
		return new Promise((resolve, reject) => {
			if (waiting.length === 0) clock.setTimeout(() => void begin(), BOOK_AFTER_MS);
			waiting.push({ record, resolve, reject });
		});
	};
}
