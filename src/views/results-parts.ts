import type { ScanContext, StrategyEntry, UserProfile } from "../../machines/types.ts";
import { ASSET_TIERS } from "../catalogue.ts";
import type { RowFigures } from "./rows.ts";

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number | null => (values.length === 0 ? null : sum(values) / values.length);
const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

export const evaluatedTotal = (entries: readonly StrategyEntry[]): number =>
	sum(entries.map((entry) => entry.tally.evaluated));

/** The strength that older clients took for the one threshold of a signal. */
export const ORIGINAL_THRESHOLD = 6;
const STRENGTH_BANDS = [
	["very_strong (>6.0)", (strength: number) => strength > 6],
	["strong (4.5-6.0)", (strength: number) => strength >= 4.5],
	["moderate (3.0-4.5)", (strength: number) => strength >= 3],
	["weak (<3.0)", () => true],
] as const;

export interface ThresholdAnalysis {
	original_threshold: number;
	opportunities_above_original: number;
	opportunities_shown: number;
	additional_opportunities_revealed: number;
}

/** Shown rows by metadata.signal_strength; the bands and `unrated` sum to the shown rows. */
export function signalAnalysis(context: ScanContext, rows: readonly RowFigures[]) {
	const bands = {
		"very_strong (>6.0)": 0,
		"strong (4.5-6.0)": 0,
		"moderate (3.0-4.5)": 0,
		"weak (<3.0)": 0,
		unrated: 0,
	};
	for (const { strength } of rows) {
		const band = strength === null ? undefined : STRENGTH_BANDS.find(([, holds]) => holds(strength));
		bands[band?.[0] ?? "unrated"] += 1;
	}
	const above = bands["very_strong (>6.0)"];
	const thresholds: ThresholdAnalysis = {
		original_threshold: ORIGINAL_THRESHOLD,
		opportunities_above_original: above,
		opportunities_shown: rows.length,
		additional_opportunities_revealed: rows.length - above,
	};
	return {
		total_signals_analyzed: evaluatedTotal(context.strategies),
		signals_by_strength: bands,
		threshold_analysis: thresholds,
	};
}

export function thresholdTransparency(thresholds: ThresholdAnalysis, unproven: number) {
	const { opportunities_shown: shown, opportunities_above_original: above } = thresholds;
	return {
		message: `${shown} shown, ${above} of them above signal strength ${ORIGINAL_THRESHOLD}; what is shown is decided by evidence (grade A or B), not by strength.`,
		recommendation:
			unproven > 0
				? `Read evidence and costs of a row before acting; ${unproven} more had too little evidence and stand under unproven.`
				: "Read evidence and costs of a row before acting; strength alone says nothing about profit.",
	};
}

export function userProfileView(profile: UserProfile) {
	const count = profile.strategy_ids.length;
	return {
		active_strategies: count,
		active_strategy_count: count,
		user_tier: profile.user_tier,
		monthly_strategy_cost: profile.monthly_cost_credits,
		total_monthly_strategy_cost: profile.monthly_cost_credits,
		scan_limit: profile.scan_limit,
		opportunity_scan_limit: profile.scan_limit,
		max_asset_tier: profile.max_asset_tier,
		asset_tier_floor: profile.asset_tier_floor,
		risk_profile: profile.risk_profile,
		strategy_fingerprint: profile.strategy_fingerprint,
	};
}

function discoveryError(context: ScanContext): string | null {
	const { assets, end } = context;
	if (assets)
		return assets.sources.length === 0 || assets.sources.some((source) => source.ok || source.assets > 0)
			? null
			: "no source answered";
	if (end?.error?.phase === "asset_discovery") return end.error.message;
	return "assets were not discovered in this scan";
}

/** Counts are null when discovery did not run: nothing was counted, which is not zero. */
export function assetDiscoveryView(context: ScanContext) {
	const { assets } = context;
	const error = discoveryError(context);
	const tiers = ASSET_TIERS.map((tier) => tier.name).filter((tier) => (assets?.tiers[tier] ?? 0) > 0);
	return {
		success: error === null,
		error,
		total_assets_scanned: assets?.total_assets ?? null,
		total_assets: assets?.total_assets ?? null,
		total_signals_analyzed: evaluatedTotal(context.strategies),
		asset_tiers: tiers,
		max_tier_accessed: tiers[0] ?? null,
		asset_tier_floor: context.input.profile.asset_tier_floor,
		excluded: assets?.excluded ?? {},
		sources: (assets?.sources ?? []).map(({ name, ok, error: cause, assets: count }) => ({
			name,
			ok,
			error: cause,
			assets: count,
		})),
	};
}

const SUCCESSFUL = ["ok_found", "ok_empty", "degraded"];

/** Per strategy id, every strategy of the scan. Potential in USD, confidence 0..100. */
export function strategyPerformance(context: ScanContext, rows: readonly RowFigures[]) {
	const performance: Record<string, object> = {};
	for (const entry of context.strategies) {
		const own = rows.filter((row) => row.strategy_id === entry.strategy_id);
		const confidence = mean(known(own.map((row) => row.confidence)));
		performance[entry.strategy_id] = {
			count: own.length,
			total_potential: round(sum(own.map((row) => row.profit_usd)), 2),
			avg_confidence: confidence === null ? null : round(confidence, 2),
			opportunities_found: entry.tally.row_ids.length,
			success: entry.verdict !== null && SUCCESSFUL.includes(entry.verdict),
			verdict: entry.verdict,
			error: entry.error?.message ?? null,
		};
	}
	return performance;
}

/** USD over the shown rows; best and worst case over those that state a target or a stop. */
export function profitProjection(rows: readonly RowFigures[]) {
	const targets = known(rows.map((row) => row.profit_at_target_usd));
	const losses = known(rows.map((row) => row.loss_at_stop_usd));
	const returns = rows.filter((row) => row.capital_usd > 0).map((row) => (100 * row.profit_usd) / row.capital_usd);
	const averageReturn = mean(returns);
	return {
		expected_profit_total_usd: round(sum(rows.map((row) => row.profit_usd)), 2),
		best_case_total_usd: targets.length === 0 ? null : round(sum(targets), 2),
		worst_case_total_usd: losses.length === 0 ? null : round(0 - sum(losses), 2),
		average_expected_return_pct: averageReturn === null ? null : round(averageReturn, 4),
		opportunity_count: rows.length,
	};
}
