import { at } from "./columns.ts";
import { SPOT_REPLAY_COST } from "./costs.ts";
import { directionalStrategy, SPOT_DAILY } from "./directional.ts";
import { populationDeviation, simpleMean } from "./indicators/averages.ts";
import { halfLifeOf, varianceRatio } from "./indicators/persistence.ts";
import { wilderRange } from "./indicators/range.ts";
import { wilderRsiColumns } from "./indicators/rsi.ts";
import { logReturns } from "./indicators/volatility.ts";
import { knownOf, type Reading, type Rule, signalsOf } from "./rule.ts";
import { hurstExponent } from "./statistics/hurst.ts";

const PERIOD = 20;
const Z_MAX = -2;
const RSI_MAX = 30;
const STOP_ATR = 2;
const ROWS_PER_CLUSTER = 3;
const CONTEXT_BARS = 250;

/**
 * Oversold closes on daily bars: z20 = (C - SMA20)/sd20 below -2 with the population
 * deviation, Wilder's RSI14 below 30, and a way back to the mean of at least two round trips.
 */
export const meanReversionRule: Rule = {
	name: "spot_mean_reversion/z20<-2,rsi14<30,sma20,2atr,10d",
	horizonBars: 10,
	warmupBars: 120,
	// The context looks over 250 closes; RSI and ATR have forgotten long before.
	settledBars: CONTEXT_BARS,
	windowBars: CONTEXT_BARS,
	read({ length, close, high, low, volume }, carried): Reading {
		const mean = simpleMean(close, PERIOD);
		const deviation = populationDeviation(close, PERIOD, mean);
		const [gains, losses] = [knownOf(carried, "gains"), knownOf(carried, "losses")];
		const relative = wilderRsiColumns(close, 14, gains && losses && { gains, losses });
		const { rsi } = relative;
		const atr = wilderRange({ high, low, close }, 14, knownOf(carried, "atr"));
		const z = close.map((value, t) => (value - at(mean, t)) / at(deviation, t));
		const gateAt = (t: number): string | null => {
			if (!(at(z, t) < Z_MAX && at(rsi, t) < RSI_MAX)) return "no_trigger";
			if (!(at(mean, t) / at(close, t) - 1 >= 2 * SPOT_REPLAY_COST)) return "cost_exceeds_edge";
			return at(volume, t) > 0 ? null : "illiquid";
		};
		return {
			plan: {
				signal: signalsOf(length, gateAt),
				stop: close.map((value, t) => value - STOP_ATR * at(atr, t)),
				target: mean,
				side: 1,
				horizonBars: 10,
			},
			gateAt,
			// Only below its mean has a bar a target that lies ahead.
			admissible: (t) => at(atr, t) > 0 && at(close, t) < at(mean, t),
			carriedAt: (t) => ({ gains: at(relative.gains, t), losses: at(relative.losses, t), atr: at(atr, t) }),
			strengthAt: (t) => -at(z, t),
			nearMissAt: (t) => {
				if (!(at(z, t) < Z_MAX)) return { value: at(z, t), threshold: Z_MAX, distance: at(z, t) - Z_MAX };
				return at(rsi, t) < RSI_MAX ? null : { value: at(rsi, t), threshold: RSI_MAX, distance: at(rsi, t) - RSI_MAX };
			},
			indicatorsAt: (t) => {
				const closes = close.subarray(Math.max(0, t + 1 - CONTEXT_BARS), t + 1);
				const recent = closes.map(Math.log);
				// Below 0.5 moves tend to be taken back. Context only: on so few bars it is no proof.
				const hurst = hurstExponent(logReturns(closes).subarray(1));
				return {
					z20: at(z, t),
					sma20: at(mean, t),
					rsi14: at(rsi, t),
					atr14: at(atr, t),
					variance_ratio_8: varianceRatio(recent, 8),
					half_life_days: halfLifeOf(recent),
					...(hurst ? { hurst_corrected: hurst.corrected } : {}),
				};
			},
			reasoningAt: (t) =>
				`The close lies ${(-at(z, t)).toFixed(2)} standard deviations below its 20-day mean with RSI14 at ${at(rsi, t).toFixed(1)}; the target is the mean, frozen at the signal.`,
		};
	},
};

export const spotMeanReversion = directionalStrategy({
	id: "ai_spot_mean_reversion",
	type: "mean_reversion",
	market: SPOT_DAILY,
	setups: [{ rule: meanReversionRule, timeframeLabel: "1-10d" }],
	/** One crash makes all signals at once: the deepest three stand for it. */
	rowsPerCluster: ROWS_PER_CLUSTER,
	riskAtLeast: "high",
	thresholds: {
		z20_max: Z_MAX,
		rsi14_max: RSI_MAX,
		target_distance_min: 2 * SPOT_REPLAY_COST,
		bars_min: 120,
		rows_per_cluster: ROWS_PER_CLUSTER,
	},
});
