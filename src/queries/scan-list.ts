import type { ScanReader, Viewer } from "../store/contract.ts";
import { isListed, type ListedScan, type ListFilter, listedScan } from "../views/scan-list.ts";
import { goneAsNull } from "./absent.ts";
import type { ScanBodies } from "./bodies.ts";
import { type Cursor, decodeCursor, encodeCursor } from "./cursor.ts";

export interface ListRequest extends ListFilter {
	from_ms: number | null;
	to_ms: number | null;
	limit: number;
	cursor: string | null;
}

export interface ScanList {
	/** The viewer's own scans, newest first. Throws validation_failed for a cursor that is not ours. */
	list(viewer: Viewer, request: ListRequest): Promise<string>;
}

/** Scans looked at in one go. */
const PAGE = 100;

/**
 * Lists from the index of the user's scans; what is shown of an ended scan is made once and kept beside the
 * index, so that a filter over a thousand scans reads short texts and no records.
 */
export function createScanList(reader: ScanReader, bodies: ScanBodies): ScanList {
	async function describe(viewer: Viewer, scanIds: readonly string[]): Promise<(ListedScan | null)[]> {
		const kept = await reader.summaries(viewer.user_id, scanIds);
		const made: Record<string, string> = {};
		const described = await Promise.all(
			scanIds.map(async (scanId, i) => {
				const text = kept[i];
				if (text) return JSON.parse(text) as ListedScan;
				const record = await reader.read(scanId);
				const symbols = record ? await bodies.symbols(record).catch(goneAsNull) : null;
				if (!record || !symbols) return null;
				const listed = listedScan(record, symbols);
				if (record.terminal) made[scanId] = JSON.stringify(listed);
				return listed;
			}),
		);
		await reader.keepSummaries(viewer.user_id, made);
		return described;
	}

	return {
		async list(viewer, { from_ms, to_ms, limit, cursor, ...filter }) {
			const found: { at: Cursor; listed: ListedScan }[] = [];
			let before = cursor === null ? null : decodeCursor(cursor);
			while (found.length <= limit) {
				const page = await reader.pageByUser(viewer.user_id, { from_ms, to_ms, before, limit: PAGE });
				if (page.length === 0) break;
				const described = await describe(
					viewer,
					page.map(({ scan_id }) => scan_id),
				);
				page.forEach((at, i) => {
					const listed = described[i];
					if (listed && isListed(listed, filter)) found.push({ at, listed });
				});
				before = page.at(-1) ?? null;
				if (page.length < PAGE) break;
			}
			const shown = found.slice(0, limit);
			const has_more = found.length > limit;
			const last = shown.at(-1);
			return JSON.stringify({
				success: true,
				scans: shown.map(({ listed }) => listed.item),
				next_cursor: has_more && last ? encodeCursor(last.at) : null,
				has_more,
			});
		},
	};
}
