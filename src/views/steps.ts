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

const STATUS_OF_VERDICT: Record<Verdict, StepStatus> = {
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

const stepName = (strategyId: string): string => `Strategy: ${strategyName(strategyId)}`;

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

/**
 * Step `number` as its hash holds it, JSON: of a strategy that has only begun, no more than what its plan does not say. All
 * strategies begin at once and end soon after, so a whole step for each beginning would be written to be overwritten.
 * Steps of strategies are put together from their parts, which takes three fifths of the time: they are nearly a third of all
 * text that a scan writes.
 */
export function storedStepText(context: ScanContext, number: number, atMs: number): string | null {
	const entry = number >= STRATEGY_STEP_BASE ? context.strategies[number - STRATEGY_STEP_BASE] : undefined;
	if (!entry) {
		const step = stepView(context, number, atMs);
		return step && JSON.stringify(step);
	}
	const { verdict, started_at_ms: started, ended_at_ms: ended, error, attempt, tally } = entry;
	if (started === null && verdict === null) return null;
	const found = tally.row_ids.length;
	if (entry.state === "evaluating" && !error && started !== null) {
		return `${headOf(entry, number, "starting")}${isoOf(atMs)}","started_at":"${isoOf(started)}","attempt":${attempt},"opportunities_found":${found}}`;
	}
	const status = verdict === null ? "starting" : STATUS_OF_VERDICT[verdict];
	const spentMs = started === null || ended === null ? null : ended - started;
	const times = `"started_at":${quoted(isoOrNull(started))},"ended_at":${quoted(isoOrNull(ended))},"execution_time_ms":${spentMs}`;
	const ends = `"verdict":${quoted(verdict)},"attempt":${attempt},"is_timeout":${verdict === "timed_out"},"is_cancelled":${verdict === "cancelled"}`;
	const failure = error
		? `"error":${JSON.stringify(error.message)},"error_type":${JSON.stringify(error.code)}`
		: NO_FAILURE;
	return `${headOf(entry, number, status)}${isoOf(atMs)}",${ownerOf(context)},${times},"strategy_id":${JSON.stringify(entry.strategy_id)},"strategy_index":${entry.index},"opportunities_found":${found},${ends},${failure}}`;
}

const NO_FAILURE = '"error":null,"error_type":null';
/** For words without anything that JSON would escape. */
const quoted = (word: string | null): string => (word === null ? "null" : `"${word}"`);

/** Up to the moment of its last change. */
function headOf({ strategy_id }: StrategyEntry, step: number, status: StepStatus): string {
	const name = JSON.stringify(stepName(strategy_id));
	return `{"step":${step},"name":${name},"status":"${status}","timestamp":"`;
}

const owners = new WeakMap<ScanContext["input"], string>();

/** Whose scan it is, which all steps say: made once for each scan. */
function ownerOf({ input }: ScanContext): string {
	let text = owners.get(input);
	if (text === undefined) {
		text = `"user_id":${JSON.stringify(input.user_id)},"scan_id":${JSON.stringify(input.scan_id)}`;
		owners.set(input, text);
	}
	return text;
}

/** A stored step with all members that a step has. */
export function wholeStep<T extends { step: number }>({ input }: ScanContext, stored: T): T {
	const plan = input.strategies[stored.step - STRATEGY_STEP_BASE];
	if (!plan || "user_id" in stored) return stored;
	const { step, name, status, timestamp, started_at, attempt, opportunities_found } = stored as Record<string, unknown>;
	const whole = {
		...{ step, name, status, timestamp, user_id: input.user_id, scan_id: input.scan_id, started_at },
		...{ ended_at: null, execution_time_ms: null, strategy_id: plan.strategy_id, strategy_index: plan.index },
		...{ opportunities_found, verdict: null, attempt, is_timeout: false, is_cancelled: false },
		...{ error: null, error_type: null },
	};
	return whole as unknown as T;
}
