import { isoOf } from "../clock.ts";
import { ApiError, ERROR_CODES } from "../errors.ts";
import type { Lookup, ScanRecord } from "../store/contract.ts";

type Absent = Exclude<Lookup, { kind: "found" }>;

/** 404 or 410 as most endpoints answer them. The text never names the id: I10. */
export function absentError(lookup: Absent): ApiError {
	if (lookup.kind === "unknown") return new ApiError("scan_not_found");
	return new ApiError("scan_expired", undefined, { scan_id: lookup.scan_id, expired_at: isoOf(lookup.expired_at_ms) });
}

/**
 * 404 or 410 of status and results: `status` holds the scan word that older clients read, the HTTP
 * number moves to `http_status` (CONTRACT.md 2.3).
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

export function foundOr(lookup: Lookup, absent: (lookup: Absent) => ApiError): ScanRecord {
	if (lookup.kind === "found") return lookup.record;
	throw absent(lookup);
}
