import type { ScanEffect } from "./events.ts";
import { discoveryDeadlineMs, later, outstandingEffects, portfolioDeadlineMs, type Step } from "./scan-rules.ts";
import type { ScanContext, ScanPosition } from "./types.ts";

/**
 * What a scan does about a phase's effect whose answer stays away although its holder lives. Without that
 * answer the whole scan would fail, so the first remedy is to issue the effect again, once, while there is
 * time for a second answer; the phase's deadline remains the last one. (A strategy is not worth that: it is
 * cut at its own deadline with what it found, and the scan goes on.) Nothing is stored for it: what has been
 * issued again follows from the time.
 */

/** Part of a limit after which an answer is taken for lost. Every effect's own limits lie below it. */
const REISSUE_SHARE = 0.6;

export type ReissuedPhase = "portfolio_fetch" | "asset_discovery" | "ranking";

const DEADLINES: Record<ReissuedPhase, (context: ScanContext) => number> = {
	portfolio_fetch: portfolioDeadlineMs,
	asset_discovery: discoveryDeadlineMs,
	ranking: (context) => context.input.deadline_at_ms,
};

/** When the phase's effect is issued again, epoch ms; its deadline, so never, when that could not help. */
export function reissueAtMs(context: ScanContext, phase: ReissuedPhase): number {
	const startedAtMs = context.phases[phase]?.started_at_ms ?? context.now_ms;
	const endsAtMs = DEADLINES[phase](context);
	if (phase !== "ranking") return Math.floor(startedAtMs + REISSUE_SHARE * (endsAtMs - startedAtMs));
	// Ranking may begin minutes before the deadline or right before it; its reserve says how long it takes.
	const patienceMs = 2 * context.input.limits.ranking_reserve_ms;
	return endsAtMs - startedAtMs >= 2 * patienceMs ? startedAtMs + patienceMs : endsAtMs;
}

const isReissuedPhase = (position: ScanPosition): position is ReissuedPhase => position in DEADLINES;

/** Notes in the journal that the phase's effect is issued again; its deadline stays. */
export function reissuePhase(context: ScanContext, phase: ReissuedPhase): Step {
	const params = { phase, attempt: 2, cause: "no_answer" };
	const now_ms = later(context, reissueAtMs(context, phase));
	return { context: { ...context, now_ms }, entries: [{ type: "phase.started", params }], started: [] };
}

/** What must be running; an effect that was issued again has a key of its own, so the first one is aborted. */
export function wantedEffects(position: ScanPosition, context: ScanContext): ScanEffect[] {
	const effects = outstandingEffects(position, context);
	if (!isReissuedPhase(position) || context.now_ms < reissueAtMs(context, position)) return effects;
	return effects.map((effect) => ({ ...effect, key: `${effect.key}:2` }));
}
