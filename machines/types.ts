/**
 * Domain vocabulary shared by the machines and everything around them.
 *
 * Rule of the house: JSON documents (context, events, journal payloads, rows) are snake_case,
 * because they cross the wire as they are; identifiers in code are camelCase. Units stand in names.
 */

import type { CancelReason, Outcome, Phase, ScanErrorCode, ScanPosition, SkipReason, Verdict } from "./words.ts";

export * from "./words.ts";

/** A failure as it may be stored: never an Error object, never a dependency's secret. */
export interface Failure {
	code: string;
	message: string;
	retryable: boolean;
}

/** Names a source of numbers; travels with every figure. */
export interface DataSource {
	kind: "live" | "recorded" | "simulated";
	name: string;
	as_of: string | null;
}

export interface NearMiss {
	symbol: string;
	reason: string;
	value: number | null;
	threshold: number | null;
	/** How far the candidate was from passing, in units of the threshold's own scale. */
	distance: number | null;
}

/**
 * What one attempt of a strategy has counted so far.
 * When complete: evaluated = row_ids.length + unproven_ids.length + sum(rejected).
 */
export interface Tally {
	/** symbol, pair, structure, position or proposal */
	candidate_unit: string;
	/** Before the policy's symbols_max. */
	candidates_total: number;
	/** The universe: candidates after symbols_max, each counted once. */
	evaluated: number;
	/** Ids of published rows, in the order they were found. */
	row_ids: string[];
	/** Ids of unproven rows. */
	unproven_ids: string[];
	rejected: Record<string, number>;
	near_misses: NearMiss[];
	data_as_of: string | null;
	data_age_seconds: number | null;
}

/** One strategy of a scan. Its journey obeys the rules of `strategy.v1` (strategy-rules.ts). */
export interface StrategyEntry {
	strategy_id: string;
	/** Catalogue index, 0..14. */
	index: number;
	/** Higher starts first. */
	priority: number;
	state: "queued" | "evaluating" | "retrying" | "settled";
	/** 0 before the first start; grows with every start, takeovers included. Fences late reports. */
	attempt: number;
	/** Attempts that ended in a retryable failure; takeovers do not count. */
	failures: number;
	started_at_ms: number | null;
	ended_at_ms: number | null;
	deadline_at_ms: number | null;
	retry_at_ms: number | null;
	tally: Tally;
	verdict: Verdict | null;
	reason: string | null;
	error: Failure | null;
	carried_over_from: string | null;
}

/** A strategy as planned at the start of the scan, in catalogue order. */
export interface PlannedStrategy {
	strategy_id: string;
	index: number;
	priority: number;
	/** null = no limit */
	symbols_max: number | null;
	chunk_size: number | null;
	/** Set: the strategy is settled as skipped without being run. */
	skip: SkipReason | null;
	/** Set in a redrive: the strategy is not run again, it enters the scan settled as it was in the old one. */
	carried?: StrategyEntry;
}

/** All durations in milliseconds; fixed when the scan is accepted, so a restart cannot change them. */
export interface ScanLimits {
	budget_ms: number;
	/** Part of the budget kept free for ranking and the last commit. */
	ranking_reserve_ms: number;
	portfolio_timeout_ms: number;
	discovery_timeout_ms: number;
	strategy_timeout_ms: number;
	strategy_concurrency: number;
	strategy_attempts_max: number;
	retry_backoff_ms: number;
	/** Takeovers after lost leases before the scan fails as worker_lost. */
	resumes_max: number;
	/** Published and unproven rows, each. */
	rows_max: number;
}

/** Canonical filter object: sorted keys, absent filters omitted. */
export interface ScanFilters {
	symbols?: string[];
	asset_tiers?: string[];
	strategy_ids?: string[];
	filter_by_risk_level?: string[];
	min_profit_potential?: number;
	max_required_capital?: number;
	preferred_timeframes?: string[];
	opportunity_type?: string[];
}

export interface UserProfile {
	role: "admin" | "trader" | "viewer" | "api_only";
	user_tier: "basic" | "pro" | "enterprise";
	asset_tier_floor: string;
	max_asset_tier: string;
	scan_limit: number | null;
	/** Catalogue ids the user owns, catalogue order. */
	strategy_ids: string[];
	monthly_cost_credits: number;
	risk_profile: string;
	/** Hash of the owned strategies; part of the freshness key. */
	strategy_fingerprint: string;
	/** Version of the portfolio when the scan was accepted (freshness key). */
	portfolio_version: number;
}

/** Everything that is fixed when a scan is accepted. Written once, never rewritten. */
export interface ScanInput {
	scan_id: string;
	user_id: string;
	accepted_at_ms: number;
	deadline_at_ms: number;
	limits: ScanLimits;
	filters: ScanFilters;
	filter_key: string;
	filters_unmatched: string[];
	force_refresh: boolean;
	include_strategy_recommendations: boolean;
	redrive_of: string | null;
	supersedes: string | null;
	schedule_id: string | null;
	profile: UserProfile;
	strategies: PlannedStrategy[];
}

/** What the portfolio phase learned; positions themselves lie under the scan's results key. */
/** How an exchange account of the user was read at the start of the scan. */
export interface AccountReport {
	account_id: string;
	exchange: string;
	/** Why it could not be read; with as_of_ms an earlier reading took its place, without it the account is left out. */
	error: string | null;
	/** Parts that the exchange has and that were not read. */
	missing: string[];
	/** Time of the reading that is counted. */
	as_of_ms: number | null;
}

export interface PortfolioSummary {
	positions: number;
	portfolio_version: number;
	capital_usd: number;
	/** true: the user has no portfolio and capital_usd is the documented default. */
	assumed: boolean;
	source: string;
	duration_ms: number;
	/** Only for a user who has some. */
	accounts?: AccountReport[];
	/** Only when prices are the last good ones of a source that failed: the oldest of them. */
	stale_prices?: { age_seconds: number; error: string };
}

export interface SourceReport {
	name: string;
	ok: boolean;
	error: string | null;
	assets: number;
}

/** What discovery learned; the assets themselves lie content-addressed under `universe_ref`. */
export interface AssetsSummary {
	total_assets: number;
	/** Assets per tier; only tiers that have assets. */
	tiers: Record<string, number>;
	excluded: Record<string, number>;
	sources: SourceReport[];
	/** Content hash of the discovered universe. */
	universe_ref: string;
	/** The instant every market read of this scan is pinned to (source clock). */
	as_of_ms: number;
	data_source: DataSource;
	filters_unmatched: string[];
	duration_ms: number;
}

export interface RankingSummary {
	/** Rows shown, after filters and limits. */
	ranked_count: number;
	unproven_count: number;
	/** Per strategy id: the opportunity ids that ranking cut (`rank_limit`). */
	cut: Record<string, string[]>;
	recommendations_count: number;
	/** completed, failed or skipped (step 7). */
	recommendations: "completed" | "failed" | "skipped";
	duration_ms: number;
}

export interface ScanEnd {
	at_ms: number;
	/** failed scans: */
	error: { code: ScanErrorCode; message: string; phase: ScanPosition } | null;
	is_timeout: boolean;
	/** cancelled scans: */
	reason: CancelReason | null;
	superseded_by: string | null;
	by: string | null;
}

export interface PhaseSpan {
	started_at_ms: number;
	ended_at_ms: number | null;
	/** How often the phase's effect was issued; absent: once. */
	attempt?: number;
	/** Set while the phase waits to issue its effect again after a failure. */
	retry_at_ms?: number | null;
	/** Time in which nobody held the scan; the phase's limit does not count it. Absent: none. */
	idle_ms?: number;
}

export interface ScanContext {
	input: ScanInput;
	/** Time of the newest event, on the store's clock; the machine knows no other clock. */
	now_ms: number;
	worker_id: string | null;
	claimed_at_ms: number | null;
	/** Runs of this scan, 1 = the first claim. */
	attempt: number;
	/** Takeovers after a lost lease. */
	resumes: number;
	phases: Partial<Record<Phase, PhaseSpan>>;
	portfolio: PortfolioSummary | null;
	assets: AssetsSummary | null;
	/** Catalogue order; empty until the strategies phase. */
	strategies: StrategyEntry[];
	/** Never falls, never above limits.rows_max. */
	opportunities_found: number;
	/** Absolute time of the armed strategies wake-up, null when none is armed. */
	wake_at_ms: number | null;
	ranking: RankingSummary | null;
	outcome: Outcome | null;
	end: ScanEnd | null;
}
