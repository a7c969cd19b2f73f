import { endedWell } from "../../machines/scan-rules.ts";
import type { Verdict } from "../../machines/words.ts";
import type { ScanRecord } from "../store/contract.ts";

type Json = Record<string, unknown>;
type Pair<T> = [T | null, T | null];

/** A terminal scan with its rows, parsed. */
export interface ComparedScan {
	record: ScanRecord;
	rows: readonly Json[];
	unproven: readonly Json[];
}

/** An older scan: for which of its strategies what it lacks is known not to have been there. */
export interface BaseScan extends ComparedScan {
	isBaseOf(strategyId: string): boolean;
}

export interface Moved {
	added: Json[];
	removed: Json[];
	/** What would be added or removed, but its strategy did not end well where it is missing. */
	unknown: { added: Json[]; removed: Json[] };
}

/** Differ between any two scans or say the same in other words; a change of them is no news. */
const NOT_COMPARED = new Set(["opportunity_id", "discovered_at", "as_of", "data_source", "metadata"]);

const published = ({ rows }: ComparedScan): readonly Json[] => rows;
const idOf = (row: Json): string => String(row.opportunity_id);
const strategyOf = (row: Json): string => String(row.strategy_id);
const verdictsOf = ({ record }: ComparedScan): Map<string, Verdict | null> =>
	new Map(record.context.strategies.map(({ strategy_id, verdict }) => [strategy_id, verdict]));

/**
 * Rows of `after` that no scan before has, and rows of those before that are gone. `before`: newest first; of each
 * strategy those from the newest to its base count. A strategy that one side does not have at all is compared as if it
 * had found nothing there.
 */
export function movedRows(
	before: readonly BaseScan[],
	after: ComparedScan,
	rowsOf: (scan: ComparedScan) => readonly Json[] = published,
): Moved {
	const known = knownRows(before, rowsOf);
	const now = new Set(rowsOf(after).map(idOf));
	const verdicts = verdictsOf(after);
	const seen = new Set(before.flatMap((scan) => [...verdictsOf(scan).keys()]));
	const comparable = (row: Json) => {
		const strategy = strategyOf(row);
		return !seen.has(strategy) || before.some((scan) => scan.isBaseOf(strategy));
	};
	const gone = (row: Json) => {
		const verdict = verdicts.get(strategyOf(row));
		return verdict === undefined || endedWell(verdict);
	};
	const [added, newHere] = parted(
		rowsOf(after).filter((row) => !known.has(idOf(row))),
		comparable,
	);
	const [removed, missing] = parted(
		[...known.values()].filter((row) => !now.has(idOf(row))),
		gone,
	);
	return { added, removed, unknown: { added: newHere, removed: missing } };
}

/** By id, each as the newest scan has it. */
function knownRows(before: readonly BaseScan[], rowsOf: (scan: ComparedScan) => readonly Json[]): Map<string, Json> {
	const known = new Map<string, Json>();
	const done = new Set<string>();
	for (const scan of before) {
		for (const row of rowsOf(scan)) {
			if (!done.has(strategyOf(row)) && !known.has(idOf(row))) known.set(idOf(row), row);
		}
		for (const strategy of verdictsOf(scan).keys()) if (scan.isBaseOf(strategy)) done.add(strategy);
	}
	return known;
}

function parted(rows: readonly Json[], isFirst: (row: Json) => boolean): [Json[], Json[]] {
	return [rows.filter(isFirst), rows.filter((row) => !isFirst(row))];
}

/** Rows that were known before and have other figures now. */
export function changedRows(
	before: readonly BaseScan[],
	after: ComparedScan,
): { opportunity_id: string; fields: Json }[] {
	const known = knownRows(before, published);
	return after.rows.flatMap((row) => {
		const old = known.get(idOf(row));
		const fields = old ? changedFields(old, row) : {};
		return Object.keys(fields).length > 0 ? [{ opportunity_id: idOf(row), fields }] : [];
	});
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const isGroup = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Members that differ, by dotted name: costs and evidence are compared figure by figure. */
function changedFields(a: Json, b: Json): Record<string, Pair<unknown>> {
	const fields: Record<string, Pair<unknown>> = {};
	for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
		if (NOT_COMPARED.has(name) || same(a[name], b[name])) continue;
		const [before, after] = [a[name], b[name]];
		if (!isGroup(before) || !isGroup(after)) fields[name] = [before ?? null, after ?? null];
		else for (const [inner, pair] of Object.entries(changedFields(before, after))) fields[`${name}.${inner}`] = pair;
	}
	return fields;
}
