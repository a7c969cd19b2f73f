import { LISTED, MONEY_GATES, PROVEN, READ, seriesGates } from "./common.ts";
import type { Gate } from "./contract.ts";

const CHAIN: readonly Gate[] = [
	READ,
	{
		reason: "no_options_market",
		asks: "the source quotes a chain with an expiry in range and strikes enough for the structure",
		thresholds: ["expiry_days_min", "expiry_days_max", "expiry_days_aim"],
	},
	{ reason: "stale_data", asks: "the chain was quoted at most ten minutes ago" },
	...seriesGates().slice(1),
	{ reason: "spread_too_wide", asks: "every leg is quoted on both sides, narrowly", thresholds: ["spread_of_mid_max"] },
	{ reason: "open_interest_low", asks: "every leg is held by somebody", thresholds: ["open_interest_min"] },
	{ reason: "illiquid", asks: "a size is quoted" },
];
const AFTER: readonly Gate[] = [...MONEY_GATES, LISTED, PROVEN];

export const OPTIONS: readonly Gate[] = [
	...CHAIN,
	{
		reason: "edge_below_threshold",
		asks: "implied volatility and its forecast lie far enough apart, and calls are sold only in the dear part of the year",
		thresholds: ["edge_vol_points_min", "sell_percentile_min"],
	},
	...AFTER,
];

export const COMPLEX: readonly Gate[] = [
	...CHAIN,
	{
		reason: "edge_below_threshold",
		asks: "premium is dear enough to sell, or a bound of arbitrage is broken at the quotes after fees",
		thresholds: ["edge_vol_points_min", "sell_percentile_min", "violation_net_bps_min"],
	},
	...AFTER,
	{ reason: "cluster_limit", asks: "it is the best structure of its side of the asset" },
];
