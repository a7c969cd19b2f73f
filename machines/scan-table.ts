import { ENDS } from "./scan-ends.ts";
import {
	applyCuts,
	chain,
	closePhase,
	cutoffAtMs,
	discoveryDeadlineMs,
	endOf,
	later,
	noneUsableCode,
	openPhase,
	outcomeOf,
	portfolioDeadlineMs,
	verdictCounts,
} from "./scan-rules.ts";
import {
	abandon,
	atEvent,
	budgetOr,
	fail,
	iso,
	issueAgain,
	type NamedStep,
	only,
	planAgain,
	reissue,
} from "./scan-steps.ts";
import { applyReports, cutStrategies, resolveStrategies, restartRunning, wakeStrategies } from "./scan-strategies.ts";
import { giveBackTime } from "./stall.ts";
import type { ScanContext } from "./types.ts";

/** Every step that `scan.v1` takes, by the name it has in the machine. */
export const STEPS = {
	noteCancel: {
		writes: ["scan.cancel_requested"],
		rule: (held, event) => {
			if (event.type !== "scan.cancel_requested") return only(held);
			const context = atEvent(held, event);
			const { by, reason, superseded_by, reason_text } = event;
			const end = endOf(context, { by, reason, superseded_by });
			return only(
				{ ...context, end },
				{ type: "scan.cancel_requested", params: { by, reason, ...(reason_text ? { reason_text } : {}) } },
			);
		},
	},
	abandonScan: {
		writes: ["phase.failed"],
		rule: abandon((_, event) => ({
			code: event.type === "scan.abandoned" ? event.code : "internal_error",
			message: event.type === "scan.abandoned" ? event.message : "The scan was abandoned",
		})),
	},
	giveUpOnWorkers: {
		writes: ["phase.failed"],
		rule: abandon((context) => ({
			code: "worker_lost",
			message: `The scan lost its worker ${context.resumes + 1} times`,
		})),
	},
	takeOver: {
		writes: ["scan.resumed", "strategy.started", "evaluateStrategy"],
		rule: (held, event) => {
			if (event.type !== "scan.resumed") return only(held);
			const { worker_id, lease_expires_at_ms, lost_lease, idle_ms = 0 } = event;
			const context: ScanContext = {
				...atEvent(held, event),
				worker_id,
				attempt: held.attempt + 1,
				resumes: held.resumes + (lost_lease ? 1 : 0),
			};
			const cause = lost_lease ? "lease_lost" : "handed_over";
			const params = { worker_id, lease_expires_at: iso(lease_expires_at_ms), attempt: context.attempt, cause };
			return chain(
				context,
				(same) => only(same, { type: "scan.resumed", params }),
				(same) => giveBackTime(same, idle_ms),
				(same) => restartRunning(same, idle_ms),
			);
		},
	},
	expireUnclaimed: {
		writes: [],
		rule: fail("queued", (context) => ({
			code: "not_claimed",
			message: "No worker took the scan before its deadline",
			is_timeout: true,
			at_ms: context.input.deadline_at_ms,
		})),
	},
	claim: {
		writes: ["scan.claimed"],
		rule: (held, { type: _type, ...event }) => {
			if (!("worker_id" in event)) return only(held);
			const { at_ms, worker_id, lease_expires_at_ms } = event;
			const now_ms = later(held, at_ms);
			const context = { ...held, now_ms, worker_id, claimed_at_ms: now_ms, attempt: 1 };
			const params = { worker_id, lease_expires_at: iso(lease_expires_at_ms), attempt: 1 };
			return only(context, { type: "scan.claimed", params });
		},
	},
	startScan: {
		writes: ["phase.started", "phase.completed"],
		rule: (context) =>
			chain(
				context,
				(same) => openPhase(same, "started", { force_refresh: context.input.force_refresh }),
				(same) => closePhase(same, "started", "phase.completed"),
			),
	},
	openPortfolio: { writes: ["phase.started"], rule: (context) => openPhase(context, "portfolio_fetch") },
	reissuePortfolio: { writes: ["phase.started"], rule: reissue("portfolio_fetch") },
	planRetryOfPortfolio: { writes: ["phase.started"], rule: planAgain("portfolio_fetch") },
	retryPortfolio: { writes: [], rule: issueAgain("portfolio_fetch") },
	expirePortfolio: {
		writes: ["phase.failed"],
		rule: fail("portfolio_fetch", (context) =>
			budgetOr(context, portfolioDeadlineMs(context), "portfolio_fetch_failed", "the portfolio was being fetched"),
		),
	},
	keepPortfolio: {
		writes: ["portfolio.fetched", "phase.completed"],
		rule: (held, event) => {
			if (event.type !== "portfolio.fetched") return only(held);
			const { positions, portfolio_version, accounts } = event.portfolio;
			const params = { positions, portfolio_version, ...(accounts ? { accounts } : {}) };
			const context = { ...atEvent(held, event), portfolio: event.portfolio };
			const extras = { strategies_count: context.input.strategies.length, filters: context.input.filters };
			return chain(
				context,
				(same) => only(same, { type: "portfolio.fetched", params }),
				(same) => closePhase(same, "portfolio_fetch", "phase.completed", extras),
			);
		},
	},
	failPortfolio: {
		writes: ["phase.failed"],
		rule: fail("portfolio_fetch", (_, event) => ({
			code: "portfolio_fetch_failed",
			message: event.type === "portfolio.failed" ? event.error.message : "The portfolio could not be fetched",
		})),
	},
	openDiscovery: { writes: ["phase.started"], rule: (context) => openPhase(context, "asset_discovery") },
	reissueDiscovery: { writes: ["phase.started"], rule: reissue("asset_discovery") },
	planRetryOfDiscovery: { writes: ["phase.started"], rule: planAgain("asset_discovery") },
	retryDiscovery: { writes: [], rule: issueAgain("asset_discovery") },
	expireDiscovery: {
		writes: ["phase.failed"],
		rule: fail("asset_discovery", (context) =>
			budgetOr(context, discoveryDeadlineMs(context), "asset_discovery_failed", "assets were being discovered"),
		),
	},
	keepAssets: {
		writes: ["assets.discovered", "phase.completed"],
		rule: (held, event) => {
			if (event.type !== "assets.discovered") return only(held);
			const { total_assets, tiers, excluded, sources } = event.assets;
			const context = { ...atEvent(held, event), assets: event.assets };
			return chain(
				context,
				(same) => only(same, { type: "assets.discovered", params: { total_assets, tiers, excluded, sources } }),
				(same) => closePhase(same, "asset_discovery", "phase.completed", { total_assets }),
			);
		},
	},
	failDiscovery: {
		writes: ["phase.failed"],
		rule: fail("asset_discovery", (_, event) => ({
			code: "asset_discovery_failed",
			message: event.type === "assets.failed" ? event.error.message : "Assets could not be discovered",
		})),
	},
	openStrategies: {
		writes: [
			"phase.started",
			"strategies.resolved",
			"strategy.row_found",
			"strategy.settled",
			"strategy.started",
			"evaluateStrategy",
		],
		rule: (context) =>
			chain(
				context,
				(same) => openPhase(same, "strategies_scan", { total_strategies: same.input.strategies.length }),
				resolveStrategies,
			),
	},
	failWithoutAnswer: {
		writes: ["phase.failed"],
		rule: fail("strategies_scan", (context) => ({
			code: noneUsableCode(context),
			message:
				noneUsableCode(context) === "budget_exceeded" ? "Every strategy ran out of time" : "No strategy gave an answer",
			is_timeout: noneUsableCode(context) === "budget_exceeded",
		})),
	},
	closeStrategies: {
		writes: ["phase.completed"],
		rule: (context) =>
			closePhase(context, "strategies_scan", "phase.completed", {
				total_strategies: context.strategies.length,
				strategies_completed: context.strategies.length,
				opportunities_found: context.opportunities_found,
				verdicts: verdictCounts(context.strategies),
			}),
	},
	cutOpenStrategies: {
		writes: ["strategy.settled"],
		rule: (context) => cutStrategies({ ...context, now_ms: later(context, cutoffAtMs(context)) }),
	},
	takeReports: {
		writes: ["strategy.row_found", "strategy.settled", "strategy.retried", "strategy.started", "evaluateStrategy"],
		rule: (held, event) =>
			event.type === "strategies.reported" ? applyReports(atEvent(held, event), event.reports) : only(held),
	},
	wakeDueStrategies: {
		writes: ["strategy.settled", "strategy.started", "evaluateStrategy"],
		rule: (held, event) => wakeStrategies({ ...atEvent(held, event), wake_at_ms: null }),
	},
	openRanking: { writes: ["phase.started"], rule: (context) => openPhase(context, "ranking") },
	expireRanking: {
		writes: ["phase.failed"],
		rule: fail("ranking", (context) =>
			budgetOr(context, context.input.deadline_at_ms, "budget_exceeded", "opportunities were being ranked"),
		),
	},
	reissueRanking: { writes: ["phase.started"], rule: reissue("ranking") },
	planRetryOfRanking: { writes: ["phase.started"], rule: planAgain("ranking") },
	retryRanking: { writes: [], rule: issueAgain("ranking") },
	keepRanking: {
		writes: ["ranking.completed", "phase.completed"],
		rule: (held, event) => {
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
		},
	},
	failRanking: {
		writes: ["phase.failed"],
		rule: fail("ranking", (_, event) => ({
			code: "ranking_failed",
			message: event.type === "ranking.failed" ? event.error.message : "Ranking failed",
		})),
	},
	...ENDS,
} as const satisfies Record<string, NamedStep>;

export type StepName = keyof typeof STEPS;
