import { ApiError } from "../errors.ts";
import type { Viewer } from "../store/contract.ts";
import { type ComparedScan, scanDiffView } from "../views/scan-diff.ts";
import { absentError, foundOr, whileThere } from "./absent.ts";
import type { ScanBodies } from "./bodies.ts";
import type { ScanLookup } from "./lookup.ts";

export interface ScanDiff {
	/** Two ended scans that the viewer may read. Throws scan_not_found, scan_expired, scan_not_terminal. */
	diff(viewer: Viewer, a: string, b: string): Promise<object>;
}

export function createScanDiff(lookup: ScanLookup, bodies: ScanBodies): ScanDiff {
	async function read(viewer: Viewer, scanId: string): Promise<ComparedScan> {
		const record = foundOr(await lookup.byId(viewer, scanId, true), absentError);
		if (!record.terminal) throw new ApiError("scan_not_terminal");
		const { rows, unproven } = await whileThere(
			() => bodies.allRows(record),
			() => lookup.byId(viewer, scanId, true),
			absentError,
		);
		const parse = (texts: readonly string[]) => texts.map((text) => JSON.parse(text) as Record<string, unknown>);
		return { record, rows: parse(rows), unproven: parse(unproven) };
	}
	return {
		async diff(viewer, a, b) {
			return scanDiffView(await read(viewer, a), await read(viewer, b));
		},
	};
}
