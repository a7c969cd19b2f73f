import type { Evaluation } from "../../src/strategies/contract.ts";

/** One count of one strategy at the reference moment, as it was measured independently. */
export interface Expectation {
	what: string;
	expected: number;
	found(evaluation: Evaluation): number;
	/** Why the two differ, where they do. */
	why?: string;
}

const rejected =
	(...reasons: string[]) =>
	(evaluation: Evaluation): number =>
		evaluation.rejected.filter(({ reason }) => reasons.includes(reason)).length;
const published = ({ published: rows }: Evaluation): number => rows.length;
const evaluated = ({ evaluated: count }: Evaluation): number => count;
const reported =
	(...path: string[]) =>
	({ report }: Evaluation): number =>
		Number(path.reduce<unknown>((node, key) => (node as Record<string, unknown> | undefined)?.[key], report));

const GOLD = "the contract on gold is left out at discovery, its price being tied";
/** What a candidate meets before any rule looks at it. */
const DATA = ["fetch_failed", "stale_data", "gaps", "insufficient_history", "illiquid", "pegged_or_wrapped"];
const signals = (evaluation: Evaluation): number =>
	evaluation.evaluated - rejected(...DATA, "no_trigger", "regime_filter", "no_squeeze")(evaluation);
const withBars = (evaluation: Evaluation): number =>
	evaluation.evaluated - evaluation.rejected.filter(({ detail }) => detail === "the source records no bars").length;
const young = (evaluation: Evaluation): number =>
	evaluation.rejected.filter(
		({ reason, detail }) => reason === "insufficient_history" && / of \d+ bars$/.test(detail ?? ""),
	).length;
export const EXPECTATIONS: Readonly<Record<string, readonly Expectation[]>> = {
	ai_spot_momentum_strategy: [
		{ what: "coins", expected: 16, found: evaluated },
		{ what: "rows (NEAR, TRX)", expected: 2, found: published },
	],
	ai_spot_mean_reversion: [
		{ what: "coins", expected: 16, found: evaluated },
		{ what: "signals", expected: 0, found: signals },
	],
	ai_spot_breakout_strategy: [
		{ what: "coins", expected: 16, found: evaluated },
		{ what: "signals", expected: 0, found: signals },
	],
	ai_pairs_trading: [
		{ what: "pairs", expected: 120, found: evaluated },
		{ what: "p below 0.05", expected: 20, found: reported("tests", "p_below_0_05") },
		{ what: "discoveries at 10 %", expected: 7, found: reported("tests", "discoveries") },
		{ what: "rows", expected: 0, found: published },
	],
	ai_statistical_arbitrage: [{ what: "rows", expected: 0, found: published }],
	ai_market_making: [{ what: "without a book", expected: 539, found: rejected("missing_orderbook"), why: GOLD }],
	ai_scalping_strategy: [
		{ what: "without 5-minute bars", expected: 539, found: rejected("insufficient_history"), why: GOLD },
	],
	ai_complex_strategy: [{ what: "rows", expected: 0, found: published }],
	ai_options_trade: [{ what: "rows", expected: 0, found: published }],
	ai_futures_trade: [
		{ what: "contracts with bars", expected: 81, found: withBars, why: GOLD },
		{ what: "too young", expected: 7, found: young },
		{
			what: "contracts with a signal (12 + 15 momentum, 1 + 4 breaks)",
			expected: 32,
			found: signals,
			why: "11 + 14 + 1 + 3 after the gates on leaps and on breaks that ran far; one contract fires twice and is one candidate",
		},
		{ what: "rows", expected: 0, found: published },
	],
	ai_funding_arbitrage: [
		{ what: "contracts", expected: 539, found: evaluated, why: GOLD },
		{ what: "illiquid", expected: 425, found: rejected("illiquid") },
		{ what: "below 1 bp", expected: 67, found: rejected("below_threshold"), why: GOLD },
		{ what: "positive, without a spot leg", expected: 14, found: rejected("no_spot_market") },
		{ what: "negative, not borrowable", expected: 33, found: rejected("not_borrowable") },
	],
	ai_risk_management: [{ what: "no positions", expected: 1, found: rejected("no_positions") }],
	ai_portfolio_optimization: [{ what: "no portfolio", expected: 1, found: rejected("portfolio_too_small") }],
	ai_hedge_position: [{ what: "no positions", expected: 1, found: rejected("no_positions") }],
	ai_volatility_trading: [
		{ what: "squeezed by bandwidth", expected: 21, found: reported("squeezed_by_percentile") },
		{ what: "and within Keltner's channel", expected: 20, found: reported("squeezed") },
	],
};
