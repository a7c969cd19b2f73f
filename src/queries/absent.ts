import { isoOf } from "../clock.ts";
import { ApiError, ERROR_CODES } from "../errors.ts";
import type { Lookup, ScanReader, ScanRecord } from "../store/contract.ts";

/** The scan expired or was cleared between two reads: look it up again. */
export class RecordGone extends Error {
	constructor(scanId: string) {
		super(`scan ${scanId} went away while it was read`);
		this.name = "RecordGone";
	}
}

/** For readers of many scans, or of what comes: one that expired meanwhile is left out. */
export const goneAsNull = (error: unknown): null => {
	if (error instanceof RecordGone) return null;
	throw error;
};

/**
 * For when something that a record names was not found: throws RecordGone when that is because its retention has
 * ended between the two reads, so that nobody is shown the rest of a scan as if it were the whole.
 */
export async function unlessGone(reader: ScanReader, scanId: string): Promise<void> {
	if ((await reader.read(scanId)) === null) throw new RecordGone(scanId);
}

type Absent = Exclude<Lookup, { kind: "found" }>;

/** 404 or 410 as most endpoints answer them. The text never names the id: I10. */
export function absentError(lookup: Absent): ApiError {
	if (lookup.kind === "unknown") return new ApiError("scan_not_found");
	return new ApiError("scan_expired", undefined, { scan_id: lookup.scan_id, expired_at: isoOf(lookup.expired_at_ms) });
}

/**
 * 404 or 410 of status and results: `status` holds the scan word that older clients read, the HTTP
 * number moves to `http_status`.
 */
export function absentWordError(lookup: Absent): ApiError {
	const plain = absentError(lookup);
	return new ApiError(plain.code, plain.message, {
		...plain.extra,
		success: false,
		message: plain.message,
		status: lookup.kind === "unknown" ? "not_found" : "expired",
		http_status: ERROR_CODES[plain.code][0],
	});
}

/** Runs `show`; when the scan went away meanwhile, what is true of it by now is the answer. */
export async function whileThere<T>(
	show: () => Promise<T>,
	look: () => Promise<Lookup>,
	absent: (lookup: Absent) => ApiError,
): Promise<T> {
	try {
		return await show();
	} catch (error) {
		if (error instanceof RecordGone) foundOr(await look(), absent);
		throw error;
	}
}

export function foundOr(lookup: Lookup, absent: (lookup: Absent) => ApiError): ScanRecord {
	if (lookup.kind === "found") return lookup.record;
	throw absent(lookup);
}
