import { emptyTally } from "../../machines/strategy-rules.ts";
import type {
	ScanContext,
	ScanFilters,
	SourceReport,
	StrategyEntry,
	Tally,
	UserProfile,
} from "../../machines/types.ts";
import { CATALOGUE } from "../../src/catalogue.ts";
import type { Clock } from "../../src/clock.ts";
import type { Attachments, EffectContext, StrategyEffectContext } from "../../src/effects/contract.ts";
import type { Opportunity, PortfolioSnapshot } from "../../src/strategies/contract.ts";
import { AS_OF_MS } from "./fake-market.ts";
import { MOMENTUM } from "./fakes.ts";

export const entry = (strategy_id: string, tally: Partial<Tally>): StrategyEntry => ({
	strategy_id,
	index: CATALOGUE.find((candidate) => candidate.id === strategy_id)?.index ?? 0,
	priority: 0,
	state: "settled",
	attempt: 1,
	failures: 0,
	started_at_ms: 0,
	ended_at_ms: 0,
	deadline_at_ms: null,
	retry_at_ms: null,
	tally: { ...emptyTally(), ...tally },
	verdict: "ok_found",
	reason: null,
	error: null,
	carried_over_from: null,
});

export interface ScanOptions {
	filters?: ScanFilters;
	profile?: Partial<UserProfile>;
	symbolsMax?: number | null;
	chunkSize?: number | null;
	rowsMax?: number;
	universeRef?: string;
	entries?: StrategyEntry[];
	recommendations?: boolean;
	positions?: number;
	sources?: SourceReport[];
}

export function scanContext(options: ScanOptions = {}): ScanContext {
	const { filters = {}, symbolsMax = null, chunkSize = null } = options;
	return {
		input: {
			scan_id: `scan_${"0".repeat(31)}1`,
			user_id: "11111111-1111-4111-8111-111111111111",
			accepted_at_ms: AS_OF_MS,
			deadline_at_ms: AS_OF_MS + 150_000,
			limits: {
				budget_ms: 150_000,
				ranking_reserve_ms: 5_000,
				portfolio_timeout_ms: 10_000,
				discovery_timeout_ms: 30_000,
				strategy_timeout_ms: 60_000,
				strategy_concurrency: 15,
				strategy_attempts_max: 2,
				retry_backoff_ms: 500,
				resumes_max: 2,
				rows_max: options.rowsMax ?? 1000,
			},
			filters,
			filter_key: "k",
			filters_unmatched: [],
			force_refresh: false,
			include_strategy_recommendations: options.recommendations ?? true,
			redrive_of: null,
			supersedes: null,
			schedule_id: null,
			profile: {
				role: "trader",
				user_tier: "enterprise",
				asset_tier_floor: "tier_micro",
				max_asset_tier: "tier_institutional",
				scan_limit: null,
				strategy_ids: [MOMENTUM],
				monthly_cost_credits: 0,
				risk_profile: "balanced",
				strategy_fingerprint: "f",
				portfolio_version: 0,
				...options.profile,
			},
			strategies: CATALOGUE.map(({ id, index, priority }) => ({
				strategy_id: id,
				index,
				priority,
				symbols_max: symbolsMax,
				chunk_size: chunkSize,
				skip: null,
			})),
		},
		now_ms: AS_OF_MS,
		worker_id: "w",
		claimed_at_ms: AS_OF_MS,
		attempt: 1,
		resumes: 0,
		phases: {},
		portfolio: {
			positions: options.positions ?? 0,
			portfolio_version: 0,
			capital_usd: 10_000,
			assumed: true,
			source: "default",
			duration_ms: 0,
		},
		assets: {
			total_assets: 0,
			tiers: {},
			excluded: {},
			sources: options.sources ?? [],
			universe_ref: options.universeRef ?? "unknown",
			as_of_ms: AS_OF_MS,
			data_source: { kind: "simulated", name: "simulated:fake", as_of: new Date(AS_OF_MS).toISOString() },
			filters_unmatched: [],
			duration_ms: 0,
		},
		strategies: options.entries ?? [],
		opportunities_found: 0,
		wake_at_ms: null,
		ranking: null,
		outcome: null,
		end: null,
	};
}

export interface Shown {
	tally: Tally;
	attachments: Attachments;
}

export interface FakeContext extends StrategyEffectContext {
	abort(reason?: unknown): void;
	shown: Shown[];
}

const noPositions: PortfolioSnapshot = { positions: [], cash_usd: 0, version: 0, capital_usd: 10_000, assumed: true };

/** A context whose deadline lies `timeMs` ahead on `clock`; the test itself aborts. */
export function effectContext(
	scan: ScanContext,
	clock: Clock,
	options: { timeMs?: number; elapsedMs?: number; portfolio?: PortfolioSnapshot; rows?: Map<string, Opportunity> } = {},
): FakeContext {
	const controller = new AbortController();
	const deadlineAtMs = clock.now() + (options.timeMs ?? 60_000);
	const shown: Shown[] = [];
	const context: EffectContext = {
		signal: controller.signal,
		scan,
		portfolio: async () => options.portfolio ?? noPositions,
		rows: async () => options.rows ?? new Map(),
		timeLeftMs: () => deadlineAtMs - clock.now(),
		elapsedMs: () => options.elapsedMs ?? 0,
	};
	return {
		...context,
		progress: (report, attachments) => shown.push({ tally: report.tally, attachments }),
		abort: (reason) => controller.abort(reason),
		shown,
	};
}
