import type { ScanRecord } from "../store/contract.ts";

/** Scan id and revision; heartbeats and clock-derived numbers do not count. */
const opaque = (record: ScanRecord): string => `"${record.scan_id}-${record.revision}"`;

/** Weak: the remaining time in the body follows the clock, not the revision. */
export const weakTag = (record: ScanRecord): string => `W/${opaque(record)}`;
/** Strong: the body never changes again. */
export const strongTag = (record: ScanRecord): string => opaque(record);

/** Does `If-None-Match` name the record's revision? Weak comparison (RFC 9110, 8.8.3.2). */
export function matchesTag(header: string | undefined, record: ScanRecord): boolean {
	if (header === undefined) return false;
	const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
	return tags.includes("*") || tags.includes(opaque(record));
}
