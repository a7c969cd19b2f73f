import type { ScanEvent } from "./events.ts";
import { allSettled, cutoffAtMs, discoveryDeadlineMs, noneUsable, portfolioDeadlineMs } from "./scan-rules.ts";
import { hasFreshReport } from "./scan-strategies.ts";
import { limitPassed, type ReissuedPhase, reissueAtMs, retryAtMs, waitsToRetry } from "./stall.ts";
import type { ScanContext } from "./types.ts";

/** The named guards and delays of `scan.v1`. */

type GuardArgs = { context: ScanContext; event: ScanEvent };
const answerIsMissing =
	(phase: ReissuedPhase) =>
	({ context }: GuardArgs) =>
		!waitsToRetry(context, phase);
const pauseIsOver =
	(phase: ReissuedPhase) =>
	({ context, event }: GuardArgs) =>
		event.type === "phase.retry" && event.at_ms === context.phases[phase]?.retry_at_ms;
const limitIsOver =
	(phase: ReissuedPhase) =>
	({ context, event }: GuardArgs) =>
		limitPassed(context, phase, event.type === "phase.expired" ? event.at_ms : null);

/** Never negative: a deadline that has passed is due at once. */
const timeLeftMs = (context: ScanContext, atMs: number): number => Math.max(0, atMs - context.now_ms);

export const GUARDS = {
	allStrategiesSettled: ({ context }: GuardArgs) => allSettled(context),
	noStrategyUsable: ({ context }: GuardArgs) => noneUsable(context),
	reportIsFresh: ({ context, event }: GuardArgs) =>
		event.type === "strategies.reported" && hasFreshReport(context, event.reports),
	failureMayPass: ({ context, event }: GuardArgs) => retryAtMs(context, event) !== null,
	portfolioAnswerMissing: answerIsMissing("portfolio_fetch"),
	discoveryAnswerMissing: answerIsMissing("asset_discovery"),
	rankingAnswerMissing: answerIsMissing("ranking"),
	portfolioPauseOver: pauseIsOver("portfolio_fetch"),
	discoveryPauseOver: pauseIsOver("asset_discovery"),
	rankingPauseOver: pauseIsOver("ranking"),
	portfolioLimitOver: limitIsOver("portfolio_fetch"),
	discoveryLimitOver: limitIsOver("asset_discovery"),
	tooManyTakeovers: ({ context, event }: GuardArgs) =>
		event.type === "scan.resumed" && event.lost_lease && context.resumes >= context.input.limits.resumes_max,
};

export const DELAYS = {
	portfolioDeadline: ({ context }: GuardArgs) => timeLeftMs(context, portfolioDeadlineMs(context)),
	discoveryDeadline: ({ context }: GuardArgs) => timeLeftMs(context, discoveryDeadlineMs(context)),
	strategiesCutoff: ({ context }: GuardArgs) => timeLeftMs(context, cutoffAtMs(context)),
	scanDeadline: ({ context }: GuardArgs) => timeLeftMs(context, context.input.deadline_at_ms),
	portfolioReissue: ({ context }: GuardArgs) => timeLeftMs(context, reissueAtMs(context, "portfolio_fetch")),
	discoveryReissue: ({ context }: GuardArgs) => timeLeftMs(context, reissueAtMs(context, "asset_discovery")),
	rankingReissue: ({ context }: GuardArgs) => timeLeftMs(context, reissueAtMs(context, "ranking")),
};
