import { breakoutRuleOf, CHANNEL, EXTENSION_MAX, VOLUME_RATIO_MIN } from "./breakout-rule.ts";
import { directionalStrategy, SPOT_DAILY } from "./directional.ts";

export const breakoutTargetRule = breakoutRuleOf(1, "target", "spot_breakout/20,vol>1.5,ext<=1n,2n/4n,20d");
export const breakoutTrailRule = breakoutRuleOf(1, "trail", "spot_breakout/20,vol>1.5,ext<=1n,2n/low10,20d");

export const spotBreakout = directionalStrategy({
	id: "ai_spot_breakout_strategy",
	type: "breakout",
	market: SPOT_DAILY,
	setups: [{ rule: breakoutTargetRule, timeframeLabel: "20d", variants: { trail_low_10: breakoutTrailRule } }],
	thresholds: {
		channel_bars: CHANNEL,
		volume_ratio_min: VOLUME_RATIO_MIN,
		extension_n_max: EXTENSION_MAX,
		bars_min: 120,
	},
});
