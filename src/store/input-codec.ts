import type { PlannedStrategy, ScanInput } from "../../machines/types.ts";
import { type Column, columnOf, type Lists, valuesOf } from "./columns.ts";
import { pack, unpack } from "./packing.ts";

/**
 * The fixed input of a scan as text. Its plans have the same members and its profile names the same strategies, so plans
 * are written by columns and the profile's list refers to theirs where it is the same; that is all that could be packed.
 */
interface ByColumns {
	count: number;
	by: Column;
}

/** Beyond this, the plans of a redrive hold what it carries over. */
const PACKED_FROM_LENGTH = 4_000;

export function encodeInput(input: ScanInput): string {
	const { strategies, profile } = input;
	if (strategies.length < 2) return pack(JSON.stringify(input), PACKED_FROM_LENGTH);
	const lists: Lists = [];
	const by = columnOf(strategies, lists);
	// Of one strategy alone, or where all are the same, a column is no list that could be referred to.
	const owned = profile.strategy_ids.length === strategies.length ? columnOf(profile.strategy_ids, lists) : null;
	const strategy_ids = typeof owned === "number" ? owned : profile.strategy_ids;
	const text = { ...input, profile: { ...profile, strategy_ids }, strategies: { count: strategies.length, by } };
	return pack(JSON.stringify(text), PACKED_FROM_LENGTH);
}

/**
 * The input as JSON has it, whatever form it was written in. Not checked.
 * @throws Error when the text was not made by `encodeInput`
 */
export function wholeInput(text: string): unknown {
	const held = JSON.parse(unpack(text)) as Omit<ScanInput, "strategies"> & {
		strategies: PlannedStrategy[] | ByColumns;
	};
	const { strategies, profile } = held ?? {};
	if (typeof strategies !== "object" || Array.isArray(strategies)) return held;
	const lists: Lists = [];
	const plans = valuesOf(strategies.by, strategies.count, lists);
	const { strategy_ids } = profile as { strategy_ids: unknown };
	const owned = typeof strategy_ids === "number" ? [...(lists[strategy_ids] ?? [])] : strategy_ids;
	return { ...held, profile: { ...profile, strategy_ids: owned }, strategies: plans };
}
