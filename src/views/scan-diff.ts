import { endedWell } from "../../machines/scan-rules.ts";
import type { StrategyEntry } from "../../machines/types.ts";
import { CATALOGUE } from "../catalogue.ts";
import { type BaseScan, type ComparedScan, changedRows, movedRows } from "./row-changes.ts";
import { executionTimeMs, isoOrNull, strategyName } from "./words.ts";

type Json = Record<string, unknown>;
type Pair<T> = [T | null, T | null];

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

function rowsWithout(rows: readonly Json[], others: readonly Json[]): Json[] {
	const ids = new Set(others.map(({ opportunity_id }) => opportunity_id));
	return rows.filter(({ opportunity_id }) => !ids.has(opportunity_id));
}

const indexOf = new Map(CATALOGUE.map((entry) => [entry.id, entry.index]));

/**
 * What changed from scan `a` to scan `b`; `unknown` repeats the added and removed rows whose strategy did not end well in
 * the scan that lacks them. Strategies of either, in catalogue order; null where one lacks it.
 */
export function scanDiffView(a: ComparedScan, b: ComparedScan): object {
	const entriesOf = ({ record }: ComparedScan) =>
		new Map(record.context.strategies.map((entry) => [entry.strategy_id, entry]));
	const [inA, inB] = [entriesOf(a), entriesOf(b)];
	const ids = [...new Set([...inA.keys(), ...inB.keys()])].sort(
		(x, y) => (indexOf.get(x) ?? CATALOGUE.length) - (indexOf.get(y) ?? CATALOGUE.length),
	);
	const before: BaseScan[] = [{ ...a, isBaseOf: (id) => endedWell(inA.get(id)?.verdict ?? null) }];
	const moved = (rowsOf: (scan: ComparedScan) => readonly Json[]) => ({
		added: rowsWithout(rowsOf(b), rowsOf(a)),
		removed: rowsWithout(rowsOf(a), rowsOf(b)),
		unknown: movedRows(before, b, rowsOf).unknown,
	});
	const asOf = ({ record }: ComparedScan) => isoOrNull(record.context.assets?.as_of_ms);
	return {
		success: true,
		a: a.record.scan_id,
		b: b.record.scan_id,
		same_filters: a.record.context.input.filter_key === b.record.context.input.filter_key,
		opportunities: { ...moved(({ rows }) => rows), changed: changedRows(before, b) },
		unproven: moved(({ unproven }) => unproven),
		strategies: ids.map((id) => comparedStrategy(id, inA.get(id), inB.get(id))),
		timing: { execution_time_ms: [executionTimeMs(a.record.context), executionTimeMs(b.record.context)] },
		data_as_of: [asOf(a), asOf(b)],
	};
}
