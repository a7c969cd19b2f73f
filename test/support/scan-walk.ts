import type { ScanEvent, StrategyReport } from "../../machines/events.ts";
import type { PortfolioSummary, ScanContext, StrategyEntry } from "../../machines/types.ts";
import { tally } from "./scan-input.ts";

/** Events for tests of the scan machine, built so that they fit the state they are sent to. */

export const ASSUMED_PORTFOLIO: PortfolioSummary = {
	positions: 0,
	portfolio_version: 0,
	capital_usd: 10_000,
	assumed: true,
	source: "assumed",
	duration_ms: 1,
};

export const portfolioFetched = (at_ms: number): ScanEvent => ({
	type: "portfolio.fetched",
	at_ms,
	portfolio: ASSUMED_PORTFOLIO,
});

export const assetsDiscovered = (at_ms: number): ScanEvent => ({
	type: "assets.discovered",
	at_ms,
	assets: {
		total_assets: 3,
		tiers: { tier_institutional: 3 },
		excluded: { stablecoin: 1 },
		sources: [{ name: "binance", ok: true, error: null, assets: 3 }],
		universe_ref: "ref",
		as_of_ms: at_ms,
		data_source: { kind: "recorded", name: "test", as_of: null },
		filters_unmatched: [],
		duration_ms: 1,
	},
});

export const claimed = (at_ms: number): ScanEvent => ({
	type: "scan.claimed",
	at_ms,
	worker_id: "worker-1",
	lease_expires_at_ms: at_ms + 6_000,
});

export const resumed = (at_ms: number, lost_lease = true, idle_ms?: number): ScanEvent => ({
	type: "scan.resumed",
	at_ms,
	worker_id: "worker-2",
	lease_expires_at_ms: at_ms + 6_000,
	lost_lease,
	...(idle_ms === undefined ? {} : { idle_ms }),
});

const FAILURES = {
	portfolio_fetch: "portfolio.failed",
	asset_discovery: "assets.failed",
	ranking: "ranking.failed",
} as const;

/** The effect of a phase failed. */
export const phaseFailed = (phase: keyof typeof FAILURES, at_ms: number, retryable = true): ScanEvent => ({
	type: FAILURES[phase],
	at_ms,
	error: { code: "store_unavailable", message: "The store did not answer", retryable },
});

export const ranked = (context: ScanContext, at_ms: number): ScanEvent => ({
	type: "ranking.completed",
	at_ms,
	ranking: {
		ranked_count: context.strategies.reduce((sum, entry) => sum + entry.tally.row_ids.length, 0),
		unproven_count: 0,
		cut: {},
		recommendations_count: 0,
		recommendations: "completed",
		duration_ms: 1,
	},
});

export const cancelRequested = (at_ms: number): ScanEvent => ({
	type: "scan.cancel_requested",
	at_ms,
	by: "user",
	reason: "user_request",
	superseded_by: null,
});

export type ReportKind = "found" | "empty" | "degraded" | "retryable" | "fatal" | "skipped" | "progress" | "unbalanced";
export const REPORT_KINDS: readonly ReportKind[] = [
	"found",
	"empty",
	"degraded",
	"retryable",
	"fatal",
	"skipped",
	"progress",
	"unbalanced",
];

export function report(entry: Pick<StrategyEntry, "strategy_id" | "attempt">, kind: ReportKind): StrategyReport {
	const { strategy_id, attempt } = entry;
	const id = `${strategy_id}#row`;
	const full = tally({ candidates_total: 3, evaluated: 3, row_ids: [id], rejected: { no_trigger: 2 } });
	switch (kind) {
		case "found":
			return { strategy_id, attempt, kind: "finished", degraded: null, tally: full };
		case "empty":
			return {
				strategy_id,
				attempt,
				kind: "finished",
				degraded: null,
				tally: tally({ candidates_total: 3, evaluated: 3, rejected: { no_trigger: 3 } }),
			};
		case "degraded":
			return {
				strategy_id,
				attempt,
				kind: "finished",
				degraded: { code: "fetch_failed", message: "one", retryable: true },
				tally: full,
			};
		case "retryable":
			return {
				strategy_id,
				attempt,
				kind: "failed",
				reason: null,
				tally: null,
				error: { code: "fetch_failed", message: "again", retryable: true },
			};
		case "fatal":
			return {
				strategy_id,
				attempt,
				kind: "failed",
				reason: "schema_violation",
				tally: null,
				error: { code: "schema_violation", message: "no", retryable: false },
			};
		case "skipped":
			return { strategy_id, attempt, kind: "skipped", reason: "no_symbols", tally: tally() };
		case "progress":
			return {
				strategy_id,
				attempt,
				kind: "progressed",
				tally: tally({ candidates_total: 3, evaluated: 3, row_ids: [id] }),
			};
		case "unbalanced":
			return {
				strategy_id,
				attempt,
				kind: "finished",
				degraded: null,
				tally: tally({ candidates_total: 3, evaluated: 3, row_ids: [id] }),
			};
	}
}

export const reported = (at_ms: number, ...reports: StrategyReport[]): ScanEvent => ({
	type: "strategies.reported",
	at_ms,
	reports,
});
