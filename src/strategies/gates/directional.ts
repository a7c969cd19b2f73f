import { LISTED, MONEY_GATES, PROVEN, seriesGates } from "./common.ts";
import type { Gate } from "./contract.ts";

const MOMENTUM: readonly Gate[] = [
	{
		reason: "no_trigger",
		asks: "the 28-day return in standard deviations exceeds the threshold, and the last day did not leap further than allowed",
		thresholds: ["z28_min", "gap_atr_max"],
	},
	{ reason: "regime_filter", asks: "the close lies beyond EMA50 and EMA20 beyond EMA50, in the trade's direction" },
];
const STOP: Gate = { reason: "stop_too_wide", asks: "stop and target are prices above 0" };
const ECONOMICS: readonly Gate[] = [STOP, ...MONEY_GATES, LISTED, PROVEN];

export const SPOT_MOMENTUM: readonly Gate[] = [
	...seriesGates("bars_min"),
	{ reason: "illiquid", asks: "it trades at least so much a day", thresholds: ["tier_volume_usd_min"] },
	...MOMENTUM,
	...ECONOMICS,
];

export const SPOT_MEAN_REVERSION: readonly Gate[] = [
	...seriesGates("bars_min"),
	{
		reason: "no_trigger",
		asks: "the close lies so many deviations below its 20-day mean, and RSI14 below its threshold",
		thresholds: ["z20_max", "rsi14_max"],
	},
	{
		reason: "cost_exceeds_edge",
		asks: "the way back to the mean is at least two round trips",
		thresholds: ["target_distance_min"],
	},
	{ reason: "illiquid", asks: "the signal's day had volume" },
	{ reason: "cluster_limit", asks: "it is among the deepest of one crash", thresholds: ["rows_per_cluster"] },
	...ECONOMICS,
];

export const SPOT_BREAKOUT: readonly Gate[] = [
	...seriesGates("bars_min"),
	{
		reason: "no_trigger",
		asks: "the close lies above the channel, on raised volume, and not too far above it",
		thresholds: ["channel_bars", "volume_ratio_min", "extension_n_max"],
	},
	...ECONOMICS,
];

export const FUTURES: readonly Gate[] = [
	...seriesGates("bars_min"),
	{
		reason: "no_trigger",
		asks: "momentum or a break of the channel, up or down",
		thresholds: ["z28_min", "gap_atr_max", "volume_ratio_min", "extension_n_max"],
	},
	{ reason: "regime_filter", asks: "for momentum: close and EMA20 lie beyond EMA50 in the trade's direction" },
	{ reason: "insufficient_history", asks: "funding of the contract is recorded" },
	{ reason: "stale_data", asks: "its last settlement is at most 16 hours old" },
	{
		reason: "funding_against",
		asks: "expected funding eats at most so much of the expected gross gain",
		thresholds: ["funding_share_max"],
	},
	STOP,
	...MONEY_GATES,
	{
		reason: "leverage_limit",
		asks: "liquidation lies at least so many stop distances away, with some leverage up to the largest",
		thresholds: ["liquidation_stops_min", "leverage_max"],
	},
	LISTED,
	PROVEN,
];

export const VOLATILITY: readonly Gate[] = [
	...seriesGates("bars_min"),
	{
		reason: "no_squeeze",
		asks: "the bandwidth is among the narrowest of 250 days and the Bollinger bands lie inside Keltner's channel",
		thresholds: ["bandwidth_percentile_max"],
	},
	{ reason: "stop_too_wide", asks: "every level of both orders is a price above 0" },
	...MONEY_GATES,
	LISTED,
	PROVEN,
];
