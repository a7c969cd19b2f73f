import { emptyTally } from "../../machines/strategy-rules.ts";
import type { AssetsSummary, PortfolioSummary, ScanContext, StrategyEntry } from "../../machines/types.ts";
import { isoOf } from "../../src/clock.ts";
import type { RankingDocument } from "../../src/effects/contract.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import type { Opportunity } from "../../src/strategies/contract.ts";
import { strategyName } from "../../src/views/words.ts";
import { scanInput, T0 } from "./scan-input.ts";

export const SCAN_ID = `scan_${"a".repeat(32)}`;
export const OTHER_SCAN_ID = `scan_${"b".repeat(32)}`;
export const USER_ID = "11111111-1111-4111-8111-111111111111";
export const STRANGER_ID = "22222222-2222-4222-8222-222222222222";

export function sampleRow(id: string, overrides: Partial<Opportunity> = {}): Opportunity {
	const strategy_id = overrides.strategy_id ?? "ai_spot_momentum_strategy";
	return {
		opportunity_id: id,
		strategy_id,
		strategy_name: strategyName(strategy_id),
		opportunity_type: "spot_momentum",
		symbol: "BTC/USDT",
		exchange: "binance",
		side: "long",
		profit_potential_usd: 12.5,
		confidence_score: 61.2,
		confidence_low: 54,
		confidence_high: 68,
		risk_level: "medium",
		required_capital_usd: 2_500,
		estimated_timeframe: "1-4w",
		entry_price: 100,
		exit_price: 110,
		stop_price: 95,
		target_price: 110,
		risk_reward_ratio: 2,
		costs: { fee_bps: 20, spread_bps: 2, impact_bps: 1, funding_bps: 0, total_bps: 23 },
		evidence: {
			method: "walk-forward/pooled",
			n: 400,
			n_effective: 120,
			wins: 245,
			hit_rate: 0.6125,
			mean_net_bps: 50,
			median_net_bps: 20,
			bootstrap_90: [5, 90],
			profit_factor: 1.4,
			avg_hold_bars: 12,
			first_trade: "2021-01-01T00:00:00.000Z",
			last_trade: "2026-03-01T00:00:00.000Z",
			universe_size: 50,
			grade: "B",
			p_placebo: 0.02,
			brier: 0.23,
			ece: 0.03,
		},
		as_of: isoOf(T0),
		data_source: { kind: "recorded", name: "recorded:binance", as_of: isoOf(T0) },
		discovered_at: isoOf(T0 + 500),
		metadata: {
			side: "long",
			signal_action: "BUY",
			signal_strength: 5.1,
			loss_at_stop_usd: 25,
			profit_at_target_usd: 50,
			reasoning: "trend",
		},
		...overrides,
	};
}

export const sampleUnproven = (id: string, overrides: Partial<Opportunity> = {}): Opportunity =>
	sampleRow(id, {
		confidence_score: null,
		confidence_low: null,
		confidence_high: null,
		unproven_reason: "grade_c",
		...overrides,
	});

export const samplePortfolio = (overrides: Partial<PortfolioSummary> = {}): PortfolioSummary => ({
	positions: 2,
	portfolio_version: 3,
	capital_usd: 10_000,
	assumed: true,
	source: "default",
	duration_ms: 12,
	...overrides,
});

export const sampleAssets = (overrides: Partial<AssetsSummary> = {}): AssetsSummary => ({
	total_assets: 35,
	tiers: { tier_retail: 5, tier_institutional: 30 },
	excluded: { stablecoin: 4 },
	sources: [{ name: "binance", ok: true, error: null, assets: 35 }],
	universe_ref: "f".repeat(64),
	as_of_ms: T0,
	data_source: { kind: "recorded", name: "recorded:binance", as_of: isoOf(T0) },
	filters_unmatched: [],
	duration_ms: 80,
	...overrides,
});

/** A settled entry of the catalogue's first strategies; `found` rows named `row_<index>_<n>`. */
export function sampleEntry(
	index: number,
	strategyId: string,
	overrides: Partial<StrategyEntry> = {},
	found = 0,
): StrategyEntry {
	const row_ids = Array.from({ length: found }, (_, n) => `row_${index}_${n}`);
	return {
		strategy_id: strategyId,
		index,
		priority: 100,
		state: "settled",
		attempt: 1,
		failures: 0,
		started_at_ms: T0 + 200,
		ended_at_ms: T0 + 700,
		deadline_at_ms: T0 + 60_200,
		retry_at_ms: null,
		tally: {
			...emptyTally(),
			candidates_total: 10,
			evaluated: 10,
			row_ids,
			rejected: { no_trigger: 10 - found },
			data_as_of: isoOf(T0),
			data_age_seconds: 0,
		},
		verdict: found > 0 ? "ok_found" : "ok_empty",
		reason: null,
		error: null,
		carried_over_from: null,
		...overrides,
	};
}

const span = (from: number, to: number | null) => ({
	started_at_ms: T0 + from,
	ended_at_ms: to === null ? null : T0 + to,
});

/** A complete scan of two strategies, three rows from the first, accepted at T0 and done a second later. */
export function sampleContext(overrides: Partial<ScanContext> = {}): ScanContext {
	return {
		input: scanInput({ scan_id: SCAN_ID, user_id: USER_ID }),
		now_ms: T0 + 1_000,
		worker_id: "worker-1",
		claimed_at_ms: T0 + 50,
		attempt: 1,
		resumes: 0,
		phases: {
			started: span(50, 50),
			portfolio_fetch: span(50, 100),
			asset_discovery: span(100, 200),
			strategies_scan: span(200, 700),
			ranking: span(700, 1_000),
			completed: span(1_000, 1_000),
		},
		portfolio: samplePortfolio(),
		assets: sampleAssets(),
		strategies: [sampleEntry(0, "ai_spot_momentum_strategy", {}, 3), sampleEntry(1, "ai_spot_mean_reversion")],
		opportunities_found: 3,
		wake_at_ms: null,
		ranking: {
			ranked_count: 3,
			unproven_count: 0,
			cut: {},
			recommendations_count: 0,
			recommendations: "completed",
			duration_ms: 5,
		},
		outcome: "found",
		end: { at_ms: T0 + 1_000, error: null, is_timeout: false, reason: null, superseded_by: null, by: null },
		...overrides,
	};
}

/** A record around `sampleContext`; pass `context` and `position` for other states. */
export function sampleRecord(overrides: Partial<ScanRecord> = {}): ScanRecord {
	const context = overrides.context ?? sampleContext();
	const position = overrides.position ?? "completed";
	const terminal = position === "completed" || position === "failed" || position === "cancelled";
	return {
		scan_id: context.input.scan_id,
		user_id: context.input.user_id,
		machine: "scan.v1",
		revision: 20,
		epoch: 1,
		worker_id: terminal ? null : context.worker_id,
		lease_until_ms: terminal ? null : T0 + 7_000,
		heartbeat_at_ms: context.claimed_at_ms === null ? null : T0 + 1_000,
		progress_at_ms: context.now_ms,
		last_event_type: terminal ? "scan.completed" : "phase.started",
		position,
		terminal,
		context,
		deadlines: {},
		expires_at_ms: terminal ? T0 + 604_800_000 : null,
		...overrides,
	};
}

/** A scan in the middle of its strategies: one done with three rows, one running, one waiting. */
export function runningRecord(overrides: Partial<ScanRecord> = {}): ScanRecord {
	const open = { verdict: null, ended_at_ms: null, tally: emptyTally() };
	const context = sampleContext({
		phases: {
			started: span(50, 50),
			portfolio_fetch: span(50, 100),
			asset_discovery: span(100, 200),
			strategies_scan: span(200, null),
		},
		strategies: [
			sampleEntry(0, "ai_spot_momentum_strategy", {}, 3),
			sampleEntry(1, "ai_spot_mean_reversion", { ...open, state: "evaluating" }),
			sampleEntry(2, "ai_spot_breakout_strategy", { ...open, state: "queued", attempt: 0, started_at_ms: null }),
		],
		ranking: null,
		outcome: null,
		end: null,
	});
	return sampleRecord({ context, position: "strategies_scan", revision: 12, ...overrides });
}

export function queuedRecord(overrides: Partial<ScanRecord> = {}): ScanRecord {
	const context = sampleContext({
		now_ms: T0,
		worker_id: null,
		claimed_at_ms: null,
		attempt: 0,
		phases: {},
		portfolio: null,
		assets: null,
		strategies: [],
		opportunities_found: 0,
		ranking: null,
		outcome: null,
		end: null,
	});
	return sampleRecord({ context, position: "queued", revision: 1, last_event_type: "scan.created", ...overrides });
}

export const sampleRanking = (ranked: string[], unproven: string[] = []): RankingDocument => ({
	ranked,
	unproven,
	recommendations: [],
});
