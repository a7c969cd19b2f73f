import { setup } from "xstate";
import type { ScanEvent } from "./events.ts";
import { type Entry, evaluation } from "./scan-rules.ts";
import { iso, type Rule } from "./scan-steps.ts";
import { nextWakeMs } from "./scan-strategies.ts";
import { STEPS, type StepName } from "./scan-table.ts";
import type { ScanContext, ScanInput } from "./types.ts";

/** The named actions of `scan.v1`: what its host carries out, and its steps as actions of the machine. */

type Params = Record<string, unknown>;
type EffectParams = { deadline_at_ms: number };
type Attempt = ReturnType<typeof evaluation>;

/** A slot of the host: the machine only names it. */
const slot = () => (_: unknown, _params: Params) => {};
const effectSlot = () => (_: unknown, _params: EffectParams) => {};

export const types = { context: {} as ScanContext, events: {} as ScanEvent, input: {} as ScanInput };

/** What the host carries out: journal entries to be written and effects to be started. */
export const slots = {
	"scan.created": slot(),
	/** All entries of one step together: XState makes an object with its arguments anew for each action. */
	journal: (_: unknown, _params: { entries: readonly Entry[] }) => {},
	fetchPortfolio: effectSlot(),
	discoverAssets: effectSlot(),
	/** Attempts that begin together. */
	evaluateStrategies: (_: unknown, _params: { attempts: readonly Attempt[] }) => {},
	rankOpportunities: effectSlot(),
};

const base = setup({ types, actions: slots });

/** What an action of XState gives when it is resolved: the next snapshot, nothing, and the actions that follow. */
type Resolved = [snapshot: object, params: undefined, actions: unknown[]];
type BuiltIn = ReturnType<typeof base.enqueueActions>;

/**
 * Turns a pure rule into an action: new context, journal entries, starts, and the next wake-up. It is resolved like the
 * built-in actions of XState, because `enqueueActions` with an `assign` in it copies the context, makes an action anew
 * and resolves the state's nodes again for every step, which was a third of a transition.
 */
function apply(rule: Rule): BuiltIn {
	const action = () => {
		throw new Error("a step is resolved, not called");
	};
	action.type = "scan.step";
	action.resolve = (_scope: unknown, snapshot: object, { context, event }: Given): Resolved => {
		const step = rule(context, event);
		const actions: unknown[] = [];
		const wakeAtMs = nextWakeMs(step.context);
		const rearm = wakeAtMs !== context.wake_at_ms;
		const next = rearm ? { ...step.context, wake_at_ms: wakeAtMs } : step.context;
		if (step.entries.length > 0) actions.push({ type: "journal", params: { entries: step.entries } });
		if (step.started.length > 0)
			actions.push({ type: "evaluateStrategies", params: { attempts: step.started.map(evaluation) } });
		if (step.remind) {
			const { type, at_ms } = step.remind;
			const delay = Math.max(0, at_ms - step.context.now_ms);
			actions.push(base.cancel(type), base.raise({ type, at_ms }, { id: type, delay }));
		}
		if (rearm && context.wake_at_ms !== null) actions.push(base.cancel(WAKE));
		if (rearm && wakeAtMs !== null) {
			const delay = Math.max(0, wakeAtMs - step.context.now_ms);
			actions.push(base.raise({ type: "strategies.wake", at_ms: wakeAtMs }, { id: WAKE, delay }));
		}
		return [{ ...snapshot, context: next }, undefined, actions];
	};
	return action as unknown as BuiltIn;
}
type Given = { context: ScanContext; event: ScanEvent };
const WAKE = "strategies.wake";

export const steps = Object.fromEntries(
	(Object.keys(STEPS) as StepName[]).map((name) => [name, apply(STEPS[name].rule)]),
) as Record<StepName, BuiltIn>;

export function createdPayload({ input }: ScanContext): Params {
	const { filters, filter_key, force_refresh, accepted_at_ms, deadline_at_ms, redrive_of, supersedes } = input;
	return {
		filters,
		filter_key,
		force_refresh,
		accepted_at: iso(accepted_at_ms),
		deadline_at: iso(deadline_at_ms),
		redrive_of,
		supersedes,
	};
}
