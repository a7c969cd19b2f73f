import type { StrategyEntry } from "../../machines/types.ts";
import { CATALOGUE } from "../catalogue.ts";
import type { ScanRecord } from "../store/contract.ts";
import { executionTimeMs, isoOrNull, strategyName } from "./words.ts";

type Json = Record<string, unknown>;
type Pair<T> = [T | null, T | null];

/** A terminal scan with its rows, parsed. */
export interface ComparedScan {
	record: ScanRecord;
	rows: readonly Json[];
	unproven: readonly Json[];
}

/** Differ between any two scans or say the same in other words; a change of them is no news. */
const NOT_COMPARED = new Set(["opportunity_id", "discovered_at", "as_of", "data_source", "metadata"]);

const idOf = (row: Json): string => String(row.opportunity_id);

/** Rows of `b` that are new, rows of `a` that are gone. */
function moved(a: readonly Json[], b: readonly Json[]): { added: Json[]; removed: Json[] } {
	const [inA, inB] = [new Set(a.map(idOf)), new Set(b.map(idOf))];
	return { added: b.filter((row) => !inA.has(idOf(row))), removed: a.filter((row) => !inB.has(idOf(row))) };
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

function changedRows(a: readonly Json[], b: readonly Json[]): { opportunity_id: string; fields: Json }[] {
	const before = new Map(a.map((row) => [idOf(row), row]));
	return b.flatMap((row) => {
		const old = before.get(idOf(row));
		const fields = old ? changedFields(old, row) : {};
		return Object.keys(fields).length > 0 ? [{ opportunity_id: idOf(row), fields }] : [];
	});
}

const durationMs = ({ started_at_ms, ended_at_ms }: StrategyEntry): number | null =>
	started_at_ms === null || ended_at_ms === null ? null : ended_at_ms - started_at_ms;

function comparedStrategy(strategy_id: string, a: StrategyEntry | undefined, b: StrategyEntry | undefined): Json {
	const both = <T>(of: (entry: StrategyEntry) => T): Pair<T> => [a ? of(a) : null, b ? of(b) : null];
	const reasons = new Set([...Object.keys(a?.tally.rejected ?? {}), ...Object.keys(b?.tally.rejected ?? {})]);
	return {
		strategy_id,
		strategy_name: strategyName(strategy_id),
		verdict: both((entry) => entry.verdict),
		published: both((entry) => entry.tally.row_ids.length),
		duration_ms: both(durationMs),
		rejected: Object.fromEntries(
			[...reasons].sort().map((reason) => [reason, both((entry) => entry.tally.rejected[reason] ?? 0)]),
		),
	};
}

const indexOf = new Map(CATALOGUE.map((entry) => [entry.id, entry.index]));

/** What changed from scan `a` to scan `b`. Strategies of either, in catalogue order; null where one lacks it. */
export function scanDiffView(a: ComparedScan, b: ComparedScan): object {
	const entriesOf = ({ record }: ComparedScan) =>
		new Map(record.context.strategies.map((entry) => [entry.strategy_id, entry]));
	const [inA, inB] = [entriesOf(a), entriesOf(b)];
	const ids = [...new Set([...inA.keys(), ...inB.keys()])].sort(
		(x, y) => (indexOf.get(x) ?? CATALOGUE.length) - (indexOf.get(y) ?? CATALOGUE.length),
	);
	const asOf = ({ record }: ComparedScan) => isoOrNull(record.context.assets?.as_of_ms);
	return {
		success: true,
		a: a.record.scan_id,
		b: b.record.scan_id,
		same_filters: a.record.context.input.filter_key === b.record.context.input.filter_key,
		opportunities: { ...moved(a.rows, b.rows), changed: changedRows(a.rows, b.rows) },
		unproven: moved(a.unproven, b.unproven),
		strategies: ids.map((id) => comparedStrategy(id, inA.get(id), inB.get(id))),
		timing: { execution_time_ms: [executionTimeMs(a.record.context), executionTimeMs(b.record.context)] },
		data_as_of: [asOf(a), asOf(b)],
	};
}
