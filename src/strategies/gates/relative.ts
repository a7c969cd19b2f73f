import { LISTED, MONEY_GATES, PROVEN, READ, seriesGates } from "./common.ts";
import type { Gate } from "./contract.ts";

const LEGS: Gate = {
	reason: "no_derivative_market",
	asks: "the source lists a perpetual for every leg that is sold short",
};

export const PAIRS: readonly Gate[] = [
	...seriesGates("formation_days"),
	{ reason: "correlation_too_low", asks: "daily returns correlate", thresholds: ["return_correlation_min"] },
	{ reason: "hedge_ratio_invalid", asks: "the hedge ratio is above 0" },
	{
		reason: "not_cointegrated",
		asks: "p is small enough to speak of cointegration at all",
		thresholds: ["p_value_max"],
	},
	{
		reason: "multiple_testing",
		asks: "it remains a discovery among all pairs that were tested",
		thresholds: ["false_discovery_rate"],
	},
	{
		reason: "half_life_out_of_range",
		asks: "the spread closes half its distance in a time worth waiting for",
		thresholds: ["half_life_days_min", "half_life_days_max"],
	},
	{ reason: "z_not_extreme", asks: "the spread is stretched", thresholds: ["z_entry_min"] },
	{ reason: "z_beyond_stop", asks: "but not so far that the relation looks broken", thresholds: ["z_entry_max"] },
	{
		reason: "not_cointegrated",
		asks: "the same test holds loosely in each half of the year",
		thresholds: ["p_value_of_halves_max"],
	},
	LEGS,
	...MONEY_GATES,
	LISTED,
	PROVEN,
];

export const STATISTICAL: readonly Gate[] = [
	...seriesGates("bars_min"),
	{ reason: "insufficient_history", asks: "enough assets share the window's days", thresholds: ["assets_min"] },
	{
		reason: "half_life_out_of_range",
		asks: "the residual's AR(1) coefficient lies between 0 and its threshold",
		thresholds: ["ar1_coefficient_max"],
	},
	{ reason: "below_threshold", asks: "the residual stands far from its mean", thresholds: ["s_entry_min"] },
	{ reason: "z_beyond_stop", asks: "but inside the stop", thresholds: ["s_stop"] },
	{ reason: "r2_too_low", asks: "the factors explain the asset's returns", thresholds: ["r2_min"] },
	LEGS,
	...MONEY_GATES,
	LISTED,
	PROVEN,
];

export const FUNDING: readonly Gate[] = [
	READ,
	{ reason: "missing_open_interest", asks: "of a perp that trades enough the venue tells the open interest" },
	{
		reason: "illiquid",
		asks: "24-hour volume and open interest exceed their thresholds",
		thresholds: ["volume_usd_24h_min", "open_interest_usd_min"],
	},
	{ reason: "stale_data", asks: "the last settlement is at most 16 hours old" },
	{
		reason: "below_threshold",
		asks: "the 3-day mean exceeds the threshold, strictly",
		thresholds: ["mean_bps_per_8h_min"],
	},
	{
		reason: "not_borrowable",
		asks: "against spot, the rate is positive: a negative one needs borrowed spot, which no source here offers",
	},
	{ reason: "no_spot_market", asks: "the source lists a spot market for the other leg, or another venue a perp" },
	{ reason: "insufficient_history", asks: "enough settlements are recorded", thresholds: ["settlements_min"] },
	{
		reason: "below_threshold",
		asks: "enough of the last nine settlements agree in sign, and no single one makes the mean",
		thresholds: ["agreeing_of_9_min"],
	},
	{
		reason: "cost_exceeds_edge",
		asks: "four fills are earned back within so much of the horizon, and the lower quartile of the 7-day net is above 0",
		thresholds: ["break_even_share_max"],
	},
	{ reason: "missing_orderbook", asks: "each leg has a book or a current close to be filled at" },
	{ reason: "insufficient_history", asks: "both legs have days enough to know what the basis between them moves" },
	...MONEY_GATES,
	LISTED,
	PROVEN,
];
