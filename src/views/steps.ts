import { verdictCounts } from "../../machines/scan-rules.ts";
import type { Phase, ScanContext, StrategyEntry, Verdict } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import { brokenPhase, type PhaseStatus, phaseStatus, portfolioNotes } from "./phases.ts";
import { endedAtMs, isoOrNull, positionOf, strategyName } from "./words.ts";

/** How a step of the debug view stands. */
export type StepStatus = "starting" | "completed" | "failed" | "cancelled" | "timed_out" | "skipped";

/** Steps 1..13; strategies follow as 100 + their position in the scan's list. */
export const STEP_NAMES: Readonly<Record<number, string>> = {
	1: "Load user profile and strategies",
	2: "Check for an active or recent scan",
	3: "Fetch portfolio",
	4: "Discover assets",
	5: "Run strategies",
	6: "Rank and filter opportunities",
	7: "Generate strategy recommendations",
	8: "Assemble response",
	9: "Update cached scan result",
	10: "Cache opportunities",
	11: "Track strategies completion lifecycle",
	12: "Track scan metrics for diagnostics",
	13: "Track final completion lifecycle",
};
export const FIXED_STEPS = Object.keys(STEP_NAMES).length;
export const STRATEGY_STEP_BASE = 100;

export const PHASE_OF_STEP: Readonly<Record<number, Phase>> = {
	3: "portfolio_fetch",
	4: "asset_discovery",
	5: "strategies_scan",
	6: "ranking",
	7: "ranking",
};

/** One step before it is written: times in epoch ms. */
interface Step {
	status: StepStatus;
	started_at_ms: number | null;
	ended_at_ms: number | null;
	extras: Record<string, unknown>;
	error: string | null;
	error_type: string | null;
}

const STATUS_OF_PHASE: Record<PhaseStatus, StepStatus> = {
	in_progress: "starting",
	completed: "completed",
	error: "failed",
	timeout: "timed_out",
	cancelled: "cancelled",
};

export const STATUS_OF_VERDICT: Record<Verdict, StepStatus> = {
	ok_found: "completed",
	ok_empty: "completed",
	degraded: "completed",
	failed: "failed",
	timed_out: "timed_out",
	skipped: "skipped",
	cancelled: "cancelled",
};

const done = (atMs: number, extras: Record<string, unknown> = {}): Step => ({
	status: "completed",
	started_at_ms: atMs,
	ended_at_ms: atMs,
	extras,
	error: null,
	error_type: null,
});

function phaseStepExtras(context: ScanContext, number: number): Record<string, unknown> {
	const { portfolio, assets, ranking, strategies } = context;
	switch (number) {
		case 3:
			return {
				positions: portfolio?.positions ?? null,
				portfolio_version: portfolio?.portfolio_version ?? null,
				...(portfolio ? portfolioNotes(portfolio) : {}),
			};
		case 4:
			return { total_assets: assets?.total_assets ?? null, sources: assets?.sources ?? [] };
		case 5:
			return {
				total_strategies: strategies.length,
				strategies_completed: strategies.filter((entry) => entry.verdict !== null).length,
				verdicts: verdictCounts(strategies),
			};
		default:
			return { opportunities_count: context.opportunities_found, ranked_count: ranking?.ranked_count ?? null };
	}
}

function phaseStep(context: ScanContext, number: number, phase: Phase): Step | null {
	const span = context.phases[phase];
	if (!span) return null;
	const broken = brokenPhase(context) === phase;
	const error = broken ? (context.end?.error ?? null) : null;
	return {
		status: STATUS_OF_PHASE[phaseStatus(context, phase)],
		started_at_ms: span.started_at_ms,
		ended_at_ms: span.ended_at_ms ?? (broken ? endedAtMs(context) : null),
		extras: phaseStepExtras(context, number),
		error: error?.message ?? null,
		error_type: error?.code ?? null,
	};
}

/** Recommendations are made inside the ranking effect, so their step shares its times. */
function recommendationStep(context: ScanContext): Step | null {
	const span = context.phases.ranking;
	const { ranking } = context;
	if (!span || !ranking) return null;
	return {
		status: ranking.recommendations,
		started_at_ms: span.started_at_ms,
		ended_at_ms: span.ended_at_ms,
		extras: { recommendations_count: ranking.recommendations_count },
		error:
			ranking.recommendations === "failed"
				? "Recommendations could not be made; the scan does not depend on them"
				: null,
		error_type: ranking.recommendations === "failed" ? "recommendations_failed" : null,
	};
}

function fixedStep(context: ScanContext, number: number): Step | null {
	const { input } = context;
	if (number === 1) {
		return done(input.accepted_at_ms, {
			strategies_count: input.strategies.length,
			user_tier: input.profile.user_tier,
		});
	}
	if (number === 2) {
		const decision = input.supersedes ? "superseded" : input.redrive_of ? "redriven" : "created";
		return done(input.accepted_at_ms, { decision, filters: input.filters });
	}
	if (number === 7) return recommendationStep(context);
	const phase = PHASE_OF_STEP[number];
	if (phase) return phaseStep(context, number, phase);
	const ended = endedAtMs(context);
	if (positionOf(context) !== "completed" || ended === null) return null;
	return done(
		ended,
		number === 12
			? {
					opportunities: context.ranking?.ranked_count ?? context.opportunities_found,
					strategies: context.strategies.length,
				}
			: {},
	);
}

/** A strategy's step in one go: there are as many as strategies, twice a scan. */
function strategyStepView(
	{ input }: ScanContext,
	entry: StrategyEntry,
	step: number,
	atMs: number,
): Record<string, unknown> | null {
	const { verdict, started_at_ms: started, ended_at_ms: ended, error } = entry;
	if (started === null && verdict === null) return null;
	return {
		step,
		name: stepName(entry.strategy_id),
		status: verdict === null ? "starting" : STATUS_OF_VERDICT[verdict],
		timestamp: isoOf(atMs),
		user_id: input.user_id,
		scan_id: input.scan_id,
		started_at: isoOrNull(started),
		ended_at: isoOrNull(ended),
		execution_time_ms: started === null || ended === null ? null : ended - started,
		strategy_id: entry.strategy_id,
		strategy_index: entry.index,
		opportunities_found: entry.tally.row_ids.length,
		verdict,
		attempt: entry.attempt,
		is_timeout: verdict === "timed_out",
		is_cancelled: verdict === "cancelled",
		error: error?.message ?? null,
		error_type: error?.code ?? null,
	};
}

export const stepName = (strategyId: string): string => `Strategy: ${strategyName(strategyId)}`;

/** Step `number` as it is stored and shown; null when it has not been reached. `atMs`: last change. */
export function stepView(context: ScanContext, number: number, atMs: number): Record<string, unknown> | null {
	const entry = number >= STRATEGY_STEP_BASE ? context.strategies[number - STRATEGY_STEP_BASE] : undefined;
	if (entry) return strategyStepView(context, entry, number, atMs);
	const step = fixedStep(context, number);
	if (!step) return null;
	const { started_at_ms: started, ended_at_ms: ended } = step;
	return {
		step: number,
		name: STEP_NAMES[number] ?? "",
		status: step.status,
		timestamp: isoOf(atMs),
		user_id: context.input.user_id,
		scan_id: context.input.scan_id,
		started_at: isoOrNull(started),
		ended_at: isoOrNull(ended),
		execution_time_ms: started === null || ended === null ? null : ended - started,
		...step.extras,
		error: step.error,
		error_type: step.error_type,
	};
}
