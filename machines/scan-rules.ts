import type { EffectType, JournalType, ScanEffect, ScanEvent } from "./events.ts";
import { rejectedTotal } from "./strategy-rules.ts";
import type {
	Outcome,
	Phase,
	ScanContext,
	ScanEnd,
	ScanPosition,
	StrategyEntry,
	Verdict,
	VerdictCounts,
} from "./types.ts";

/** The pure rules of `scan.v1`: a step takes a context and says what follows from it. */

/** A journal entry to be written in the same commit: a named action whose params are the payload. */
export interface Entry {
	type: JournalType;
	params: Record<string, unknown>;
}

export interface Step {
	context: ScanContext;
	entries: Entry[];
	/** Attempts that were started; each becomes the effect `evaluateStrategy`. */
	started: StrategyEntry[];
	/** What the phase is to be reminded of, and when; replaces an earlier reminder of that type. */
	remind?: { type: "phase.retry" | "phase.expired"; at_ms: number };
}

/** From here on only ranking may run. */
export const cutoffAtMs = (context: ScanContext): number =>
	context.input.deadline_at_ms - context.input.limits.ranking_reserve_ms;

export const portfolioDeadlineMs = (context: ScanContext): number =>
	phaseDeadlineMs(context, "portfolio_fetch", context.input.limits.portfolio_timeout_ms);

export const discoveryDeadlineMs = (context: ScanContext): number =>
	phaseDeadlineMs(context, "asset_discovery", context.input.limits.discovery_timeout_ms);

/** A phase has its limit of time in which somebody could work on it, and never longer than up to the cutoff. */
function phaseDeadlineMs(context: ScanContext, phase: Phase, timeoutMs: number): number {
	const { started_at_ms = context.now_ms, idle_ms = 0 } = context.phases[phase] ?? {};
	return Math.min(started_at_ms + timeoutMs + idle_ms, cutoffAtMs(context));
}

/** Time only moves forward, whatever clock an event was stamped with. */
export const later = (context: ScanContext, atMs: number): number => Math.max(context.now_ms, atMs);

export function verdictCounts(strategies: readonly StrategyEntry[]): VerdictCounts {
	const counts: VerdictCounts = {
		ok_found: 0,
		ok_empty: 0,
		degraded: 0,
		failed: 0,
		timed_out: 0,
		skipped: 0,
		cancelled: 0,
		running: 0,
		pending: 0,
	};
	for (const entry of strategies) {
		if (entry.verdict) counts[entry.verdict] += 1;
		else if (entry.state === "queued") counts.pending += 1;
		else counts.running += 1;
	}
	return counts;
}

/** Strategies that this scan ran itself, whatever came of it: neither skipped nor carried over from another. */
export const strategiesRun = ({ strategies }: Pick<ScanContext, "strategies">): StrategyEntry[] =>
	strategies.filter((entry) => entry.carried_over_from === null && entry.attempt > 0 && entry.verdict !== "skipped");

export const isOpen = (entry: StrategyEntry): boolean => entry.state !== "settled";
/** Whether a strategy has looked at all that it was to look at. */
export const endedWell = (verdict: Verdict | null): boolean => verdict === "ok_found" || verdict === "ok_empty";
const isUsable = ({ verdict }: StrategyEntry): boolean => endedWell(verdict) || verdict === "degraded";

export const allSettled = (context: ScanContext): boolean => !context.strategies.some(isOpen);

/** Everything settled, something was run, and nothing of it gave an answer. */
export const noneUsable = (context: ScanContext): boolean =>
	allSettled(context) &&
	context.strategies.some((entry) => entry.verdict !== "skipped") &&
	!context.strategies.some(isUsable);

export const noneUsableCode = (context: ScanContext): "budget_exceeded" | "all_strategies_failed" =>
	context.strategies.every((entry) => entry.verdict === "timed_out" || entry.verdict === "skipped")
		? "budget_exceeded"
		: "all_strategies_failed";

export function outcomeOf(context: ScanContext): Outcome {
	const run = context.strategies.filter((entry) => entry.verdict !== "skipped");
	if (run.length === 0) return "nothing_to_scan";
	const gaps = run.some((entry) => !endedWell(entry.verdict));
	const rows = (context.ranking?.ranked_count ?? 0) > 0;
	if (rows) return gaps ? "found_with_gaps" : "found";
	return gaps ? "incomplete" : "empty";
}

export function openPhase(context: ScanContext, phase: Phase, extras: Record<string, unknown> = {}): Step {
	return {
		context: {
			...context,
			phases: { ...context.phases, [phase]: { started_at_ms: context.now_ms, ended_at_ms: null } },
		},
		entries: [{ type: "phase.started", params: { phase, ...extras } }],
		started: [],
	};
}

export function closePhase(
	context: ScanContext,
	phase: Phase,
	type: "phase.completed" | "phase.failed",
	extras: Record<string, unknown> = {},
): Step {
	const span = context.phases[phase] ?? { started_at_ms: context.now_ms, ended_at_ms: null };
	const ended_at_ms = context.now_ms;
	return {
		context: { ...context, phases: { ...context.phases, [phase]: { ...span, ended_at_ms } } },
		entries: [{ type, params: { phase, duration_ms: ended_at_ms - span.started_at_ms, ...extras } }],
		started: [],
	};
}

/** Runs steps one after the other, collecting what follows from each. */
export function chain(context: ScanContext, ...steps: ((context: ScanContext) => Step)[]): Step {
	let current = context;
	const entries: Entry[] = [];
	const started: StrategyEntry[] = [];
	let remind: Step["remind"];
	for (const next of steps) {
		const step = next(current);
		current = step.context;
		entries.push(...step.entries);
		started.push(...step.started);
		remind = step.remind ?? remind;
	}
	return { context: current, entries, started, ...(remind ? { remind } : {}) };
}

/** What must be running for this state of the scan: the host compares it with what does run. */
export function outstandingEffects(position: ScanPosition, context: ScanContext): ScanEffect[] {
	switch (position) {
		case "portfolio_fetch":
			return [{ key: "fetchPortfolio", type: "fetchPortfolio", deadline_at_ms: portfolioDeadlineMs(context) }];
		case "asset_discovery":
			return [{ key: "discoverAssets", type: "discoverAssets", deadline_at_ms: discoveryDeadlineMs(context) }];
		case "strategies_scan":
			return context.strategies.filter((entry) => entry.state === "evaluating").map(evaluation);
		case "ranking":
			return [{ key: "rankOpportunities", type: "rankOpportunities", deadline_at_ms: context.input.deadline_at_ms }];
		default:
			return [];
	}
}

export const evaluation = (entry: StrategyEntry): Extract<ScanEffect, { type: "evaluateStrategy" }> => ({
	key: `evaluateStrategy:${entry.strategy_id}:${entry.attempt}`,
	type: "evaluateStrategy",
	strategy_id: entry.strategy_id,
	attempt: entry.attempt,
	deadline_at_ms: entry.deadline_at_ms ?? 0,
});

/** Ranking may move counts of a verdict (cut rows), never its word. */
export function applyCuts(context: ScanContext, cut: Record<string, string[]>): ScanContext {
	if (Object.keys(cut).length === 0) return context;
	const strategies = context.strategies.map((entry) => {
		const gone = new Set(cut[entry.strategy_id]);
		const row_ids = entry.tally.row_ids.filter((id) => !gone.has(id));
		const count = entry.tally.row_ids.length - row_ids.length;
		if (count === 0) return entry;
		const rejected = { ...entry.tally.rejected, rank_limit: (entry.tally.rejected.rank_limit ?? 0) + count };
		return { ...entry, tally: { ...entry.tally, row_ids, rejected } };
	});
	return { ...context, strategies };
}

export const totals = (context: ScanContext): Record<string, unknown> => ({
	total_opportunities:
		context.ranking?.ranked_count ?? context.strategies.reduce((sum, entry) => sum + entry.tally.row_ids.length, 0),
	unproven_count: context.strategies.reduce((sum, entry) => sum + entry.tally.unproven_ids.length, 0),
	rejected: context.strategies.reduce((sum, entry) => sum + rejectedTotal(entry.tally), 0),
	verdicts: verdictCounts(context.strategies),
	execution_time_ms: context.now_ms - context.input.accepted_at_ms,
});

export const endOf = (context: ScanContext, facts: Partial<ScanEnd>): ScanEnd => ({
	at_ms: context.now_ms,
	error: null,
	is_timeout: false,
	reason: null,
	superseded_by: null,
	by: null,
	...facts,
});

/** Guards the door: events from effects and from outside are data, never XState's own. */
export const isScanEvent = (event: { type: string }): event is ScanEvent => !event.type.startsWith("xstate.");

export type { EffectType };
