import { LISTED, PROVEN, seriesGates } from "./common.ts";
import type { Gate } from "./contract.ts";

const [READ, STALE, GAPS, HISTORY] = seriesGates();
const POSITION_DATA = [READ, STALE, GAPS, HISTORY].filter((gate) => gate !== undefined);
const NO_POSITIONS: Gate = { reason: "no_positions", asks: "the portfolio holds something" };
const TOO_SMALL: Gate = { reason: "portfolio_too_small", asks: "it is worth at least 100 USD" };

export const RISK: readonly Gate[] = [
	NO_POSITIONS,
	TOO_SMALL,
	...POSITION_DATA,
	{
		reason: "within_limits",
		asks: "some measure of the position, the book or its losses is beyond its limit; being within is good news",
		thresholds: [
			"weight_max",
			"risk_share_max",
			"effective_number_min",
			"cvar95_1d_max",
			"liquidity_days_max",
			"unstopped_weight_max",
			"liquidation_sigmas_min",
			"drawdown_max",
		],
	},
	{
		reason: "negative_expectancy",
		asks: "the change would have calmed the book in more than half of the past windows",
	},
	{ reason: "no_derivative_market", asks: "for a hedge: a BTC or ETH perpetual with enough days" },
	{
		reason: "hedge_ineffective",
		asks: "for a hedge: beta above 0.5, R2 of at least 0.3, and past windows that became calmer",
	},
	LISTED,
	PROVEN,
];

export const ALLOCATION: readonly Gate[] = [
	{
		reason: "portfolio_too_small",
		asks: "there is a position, two coins to weigh, and enough value",
		thresholds: ["equity_usd_min"],
	},
	{ reason: "no_spot_market", asks: "the position is spot: contracts and shorts have no weight" },
	{ reason: "pegged_or_wrapped", asks: "it is no stablecoin: that counts as cash" },
	...POSITION_DATA.map((gate) => (gate === HISTORY ? { ...gate, thresholds: ["returns_min"] } : gate)),
	{ reason: "illiquid", asks: "its bars have volume" },
	{
		reason: "insufficient_history",
		asks: "there are so many returns for each coin weighed: the two majors first, then the largest positions",
		thresholds: ["returns_per_coin_min"],
	},
	{
		reason: "already_at_target",
		asks: "a weight is outside the no-trade band, and volatility would fall enough (or a limit is broken)",
		thresholds: ["drift_points", "drift_relative", "volatility_reduction_min"],
	},
	{
		reason: "cost_exceeds_edge",
		asks: "the utility gained exceeds the costs of the trades",
		thresholds: ["risk_aversion", "benefit_months"],
	},
	{
		reason: "negative_expectancy",
		asks: "the method was calmer in more than half of the past months, and has an answer",
	},
	LISTED,
	PROVEN,
];

export const HEDGING: readonly Gate[] = [
	NO_POSITIONS,
	TOO_SMALL,
	...POSITION_DATA,
	{ reason: "pegged_or_wrapped", asks: "it is no stablecoin" },
	{
		reason: "below_threshold",
		asks: "the position is large enough to hedge",
		thresholds: ["position_share_min", "position_usd_min"],
	},
	{
		reason: "already_hedged",
		asks: "positions of the same coin leave more of it open than this",
		thresholds: ["open_share_max"],
	},
	{
		reason: "within_limits",
		asks: "it carries more than this share of the book's risk",
		thresholds: ["risk_share_min"],
	},
	{ reason: "no_derivative_market", asks: "the source has a perpetual with enough days" },
	{
		reason: "hedge_ineffective",
		asks: "the lower quartile of the newest twelve windows takes away so much of the variance",
		thresholds: ["effectiveness_min", "windows_min", "second_leg_gain_min"],
	},
	{ reason: "hedge_ratio_invalid", asks: "the fitted ratio is above 0" },
	{
		reason: "cost_exceeds_edge",
		asks: "the fall of the daily shortfall is worth so many times the month's costs",
		thresholds: ["benefit_over_cost_min"],
	},
	LISTED,
	PROVEN,
];
