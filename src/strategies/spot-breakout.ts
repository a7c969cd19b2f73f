import { at } from "./columns.ts";
import { directionalStrategy } from "./directional.ts";
import { highestBefore, lowestBefore, meanBefore } from "./indicators/channel.ts";
import { wilderRange } from "./indicators/range.ts";
import { type Reading, type Rule, signalsOf } from "./rule.ts";

const CHANNEL = 20;
const VOLUME_RATIO_MIN = 1.5;
const EXTENSION_MAX = 1;
const STOP_N = 2;
const TARGET_N = 4;
const TRAIL = 10;

/** How a breakout trade ends: at 4 N, or by the low of the last ten bars. */
type Exit = "target" | "trail";

/**
 * Donchian breakout with the Turtles' N on daily bars (STRATEGIES 6.6): close above the highest high of
 * the 20 bars before, volume above 1.5 times its mean, close at most one N above the channel.
 */
const breakoutRule = (exit: Exit): Rule => ({
	name: `spot_breakout/20,vol>1.5,ext<=1n,2n/${exit === "target" ? "4n" : "low10"},20d`,
	horizonBars: 20,
	warmupBars: 120,
	read({ length, close, high, low, volume }): Reading {
		const channel = highestBefore(high, CHANNEL);
		const usual = meanBefore(volume, CHANNEL);
		const n = wilderRange({ high, low, close }, CHANNEL);
		const extension = close.map((value, t) => (value - at(channel, t)) / at(n, t));
		const ratio = volume.map((value, t) => value / at(usual, t));
		const gateAt = (t: number): string | null =>
			at(close, t) > at(channel, t) && at(ratio, t) > VOLUME_RATIO_MIN && at(extension, t) <= EXTENSION_MAX
				? null
				: "no_trigger";
		return {
			plan: {
				signal: signalsOf(length, gateAt),
				stop: close.map((value, t) => value - STOP_N * at(n, t)),
				target: exit === "target" ? close.map((value, t) => value + TARGET_N * at(n, t)) : null,
				...(exit === "trail" ? { trail: lowestBefore(low, TRAIL) } : {}),
				side: 1,
				horizonBars: 20,
			},
			gateAt,
			admissible: (t) => at(n, t) > 0,
			strengthAt: (t) => at(ratio, t),
			nearMissAt: (t) => {
				const reach = at(extension, t);
				if (!(reach > 0)) return { value: reach, threshold: 0, distance: -reach };
				const raised = at(ratio, t);
				return raised > VOLUME_RATIO_MIN
					? { value: reach, threshold: EXTENSION_MAX, distance: reach - EXTENSION_MAX }
					: { value: raised, threshold: VOLUME_RATIO_MIN, distance: VOLUME_RATIO_MIN - raised };
			},
			indicatorsAt: (t) => ({
				channel_high: at(channel, t),
				n: at(n, t),
				extension_n: at(extension, t),
				volume_ratio: at(ratio, t),
			}),
			reasoningAt: (t) =>
				`The close lies ${at(extension, t).toFixed(2)} N above the highest high of the 20 days before, on ${at(ratio, t).toFixed(2)} times the usual volume.`,
		};
	},
});

export const breakoutTargetRule = breakoutRule("target");
export const breakoutTrailRule = breakoutRule("trail");

export const spotBreakout = directionalStrategy({
	id: "ai_spot_breakout_strategy",
	type: "breakout",
	timeframeLabel: "20d",
	rule: breakoutTargetRule,
	variants: { trail_low_10: breakoutTrailRule },
	thresholds: {
		channel_bars: CHANNEL,
		volume_ratio_min: VOLUME_RATIO_MIN,
		extension_n_max: EXTENSION_MAX,
		bars_min: 120,
	},
});
