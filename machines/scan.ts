import { setup } from "xstate";
import type { ScanEvent } from "./events.ts";
import {
	allSettled,
	applyCuts,
	chain,
	closePhase,
	cutoffAtMs,
	discoveryDeadlineMs,
	type Entry,
	endOf,
	evaluation,
	later,
	noneUsable,
	noneUsableCode,
	openPhase,
	outcomeOf,
	portfolioDeadlineMs,
	type Step,
	totals,
	verdictCounts,
} from "./scan-rules.ts";
import {
	applyReports,
	cutStrategies,
	hasFreshReport,
	nextWakeMs,
	resolveStrategies,
	restartRunning,
	settleWhere,
	wakeStrategies,
} from "./scan-strategies.ts";
import { type ReissuedPhase, reissueAtMs, reissuePhase } from "./stall.ts";
import type { Phase, ScanContext, ScanEnd, ScanErrorCode, ScanInput, ScanPosition } from "./types.ts";

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

const base = setup({
	types: { context: {} as ScanContext, events: {} as ScanEvent, input: {} as ScanInput },
	actions: {
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
	},
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
});

/** Never negative: a deadline that has passed is due at once. */
const timeLeftMs = (context: ScanContext, atMs: number): number => Math.max(0, atMs - context.now_ms);

type Rule = (context: ScanContext, event: ScanEvent) => Step;

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

const only = (context: ScanContext, ...entries: Entry[]): Step => ({ context, entries, started: [] });
const atEvent = (context: ScanContext, event: ScanEvent): ScanContext =>
	"at_ms" in event ? { ...context, now_ms: later(context, event.at_ms) } : context;

/** Ends the phase in hand as failed and notes why the scan fails; entering `failed` does the rest. */
const fail = (
	phase: ScanPosition,
	facts: (
		context: ScanContext,
		event: ScanEvent,
	) => { code: ScanErrorCode; message: string; is_timeout?: boolean; at_ms?: number },
) =>
	apply((held, event) => {
		const { code, message, is_timeout = false, at_ms = held.now_ms } = facts(held, event);
		const context = { ...atEvent(held, event), now_ms: later(atEvent(held, event), at_ms) };
		const end: ScanEnd = endOf(context, { error: { code, message, phase }, is_timeout });
		const noted = { ...context, end };
		if (phase === "queued") return only(noted);
		return closePhase(noted, phase, "phase.failed", { error: message, error_code: code, is_timeout });
	});

const reissue = (phase: ReissuedPhase) => apply((context) => reissuePhase(context, phase));

const budgetOr = (context: ScanContext, atMs: number, code: ScanErrorCode, what: string) => {
	const budget = atMs >= cutoffAtMs(context);
	return {
		code: budget ? ("budget_exceeded" as const) : code,
		message: budget ? `The scan's budget ended while ${what}` : `The time limit passed while ${what}`,
		is_timeout: true,
		at_ms: atMs,
	};
};

const runningPhase = (context: ScanContext): Phase =>
	(["ranking", "strategies_scan", "asset_discovery", "portfolio_fetch", "started"] as const).find(
		(phase) => context.phases[phase] && context.phases[phase]?.ended_at_ms === null,
	) ?? "started";

/** Fails from wherever the scan stands. */
const abandon = (facts: (context: ScanContext, event: ScanEvent) => { code: ScanErrorCode; message: string }) =>
	apply((held, event) => {
		const context = atEvent(held, event);
		const queued = Object.keys(context.phases).length === 0;
		const phase: ScanPosition = queued ? "queued" : runningPhase(context);
		const { code, message } = facts(context, event);
		const is_timeout = context.now_ms >= context.input.deadline_at_ms;
		const noted = { ...context, end: endOf(context, { error: { code, message, phase }, is_timeout }) };
		return phase === "queued"
			? only(noted)
			: closePhase(noted, phase, "phase.failed", { error: message, error_code: code, is_timeout });
	});

export const scanMachine = base.createMachine({
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
			actions: apply((held, event) => {
				if (event.type !== "scan.cancel_requested") return only(held);
				const context = atEvent(held, event);
				const { by, reason, superseded_by, reason_text } = event;
				const end = endOf(context, { by, reason, superseded_by });
				return only(
					{ ...context, end },
					{ type: "scan.cancel_requested", params: { by, reason, ...(reason_text ? { reason_text } : {}) } },
				);
			}),
		},
		"scan.abandoned": {
			target: "#failed",
			actions: abandon((_, event) => ({
				code: event.type === "scan.abandoned" ? event.code : "internal_error",
				message: event.type === "scan.abandoned" ? event.message : "The scan was abandoned",
			})),
		},
		"scan.resumed": [
			{
				guard: "tooManyTakeovers",
				target: "#failed",
				actions: abandon((context) => ({
					code: "worker_lost",
					message: `The scan lost its worker ${context.resumes + 1} times`,
				})),
			},
			{
				actions: apply((held, event) => {
					if (event.type !== "scan.resumed") return only(held);
					const { worker_id, lease_expires_at_ms, lost_lease } = event;
					const context: ScanContext = {
						...atEvent(held, event),
						worker_id,
						attempt: held.attempt + 1,
						resumes: held.resumes + (lost_lease ? 1 : 0),
					};
					const cause = lost_lease ? "lease_lost" : "handed_over";
					const params = { worker_id, lease_expires_at: iso(lease_expires_at_ms), attempt: context.attempt, cause };
					return chain(context, (same) => only(same, { type: "scan.resumed", params }), restartRunning);
				}),
			},
		],
	},
	states: {
		queued: {
			entry: [{ type: "scan.created", params: ({ context }) => createdPayload(context) }],
			after: {
				scanDeadline: {
					target: "failed",
					actions: fail("queued", (context) => ({
						code: "not_claimed",
						message: "No worker took the scan before its deadline",
						is_timeout: true,
						at_ms: context.input.deadline_at_ms,
					})),
				},
			},
			on: {
				"scan.claimed": {
					target: "started",
					actions: apply((held, { type: _type, ...event }) => {
						if (!("worker_id" in event)) return only(held);
						const { at_ms, worker_id, lease_expires_at_ms } = event;
						const now_ms = later(held, at_ms);
						const context = { ...held, now_ms, worker_id, claimed_at_ms: now_ms, attempt: 1 };
						const params = { worker_id, lease_expires_at: iso(lease_expires_at_ms), attempt: 1 };
						return only(context, { type: "scan.claimed", params });
					}),
				},
			},
		},
		started: {
			description: "The profile was fixed when the scan was accepted, so this phase closes at once",
			entry: apply((context) =>
				chain(
					context,
					(same) => openPhase(same, "started", { force_refresh: context.input.force_refresh }),
					(same) => closePhase(same, "started", "phase.completed"),
				),
			),
			always: "portfolio_fetch",
		},
		portfolio_fetch: {
			entry: [
				apply((context) => openPhase(context, "portfolio_fetch")),
				{ type: "fetchPortfolio", params: ({ context }) => ({ deadline_at_ms: portfolioDeadlineMs(context) }) },
			],
			after: {
				portfolioReissue: { actions: reissue("portfolio_fetch") },
				portfolioDeadline: {
					target: "failed",
					actions: fail("portfolio_fetch", (context) =>
						budgetOr(
							context,
							portfolioDeadlineMs(context),
							"portfolio_fetch_failed",
							"the portfolio was being fetched",
						),
					),
				},
			},
			on: {
				"portfolio.fetched": {
					target: "asset_discovery",
					actions: apply((held, event) => {
						if (event.type !== "portfolio.fetched") return only(held);
						const { positions, portfolio_version } = event.portfolio;
						const context = { ...atEvent(held, event), portfolio: event.portfolio };
						const extras = { strategies_count: context.input.strategies.length, filters: context.input.filters };
						return chain(
							context,
							(same) => only(same, { type: "portfolio.fetched", params: { positions, portfolio_version } }),
							(same) => closePhase(same, "portfolio_fetch", "phase.completed", extras),
						);
					}),
				},
				"portfolio.failed": {
					target: "failed",
					actions: fail("portfolio_fetch", (_, event) => ({
						code: "portfolio_fetch_failed",
						message: event.type === "portfolio.failed" ? event.error.message : "The portfolio could not be fetched",
					})),
				},
			},
		},
		asset_discovery: {
			entry: [
				apply((context) => openPhase(context, "asset_discovery")),
				{ type: "discoverAssets", params: ({ context }) => ({ deadline_at_ms: discoveryDeadlineMs(context) }) },
			],
			after: {
				discoveryReissue: { actions: reissue("asset_discovery") },
				discoveryDeadline: {
					target: "failed",
					actions: fail("asset_discovery", (context) =>
						budgetOr(context, discoveryDeadlineMs(context), "asset_discovery_failed", "assets were being discovered"),
					),
				},
			},
			on: {
				"assets.discovered": {
					target: "strategies_scan",
					actions: apply((held, event) => {
						if (event.type !== "assets.discovered") return only(held);
						const { total_assets, tiers, excluded, sources } = event.assets;
						const context = { ...atEvent(held, event), assets: event.assets };
						return chain(
							context,
							(same) => only(same, { type: "assets.discovered", params: { total_assets, tiers, excluded, sources } }),
							(same) => closePhase(same, "asset_discovery", "phase.completed", { total_assets }),
						);
					}),
				},
				"assets.failed": {
					target: "failed",
					actions: fail("asset_discovery", (_, event) => ({
						code: "asset_discovery_failed",
						message: event.type === "assets.failed" ? event.error.message : "Assets could not be discovered",
					})),
				},
			},
		},
		strategies_scan: {
			entry: apply((context) =>
				chain(
					context,
					(same) => openPhase(same, "strategies_scan", { total_strategies: same.input.strategies.length }),
					resolveStrategies,
				),
			),
			always: [
				{
					guard: "noStrategyUsable",
					target: "failed",
					actions: fail("strategies_scan", (context) => ({
						code: noneUsableCode(context),
						message:
							noneUsableCode(context) === "budget_exceeded"
								? "Every strategy ran out of time"
								: "No strategy gave an answer",
						is_timeout: noneUsableCode(context) === "budget_exceeded",
					})),
				},
				{
					guard: "allStrategiesSettled",
					target: "ranking",
					actions: apply((context) =>
						closePhase(context, "strategies_scan", "phase.completed", {
							total_strategies: context.strategies.length,
							strategies_completed: context.strategies.length,
							opportunities_found: context.opportunities_found,
							verdicts: verdictCounts(context.strategies),
						}),
					),
				},
			],
			after: {
				strategiesCutoff: {
					actions: apply((context) => cutStrategies({ ...context, now_ms: later(context, cutoffAtMs(context)) })),
				},
			},
			on: {
				"strategies.reported": {
					guard: "reportIsFresh",
					actions: apply((held, event) =>
						event.type === "strategies.reported" ? applyReports(atEvent(held, event), event.reports) : only(held),
					),
				},
				"strategies.wake": {
					actions: apply((held, event) => wakeStrategies({ ...atEvent(held, event), wake_at_ms: null })),
				},
			},
		},
		ranking: {
			entry: [
				apply((context) => openPhase(context, "ranking")),
				{ type: "rankOpportunities", params: ({ context }) => ({ deadline_at_ms: context.input.deadline_at_ms }) },
			],
			after: {
				scanDeadline: {
					target: "failed",
					actions: fail("ranking", (context) =>
						budgetOr(context, context.input.deadline_at_ms, "budget_exceeded", "opportunities were being ranked"),
					),
				},
				rankingReissue: { actions: reissue("ranking") },
			},
			on: {
				"ranking.completed": {
					target: "completed",
					actions: apply((held, event) => {
						if (event.type !== "ranking.completed") return only(held);
						const { ranking } = event;
						const cut = applyCuts({ ...atEvent(held, event), ranking }, ranking.cut);
						const context = { ...cut, outcome: outcomeOf(cut) };
						const { ranked_count, unproven_count } = ranking;
						return chain(
							context,
							(same) =>
								only(same, {
									type: "ranking.completed",
									params: { ranked_count, unproven_count, outcome: context.outcome },
								}),
							(same) =>
								closePhase(same, "ranking", "phase.completed", {
									opportunities_count: held.opportunities_found,
									ranked_count,
									unproven_count,
								}),
						);
					}),
				},
				"ranking.failed": {
					target: "failed",
					actions: fail("ranking", (_, event) => ({
						code: "ranking_failed",
						message: event.type === "ranking.failed" ? event.error.message : "Ranking failed",
					})),
				},
			},
		},
		completed: {
			type: "final",
			entry: apply((context) => {
				const done = { ...context, end: endOf(context, {}) };
				return chain(
					done,
					(same) => openPhase(same, "completed"),
					(same) => closePhase(same, "completed", "phase.completed"),
					(same) => only(same, { type: "scan.completed", params: { outcome: same.outcome, ...totals(same) } }),
				);
			}),
		},
		failed: {
			id: "failed",
			type: "final",
			entry: apply((context) => {
				const { error, is_timeout } = context.end ?? endOf(context, {});
				const lost = {
					reason: error?.code ?? "internal_error",
					error: { code: error?.code ?? "internal_error", message: error?.message ?? "", retryable: false },
				};
				return chain(
					context,
					(same) => (is_timeout ? cutStrategies(same) : settleWhere(same, () => true, "failed", lost)),
					(same) => openPhase(same, "failed"),
					(same) => closePhase(same, "failed", "phase.completed"),
					(same) =>
						only(same, {
							type: "scan.failed",
							params: { error, error_code: error?.code, failed_phase: error?.phase, is_timeout, ...totals(same) },
						}),
				);
			}),
		},
		cancelled: {
			id: "cancelled",
			type: "final",
			entry: apply((context) => {
				const { reason, superseded_by, by } = context.end ?? endOf(context, {});
				const facts = { reason: "cancelled", error: null };
				const open = runningPhase(context);
				return chain(
					context,
					(same) => settleWhere(same, () => true, "cancelled", facts),
					(same) =>
						same.phases[open]?.ended_at_ms === null
							? closePhase(same, open, "phase.failed", { cancelled: true, reason })
							: only(same),
					(same) => openPhase(same, "cancelled"),
					(same) => closePhase(same, "cancelled", "phase.completed"),
					(same) => only(same, { type: "scan.cancelled", params: { reason, superseded_by, by, ...totals(same) } }),
				);
			}),
		},
	},
});

function iso(ms: number): string {
	return new Date(ms).toISOString();
}

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
