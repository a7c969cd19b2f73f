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
function changes<T extends object>(after: T, before: T, changed: Json = {}): Json {
	for (const key in after) {
		const now = after[key];
		const then = before[key];
		if (now !== then && !(isEmpty(now) && isEmpty(then))) changed[key] = now;
	}
	return changed;
}

/** How an entry began. @param plan as the scan's input has it at the entry's position; absent when the input is lost */
const beginning = (plan: PlannedStrategy | undefined, strategy_id: string, index: number): StrategyEntry =>
	newEntry(plan ?? { strategy_id, index, priority: 0, symbols_max: null, chunk_size: null, skip: null });

/** What all that begin without results of another scan have in common, made once. */
const BLANK = beginning(undefined, "", 0);

export function encodeEntry(entry: StrategyEntry, plan: PlannedStrategy | undefined, position: number): string {
	const { strategy_id, index, priority } = plan ?? { strategy_id: entry.strategy_id, index: position, priority: 0 };
	const before = plan?.carried ? beginning(plan, strategy_id, position) : { ...BLANK, strategy_id, index, priority };
	const changed = changes(entry, before, { strategy_id: entry.strategy_id });
	delete changed.tally;
	const tally = changes(entry.tally, before.tally);
	if (!isEmpty(tally)) changed.tally = tally;
	return JSON.stringify(changed);
}

/** Not checked: what is no entry is for the caller to find out. */
export function decodeEntry({ tally, ...changed }: Json, plan: PlannedStrategy | undefined, position: number): Json {
	const { strategy_id } = changed;
	const before = beginning(plan, typeof strategy_id === "string" ? strategy_id : "", position);
	return { ...before, ...changed, tally: tally === undefined ? before.tally : { ...before.tally, ...(tally as Json) } };
}
