import type {
	AssetsSummary,
	CancelReason,
	Failure,
	PortfolioSummary,
	RankingSummary,
	ScanErrorCode,
	Tally,
} from "./types.ts";

/** What one attempt says of itself. Late reports (other attempt, settled entry) change nothing. */
export type StrategyReport = { strategy_id: string; attempt: number } & (
	| { kind: "progressed"; tally: Tally }
	/** Ran on all candidates. `degraded` when some candidate or source failed. */
	| { kind: "finished"; tally: Tally; degraded: Failure | null }
	/** The strategy had nothing to run on: no_positions, no_symbols, portfolio_too_small. */
	| { kind: "skipped"; reason: "no_symbols" | "no_positions" | "portfolio_too_small"; tally: Tally }
	| { kind: "failed"; error: Failure; reason: string | null; tally: Tally | null }
);

/** Events of `scan.v1`. Each carries `at_ms`, the moment on the store's clock at which it happened. */
export type ScanEvent = { at_ms: number } & (
	| { type: "scan.claimed"; worker_id: string; lease_expires_at_ms: number }
	/**
	 * `lost_lease`: the former holder vanished (counts towards resumes_max); false: it handed over. `idle_ms`: since
	 * the former holder was last heard of; absent in journals of older programs.
	 */
	| { type: "scan.resumed"; worker_id: string; lease_expires_at_ms: number; lost_lease: boolean; idle_ms?: number }
	| { type: "portfolio.fetched"; portfolio: PortfolioSummary }
	| { type: "portfolio.failed"; error: Failure }
	| { type: "assets.discovered"; assets: AssetsSummary }
	| { type: "assets.failed"; error: Failure }
	| { type: "strategies.reported"; reports: StrategyReport[] }
	/** Raised by the machine for itself: some strategy's deadline or retry time has come. */
	| { type: "strategies.wake" }
	/** Raised by the machine for itself: the time to issue a failed effect of the phase again. */
	| { type: "phase.retry" }
	/** Raised by the machine for itself: the phase's limit, where a takeover has moved it. */
	| { type: "phase.expired" }
	| { type: "ranking.completed"; ranking: RankingSummary }
	| { type: "ranking.failed"; error: Failure }
	| {
			type: "scan.cancel_requested";
			by: string;
			reason: CancelReason;
			superseded_by: string | null;
			/** In the words of whoever cancelled; absent when nothing was said. */
			reason_text?: string;
	  }
	/** The watchdog's terminal event for a scan that nobody answers for. */
	| {
			type: "scan.abandoned";
			code: Extract<ScanErrorCode, "worker_lost" | "not_claimed" | "internal_error">;
			message: string;
	  }
);

/** Journal types: named actions of the machine whose params are the payload. */
export const JOURNAL_TYPES = [
	"scan.created",
	"scan.claimed",
	"scan.resumed",
	"phase.started",
	"phase.completed",
	"phase.failed",
	"portfolio.fetched",
	"assets.discovered",
	"strategies.resolved",
	"strategy.started",
	"strategy.retried",
	"strategy.row_found",
	"strategy.settled",
	"ranking.completed",
	"scan.cancel_requested",
	"scan.completed",
	"scan.failed",
	"scan.cancelled",
] as const;
export type JournalType = (typeof JOURNAL_TYPES)[number];

/** Effect slots: named actions of the machine that the runtime carries out after the commit. */
export const EFFECT_TYPES = ["fetchPortfolio", "discoverAssets", "evaluateStrategy", "rankOpportunities"] as const;
export type EffectType = (typeof EFFECT_TYPES)[number];

/** One effect that must be running for the present snapshot. `key` is unique within the scan. */
export type ScanEffect =
	| { key: string; type: "fetchPortfolio"; deadline_at_ms: number }
	| { key: string; type: "discoverAssets"; deadline_at_ms: number }
	| { key: string; type: "evaluateStrategy"; strategy_id: string; attempt: number; deadline_at_ms: number }
	| { key: string; type: "rankOpportunities"; deadline_at_ms: number };

/** Seals a report from outside: the runtime takes only these types, never `xstate.*`. */
export const INBOX_EVENT_TYPES = ["scan.cancel_requested"] as const;
