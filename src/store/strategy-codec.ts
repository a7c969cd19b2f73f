import { newEntry } from "../../machines/strategy-rules.ts";
import type { PlannedStrategy, StrategyEntry, Tally } from "../../machines/types.ts";
import { type Column, columnOf, valuesOf } from "./columns.ts";

/**
 * A strategy's entry as its field of the scan hash holds it: its id, and what is no longer as the plan began it. It is
 * written when it starts and when it ends, and most of it never differs from the beginning.
 */
type Json = Record<string, unknown>;

const isEmpty = (value: unknown): boolean =>
	typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** How an entry began. @param plan as the scan's input has it at the entry's position; absent when the input is lost */
const beginning = (plan: PlannedStrategy | undefined, strategy_id: string, index: number): StrategyEntry =>
	newEntry(plan ?? { strategy_id, index, priority: 0, symbols_max: null, chunk_size: null, skip: null });

/** What all that begin without results of another scan have in common, made once. */
const BLANK = beginning(undefined, "", 0);
const TALLY = Object.keys(BLANK.tally) as (keyof Tally)[];
/** In the order in which they are written; the plan says the others. */
const MEMBERS = (Object.keys(BLANK) as (keyof StrategyEntry)[]).filter(
	(name) => name !== "strategy_id" && name !== "index" && name !== "priority" && name !== "tally",
);

/** Nothing in an entry is changed in place, so equal references are enough; fresh empty lists count as equal too. */
function addChanges<T extends object>(changed: Json, after: T, before: T, names: readonly (keyof T & string)[]): void {
	for (const name of names) {
		const now = after[name];
		const then = before[name];
		if (now !== then && !(isEmpty(now) && isEmpty(then))) changed[name] = now;
	}
}

export const encodeEntry = (entry: StrategyEntry, plan: PlannedStrategy | undefined, position: number): string =>
	JSON.stringify(changesOf(entry, plan, position));

function changesOf(entry: StrategyEntry, plan: PlannedStrategy | undefined, position: number): Json {
	const before = plan?.carried ? beginning(plan, entry.strategy_id, position) : BLANK;
	const { index, priority } = plan ?? { index: position, priority: 0 };
	const changed: Json = { strategy_id: entry.strategy_id };
	if (entry.index !== index) changed.index = entry.index;
	if (entry.priority !== priority) changed.priority = entry.priority;
	addChanges(changed, entry, before, MEMBERS);
	const tally: Json = {};
	addChanges(tally, entry.tally, before.tally, TALLY);
	if (!isEmpty(tally)) changed.tally = tally;
	return changed;
}

/** Strategies that have begun together and not said anything yet, as one field of the scan hash. */
interface Begun {
	places: number[];
	started_at_ms: number;
	deadline_at_ms: number;
}

const isFirstAttempt = ({ state, attempt, failures, carried_over_from }: StrategyEntry): boolean =>
	state === "evaluating" && attempt === 1 && failures === 0 && carried_over_from === null;

const hasCounted = ({ tally }: StrategyEntry): boolean =>
	TALLY.some((name) => tally[name] !== BLANK.tally[name] && !(isEmpty(tally[name]) && isEmpty(BLANK.tally[name])));

/** The places of the entries that have begun together with the first that has; the others are written one by one. */
export function begunTogether(entries: readonly StrategyEntry[]): { places: ReadonlySet<number>; text: string } | null {
	const first = entries.find(isFirstAttempt);
	if (!first || first.started_at_ms === null || first.deadline_at_ms === null) return null;
	const { started_at_ms, deadline_at_ms } = first;
	const places = entries.flatMap((entry, place) => {
		const together = entry.started_at_ms === started_at_ms && entry.deadline_at_ms === deadline_at_ms;
		return together && isFirstAttempt(entry) && !hasCounted(entry) ? [place] : [];
	});
	const begun: Begun = { places, started_at_ms, deadline_at_ms };
	return places.length < 2 ? null : { places: new Set(places), text: JSON.stringify(begun) };
}

/** Strategies that were settled by one commit, as one field of the scan hash: `by` are what their own fields would say. */
interface Settled {
	places: number[];
	by: Column;
}

/**
 * Nearly all strategies of a small scan end at once, and what they have in common, their members' names at least, is
 * written once. Null: fewer than two, which have fields of their own. An entry is settled once, so the first place names
 * the field and nothing is written over.
 */
export function settledTogether(
	before: readonly StrategyEntry[],
	after: readonly StrategyEntry[],
	plans: readonly PlannedStrategy[],
): { places: ReadonlySet<number>; field: string; text: string } | null {
	const places: number[] = [];
	for (let place = 0; place < after.length; place++) {
		if (after[place]?.state === "settled" && before[place]?.state !== "settled") places.push(place);
	}
	if (places.length < 2) return null;
	const changes = places.map((place) => changesOf(after[place] as StrategyEntry, plans[place], place));
	const settled: Settled = { places, by: columnOf(changes, []) };
	return { places: new Set(places), field: `${SETTLED}${places[0]}`, text: JSON.stringify(settled) };
}

export const SETTLED = "s:settled:";

/** What the fields of their own would say, by place. Not checked. @param settled as its field has it */
export function settledEntries(settled: Json): [place: number, entry: Json][] {
	const { places, by } = settled as unknown as Settled;
	const entries = valuesOf(by, places.length, []);
	return places.map((place, i) => [place, entries[i] as Json]);
}

/** What an entry's field would say that began with others. Not checked. @param begun as its field has it */
export function begunEntry(begun: Json, { strategy_id }: PlannedStrategy, place: number): Json | null {
	const { places, started_at_ms, deadline_at_ms } = begun as Partial<Begun>;
	if (!Array.isArray(places) || !places.includes(place)) return null;
	return { strategy_id, state: "evaluating", attempt: 1, started_at_ms, deadline_at_ms };
}

/** Not checked: what is no entry is for the caller to find out. */
export function decodeEntry({ tally, ...changed }: Json, plan: PlannedStrategy | undefined, position: number): Json {
	const { strategy_id } = changed;
	const before = beginning(plan, typeof strategy_id === "string" ? strategy_id : "", position);
	return { ...before, ...changed, tally: tally === undefined ? before.tally : { ...before.tally, ...(tally as Json) } };
}
