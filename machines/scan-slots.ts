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

/** Turns a pure rule into an action: new context, journal entries, starts, and the next wake-up. */
const apply = (rule: Rule) =>
	base.enqueueActions(({ context, event, enqueue }) => {
		const step = rule(context, event);
		const wakeAtMs = nextWakeMs(step.context);
		const rearm = wakeAtMs !== context.wake_at_ms;
		const next = rearm ? { ...step.context, wake_at_ms: wakeAtMs } : step.context;
		// As a function, whose result is taken whole; of an object each member would be looked at.
		enqueue.assign(() => next);
		if (step.entries.length > 0) enqueue({ type: "journal", params: { entries: step.entries } });
		if (step.started.length > 0)
			enqueue({ type: "evaluateStrategies", params: { attempts: step.started.map(evaluation) } });
		if (step.remind) {
			const { type, at_ms } = step.remind;
			enqueue.cancel(type);
			enqueue.raise({ type, at_ms }, { id: type, delay: Math.max(0, at_ms - step.context.now_ms) });
		}
		if (rearm && context.wake_at_ms !== null) enqueue.cancel(WAKE);
		if (rearm && wakeAtMs !== null) {
			enqueue.raise(
				{ type: "strategies.wake", at_ms: wakeAtMs },
				{ id: WAKE, delay: Math.max(0, wakeAtMs - step.context.now_ms) },
			);
		}
	});
const WAKE = "strategies.wake";

export const steps = Object.fromEntries(
	(Object.keys(STEPS) as StepName[]).map((name) => [name, apply(STEPS[name].rule)]),
) as Record<StepName, ReturnType<typeof apply>>;

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
