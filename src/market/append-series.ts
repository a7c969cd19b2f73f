import type { Series } from "./contract.ts";
import { TIMEFRAME_MS } from "./contract.ts";
import { BAR_COLUMN_NAMES, createBarColumns, missingSteps } from "./series.ts";

/**
 * `known` continued by `newer`, which was asked for from the last known bar on. Null when they do not fit: that bar is
 * not among the newer ones or is another one now, so the source has revised its past and has to be read whole.
 */
export function appendSeries(known: Series, newer: Series): Series | null {
	const last = known.length - 1;
	const seam = last < 0 ? -1 : newer.open_time.indexOf(known.open_time[last] as number);
	if (seam < 0 || seam >= newer.length) return null;
	for (const name of BAR_COLUMN_NAMES) if (newer[name][seam] !== known[name][last]) return null;
	const { as_of_ms } = newer;
	const added = newer.length - seam - 1;
	if (added === 0) return { ...known, as_of_ms };
	const { duplicates: _, ...columns } = createBarColumns(known.length + added);
	for (const name of BAR_COLUMN_NAMES) {
		columns[name].set(known[name].subarray(0, known.length));
		columns[name].set(newer[name].subarray(seam + 1, newer.length), known.length);
	}
	const missing = missingSteps(columns.open_time, columns.length, TIMEFRAME_MS[known.timeframe]);
	return { ...known, ...columns, missing, as_of_ms };
}
