import { setup } from "xstate";
import type { ScanEvent } from "./events.ts";
import {
	allSettled,
	cutoffAtMs,
	discoveryDeadlineMs,
	evaluation,
	noneUsable,
	portfolioDeadlineMs,
} from "./scan-rules.ts";
import { iso, type Rule } from "./scan-steps.ts";
import { hasFreshReport, nextWakeMs } from "./scan-strategies.ts";
import { STEPS, type StepName } from "./scan-table.ts";
import { reissueAtMs } from "./stall.ts";
import type { ScanContext, ScanInput } from "./types.ts";

/**
 * `scan.v1`: one scan from acceptance to exactly one of completed, failed, cancelled.
 * Pure: time and results arrive as events, effects and journal entries leave as named actions.
 * Deadlines are delayed raises, which a durable host stores as absolute times.
 */

type Params = Record<string, unknown>;
type EffectParams = { deadline_at_ms: number };
type EvaluateParams = EffectParams & { strategy_id: string; attempt: number };

/** A slot of the host: the machine only names it. */
const slot = () => (_: unknown, _params: Params) => {};
const effectSlot = () => (_: unknown, _params: EffectParams) => {};

const types = { context: {} as ScanContext, events: {} as ScanEvent, input: {} as ScanInput };

/** What the host carries out: journal entries to be written and effects to be started. */
const slots = {
	"scan.created": slot(),
	"scan.claimed": slot(),
	"scan.resumed": slot(),
	"phase.started": slot(),
	"phase.completed": slot(),
	"phase.failed": slot(),
	"portfolio.fetched": slot(),
	"assets.discovered": slot(),
	"strategies.resolved": slot(),
	"strategy.started": slot(),
	"strategy.retried": slot(),
	"strategy.row_found": slot(),
	"strategy.settled": slot(),
	"ranking.completed": slot(),
	"scan.cancel_requested": slot(),
	"scan.completed": slot(),
	"scan.failed": slot(),
	"scan.cancelled": slot(),
	fetchPortfolio: effectSlot(),
	discoverAssets: effectSlot(),
	evaluateStrategy: (_: unknown, _params: EvaluateParams) => {},
	rankOpportunities: effectSlot(),
};

const base = setup({ types, actions: slots });

/** Turns a pure rule into an action: new context, journal entries, starts, and the next wake-up. */
const apply = (rule: Rule) =>
	base.enqueueActions(({ context, event, enqueue }) => {
		const step = rule(context, event);
		const wakeAtMs = nextWakeMs(step.context);
		const rearm = wakeAtMs !== context.wake_at_ms;
		enqueue.assign({ ...step.context, wake_at_ms: wakeAtMs });
		for (const entry of step.entries) enqueue({ type: entry.type, params: entry.params });
		for (const entry of step.started) {
			const { strategy_id, attempt, deadline_at_ms } = evaluation(entry);
			enqueue({ type: "evaluateStrategy", params: { strategy_id, attempt, deadline_at_ms } });
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

const steps = Object.fromEntries(
	(Object.keys(STEPS) as StepName[]).map((name) => [name, apply(STEPS[name].rule)]),
) as Record<StepName, ReturnType<typeof apply>>;

/** Never negative: a deadline that has passed is due at once. */
const timeLeftMs = (context: ScanContext, atMs: number): number => Math.max(0, atMs - context.now_ms);

export const scanMachine = setup({
	types,
	actions: { ...slots, ...steps },
	guards: {
		allStrategiesSettled: ({ context }) => allSettled(context),
		noStrategyUsable: ({ context }) => noneUsable(context),
		reportIsFresh: ({ context, event }) =>
			event.type === "strategies.reported" && hasFreshReport(context, event.reports),
		tooManyTakeovers: ({ context, event }) =>
			event.type === "scan.resumed" && event.lost_lease && context.resumes >= context.input.limits.resumes_max,
	},
	delays: {
		portfolioDeadline: ({ context }) => timeLeftMs(context, portfolioDeadlineMs(context)),
		discoveryDeadline: ({ context }) => timeLeftMs(context, discoveryDeadlineMs(context)),
		strategiesCutoff: ({ context }) => timeLeftMs(context, cutoffAtMs(context)),
		scanDeadline: ({ context }) => timeLeftMs(context, context.input.deadline_at_ms),
		portfolioReissue: ({ context }) => timeLeftMs(context, reissueAtMs(context, "portfolio_fetch")),
		discoveryReissue: ({ context }) => timeLeftMs(context, reissueAtMs(context, "asset_discovery")),
		rankingReissue: ({ context }) => timeLeftMs(context, reissueAtMs(context, "ranking")),
	},
}).createMachine({
	id: "scan.v1",
	description: "One scan: portfolio, assets, strategies, ranking, and exactly one end",
	context: ({ input }) => ({
		input,
		now_ms: input.accepted_at_ms,
		worker_id: null,
		claimed_at_ms: null,
		attempt: 0,
		resumes: 0,
		phases: {},
		portfolio: null,
		assets: null,
		strategies: [],
		opportunities_found: 0,
		wake_at_ms: null,
		ranking: null,
		outcome: null,
		end: null,
	}),
	initial: "queued",
	on: {
		"scan.cancel_requested": {
			target: "#cancelled",
			actions: "noteCancel",
		},
		"scan.abandoned": {
			target: "#failed",
			actions: "abandonScan",
		},
		"scan.resumed": [
			{
				guard: "tooManyTakeovers",
				target: "#failed",
				actions: "giveUpOnWorkers",
			},
			{
				actions: "takeOver",
			},
		],
	},
	states: {
		queued: {
			entry: [{ type: "scan.created", params: ({ context }) => createdPayload(context) }],
			after: {
				scanDeadline: {
					target: "failed",
					actions: "expireUnclaimed",
				},
			},
			on: {
				"scan.claimed": {
					target: "started",
					actions: "claim",
				},
			},
		},
		started: {
			description: "The profile was fixed when the scan was accepted, so this phase closes at once",
			entry: "startScan",
			always: "portfolio_fetch",
		},
		portfolio_fetch: {
			entry: [
				"openPortfolio",
				{ type: "fetchPortfolio", params: ({ context }) => ({ deadline_at_ms: portfolioDeadlineMs(context) }) },
			],
			after: {
				portfolioReissue: { actions: "reissuePortfolio" },
				portfolioDeadline: {
					target: "failed",
					actions: "expirePortfolio",
				},
			},
			on: {
				"portfolio.fetched": {
					target: "asset_discovery",
					actions: "keepPortfolio",
				},
				"portfolio.failed": {
					target: "failed",
					actions: "failPortfolio",
				},
			},
		},
		asset_discovery: {
			entry: [
				"openDiscovery",
				{ type: "discoverAssets", params: ({ context }) => ({ deadline_at_ms: discoveryDeadlineMs(context) }) },
			],
			after: {
				discoveryReissue: { actions: "reissueDiscovery" },
				discoveryDeadline: {
					target: "failed",
					actions: "expireDiscovery",
				},
			},
			on: {
				"assets.discovered": {
					target: "strategies_scan",
					actions: "keepAssets",
				},
				"assets.failed": {
					target: "failed",
					actions: "failDiscovery",
				},
			},
		},
		strategies_scan: {
			entry: "openStrategies",
			always: [
				{
					guard: "noStrategyUsable",
					target: "failed",
					actions: "failWithoutAnswer",
				},
				{
					guard: "allStrategiesSettled",
					target: "ranking",
					actions: "closeStrategies",
				},
			],
			after: {
				strategiesCutoff: {
					actions: "cutOpenStrategies",
				},
			},
			on: {
				"strategies.reported": {
					guard: "reportIsFresh",
					actions: "takeReports",
				},
				"strategies.wake": {
					actions: "wakeDueStrategies",
				},
			},
		},
		ranking: {
			entry: [
				"openRanking",
				{ type: "rankOpportunities", params: ({ context }) => ({ deadline_at_ms: context.input.deadline_at_ms }) },
			],
			after: {
				scanDeadline: {
					target: "failed",
					actions: "expireRanking",
				},
				rankingReissue: { actions: "reissueRanking" },
			},
			on: {
				"ranking.completed": {
					target: "completed",
					actions: "keepRanking",
				},
				"ranking.failed": {
					target: "failed",
					actions: "failRanking",
				},
			},
		},
		completed: {
			type: "final",
			entry: "complete",
		},
		failed: {
			id: "failed",
			type: "final",
			entry: "failScan",
		},
		cancelled: {
			id: "cancelled",
			type: "final",
			entry: "cancelScan",
		},
	},
});

function createdPayload({ input }: ScanContext): Params {
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

export type ScanMachine = typeof scanMachine;
