import { breakoutRuleOf, EXTENSION_MAX, VOLUME_RATIO_MIN } from "./breakout-rule.ts";
import { directionalStrategy, PERP_DAILY } from "./directional.ts";
import { FUNDING_SHARE_MAX, perpTerms } from "./futures-terms.ts";
import { LEVERAGE_DEFAULT_MAX, LIQUIDATION_STOPS_MIN } from "./liquidation.ts";
import { GAP_ATR_MAX, momentumRuleOf, Z_MIN } from "./momentum-rule.ts";

export const longMomentumRule = momentumRuleOf(1, "futures_trade/momentum_long/z28>0.5,gap<=1atr,2.5/5atr,30d");
export const shortMomentumRule = momentumRuleOf(-1, "futures_trade/momentum_short/z28<-0.5,gap<=1atr,2.5/5atr,30d");
export const longBreakoutRule = breakoutRuleOf(1, "target", "futures_trade/breakout_long/20,vol>1.5,ext<=1n,2n/4n,20d");
export const shortBreakdownRule = breakoutRuleOf(
	-1,
	"target",
	"futures_trade/breakdown_short/20,vol>1.5,ext<=1n,2n/4n,20d",
);

/**
 * Trend on perpetual contracts, long and short. Each side has a record of its own with the
 * settled funding in it. A contract is one candidate and one row at most: where momentum and a breakout both
 * fire, the better grade wins, momentum among equals.
 */
export const futuresTrade = directionalStrategy({
	id: "ai_futures_trade",
	type: "futures",
	market: PERP_DAILY,
	setups: [
		{ rule: longMomentumRule, timeframeLabel: "1-4w" },
		{ rule: shortMomentumRule, timeframeLabel: "1-4w" },
		{ rule: longBreakoutRule, timeframeLabel: "20d" },
		{ rule: shortBreakdownRule, timeframeLabel: "20d" },
	],
	terms: perpTerms,
	thresholds: {
		z28_min: Z_MIN,
		gap_atr_max: GAP_ATR_MAX,
		volume_ratio_min: VOLUME_RATIO_MIN,
		extension_n_max: EXTENSION_MAX,
		funding_share_max: FUNDING_SHARE_MAX,
		liquidation_stops_min: LIQUIDATION_STOPS_MIN,
		leverage_max: LEVERAGE_DEFAULT_MAX,
		bars_min: 120,
	},
});
