import { setup } from "xstate";
import { DELAYS, GUARDS } from "./scan-guards.ts";
import { discoveryDeadlineMs, portfolioDeadlineMs } from "./scan-rules.ts";
import { createdPayload, slots, steps, types } from "./scan-slots.ts";
import type { ScanInput } from "./types.ts";

/**
 * XState makes an actor for every pure transition, without input, only to have something to hang it on, and drops
 * what its first state throws. One error made beforehand keeps that cheap: each new one would trace the stack.
 */
const WITHOUT_INPUT = new Error("a scan begins with its input");

/**
 * `scan.v1`: one scan from acceptance to exactly one of completed, failed, cancelled.
 * Pure: time and results arrive as events, effects and journal entries leave as named actions.
 * Deadlines are delayed raises, which a durable host stores as absolute times.
 */

export const scanMachine = setup({
	types,
	actions: { ...slots, ...steps },
	guards: GUARDS,
	delays: DELAYS,
}).createMachine({
	id: "scan.v1",
	description: "One scan: portfolio, assets, strategies, ranking, and exactly one end",
	context: ({ input }) => {
		if ((input as ScanInput | undefined) === undefined) throw WITHOUT_INPUT;
		return {
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
		};
	},
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
				portfolioReissue: { guard: "portfolioAnswerMissing", actions: "reissuePortfolio" },
				portfolioDeadline: {
					guard: "portfolioLimitOver",
					target: "failed",
					actions: "expirePortfolio",
				},
			},
			on: {
				"portfolio.fetched": {
					target: "asset_discovery",
					actions: "keepPortfolio",
				},
				"portfolio.failed": [
					{
						guard: "failureMayPass",
						actions: "planRetryOfPortfolio",
					},
					{
						target: "failed",
						actions: "failPortfolio",
					},
				],
				"phase.retry": {
					guard: "portfolioPauseOver",
					actions: "retryPortfolio",
				},
				"phase.expired": {
					guard: "portfolioLimitOver",
					target: "failed",
					actions: "expirePortfolio",
				},
			},
		},
		asset_discovery: {
			entry: [
				"openDiscovery",
				{ type: "discoverAssets", params: ({ context }) => ({ deadline_at_ms: discoveryDeadlineMs(context) }) },
			],
			after: {
				discoveryReissue: { guard: "discoveryAnswerMissing", actions: "reissueDiscovery" },
				discoveryDeadline: {
					guard: "discoveryLimitOver",
					target: "failed",
					actions: "expireDiscovery",
				},
			},
			on: {
				"assets.discovered": {
					target: "strategies_scan",
					actions: "keepAssets",
				},
				"assets.failed": [
					{
						guard: "failureMayPass",
						actions: "planRetryOfDiscovery",
					},
					{
						target: "failed",
						actions: "failDiscovery",
					},
				],
				"phase.retry": {
					guard: "discoveryPauseOver",
					actions: "retryDiscovery",
				},
				"phase.expired": {
					guard: "discoveryLimitOver",
					target: "failed",
					actions: "expireDiscovery",
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
				rankingReissue: { guard: "rankingAnswerMissing", actions: "reissueRanking" },
			},
			on: {
				"ranking.completed": {
					target: "completed",
					actions: "keepRanking",
				},
				"ranking.failed": [
					{
						guard: "failureMayPass",
						actions: "planRetryOfRanking",
					},
					{
						target: "failed",
						actions: "failRanking",
					},
				],
				"phase.retry": {
					guard: "rankingPauseOver",
					actions: "retryRanking",
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

export type ScanMachine = typeof scanMachine;
