import type { EffectType, JournalType, ScanEvent } from "./events.ts";
import { closePhase, cutoffAtMs, type Entry, endOf, later, type Step } from "./scan-rules.ts";
import { planRetry, type ReissuedPhase, reissuePhase, retryAtMs, retryPhase } from "./stall.ts";
import type { Phase, ScanContext, ScanEnd, ScanErrorCode, ScanPosition } from "./types.ts";

/** How the named steps of `scan.v1` are made: a step takes context and event and says what follows. */

export type Rule = (context: ScanContext, event: ScanEvent) => Step;

/** A named step with what it may write: journal entries and effects, so that pictures of the machine can tell. */
export interface NamedStep {
	rule: Rule;
	writes: readonly (JournalType | EffectType)[];
}

export const only = (context: ScanContext, ...entries: Entry[]): Step => ({ context, entries, started: [] });
export const atEvent = (context: ScanContext, event: ScanEvent): ScanContext =>
	"at_ms" in event ? { ...context, now_ms: later(context, event.at_ms) } : context;

/** Ends the phase in hand as failed and notes why the scan fails; entering `failed` does the rest. */
export const fail =
	(
		phase: ScanPosition,
		facts: (
			context: ScanContext,
			event: ScanEvent,
		) => { code: ScanErrorCode; message: string; is_timeout?: boolean; at_ms?: number },
	): Rule =>
	(held, event) => {
		const { code, message, is_timeout = false, at_ms = held.now_ms } = facts(held, event);
		const context = { ...atEvent(held, event), now_ms: later(atEvent(held, event), at_ms) };
		const end: ScanEnd = endOf(context, { error: { code, message, phase }, is_timeout });
		const noted = { ...context, end };
		if (phase === "queued") return only(noted);
		return closePhase(noted, phase, "phase.failed", { error: message, error_code: code, is_timeout });
	};

export const reissue =
	(phase: ReissuedPhase): Rule =>
	(context) =>
		reissuePhase(context, phase);

/** The effect of the phase has failed in a way that may pass: it is issued again after a pause. */
export const planAgain =
	(phase: ReissuedPhase): Rule =>
	(held, event) => {
		const context = atEvent(held, event);
		const atMs = retryAtMs(held, event);
		return atMs === null || !("error" in event) ? only(context) : planRetry(context, phase, event.error, atMs);
	};

export const issueAgain =
	(phase: ReissuedPhase): Rule =>
	(context) =>
		retryPhase(context, phase);

export const budgetOr = (context: ScanContext, atMs: number, code: ScanErrorCode, what: string) => {
	const budget = atMs >= cutoffAtMs(context);
	return {
		code: budget ? ("budget_exceeded" as const) : code,
		message: budget ? `The scan's budget ended while ${what}` : `The time limit passed while ${what}`,
		is_timeout: true,
		at_ms: atMs,
	};
};

export const runningPhase = (context: ScanContext): Phase =>
	(["ranking", "strategies_scan", "asset_discovery", "portfolio_fetch", "started"] as const).find(
		(phase) => context.phases[phase] && context.phases[phase]?.ended_at_ms === null,
	) ?? "started";

/** Fails from wherever the scan stands. */
export const abandon =
	(facts: (context: ScanContext, event: ScanEvent) => { code: ScanErrorCode; message: string }): Rule =>
	(held, event) => {
		const context = atEvent(held, event);
		const queued = Object.keys(context.phases).length === 0;
		const phase: ScanPosition = queued ? "queued" : runningPhase(context);
		const { code, message } = facts(context, event);
		const is_timeout = context.now_ms >= context.input.deadline_at_ms;
		const noted = { ...context, end: endOf(context, { error: { code, message, phase }, is_timeout }) };
		return phase === "queued"
			? only(noted)
			: closePhase(noted, phase, "phase.failed", { error: message, error_code: code, is_timeout });
	};

export { isoOf as iso } from "./iso.ts";
