import type { ScanEffect, ScanEvent } from "./events.ts";
import { discoveryDeadlineMs, later, outstandingEffects, portfolioDeadlineMs, type Step } from "./scan-rules.ts";
import type { Failure, Phase, PhaseSpan, ScanContext, ScanPosition } from "./types.ts";

/**
 * What a scan does about a phase's effect that fails, or whose answer stays away although its holder lives.
 * Without that answer the whole scan would fail, so the effect is issued again: once when no answer comes while
 * there is time for a second one, and with growing pauses after failures that may pass. The phase's deadline
 * remains the last remedy. (A strategy is not worth that: it has its own attempts and is cut at its own deadline
 * with what it found, and the scan goes on.)
 */

/** Part of a limit after which an answer is taken for lost. Every effect's own limits lie below it. */
const REISSUE_SHARE = 0.6;

/** How often an effect is issued at most. Pauses double, so a phase's limit mostly ends it sooner. */
export const PHASE_ATTEMPTS_MAX = 8;

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

const FAILED: Partial<Record<ScanEvent["type"], ReissuedPhase>> = {
	"portfolio.failed": "portfolio_fetch",
	"assets.failed": "asset_discovery",
	"ranking.failed": "ranking",
};

const attemptOf = (context: ScanContext, phase: ReissuedPhase): number => context.phases[phase]?.attempt ?? 1;

const withSpan = (context: ScanContext, phase: Phase, changes: Partial<PhaseSpan>): ScanContext["phases"] => ({
	...context.phases,
	[phase]: { started_at_ms: context.now_ms, ended_at_ms: null, ...context.phases[phase], ...changes },
});

/** Does the phase wait to issue its effect again? Then nothing runs whose answer could be missing. */
export const waitsToRetry = (context: ScanContext, phase: ReissuedPhase): boolean =>
	typeof context.phases[phase]?.retry_at_ms === "number";

/** Notes in the journal that the phase's effect is issued again; its deadline stays. */
export function reissuePhase(context: ScanContext, phase: ReissuedPhase): Step {
	const attempt = attemptOf(context, phase) + 1;
	const params = { phase, attempt, cause: "no_answer" };
	const now_ms = later(context, reissueAtMs(context, phase));
	const phases = withSpan(context, phase, { attempt });
	return { context: { ...context, phases, now_ms }, entries: [{ type: "phase.started", params }], started: [] };
}

/**
 * When a failed effect is issued again, epoch ms; backs off exponentially from limits.retry_backoff_ms. Null: the
 * failure is for good, or there is no time for another attempt.
 */
export function retryAtMs(context: ScanContext, event: ScanEvent): number | null {
	const phase = FAILED[event.type];
	if (!phase || !("error" in event) || !event.error.retryable) return null;
	const attempt = attemptOf(context, phase);
	const at_ms = later(context, event.at_ms) + context.input.limits.retry_backoff_ms * 2 ** (attempt - 1);
	return attempt < PHASE_ATTEMPTS_MAX && at_ms < DEADLINES[phase](context) ? at_ms : null;
}

/** Notes a failure that may pass and plans the next attempt; the phase goes on. */
export function planRetry(context: ScanContext, phase: ReissuedPhase, { code, message }: Failure, atMs: number): Step {
	const attempt = attemptOf(context, phase) + 1;
	const retry_at = new Date(atMs).toISOString();
	const params = { phase, attempt, cause: "retry", retry_at, error: { code, message } };
	const phases = withSpan(context, phase, { attempt, retry_at_ms: atMs });
	return {
		context: { ...context, phases },
		entries: [{ type: "phase.started", params }],
		started: [],
		remind: { type: "phase.retry", at_ms: atMs },
	};
}

/** The pause is over. */
export function retryPhase(context: ScanContext, phase: ReissuedPhase): Step {
	const now_ms = later(context, context.phases[phase]?.retry_at_ms ?? context.now_ms);
	const phases = withSpan(context, phase, { retry_at_ms: null });
	return { context: { ...context, phases, now_ms }, entries: [], started: [] };
}

/**
 * Gives a phase back the time in which nobody held the scan: neither a worker that died nor a store that was away
 * shall make it fail for a limit that passed without anybody at work. The cutoff stays, so the scan still ends in time.
 */
export function giveBackTime(context: ScanContext, idleMs: number): Step {
	const phase = (["portfolio_fetch", "asset_discovery"] as const).find(
		(name) => context.phases[name]?.ended_at_ms === null,
	);
	if (!phase || idleMs <= 0) return { context, entries: [], started: [] };
	const idle_ms = (context.phases[phase]?.idle_ms ?? 0) + idleMs;
	const next = { ...context, phases: withSpan(context, phase, { idle_ms }) };
	const at_ms = DEADLINES[phase](next);
	return { context: next, entries: [], started: [], remind: { type: "phase.expired", at_ms } };
}

/** Has the limit of the phase passed, seen from its first alarm (`event` null) or from a later one? */
export function limitPassed(context: ScanContext, phase: ReissuedPhase, atMs: number | null): boolean {
	const endsAtMs = DEADLINES[phase](context);
	if (atMs !== null) return atMs >= endsAtMs;
	const { [phase]: span } = context.phases;
	if (!span?.idle_ms) return true;
	const { idle_ms: _, ...unmoved } = span;
	return DEADLINES[phase]({ ...context, phases: { ...context.phases, [phase]: unmoved } }) === endsAtMs;
}

/** What must be running; an effect that was issued again has a key of its own, so the one before is aborted. */
export function wantedEffects(position: ScanPosition, context: ScanContext): ScanEffect[] {
	const effects = outstandingEffects(position, context);
	if (!isReissuedPhase(position)) return effects;
	if (waitsToRetry(context, position)) return [];
	const attempt = attemptOf(context, position);
	return attempt === 1 ? effects : effects.map((effect) => ({ ...effect, key: `${effect.key}:${attempt}` }));
}
