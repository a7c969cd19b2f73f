import { newEntry } from "../../machines/strategy-rules.ts";
import type { PlannedStrategy, StrategyEntry } from "../../machines/types.ts";

/**
 * A strategy's entry as its field of the scan hash holds it: its id, and what is no longer as the plan began it. It is
 * written when it starts and when it ends, and most of it never differs from the beginning.
 */
type Json = Record<string, unknown>;

const isEmpty = (value: unknown): boolean =>
	typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** Nothing in an entry is changed in place, so equal references are enough; fresh empty lists count as equal too. */
function changes(after: Json, before: Json): Json {
	const changed: Json = {};
	for (const key in after) {
		const [now, then] = [after[key], before[key]];
		if (now !== then && !(isEmpty(now) && isEmpty(then))) changed[key] = now;
	}
	return changed;
}

/** How an entry began. @param plan as the scan's input has it at the entry's position; absent when the input is lost */
const beginning = (plan: PlannedStrategy | undefined, strategy_id: string, index: number): StrategyEntry =>
	newEntry(plan ?? { strategy_id, index, priority: 0, symbols_max: null, chunk_size: null, skip: null });

export function encodeEntry(entry: StrategyEntry, plan: PlannedStrategy | undefined, position: number): string {
	const before = beginning(plan, entry.strategy_id, position);
	const { tally: _, ...changed } = changes({ ...entry }, { ...before });
	const tally = changes({ ...entry.tally }, { ...before.tally });
	return JSON.stringify({ strategy_id: entry.strategy_id, ...changed, ...(isEmpty(tally) ? {} : { tally }) });
}

/** Not checked: what is no entry is for the caller to find out. */
export function decodeEntry({ tally, ...changed }: Json, plan: PlannedStrategy | undefined, position: number): Json {
	const { strategy_id } = changed;
	const before = beginning(plan, typeof strategy_id === "string" ? strategy_id : "", position);
	return { ...before, ...changed, tally: tally === undefined ? before.tally : { ...before.tally, ...(tally as Json) } };
}
