import type { ScanRecord } from "../store/contract.ts";

type Revision = Pick<ScanRecord, "scan_id" | "revision">;

/** Scan id and revision; heartbeats and clock-derived numbers do not count. */
const opaque = (record: Revision): string => `"${record.scan_id}-${record.revision}"`;

/** Weak: the remaining time in the body follows the clock, not the revision. */
export const weakTag = (record: Revision): string => `W/${opaque(record)}`;
/** Strong: the body never changes again. */
export const strongTag = (record: Revision): string => opaque(record);

/** Does `If-None-Match` name the record's revision? Weak comparison (RFC 9110, 8.8.3.2). */
export function matchesTag(header: string | undefined, record: Revision): boolean {
	if (header === undefined) return false;
	const tags = header.split(",").map((tag) => tag.trim().replace(/^W\//, ""));
	return tags.includes("*") || tags.includes(opaque(record));
}
