import { at } from "./columns.ts";
import { directionalStrategy } from "./directional.ts";
import { exponentialMean } from "./indicators/averages.ts";
import { wilderRange } from "./indicators/range.ts";
import { exAnteVolatility } from "./indicators/volatility.ts";
import { type Reading, type Rule, signalsOf } from "./rule.ts";

const LOOKBACK = 28;
const Z_MIN = 0.5;
const CENTRE_OF_MASS = 60;
const STOP_ATR = 2.5;
const TARGET_ATR = 5;
const GAP_ATR_MAX = 1;

/**
 * Time-series momentum after Moskowitz, Ooi and Pedersen (2012) on daily bars (STRATEGIES 6.4):
 * z28 = ln(C/C[-28]) / (sigma_day * sqrt(28)) above 0.5, close above EMA50, EMA20 above EMA50, and the
 * last close at most one ATR14 above the one before, so that a leap is not chased.
 */
export const momentumRule: Rule = {
	name: "spot_momentum/z28>0.5,ema20>ema50,gap<=1atr,2.5/5atr,30d",
	horizonBars: 30,
	warmupBars: 120,
	read({ length, close, high, low }): Reading {
		const sigma = exAnteVolatility(close, CENTRE_OF_MASS);
		const fast = exponentialMean(close, 20);
		const slow = exponentialMean(close, 50);
		const atr = wilderRange({ high, low, close }, 14);
		const z = close.map((value, t) => Math.log(value / at(close, t - LOOKBACK)) / (at(sigma, t) * Math.sqrt(LOOKBACK)));
		const gateAt = (t: number): string | null => {
			if (!(at(z, t) > Z_MIN)) return "no_trigger";
			if (!(at(close, t) > at(slow, t) && at(fast, t) > at(slow, t))) return "regime_filter";
			return at(close, t) - at(close, t - 1) <= GAP_ATR_MAX * at(atr, t) ? null : "no_trigger";
		};
		return {
			plan: {
				signal: signalsOf(length, gateAt),
				stop: close.map((value, t) => value - STOP_ATR * at(atr, t)),
				target: close.map((value, t) => value + TARGET_ATR * at(atr, t)),
				side: 1,
				horizonBars: 30,
			},
			gateAt,
			admissible: (t) => at(atr, t) > 0 && at(slow, t) > 0,
			strengthAt: (t) => at(z, t),
			nearMissAt: (t) => {
				if (!(at(z, t) > Z_MIN)) return { value: at(z, t), threshold: Z_MIN, distance: Z_MIN - at(z, t) };
				const trend = Math.min(at(close, t), at(fast, t)) / at(slow, t);
				if (!(trend > 1)) return { value: trend, threshold: 1, distance: 1 - trend };
				const leap = (at(close, t) - at(close, t - 1)) / at(atr, t);
				return { value: leap, threshold: GAP_ATR_MAX, distance: leap - GAP_ATR_MAX };
			},
			indicatorsAt: (t) => ({
				z28: at(z, t),
				volatility_annual: at(sigma, t) * Math.sqrt(365),
				ema20: at(fast, t),
				ema50: at(slow, t),
				atr14: at(atr, t),
			}),
			reasoningAt: (t) =>
				`The 28-day return is ${at(z, t).toFixed(2)} standard deviations (more than ${Z_MIN} asked), the close lies above EMA50 and EMA20 above EMA50.`,
		};
	},
};

export const spotMomentum = directionalStrategy({
	id: "ai_spot_momentum_strategy",
	type: "spot_momentum",
	timeframeLabel: "1-4w",
	rule: momentumRule,
	/** Professional tier: at least 10 million USD a day. */
	tierPriorityMax: 3,
	thresholds: { z28_min: Z_MIN, gap_atr_max: GAP_ATR_MAX, bars_min: 120, tier_volume_usd_min: 10_000_000 },
});
