import { emptyTally } from "../../machines/strategy-rules.ts";
import type { PlannedStrategy, ScanInput, ScanLimits, Tally } from "../../machines/types.ts";
import { STANDARD_STRATEGIES } from "../../src/catalogue.ts";

export const T0 = Date.UTC(2026, 2, 19, 19);

export const limits = (overrides: Partial<ScanLimits> = {}): ScanLimits => ({
	budget_ms: 150_000,
	ranking_reserve_ms: 5_000,
	portfolio_timeout_ms: 10_000,
	discovery_timeout_ms: 30_000,
	strategy_timeout_ms: 60_000,
	strategy_concurrency: 15,
	strategy_attempts_max: 2,
	retry_backoff_ms: 500,
	resumes_max: 2,
	rows_max: 1_000,
	...overrides,
});

export const planned = (count: number, overrides: Partial<PlannedStrategy> = {}): PlannedStrategy[] =>
	STANDARD_STRATEGIES.slice(0, count).map((entry) => ({
		strategy_id: entry.id,
		index: entry.index,
		priority: entry.priority,
		symbols_max: entry.symbols_max,
		chunk_size: entry.chunk_size,
		skip: null,
		...overrides,
	}));

export function scanInput(overrides: Partial<ScanInput> = {}): ScanInput {
	const held = overrides.limits ?? limits();
	return {
		scan_id: `scan_${"0".repeat(31)}1`,
		user_id: "11111111-1111-4111-8111-111111111111",
		accepted_at_ms: T0,
		deadline_at_ms: T0 + held.budget_ms,
		limits: held,
		filters: {},
		filter_key: "k",
		filters_unmatched: [],
		force_refresh: false,
		include_strategy_recommendations: true,
		redrive_of: null,
		supersedes: null,
		schedule_id: null,
		profile: {
			role: "admin",
			user_tier: "enterprise",
			asset_tier_floor: "tier_micro",
			max_asset_tier: "tier_institutional",
			scan_limit: null,
			strategy_ids: STANDARD_STRATEGIES.map((entry) => entry.id),
			monthly_cost_credits: 510,
			risk_profile: "balanced",
			strategy_fingerprint: "f",
			portfolio_version: 0,
		},
		strategies: planned(14),
		...overrides,
	};
}

export const tally = (overrides: Partial<Tally> = {}): Tally => ({ ...emptyTally(), ...overrides });
