/** What one attempt says of itself, in the words of the machine. Pure. */
import type { ScanEffect, StrategyReport } from "../../machines/events.ts";
import type { Failure, SourceReport, Tally } from "../../machines/types.ts";
import type { StaleNote } from "../market/contract.ts";
import type { Evaluation } from "../strategies/contract.ts";
import { pairCount, pairsTested } from "../strategies/pair-counts.ts";
import type { CandidateSelection } from "./candidates.ts";
import type { Attachments } from "./contract.ts";
import { EffectError, failureOf, scrubMessage } from "./errors.ts";
import type { Harvest } from "./harvest.ts";
import { REJECTED_DETAILS_MAX, type Settled } from "./settle-evaluation.ts";

export type EvaluationEffect = Extract<ScanEffect, { type: "evaluateStrategy" }>;
export interface EvaluationResult {
	report: StrategyReport;
	attachments: Attachments;
}

/** Document `report:<strategy_id>`: facts that are shown whatever the rows say. */
export interface StrategyReportDocument {
	thresholds: Record<string, number>;
	report: Record<string, unknown>;
	/** The first REJECTED_DETAILS_MAX; the tally has all counts. */
	rejected: { symbol: string; reason: string; detail?: string }[];
	rejected_total: number;
	/** Benchmarks, evidence series or venues that could not be read, and why. */
	unread: Record<string, string>;
	/** Series behind the walk-forward. */
	evidence_series: number;
	universe_ref: string;
}

export function finishedReport(
	effect: EvaluationEffect,
	harvest: Harvest,
	evaluation: Evaluation,
	settled: Settled,
	universe_ref: string,
	sources: readonly SourceReport[],
): EvaluationResult {
	const { strategy_id, attempt } = effect;
	const degraded = gapsOf(harvest, settled.tally, sources);
	const unread = [...harvest.sharedFailures()].slice(0, REJECTED_DETAILS_MAX);
	const document: StrategyReportDocument = {
		thresholds: evaluation.thresholds,
		report: evaluation.report,
		rejected: settled.rejected.slice(0, REJECTED_DETAILS_MAX),
		rejected_total: settled.rejected.length,
		unread: Object.fromEntries(unread.map(([name, { reason }]) => [name, reason])),
		evidence_series: harvest.evidenceSeries(),
		universe_ref,
	};
	return {
		report: { kind: "finished", strategy_id, attempt, tally: settled.tally, degraded },
		attachments: { rows: settled.rows, documents: { [`report:${strategy_id}`]: document } },
	};
}

/** What makes a finished run `degraded`: what could not be read, or only as it was before its source failed. */
function gapsOf(harvest: Harvest, tally: Tally, sources: readonly SourceReport[]): Failure | null {
	const { fetch_failed: unread = 0, timeout: late = 0, stale_data: old = 0 } = tally.rejected;
	// Discovery has just found them traded: when most have only old data, it is the source that lags behind.
	const behind = old * 2 > tally.evaluated;
	const failures = [...harvest.failures().values(), ...harvest.sharedFailures().values()];
	const stale = [...harvest.stale().values()];
	const down = sources.filter(({ ok }) => !ok);
	if (unread + late === 0 && failures.length === 0 && stale.length === 0 && down.length === 0 && !behind) return null;
	const parts: string[] = [];
	if (unread > 0) parts.push(`${unread} of ${tally.evaluated} candidates could not be read`);
	if (late > 0) parts.push(`${late} of ${tally.evaluated} candidates did not answer in time`);
	if (harvest.sharedFailures().size > 0) parts.push("benchmarks or evidence are incomplete");
	if (behind) parts.push(`${old} of ${tally.evaluated} candidates have no recent data`);
	if (stale.length > 0) parts.push(staleText(stale));
	if (down.length > 0) parts.push(...down.map(sourceText));
	const fetchFailed =
		unread > 0 ||
		failures.some((failure) => failure.reason === "fetch_failed") ||
		(failures.length === 0 && down.some(({ assets }) => assets === 0));
	return {
		code: fetchFailed ? "fetch_failed" : late > 0 || failures.length > 0 ? "timeout" : "stale_data",
		message: parts.join("; ") || "Some reads failed",
		retryable: failures.some((failure) => failure.retryable) || stale.length > 0 || down.length > 0 || behind,
	};
}

function staleText(stale: readonly StaleNote[]): string {
	const oldest = stale.reduce((a, b) => (b.age_ms > a.age_ms ? b : a));
	const seconds = Math.round(oldest.age_ms / 1000);
	return `${stale.length} reads are the last good ones, up to ${seconds} s old (${scrubMessage(oldest.error)})`;
}

const sourceText = ({ name, error }: SourceReport): string => `${name} failed in discovery (${error ?? "no answer"})`;

/** No candidate is known, but a source that might have listed some did not answer: nobody can say that there is none. */
export function unknownUniverseReport(
	{ strategy_id, attempt }: EvaluationEffect,
	selection: CandidateSelection,
	sources: readonly SourceReport[],
): EvaluationResult {
	const message = `No candidate is known: ${sources
		.filter(({ ok }) => !ok)
		.map(sourceText)
		.join("; ")}`;
	const degraded: Failure = { code: "fetch_failed", message, retryable: true };
	return {
		report: { kind: "finished", strategy_id, attempt, tally: openTally(selection), degraded },
		attachments: {},
	};
}

/** Not one candidate could be read: that is a failure, not an empty market. */
export function nothingRead(harvest: Harvest): EffectError {
	const failures = [...harvest.failures().values()];
	const cause = failures[0] ? `: ${failures[0].message}` : "";
	const retryable = failures.some((failure) => failure.retryable);
	return new EffectError("fetch_failed", `None of ${failures.length} candidates could be read${cause}`, retryable);
}

export function failedReport({ strategy_id, attempt }: EvaluationEffect, error: unknown): EvaluationResult {
	/** Our own messages are made of facts and need no scrubbing; it would hide the offending path. */
	const failure: Failure =
		error instanceof EffectError
			? { code: error.code, message: error.message, retryable: error.retryable }
			: failureOf(error, "evaluation_failed");
	const report: StrategyReport = {
		kind: "failed",
		strategy_id,
		attempt,
		error: failure,
		reason: failure.code,
		tally: null,
	};
	return { report, attachments: {} };
}

/** Candidates there may be, but none is looked at: each is rejected for the reason of the skip. */
export function skippedReport(
	{ strategy_id, attempt }: EvaluationEffect,
	selection: CandidateSelection,
	reason: NonNullable<CandidateSelection["skip"]>,
): EvaluationResult {
	const open = openTally(selection);
	const tally: Tally = { ...open, rejected: open.evaluated > 0 ? { [reason]: open.evaluated } : {} };
	return { report: { kind: "skipped", strategy_id, attempt, reason, tally }, attachments: {} };
}

/** All candidates known, none decided: what is cut from here on is counted by the machine. */
export const openTally = ({ candidates, candidates_total, candidate_unit }: CandidateSelection): Tally => ({
	candidate_unit,
	candidates_total: candidate_unit === "pair" ? pairCount(candidates_total) : candidates_total,
	evaluated: candidate_unit === "pair" ? pairsTested(candidates.length) : candidates.length,
	row_ids: [],
	unproven_ids: [],
	rejected: {},
	near_misses: [],
	data_as_of: null,
	data_age_seconds: null,
});
