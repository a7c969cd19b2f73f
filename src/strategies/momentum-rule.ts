import { at } from "./columns.ts";
import { exponentialMean } from "./indicators/averages.ts";
import { wilderRange } from "./indicators/range.ts";
import { alphaOfCentre, squaredReturnSums, volatilityOfSums } from "./indicators/volatility.ts";
import { knownOf, type Reading, type Rule, signalsOf } from "./rule.ts";

const LOOKBACK = 28;
export const Z_MIN = 0.5;
const CENTRE_OF_MASS = 60;
const STOP_ATR = 2.5;
const TARGET_ATR = 5;
export const GAP_ATR_MAX = 1;

/**
 * Time-series momentum after Moskowitz, Ooi and Pedersen (2012) on daily bars:
 * z28 = ln(C/C[-28]) / (sigma_day * sqrt(28)) above 0.5, close above EMA50, EMA20 above EMA50, and the
 * last close at most one ATR14 above the one before, so that a leap is not chased. The short side mirrors
 * every comparison; its stop lies above and its target below.
 */
export const momentumRuleOf = (side: 1 | -1, name: string): Rule => ({
	name,
	horizonBars: 30,
	warmupBars: 120,
	// (60/61)^500 of the variance lies further back.
	settledBars: 500,
	windowBars: LOOKBACK + 1,
	read({ length, close, high, low }, carried): Reading {
		const [weighted, weights] = [knownOf(carried, "weighted"), knownOf(carried, "weights")];
		const sums = squaredReturnSums(close, alphaOfCentre(CENTRE_OF_MASS), weighted && weights && { weighted, weights });
		const sigma = volatilityOfSums(sums);
		const fast = exponentialMean(close, 20, knownOf(carried, "fast"));
		const slow = exponentialMean(close, 50, knownOf(carried, "slow"));
		const atr = wilderRange({ high, low, close }, 14, knownOf(carried, "atr"));
		const z = close.map((value, t) => Math.log(value / at(close, t - LOOKBACK)) / (at(sigma, t) * Math.sqrt(LOOKBACK)));
		const beyond = (a: number, b: number) => side * (a - b) > 0;
		const gateAt = (t: number): string | null => {
			if (!(side * at(z, t) > Z_MIN)) return "no_trigger";
			if (!(beyond(at(close, t), at(slow, t)) && beyond(at(fast, t), at(slow, t)))) return "regime_filter";
			return side * (at(close, t) - at(close, t - 1)) <= GAP_ATR_MAX * at(atr, t) ? null : "no_trigger";
		};
		return {
			plan: {
				signal: signalsOf(length, gateAt),
				stop: close.map((value, t) => value - side * STOP_ATR * at(atr, t)),
				target: close.map((value, t) => value + side * TARGET_ATR * at(atr, t)),
				side,
				horizonBars: 30,
			},
			gateAt,
			admissible: (t) => at(atr, t) > 0 && at(slow, t) > 0,
			carriedAt: (t) => ({
				weighted: at(sums.weighted, t),
				weights: at(sums.weights, t),
				fast: at(fast, t),
				slow: at(slow, t),
				atr: at(atr, t),
			}),
			strengthAt: (t) => side * at(z, t),
			nearMissAt: (t) => {
				const reach = side * at(z, t);
				if (!(reach > Z_MIN)) return { value: reach, threshold: Z_MIN, distance: Z_MIN - reach };
				const trend =
					side === 1
						? Math.min(at(close, t), at(fast, t)) / at(slow, t)
						: at(slow, t) / Math.max(at(close, t), at(fast, t));
				if (!(trend > 1)) return { value: trend, threshold: 1, distance: 1 - trend };
				const leap = (side * (at(close, t) - at(close, t - 1))) / at(atr, t);
				return { value: leap, threshold: GAP_ATR_MAX, distance: leap - GAP_ATR_MAX };
			},
			indicatorsAt: (t) => ({
				z28: at(z, t),
				volatility_annual: at(sigma, t) * Math.sqrt(365),
				ema20: at(fast, t),
				ema50: at(slow, t),
				atr14: at(atr, t),
			}),
			reasoningAt: (t) => reasoning(side, at(z, t)),
		};
	},
});

function reasoning(side: 1 | -1, z: number): string {
	const measured = `The 28-day return is ${z.toFixed(2)} standard deviations`;
	return side === 1
		? `${measured} (more than ${Z_MIN} asked), the close lies above EMA50 and EMA20 above EMA50.`
		: `${measured} (less than ${-Z_MIN} asked), the close lies below EMA50 and EMA20 below EMA50.`;
}
