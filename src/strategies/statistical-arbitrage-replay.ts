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

/** Thresholds of Avellaneda and Lee (2010). */
export const S_ENTRY = 1.25;
export const S_EXIT_LONG = -0.5;
export const S_EXIT_SHORT = 0.75;
export const S_STOP = 3;
export const B_MAX = 0.97;
export const R2_MIN = 0.3;
export const HOLD_BARS = 30;
/** Round trip that the walk-forward is charged once. */
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

/** Steps of a panel, the first of them on bar FACTOR_BARS + first. */
export interface StepHistory {
	first: number;
	steps: FactorStep[];
}

/** Walks on to the end of the panel that the walk stands on, or begins; the steps of the bars it comes to. */
export function walkOn(walk: FactorWalk, bars: number): FactorStep[] {
	const steps: FactorStep[] = [];
	while (walk.bar + 1 < bars) {
		walk.advance();
		steps.push(walk.step());
	}
	return steps;
}

/** Every bar of a panel from the first that has a full window. */
export function stepsOf(panel: AssetPanel): FactorStep[] {
	const bars = panel.times.length;
	if (bars <= FACTOR_BARS || panel.symbols.length === 0) return [];
	const walk = new FactorWalk(panel, FACTOR_BARS);
	return [walk.step(), ...walkOn(walk, bars)];
}

type BySide<Value> = Record<"long" | "short", Value>;

export interface FactorReplay {
	trades: BySide<ResolvedTrade[]>;
	placebo: BySide<PlaceboPool[]>;
}

export interface ReplayOptions {
	/** Bars a trade may last. */
	holdBars(fit: AssetFit): number;
	/** Trades signalled later are not counted: their whole horizon has not passed, epoch ms. */
	embargoMs: number;
	/** Also replay entries on every third bar that is off the mean, for the placebo. */
	placebo: boolean;
}

/** What came of one asset's signals before the step `next`. */
export interface AssetReplay {
	next: number;
	/** The first step that may signal again. */
	free: number;
	trades: BySide<ResolvedTrade[]>;
	outcomes: BySide<number[]>;
}

const NOTHING: AssetReplay = { next: 0, free: 0, trades: { long: [], short: [] }, outcomes: { long: [], short: [] } };

const copyOf = ({ next, free, trades, outcomes }: AssetReplay): AssetReplay => ({
	next,
	free,
	trades: { long: [...trades.long], short: [...trades.short] },
	outcomes: { long: [...outcomes.long], short: [...outcomes.short] },
});

interface Exit {
	bar: number;
	net: number;
}

/**
 * Trades of all assets: entry at the close of the signal with the factor weights of
 * that bar, exit by the score of each new bar; the exit bar may signal again. A trade still open at the
 * end is not counted.
 */
export const replayPanel = (panel: AssetPanel, steps: FactorStep[], options: ReplayOptions): FactorReplay =>
	replayOn(panel, { first: 0, steps }, options, []).replay;

/**
 * The same from what was settled before (by asset; nothing for one that is missing). `settled` is the part
 * that no later bar can change.
 */
export function replayOn(
	panel: AssetPanel,
	history: StepHistory,
	options: ReplayOptions,
	known: readonly AssetReplay[],
): { replay: FactorReplay; settled: AssetReplay[] } {
	const replay: FactorReplay = { trades: { long: [], short: [] }, placebo: { long: [], short: [] } };
	const settled = panel.symbols.map((_, asset) => {
		const { all, settled } = replayAsset(panel, history, asset, options, known[asset] ?? NOTHING);
		for (const name of ["long", "short"] as const) {
			const [trades, outcomes] = [all.trades[name], all.outcomes[name]];
			for (const trade of trades) replay.trades[name].push(trade);
			if (trades.length > 0)
				replay.placebo[name].push({ outcomes: Float64Array.from(outcomes), entries: trades.length });
		}
		return settled;
	});
	return { replay, settled };
}

function replayAsset(
	panel: AssetPanel,
	history: StepHistory,
	asset: number,
	options: ReplayOptions,
	known: AssetReplay,
): { all: AssetReplay; settled: AssetReplay } {
	const all = copyOf(known);
	const end = history.first + history.steps.length;
	let settled: AssetReplay | null = null;
	let t = known.next;
	for (; t < end; t++) {
		const step = history.steps[t - history.first];
		const fit = step?.fits[asset];
		const time = at(panel.times, FACTOR_BARS + t);
		if (time > options.embargoMs) break;
		if (!step || !fit) continue;
		const signal = t >= all.free && isSignal(fit);
		const name = sideOf(fit) === 1 ? "long" : "short";
		const drawn = options.placebo && t % PLACEBO_STRIDE === 0 && fit.r2 > R2_MIN && !isOver(fit, sideOf(fit));
		if (!signal && !drawn) continue;
		const exit = exitOf(panel, history, asset, t, options);
		if (!exit) {
			// Still open: from here on everything is replayed again when more is known.
			settled ??= { ...copyOf(all), next: t };
			continue;
		}
		if (drawn) all.outcomes[name].push(exit.net);
		if (!signal) continue;
		all.free = exit.bar;
		all.trades[name].push({
			symbol: panel.symbols[asset] ?? "",
			signalTime: time,
			exitTime: at(panel.times, FACTOR_BARS + exit.bar),
			net: exit.net,
			r: exit.net / (RISK_DEVIATIONS * fit.deviation),
			holdBars: exit.bar - t,
		});
	}
	return { all, settled: settled ?? { ...copyOf(all), next: t } };
}

/** The first later step on which the trade ends; null when it is still open. */
function exitOf(
	{ cumulated }: AssetPanel,
	{ first, steps }: StepHistory,
	asset: number,
	entry: number,
	{ holdBars }: ReplayOptions,
): Exit | null {
	const step = steps[entry - first];
	const fit = step?.fits[asset];
	if (!step || !fit) return null;
	const side = sideOf(fit);
	const lastBar = entry + holdBars(fit);
	for (let bar = entry + 1; bar < first + steps.length; bar++) {
		const now = steps[bar - first]?.fits[asset];
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
