/** The rules behind the measured table, with its conventions (normalised ATR, first-seeded RSI). */
import type { Series } from "../../src/market/contract.ts";
import type { BracketPlan } from "../../src/strategies/bracket.ts";
import { at, type Column, unknownColumn } from "../../src/strategies/columns.ts";
import type { ResolvedTrade } from "../../src/strategies/evidence/trades.ts";
import { normalisedMean, populationDeviation, simpleMean } from "../../src/strategies/indicators/averages.ts";
import { highestBefore, lowestBefore, meanBefore } from "../../src/strategies/indicators/channel.ts";
import { trueRange } from "../../src/strategies/indicators/range.ts";
import { exAnteVolatility, logReturns } from "../../src/strategies/indicators/volatility.ts";
import { type AnyPlan, simulate, type TradePlan } from "../../src/strategies/simulator.ts";
import { squeezeRule } from "../../src/strategies/squeeze-rule.ts";

export type PlanOf = (series: Series) => TradePlan;

/** Normalised weights with alpha 1/n; the first bar's range is high - low. */
const tableRange = (series: Series, n: number): Column => normalisedMean(trueRange(series), 1 / n);

function tableRsi(close: Column, n: number): Column {
	const result = unknownColumn(close.length);
	let gain = Number.NaN;
	let loss = Number.NaN;
	for (let i = 1; i < close.length; i++) {
		const change = at(close, i) - at(close, i - 1);
		const [up, down] = [Math.max(0, change), Math.max(0, -change)];
		gain = i === 1 ? up : gain + (up - gain) / n;
		loss = i === 1 ? down : loss + (down - loss) / n;
		result[i] = loss === 0 ? 100 : 100 - 100 / (1 + gain / loss);
	}
	return result;
}

const signals = (length: number, fires: (t: number) => boolean): Uint8Array =>
	Uint8Array.from({ length }, (_, t) => (fires(t) ? 1 : 0));

const momentum =
	(z: (series: Series, sigma: Column, t: number) => number, side: 1 | -1 = 1): PlanOf =>
	(series) => {
		const { close } = series;
		const sigma = exAnteVolatility(close, 60);
		const fast = normalisedMean(close, 2 / 21);
		const slow = normalisedMean(close, 2 / 51);
		const atr = tableRange(series, 14);
		return {
			signal: signals(
				series.length,
				(t) =>
					side * z(series, sigma, t) > 0.5 &&
					side * (at(close, t) - at(slow, t)) > 0 &&
					side * (at(fast, t) - at(slow, t)) > 0,
			),
			stop: close.map((c, t) => c - side * 2.5 * at(atr, t)),
			target: close.map((c, t) => c + side * 5 * at(atr, t)),
			side,
			horizonBars: 30,
		};
	};
const simpleReturn = ({ close }: Series, sigma: Column, t: number): number =>
	(at(close, t) / at(close, t - 28) - 1) / (at(sigma, t) * Math.sqrt(28));
export const tsmom28Simple = momentum(simpleReturn);
export const tsmom28SimpleShort = momentum(simpleReturn, -1);
export const tsmom28Log = momentum(
	({ close }, sigma, t) => Math.log(at(close, t) / at(close, t - 28)) / (at(sigma, t) * Math.sqrt(28)),
);

export const breakout =
	(channelBars: number, horizonBars: number, side: 1 | -1 = 1): PlanOf =>
	(series) => {
		const { close, high, low, volume } = series;
		const channel = side === 1 ? highestBefore(high, channelBars) : lowestBefore(low, channelBars);
		const usual = meanBefore(volume, 20);
		const n = tableRange(series, 20);
		return {
			signal: signals(
				series.length,
				(t) => side * (at(close, t) - at(channel, t)) > 0 && at(volume, t) > 1.5 * at(usual, t),
			),
			stop: close.map((c, t) => c - side * 2 * at(n, t)),
			target: close.map((c, t) => c + side * 4 * at(n, t)),
			side,
			horizonBars,
		};
	};

export const meanReversion =
	(zMax: number, horizonBars: number): PlanOf =>
	(series) => {
		const { close } = series;
		const mean = simpleMean(close, 20);
		const deviation = populationDeviation(close, 20, mean);
		const rsi = tableRsi(close, 14);
		const atr = tableRange(series, 14);
		return {
			signal: signals(series.length, (t) => (at(close, t) - at(mean, t)) / at(deviation, t) < zMax && at(rsi, t) < 30),
			stop: close.map((c, t) => c - 2 * at(atr, t)),
			target: mean,
			side: 1,
			horizonBars,
		};
	};

/** The order pair on bandwidth alone, from the 300th bar on, with the table's range. */
export const squeezeBracket = (series: Series): BracketPlan => {
	const reading = squeezeRule.read(series);
	const signal = signals(series.length, (t) => t >= 300 && reading.percentileAt(t) <= 0.1);
	return { ...reading.plan, signal, n: tableRange(series, 20) };
};

/** Exponentially weighted standard deviation: weights (1-alpha)^age, centred, corrected for bias. */
function weightedDeviation(values: Column, centreOfMass: number): Column {
	const decay = 1 - 1 / (1 + centreOfMass);
	const result = unknownColumn(values.length);
	let [w, ww, wx, wxx] = [0, 0, 0, 0];
	for (let t = 1; t < values.length; t++) {
		const x = at(values, t);
		w = decay * w + 1;
		ww = decay * decay * ww + 1;
		wx = decay * wx + x;
		wxx = decay * wxx + x * x;
		const variance = wxx / w - (wx / w) ** 2;
		result[t] = Math.sqrt((variance * w * w) / (w * w - ww));
	}
	return result;
}

/** Return over `bars` in deviations above `zMin`; stop 3 ATR14, no trend filter unless `trendBars`, no target unless `targetAtr`. */
export const momentumOver =
	(of: {
		bars: number;
		zMin: number;
		centreOfMass: number;
		horizonBars: number;
		trendBars?: number;
		targetAtr?: number;
	}): PlanOf =>
	(series) => {
		const { close } = series;
		const deviation = weightedDeviation(logReturns(close), of.centreOfMass);
		const atr = tableRange(series, 14);
		const trend = of.trendBars === undefined ? null : normalisedMean(close, 2 / (of.trendBars + 1));
		const z = (t: number) => Math.log(at(close, t) / at(close, t - of.bars)) / (at(deviation, t) * Math.sqrt(of.bars));
		const { targetAtr } = of;
		return {
			signal: signals(series.length, (t) => z(t) > of.zMin && (trend === null || at(close, t) > at(trend, t))),
			stop: close.map((c, t) => c - 3 * at(atr, t)),
			target: targetAtr === undefined ? null : close.map((c, t) => c + targetAtr * at(atr, t)),
			side: 1,
			horizonBars: of.horizonBars,
		};
	};

/** All resolved trades of a plan over a universe. */
export const tradesOf = (
	universe: readonly Series[],
	plan: (series: Series) => AnyPlan,
	cost: number,
): ResolvedTrade[] =>
	universe.flatMap((series) =>
		simulate(series, plan(series), cost).trades.map((trade) => ({ ...trade, symbol: series.symbol })),
	);

export interface Tally {
	wins: number;
	n: number;
	meanPercent: number;
	profitFactor: number;
}

export function tally(trades: readonly ResolvedTrade[]): Tally {
	const sum = (pick: (net: number) => number) => trades.reduce((total, trade) => total + pick(trade.net), 0);
	return {
		wins: trades.filter((trade) => trade.net > 0).length,
		n: trades.length,
		meanPercent: (100 * sum((net) => net)) / trades.length,
		profitFactor: sum((net) => Math.max(0, net)) / sum((net) => Math.max(0, -net)),
	};
}
