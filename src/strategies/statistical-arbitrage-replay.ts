import { at, type Column } from "./columns.ts";
import type { PlaceboPool } from "./evidence/placebo.ts";
import type { ResolvedTrade } from "./evidence/trades.ts";
import {
	type AssetFit,
	type AssetPanel,
	FACTOR_BARS,
	type FactorStep,
	FactorWalk,
	hedgeWeights,
} from "./statistical-arbitrage-model.ts";

/** Thresholds of Avellaneda and Lee (2010) as STRATEGIES 6.3 quotes them. */
export const S_ENTRY = 1.25;
export const S_EXIT_LONG = -0.5;
export const S_EXIT_SHORT = 0.75;
export const S_STOP = 3;
export const B_MAX = 0.97;
export const R2_MIN = 0.3;
export const HOLD_BARS = 30;
/** Round trip that the walk-forward is charged once (STRATEGIES 7.2). */
export const FACTOR_REPLAY_COST = 0.002;
/** Deviations a trade risks by design, from its entry level to its stop. */
const RISK_DEVIATIONS = S_STOP - S_ENTRY;
const PLACEBO_STRIDE = 3;

export type TradeSide = 1 | -1;

/** The mean reversion is fast enough to be believed within the window. */
export const returns = ({ b }: AssetFit): boolean => b > 0 && b < B_MAX;
export const isSignal = (fit: AssetFit): boolean =>
	returns(fit) && Math.abs(fit.s) > S_ENTRY && Math.abs(fit.s) < S_STOP && fit.r2 > R2_MIN;
export const sideOf = (fit: AssetFit): TradeSide => (fit.s < 0 ? 1 : -1);

/** The position has done its work, failed, or lost its model. */
export const isOver = (fit: AssetFit, side: TradeSide): boolean =>
	!returns(fit) || Math.abs(fit.s) > S_STOP || (side === 1 ? fit.s > S_EXIT_LONG : fit.s < S_EXIT_SHORT);

/** Every bar of a panel from the first that has a full window. */
export function stepsOf(panel: AssetPanel): FactorStep[] {
	const bars = panel.times.length;
	if (bars <= FACTOR_BARS || panel.symbols.length === 0) return [];
	const walk = new FactorWalk(panel, FACTOR_BARS);
	const steps: FactorStep[] = [walk.step()];
	while (walk.bar + 1 < bars) {
		walk.advance();
		steps.push(walk.step());
	}
	return steps;
}

export interface FactorReplay {
	trades: Record<"long" | "short", ResolvedTrade[]>;
	placebo: Record<"long" | "short", PlaceboPool[]>;
}

export interface ReplayOptions {
	/** Bars a trade may last. */
	holdBars(fit: AssetFit): number;
	/** Trades signalled later are not counted: their whole horizon has not passed, epoch ms. */
	embargoMs: number;
	/** Also replay entries on every third bar that is off the mean, for the placebo. */
	placebo: boolean;
}

interface Exit {
	bar: number;
	net: number;
}

/**
 * Trades of all assets (STRATEGIES 7.2): entry at the close of the signal with the factor weights of
 * that bar, exit by the score of each new bar; the exit bar may signal again. A trade still open at the
 * end is not counted.
 */
export function replayPanel(panel: AssetPanel, steps: readonly FactorStep[], options: ReplayOptions): FactorReplay {
	const replay: FactorReplay = { trades: { long: [], short: [] }, placebo: { long: [], short: [] } };
	panel.symbols.forEach((_, asset) => {
		replayAsset(panel, steps, asset, options, replay);
	});
	return replay;
}

function replayAsset(
	panel: AssetPanel,
	steps: readonly FactorStep[],
	asset: number,
	options: ReplayOptions,
	replay: FactorReplay,
): void {
	const outcomes: Record<"long" | "short", number[]> = { long: [], short: [] };
	const entries = { long: 0, short: 0 };
	let free = 0;
	steps.forEach((step, t) => {
		const fit = step.fits[asset];
		const time = at(panel.times, FACTOR_BARS + t);
		if (!fit || time > options.embargoMs) return;
		const signal = t >= free && isSignal(fit);
		const name = sideOf(fit) === 1 ? "long" : "short";
		const drawn = options.placebo && t % PLACEBO_STRIDE === 0 && fit.r2 > R2_MIN && !isOver(fit, sideOf(fit));
		if (!signal && !drawn) return;
		const exit = exitOf(panel, steps, asset, t, options);
		if (!exit) return;
		if (drawn) outcomes[name].push(exit.net);
		if (!signal) return;
		free = exit.bar;
		entries[name]++;
		replay.trades[name].push({
			symbol: panel.symbols[asset] ?? "",
			signalTime: time,
			exitTime: at(panel.times, FACTOR_BARS + exit.bar),
			net: exit.net,
			r: exit.net / (RISK_DEVIATIONS * fit.deviation),
			holdBars: exit.bar - t,
		});
	});
	for (const name of ["long", "short"] as const) {
		if (entries[name] > 0)
			replay.placebo[name].push({ outcomes: Float64Array.from(outcomes[name]), entries: entries[name] });
	}
}

/** The first later step on which the trade ends; null when it is still open. */
function exitOf(
	{ cumulated }: AssetPanel,
	steps: readonly FactorStep[],
	asset: number,
	entry: number,
	{ holdBars }: ReplayOptions,
): Exit | null {
	const step = steps[entry];
	const fit = step?.fits[asset];
	if (!step || !fit) return null;
	const side = sideOf(fit);
	const lastBar = entry + holdBars(fit);
	for (let bar = entry + 1; bar < steps.length; bar++) {
		const now = steps[bar]?.fits[asset];
		if (now && !isOver(now, side) && bar < lastBar) continue;
		return { bar, net: side * hedgedGain(cumulated, step, fit, asset, entry, bar) - FACTOR_REPLAY_COST };
	}
	return null;
}

/** Weights are frozen, so the sum of hedged returns is one difference of running sums an asset. */
function hedgedGain(
	cumulated: readonly Column[],
	step: FactorStep,
	fit: AssetFit,
	asset: number,
	entry: number,
	exit: number,
): number {
	const weights = hedgeWeights(step, fit);
	const gain = (sums: Column) => (sums[FACTOR_BARS + exit] as number) - (sums[FACTOR_BARS + entry] as number);
	let net = gain(cumulated[asset] as Column);
	for (let i = 0; i < weights.length; i++) net -= (weights[i] as number) * gain(cumulated[i] as Column);
	return net;
}
