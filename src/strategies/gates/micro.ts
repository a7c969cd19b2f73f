import { LISTED, MONEY_GATES, PROVEN, READ, seriesGates } from "./common.ts";
import type { Gate } from "./contract.ts";

const BOOK_FRESH: Gate = { reason: "stale_data", asks: "the book is at most five minutes old" };

export const MARKET_MAKING: readonly Gate[] = [
	READ,
	{ reason: "missing_orderbook", asks: "a two-sided book with enough levels is known", thresholds: ["levels_min"] },
	BOOK_FRESH,
	{
		reason: "illiquid",
		asks: "it trades at least so much a day, and its price moves",
		thresholds: ["volume_usd_24h_min"],
	},
	...seriesGates().slice(1),
	{ reason: "regime_filter", asks: "the last hour was no jump", thresholds: ["jump_sigmas"] },
	{ reason: "spread_too_narrow", asks: "the quoted spread exceeds two maker fees" },
	{
		reason: "adverse_selection",
		asks: "it also exceeds what a fill loses on average, and an hour moves only so many spreads",
		thresholds: ["sigma_1h_spreads_max"],
	},
	{
		reason: "negative_expectancy",
		asks: "replayed days gained, on balance and in number",
		thresholds: ["replay_days"],
	},
	{ reason: "insufficient_history", asks: "trades or depth tell how often quotes fill" },
	{ reason: "capital_below_min_notional", asks: "one lot reaches the least order" },
	LISTED,
	PROVEN,
];

export const SCALPING: readonly Gate[] = [
	...seriesGates("bars_min"),
	{ reason: "missing_orderbook", asks: "a two-sided book of ten levels is known" },
	BOOK_FRESH,
	{
		reason: "cost_exceeds_edge",
		asks: "ATR14 is worth so many round trips",
		thresholds: ["atr_costs_min", "slippage_bps"],
	},
	{ reason: "spread_too_wide", asks: "the spread is a small part of ATR14", thresholds: ["spread_atr_max"] },
	{
		reason: "no_trigger",
		asks: "order flow, an EMA cross or a return into the band fires on the newest bar",
		thresholds: ["flow_imbalance_min"],
	},
	{ reason: "gap_through_stop", asks: "the quote lies on the right side of the stop" },
	...MONEY_GATES,
	{ reason: "illiquid", asks: "the best level holds a multiple of the position", thresholds: ["depth_multiple_min"] },
	LISTED,
	PROVEN,
];
