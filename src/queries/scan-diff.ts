import { ApiError } from "../errors.ts";
import type { Viewer } from "../store/contract.ts";
import { type BaseScan, type ComparedScan, changedRows, type Moved, movedRows } from "../views/row-changes.ts";
import { scanDiffView } from "../views/scan-diff.ts";
import { absentError, foundOr, whileThere } from "./absent.ts";
import type { ScanBodies } from "./bodies.ts";
import type { ScanLookup } from "./lookup.ts";

/** A scan that is compared with, and the strategies that ran whole in it for the last time. */
export interface Base {
	scan_id: string;
	strategy_ids: readonly string[];
}

export type RowChanges = Moved & { changed: { opportunity_id: string; fields: Record<string, unknown> }[] };

export interface ScanDiff {
	/** Two ended scans that the viewer may read. Throws scan_not_found, scan_expired, scan_not_terminal. */
	diff(viewer: Viewer, a: string, b: string): Promise<object>;
	/**
	 * What a scan shows that none of its bases has, newest base first, and the other way round. Bases that are gone are
	 * left out; throws as `diff` when all are, or the scan is.
	 */
	since(viewer: Viewer, bases: readonly Base[], scanId: string): Promise<RowChanges>;
}

const GONE: ReadonlySet<string> = new Set(["scan_not_found", "scan_expired"]);

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
	async function readBases(viewer: Viewer, bases: readonly Base[]): Promise<BaseScan[]> {
		const found: BaseScan[] = [];
		let gone: unknown = null;
		for (const { scan_id, strategy_ids } of bases) {
			try {
				found.push({ ...(await read(viewer, scan_id)), isBaseOf: (id) => strategy_ids.includes(id) });
			} catch (error) {
				if (!(error instanceof ApiError && GONE.has(error.code))) throw error;
				gone = error;
			}
		}
		if (found.length === 0) throw gone;
		return found;
	}

	return {
		async since(viewer, bases, scanId) {
			const [before, after] = [await readBases(viewer, bases), await read(viewer, scanId)];
			return { ...movedRows(before, after), changed: changedRows(before, after) };
		},
		async diff(viewer, a, b) {
			return scanDiffView(await read(viewer, a), await read(viewer, b));
		},
	};
}
