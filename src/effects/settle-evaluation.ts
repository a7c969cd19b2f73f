/**
 * From what a strategy answered to what the scan counts: output check, failed reads, the user's
 * filters, the bound on rows, and books that balance. Pure.
 */
import type { NearMiss, ScanFilters, Tally } from "../../machines/types.ts";
import { compareText } from "../canonical.ts";
import { rowPasses } from "../filters.ts";
import type { Evaluation, Opportunity, Rejection } from "../strategies/contract.ts";
import { pairCount, pairsTested } from "../strategies/pair-counts.ts";
import { EffectError } from "./errors.ts";
import type { EvaluationSchema, RowOrder } from "./ports.ts";

/** Details of rejected candidates kept in the report document; the counts are always complete. */
export const REJECTED_DETAILS_MAX = 100;
const NEAR_MISSES_MAX = 3;

/** The strategy's output broke its contract; `path` says where. */
export class SchemaViolation extends EffectError {
	readonly path: string;
	constructor(path: string, problem: string) {
		super("schema_violation", `${path}: ${problem}`, false);
		this.name = "SchemaViolation";
		this.path = path;
	}
}

/** Throws SchemaViolation unless `value` is an Evaluation of this strategy whose counts add up. */
export function checkEvaluation(value: unknown, strategyId: string, schema: EvaluationSchema): Evaluation {
	const checked = schema.safeParse(value);
	if (!checked.success) {
		const issue = checked.error.issues[0];
		throw new SchemaViolation(
			issue?.path.map(String).join(".") || "evaluation",
			issue?.message ?? "does not match its schema",
		);
	}
	const evaluation = value as Evaluation;
	const counted = evaluation.published.length + evaluation.unproven.length + evaluation.rejected.length;
	if (counted !== evaluation.evaluated) {
		throw new SchemaViolation("evaluated", `is ${evaluation.evaluated}, but ${counted} candidates are counted`);
	}
	const seen = new Set<string>();
	for (const list of ["published", "unproven"] as const) {
		for (const [position, row] of evaluation[list].entries()) {
			const path = `${list}.${position}`;
			if (row.strategy_id !== strategyId) throw new SchemaViolation(`${path}.strategy_id`, "names another strategy");
			if (seen.has(row.opportunity_id)) throw new SchemaViolation(`${path}.opportunity_id`, "is not unique");
			seen.add(row.opportunity_id);
		}
	}
	return evaluation;
}

export interface SettleInput {
	/** Symbols handed to the strategy. */
	candidates: readonly string[];
	candidates_total: number;
	/** Reads that did not arrive: symbol -> reason code. */
	failures: ReadonlyMap<string, { reason: string }>;
	filters: ScanFilters;
	rows_max: number;
	compareRows: RowOrder;
	as_of_ms: number;
	discoveredAt: (opportunityId: string) => string;
}

export interface Settled {
	tally: Tally;
	/** By opportunity_id. */
	rows: ReadonlyMap<string, Opportunity>;
	rejected: Rejection[];
}

/** Throws SchemaViolation when candidates are missing from the counts. */
export function settleEvaluation(evaluation: Evaluation, input: SettleInput): Settled {
	const rejected = withFailedReads(evaluation, input);
	const published = sift(evaluation.published, input, rejected);
	const unproven = sift(evaluation.unproven, input, rejected);
	const tally: Tally = {
		candidate_unit: evaluation.candidate_unit,
		candidates_total: 0,
		evaluated: published.length + unproven.length + rejected.length,
		row_ids: published.map((row) => row.opportunity_id),
		unproven_ids: unproven.map((row) => row.opportunity_id),
		rejected: countByReason(rejected),
		near_misses: evaluation.near_misses.slice(0, NEAR_MISSES_MAX) satisfies NearMiss[],
		data_as_of: evaluation.data_as_of,
		data_age_seconds:
			evaluation.data_as_of === null ? null : Math.max(0, (input.as_of_ms - Date.parse(evaluation.data_as_of)) / 1000),
	};
	const due = dueCount(tally.candidate_unit, input.candidates.length);
	if (due !== null && tally.evaluated !== due) {
		throw new SchemaViolation("evaluated", `counts ${tally.evaluated} of ${due} candidates`);
	}
	tally.candidates_total = totalOf(tally, input);
	const rows = new Map<string, Opportunity>();
	for (const row of [...published, ...unproven]) {
		const discovered_at = input.discoveredAt(row.opportunity_id);
		rows.set(row.opportunity_id, { ...row, discovered_at });
	}
	return { tally, rows, rejected };
}

/** How many things of the unit so many candidates make; null where only the strategy can know. */
function dueCount(unit: string, candidates: number): number | null {
	if (unit === "symbol") return candidates;
	return unit === "pair" ? pairsTested(candidates) : null;
}

/**
 * A candidate that was not read counts once, as fetch_failed or timeout, whatever the strategy calls it;
 * so does each pair that was rejected because of it.
 */
function withFailedReads(evaluation: Evaluation, { failures, candidates }: SettleInput): Rejection[] {
	const rejected = evaluation.rejected.map((rejection) => {
		const failure = failures.get(rejection.cause ?? rejection.symbol);
		return failure ? { ...rejection, reason: failure.reason } : rejection;
	});
	if (evaluation.candidate_unit !== "symbol" && evaluation.candidate_unit !== "position") return rejected;
	const counted = new Set([...rejected, ...evaluation.published, ...evaluation.unproven].map((item) => item.symbol));
	for (const symbol of candidates) {
		const failure = failures.get(symbol);
		if (failure && !counted.has(symbol)) rejected.push({ symbol, reason: failure.reason });
	}
	return rejected;
}

/** Rows that pass the filters, best first, at most rows_max; the others move to `rejected`. */
function sift(rows: readonly Opportunity[], input: SettleInput, rejected: Rejection[]): Opportunity[] {
	const passing: Opportunity[] = [];
	for (const row of rows) {
		const reason = rowPasses(row, input.filters);
		if (reason === null) passing.push(row);
		else rejected.push({ symbol: row.symbol, reason });
	}
	passing.sort(totalOrder(input.compareRows));
	for (const row of passing.slice(input.rows_max)) rejected.push({ symbol: row.symbol, reason: "rank_limit" });
	return passing.slice(0, input.rows_max);
}

/** The given order with ties broken by id, so that equal input in any order gives one result. */
export const totalOrder =
	(compareRows: RowOrder): RowOrder =>
	(a, b) =>
		compareRows(a, b) || compareText(a.opportunity_id, b.opportunity_id);

function countByReason(rejected: readonly Rejection[]): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { reason } of [...rejected].sort((a, b) => compareText(a.reason, b.reason)))
		counts[reason] = (counts[reason] ?? 0) + 1;
	return counts;
}

/** In the strategy's own unit; it exceeds `evaluated` only by the policy's limit on symbols. */
function totalOf(tally: Tally, input: SettleInput): number {
	const { candidates_total: symbols } = input;
	if (tally.candidate_unit === "symbol" || tally.candidate_unit === "position")
		return Math.max(symbols, tally.evaluated);
	if (tally.candidate_unit === "pair") return Math.max(pairCount(symbols), tally.evaluated);
	return tally.evaluated;
}
