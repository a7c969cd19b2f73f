import { directionalStrategy, SPOT_DAILY } from "./directional.ts";
import { GAP_ATR_MAX, momentumRuleOf, Z_MIN } from "./momentum-rule.ts";

export const momentumRule = momentumRuleOf(1, "spot_momentum/z28>0.5,ema20>ema50,gap<=1atr,2.5/5atr,30d");

export const spotMomentum = directionalStrategy({
	id: "ai_spot_momentum_strategy",
	type: "spot_momentum",
	market: SPOT_DAILY,
	setups: [{ rule: momentumRule, timeframeLabel: "1-4w" }],
	/** Professional tier: at least 10 million USD a day. */
	tierPriorityMax: 3,
	thresholds: { z28_min: Z_MIN, gap_atr_max: GAP_ATR_MAX, bars_min: 120, tier_volume_usd_min: 10_000_000 },
});
