/** Why a candidate was not taken, in plain words: what was asked and what that means for the reader. */
export interface ReasonWords {
	title: string;
	meaning: string;
}

const said = (title: string, meaning: string): ReasonWords => ({ title, meaning });

/** One entry for each code of the API's description (a test holds the two lists equal). */
export const REASONS: Record<string, ReasonWords> = {
	not_entitled: said("Not in your plan", "You do not own this strategy, so it was not run."),
	disabled_by_policy: said("Switched off", "An administrator has switched this strategy off."),
	not_available: said("Not in this version", "This version of the server does not contain the strategy."),
	no_symbols: said("No market to look at", "Your filters or the market left the strategy nothing to look at."),
	fetch_failed: said("Data could not be read", "The exchange did not answer, or answered with an error."),
	timeout: said("Time ran out", "The strategy's time was over before this candidate was looked at."),
	cancelled: said("Cancelled", "The scan was cancelled before this candidate was looked at."),
	stale_data: said("Data too old", "The newest price is too old to act on."),
	gaps: said("Holes in the history", "Too many bars are missing from the price history."),
	insufficient_history: said("History too short", "There are not enough past bars to measure anything."),
	illiquid: said("Too little trading", "So little is traded that a position could hardly be opened or closed."),
	spread_too_wide: said("Spread too wide", "The gap between the best bid and ask would eat the profit."),
	spread_too_narrow: said(
		"Spread too narrow",
		"The gap between bid and ask does not pay for the fees of quoting in it.",
	),
	missing_open_interest: said(
		"No open interest",
		"The venue does not tell how much is held of its contracts in a way that is read here.",
	),
	missing_orderbook: said("No order book", "The strategy needs bids and asks, and the source has none."),
	no_spot_market: said("No spot market", "The coin is not traded on a spot market that was read."),
	no_derivative_market: said("No futures market", "There is no perpetual contract for this coin."),
	no_options_market: said("No options market", "There are no quoted options for this coin."),
	not_borrowable: said("Cannot be borrowed", "A short sale needs a loan of the coin, and there is none."),
	pegged_or_wrapped: said("Pegged or wrapped coin", "The coin follows another one, so it has no move of its own."),
	no_trigger: said("No signal", "The strategy's entry condition is not met now."),
	below_threshold: said("Signal too weak", "There is a signal, but it is weaker than the strategy asks for."),
	edge_below_threshold: said("Advantage too small", "The expected advantage is smaller than the strategy asks for."),
	regime_filter: said(
		"Wrong kind of market",
		"The strategy does not trade in the present market condition, such as a strong trend.",
	),
	gap_through_stop: said("Would jump the stop", "The price jumps so much that the stop would not hold."),
	no_squeeze: said("No quiet phase", "The strategy waits for an unusually quiet market, and this one is not."),
	correlation_too_low: said("Too little in common", "The two coins do not move together closely enough."),
	not_cointegrated: said(
		"No lasting bond",
		"The distance between the two prices does not come back to its mean reliably.",
	),
	multiple_testing: said("May be chance", "With so many pairs tested, a result like this is to be expected by chance."),
	half_life_out_of_range: said("Wrong pace", "The distance closes too fast or too slowly to be traded."),
	hedge_ratio_invalid: said("No sensible ratio", "The amounts of the two sides cannot be balanced sensibly."),
	hedge_ineffective: said("Hedge does not help", "On past data this hedge did not lower the risk enough."),
	r2_too_low: said("Weak fit", "The model explains too little of how the price moves."),
	z_not_extreme: said("Not far enough apart", "The two prices are not far enough from their usual distance."),
	z_beyond_stop: said("Already too far apart", "The two prices are so far apart that the stop would be hit at once."),
	cost_exceeds_edge: said("Costs too high", "Fees, spread and impact cost more than the trade is expected to earn."),
	adverse_selection: said(
		"Filled at the wrong time",
		"Past orders there were mostly filled just before the price moved against them.",
	),
	negative_expectancy: said("Loses on average", "Past trades of this kind lost money on average after costs."),
	insufficient_evidence: said("Not enough evidence", "There are too few independent past trades to trust the figures."),
	stop_too_wide: said("Stop too far away", "The sensible stop is so far away that the loss would be too large."),
	capital_below_min_notional: said(
		"Position too small",
		"With your capital the position would be smaller than the exchange allows.",
	),
	leverage_limit: said("Too much leverage", "The trade would need more leverage than is allowed."),
	funding_against: said(
		"Funding costs too much",
		"Holding the contract would cost more in funding than is acceptable.",
	),
	open_interest_low: said("Few open contracts", "Too few contracts are open there for a safe entry and exit."),
	already_at_target: said("Nothing to change", "The portfolio already is where the strategy would bring it."),
	already_hedged: said("Already protected", "The position is already hedged."),
	within_limits: said("Within its limits", "The risk is within the limits, so there is nothing to do."),
	no_positions: said("No positions", "You have entered no positions; the strategy looks at positions only."),
	portfolio_too_small: said(
		"Portfolio too small",
		"The portfolio is too small for this strategy to do anything sensible.",
	),
	cluster_limit: said("Too many alike", "Several candidates move together; only the best of them are kept."),
	filter_symbol: said("Filtered: symbol", "Your symbol filter left it out."),
	filter_risk_level: said("Filtered: risk", "Your risk filter left it out."),
	filter_min_profit: said("Filtered: profit", "It promises less than the least profit you asked for."),
	filter_max_capital: said("Filtered: capital", "It needs more capital than you allowed."),
	filter_timeframe: said("Filtered: holding time", "Its holding time is not one you asked for."),
	filter_opportunity_type: said("Filtered: type", "Its type is not one you asked for."),
	rank_limit: said("Beyond the list's end", "There were more results than the list may hold; better ones came first."),
	schema_violation: said("Invalid result", "The strategy gave a result that failed its check, so it was dropped."),
};

/** Words for a code; an unknown one is shown as it is, made readable. */
export function reasonWords(code: string): ReasonWords {
	if (Object.hasOwn(REASONS, code)) return REASONS[code] as ReasonWords;
	const title = code.replaceAll("_", " ");
	return { title, meaning: "The server gives no further explanation for this." };
}
