import { createHash } from "node:crypto";
import type { UserProfile } from "../../machines/types.ts";
import { CATALOGUE, type CatalogueEntry } from "../catalogue.ts";
import type { Account } from "../services.ts";

/** User tiers by owned strategies, dearest first. */
const USER_TIERS = [
	{
		user_tier: "enterprise",
		strategies_min: 10,
		credits_min: 300,
		asset_tier_floor: "tier_micro",
		max_asset_tier: "tier_institutional",
	},
	{
		user_tier: "pro",
		strategies_min: 5,
		credits_min: 100,
		asset_tier_floor: "tier_emerging",
		max_asset_tier: "tier_professional",
	},
	{
		user_tier: "basic",
		strategies_min: 0,
		credits_min: 0,
		asset_tier_floor: "tier_retail",
		max_asset_tier: "tier_retail",
	},
] as const;

const SCAN_LIMIT_WITHOUT_STRATEGIES = 10;
/** Users state no risk appetite; every one is shown the same neutral word. */
const RISK_PROFILE = "medium";

export const ownedStrategies = (strategyIds: readonly string[]): CatalogueEntry[] =>
	CATALOGUE.filter((entry) => strategyIds.includes(entry.id));

/** Sum of the monthly prices, in credits. */
export const monthlyCost = (entries: readonly CatalogueEntry[]): number =>
	entries.reduce((sum, entry) => sum + entry.credits_monthly, 0);

/** Equal for equal sets of strategies, whatever their order. */
export function strategyFingerprint(strategyIds: readonly string[]): string {
	return createHash("sha256")
		.update([...strategyIds].sort().join(","))
		.digest("hex")
		.slice(0, 16);
}

/** What a scan needs to know of its user, fixed when it is accepted. */
export function profileOf(account: Account, portfolioVersion: number): UserProfile {
	const owned = ownedStrategies(account.strategy_ids);
	const cost = monthlyCost(owned);
	const tier =
		USER_TIERS.find((candidate) => owned.length >= candidate.strategies_min && cost >= candidate.credits_min) ??
		USER_TIERS[2];
	return {
		role: account.role,
		user_tier: tier.user_tier,
		asset_tier_floor: tier.asset_tier_floor,
		max_asset_tier: tier.max_asset_tier,
		scan_limit: owned.length === 0 ? SCAN_LIMIT_WITHOUT_STRATEGIES : null,
		strategy_ids: owned.map((entry) => entry.id),
		monthly_cost_credits: cost,
		risk_profile: RISK_PROFILE,
		strategy_fingerprint: strategyFingerprint(owned.map((entry) => entry.id)),
		portfolio_version: portfolioVersion,
	};
}
