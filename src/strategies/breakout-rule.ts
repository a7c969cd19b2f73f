import { at } from "./columns.ts";
import { highestBefore, lowestBefore, meanBefore } from "./indicators/channel.ts";
import { wilderRange } from "./indicators/range.ts";
import { knownOf, type Reading, type Rule, signalsOf } from "./rule.ts";

export const CHANNEL = 20;
export const VOLUME_RATIO_MIN = 1.5;
export const EXTENSION_MAX = 1;
const STOP_N = 2;
const TARGET_N = 4;
const TRAIL = 10;

/** How a breakout trade ends: at 4 N, or by the opposite extreme of the last ten bars. */
export type BreakoutExit = "target" | "trail";

/**
 * Donchian breakout with the Turtles' N on daily bars: close above the highest high
 * of the 20 bars before, volume above 1.5 times its mean, close at most one N above the channel. The short
 * side breaks down through the lowest low.
 */
export const breakoutRuleOf = (side: 1 | -1, exit: BreakoutExit, name: string): Rule => ({
	name,
	horizonBars: 20,
	warmupBars: 120,
	// (19/20)^200 of N lies further back.
	settledBars: 200,
	windowBars: CHANNEL + 1,
	read({ length, close, high, low, volume }, carried): Reading {
		const channel = side === 1 ? highestBefore(high, CHANNEL) : lowestBefore(low, CHANNEL);
		const usual = meanBefore(volume, CHANNEL);
		const n = wilderRange({ high, low, close }, CHANNEL, knownOf(carried, "n"));
		const extension = close.map((value, t) => (side * (value - at(channel, t))) / at(n, t));
		const ratio = volume.map((value, t) => value / at(usual, t));
		const gateAt = (t: number): string | null =>
			side * (at(close, t) - at(channel, t)) > 0 && at(ratio, t) > VOLUME_RATIO_MIN && at(extension, t) <= EXTENSION_MAX
				? null
				: "no_trigger";
		const trail = () => (side === 1 ? lowestBefore(low, TRAIL) : highestBefore(high, TRAIL));
		return {
			plan: {
				signal: signalsOf(length, gateAt),
				stop: close.map((value, t) => value - side * STOP_N * at(n, t)),
				target: exit === "target" ? close.map((value, t) => value + side * TARGET_N * at(n, t)) : null,
				...(exit === "trail" ? { trail: trail() } : {}),
				side,
				horizonBars: 20,
			},
			gateAt,
			admissible: (t) => at(n, t) > 0,
			carriedAt: (t) => ({ n: at(n, t) }),
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
				[side === 1 ? "channel_high" : "channel_low"]: at(channel, t),
				n: at(n, t),
				extension_n: at(extension, t),
				volume_ratio: at(ratio, t),
			}),
			reasoningAt: (t) =>
				`The close lies ${at(extension, t).toFixed(2)} N ${side === 1 ? "above the highest high" : "below the lowest low"} of the 20 days before, on ${at(ratio, t).toFixed(2)} times the usual volume.`,
		};
	},
});
