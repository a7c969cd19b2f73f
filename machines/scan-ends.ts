import { chain, closePhase, endOf, openPhase, totals } from "./scan-rules.ts";
import { type NamedStep, only, runningPhase } from "./scan-steps.ts";
import { cutStrategies, settleWhere } from "./scan-strategies.ts";

/** The steps that end a scan: entering completed, failed or cancelled closes what is still open. */
export const ENDS = {
	complete: {
		writes: ["phase.started", "phase.completed", "scan.completed"],
		rule: (context) => {
			const done = { ...context, end: endOf(context, {}) };
			return chain(
				done,
				(same) => openPhase(same, "completed"),
				(same) => closePhase(same, "completed", "phase.completed"),
				(same) => only(same, { type: "scan.completed", params: { outcome: same.outcome, ...totals(same) } }),
			);
		},
	},
	failScan: {
		writes: ["strategy.settled", "phase.started", "phase.completed", "scan.failed"],
		rule: (context) => {
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
		},
	},
	cancelScan: {
		writes: ["strategy.settled", "phase.failed", "phase.started", "phase.completed", "scan.cancelled"],
		rule: (context) => {
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
		},
	},
} as const satisfies Record<string, NamedStep>;
