import { verdictCounts } from "../../machines/scan-rules.ts";
import type { Phase, PortfolioSummary, ScanContext, ScanPosition, StrategyEntry } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import { portfolioWarnings } from "./messages.ts";
import { endedAtMs, executionTimeMs, isFinal, isoOrNull, lastWorkingPhase, positionOf } from "./words.ts";

/** How a phase stands. */
export type PhaseStatus = "in_progress" | "completed" | "error" | "timeout" | "cancelled";

/** The phase in which a scan broke off; null while it runs, when it completed, or before any claim. */
export function brokenPhase(context: ScanContext): Phase | null {
	const position = positionOf(context);
	if (position === "cancelled") return lastWorkingPhase(context);
	if (position !== "failed") return null;
	const named = context.end?.error?.phase;
	return named !== undefined && named !== "queued" && context.phases[named] ? named : lastWorkingPhase(context);
}

/** The word for a scan that stands at `position`. */
export function currentStatus(context: ScanContext, position: ScanPosition = positionOf(context)): PhaseStatus {
	if (position === "completed" || position === "cancelled") return position;
	if (position === "failed") return context.end?.is_timeout ? "timeout" : "error";
	return "in_progress";
}

export function phaseStatus(context: ScanContext, phase: Phase): PhaseStatus {
	if (isFinal(phase) || phase === brokenPhase(context)) return currentStatus(context);
	return context.phases[phase]?.ended_at_ms == null ? "in_progress" : "completed";
}

const settled = (entries: readonly StrategyEntry[]): number => entries.filter((entry) => entry.verdict !== null).length;

/** Exchange accounts of the user, and in `warnings` what of the portfolio is missing or old. */
export function portfolioNotes(portfolio: PortfolioSummary): Record<string, unknown> {
	const { accounts, stale_prices } = portfolio;
	if (!accounts && !stale_prices) return {};
	const shown = accounts?.map(({ as_of_ms, ...report }) => ({
		...report,
		as_of: as_of_ms === null ? null : isoOf(as_of_ms),
	}));
	return { ...(shown ? { accounts: shown } : {}), warnings: portfolioWarnings(portfolio) };
}

/** What a phase says beyond its times, as far as it has happened. */
function phaseExtras(context: ScanContext, phase: Phase, startedAtMs: number): Record<string, unknown> {
	const { input, end } = context;
	switch (phase) {
		case "started":
			return {
				force_refresh: input.force_refresh,
				start_time: startedAtMs / 1000,
				// Seconds since acceptance: the one monotonic origin that all processes share.
				start_time_monotonic: (startedAtMs - input.accepted_at_ms) / 1000,
			};
		case "portfolio_fetch":
			if (context.portfolio)
				return {
					strategies_count: input.strategies.length,
					filters: input.filters,
					...portfolioNotes(context.portfolio),
				};
			return brokenPhase(context) === phase ? { portfolio_result: null } : {};
		case "asset_discovery":
			return context.assets ? { total_assets: context.assets.total_assets } : {};
		case "strategies_scan":
			return {
				total_strategies: context.strategies.length,
				strategies_completed: settled(context.strategies),
				opportunities_found: context.opportunities_found,
				...(context.phases.strategies_scan?.ended_at_ms == null ? {} : { verdicts: verdictCounts(context.strategies) }),
			};
		case "ranking":
			return {
				opportunities_count: context.opportunities_found,
				ranked_count: context.ranking?.ranked_count ?? null,
				unproven_count: context.ranking?.unproven_count ?? null,
			};
		case "completed":
			return {
				total_opportunities: context.ranking?.ranked_count ?? context.opportunities_found,
				execution_time_ms: executionTimeMs(context),
				outcome: context.outcome,
			};
		case "failed":
			return {
				error: end?.error?.message ?? null,
				error_code: end?.error?.code ?? null,
				error_type: end?.is_timeout ? "timeout" : "error",
				failed_phase: end?.error?.phase ?? null,
				execution_time_ms: executionTimeMs(context),
				is_timeout: end?.is_timeout ?? false,
			};
		case "cancelled":
			return {
				reason: end?.reason ?? null,
				superseded_by: end?.superseded_by ?? null,
				execution_time_ms: executionTimeMs(context),
			};
	}
}

/** One phase as clients and operators see it; null when it has not begun. `atMs`: its last change. */
export function phaseView(context: ScanContext, phase: Phase, atMs: number): Record<string, unknown> | null {
	const ended = endedAtMs(context);
	const span =
		context.phases[phase] ??
		(phase === positionOf(context) && ended !== null ? { started_at_ms: ended, ended_at_ms: ended } : null);
	if (!span) return null;
	const broken = phase === brokenPhase(context);
	const endedAt = span.ended_at_ms ?? (broken ? ended : null);
	const failure = broken ? (context.end?.error ?? null) : null;
	return {
		phase,
		status: phaseStatus(context, phase),
		timestamp: isoOf(atMs),
		user_id: context.input.user_id,
		started_at: isoOf(span.started_at_ms),
		ended_at: isoOrNull(endedAt),
		duration_ms: endedAt === null ? null : endedAt - span.started_at_ms,
		...phaseExtras(context, phase, span.started_at_ms),
		...(failure ? { error: failure.message } : {}),
	};
}
