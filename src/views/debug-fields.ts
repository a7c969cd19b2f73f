import type { ScanContext } from "../../machines/types.ts";
import { isoOf } from "../clock.ts";
import { fieldsOf, type Pattern } from "../field-patterns.ts";
import type { NewEntry } from "../store/write-contract.ts";
import { brokenPhase } from "./phases.ts";
import { FIXED_STEPS, PHASE_OF_STEP, STRATEGY_STEP_BASE } from "./steps.ts";
import { storedSteps } from "./stored-steps.ts";
import { endedAtMs, positionOf } from "./words.ts";

const STEPS_OF_PHASE = new Map<unknown, number[]>();
for (const [step, phase] of Object.entries(PHASE_OF_STEP))
	STEPS_OF_PHASE.set(phase, [...(STEPS_OF_PHASE.get(phase) ?? []), Number(step)]);
const stepsOfPhase = (phase: unknown): number[] => STEPS_OF_PHASE.get(phase) ?? [];

const range = (from: number, to: number): number[] =>
	Array.from({ length: to - from + 1 }, (_, offset) => from + offset);

/** The steps that each strategy changes, by its id. */
type StrategySteps = () => ReadonlyMap<unknown, number[]>;

/** The step "Run strategies", of which each strategy's own is a part. */
const RUN_STRATEGIES = 5;
const RUN_STRATEGIES_ONLY = [RUN_STRATEGIES];

const strategyStepsOf = ({ strategies }: ScanContext): StrategySteps => {
	let steps: Map<unknown, number[]> | null = null;
	return () => {
		steps ??= new Map(
			strategies.map(({ strategy_id }, position) => [strategy_id, [RUN_STRATEGIES, STRATEGY_STEP_BASE + position]]),
		);
		return steps;
	};
};

/** Numbers of the steps that a journal entry changes. */
function stepsOf(context: ScanContext, strategySteps: StrategySteps, entry: NewEntry): number[] {
	switch (entry.type) {
		case "scan.created":
			return [1, 2];
		case "portfolio.fetched":
			return [3];
		case "assets.discovered":
			return [4];
		case "strategies.resolved":
			return RUN_STRATEGIES_ONLY;
		case "strategy.started":
		case "strategy.retried":
		case "strategy.row_found":
		case "strategy.settled":
			return strategySteps().get(entry.strategy_id ?? entry.payload.strategy_id) ?? RUN_STRATEGIES_ONLY;
		case "phase.started":
		case "phase.completed":
		case "phase.failed":
			return stepsOfPhase(entry.payload.phase ?? entry.phase);
		case "ranking.completed":
			return [6, 7];
		case "scan.completed":
			return range(8, FIXED_STEPS);
		case "scan.failed":
		case "scan.cancelled":
			return stepsOfPhase(brokenPhase(context));
		default:
			return [];
	}
}

/** The moment of the last change of every step that the entries touched. */
function changedSteps(
	before: ScanContext | null,
	context: ScanContext,
	entries: readonly NewEntry[],
): Map<number, number> {
	const changed = new Map<number, number>();
	if (before === null) {
		const lastAtMs = endedAtMs(context) ?? context.now_ms;
		for (const number of range(1, FIXED_STEPS))
			changed.set(number, number <= 2 ? context.input.accepted_at_ms : lastAtMs);
		context.strategies.forEach((entry, position) => {
			changed.set(STRATEGY_STEP_BASE + position, entry.ended_at_ms ?? entry.started_at_ms ?? lastAtMs);
		});
	}
	const strategySteps = strategyStepsOf(context);
	for (const entry of entries)
		for (const number of stepsOf(context, strategySteps, entry)) changed.set(number, entry.at_ms);
	return changed;
}

/** The step started last; skipped and never started strategies do not count. */
function startedLast(context: ScanContext): number {
	if (positionOf(context) === "completed") return FIXED_STEPS;
	if (context.phases.ranking) return context.ranking ? 7 : 6;
	let current = 2;
	for (const number of [3, 4, 5]) {
		const phase = PHASE_OF_STEP[number];
		if (phase && context.phases[phase]) current = number;
	}
	let newestMs = Number.NEGATIVE_INFINITY;
	context.strategies.forEach((entry, position) => {
		if (entry.started_at_ms === null || entry.started_at_ms < newestMs) return;
		newestMs = entry.started_at_ms;
		current = STRATEGY_STEP_BASE + position;
	});
	return current;
}

/**
 * Fields of the hash `scan_debug:{id}` that `entries` changed, to be written in their commit; steps that say nearly the same
 * as patterns. Pure and idempotent like `lifecycleFields`.
 */
export function debugChanges(
	before: ScanContext | null,
	context: ScanContext,
	entries: readonly NewEntry[],
): { fields: Record<string, string>; patterns: Pattern[] } {
	const { fields, patterns } = storedSteps(context, changedSteps(before, context, entries));
	fields.current_step = String(startedLast(context));
	fields.last_updated = isoOf(entries.at(-1)?.at_ms ?? context.now_ms);
	return { fields, patterns };
}

/** The same, all of it as the hash will have it. */
export function debugFields(
	before: ScanContext | null,
	context: ScanContext,
	entries: readonly NewEntry[],
): Record<string, string> {
	const { fields, patterns } = debugChanges(before, context, entries);
	return Object.assign(fields, ...patterns.map(fieldsOf));
}
