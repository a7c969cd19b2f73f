import type { BarColumns } from "./series.ts";
import { createBarColumns } from "./series.ts";
import { createDraws } from "./simulated-random.ts";

/** Prices have this many significant digits at the coin's usual price. */
const PRICE_DIGITS = 6;
/** Part of a bar's variance that stays within the bar, for its extremes and its inner path. */
const INNER_VOL = 0.85;

/** Power of ten by which a price is multiplied before it is rounded to the tick. */
export const ticksPerUnit = (usualPrice: number): number =>
	10 ** (PRICE_DIGITS - 1 - Math.floor(Math.log10(usualPrice)));

/** Nearest tick, at least one. Rounding is monotone, so low <= open, close <= high survives it. */
export const roundToTick = (price: number, perUnit: number): number =>
	Math.max(1, Math.round(price * perUnit)) / perUnit;

/** One bar before it is cut into smaller ones; sigma is that of its log return. */
export interface WholeBar {
	openTime: number;
	open: number;
	high: number;
	low: number;
	close: number;
	quoteVolume: number;
	sigma: number;
}

/**
 * Extremes of a Brownian bridge between two log prices: P(max > m) = exp(-2 (m-a)(m-b) / variance)
 * (e.g. Karatzas and Shreve, 4.3.40), inverted at the uniforms.
 */
export function bridgeExtremes(
	a: number,
	b: number,
	sigma: number,
	upper: number,
	lower: number,
): { high: number; low: number } {
	const variance = (sigma * INNER_VOL) ** 2;
	return { high: (a + b + reach(a, b, variance, upper)) / 2, low: (a + b - reach(a, b, variance, lower)) / 2 };
}

const reach = (a: number, b: number, variance: number, uniform: number): number =>
	Math.sqrt((b - a) ** 2 - 2 * variance * Math.log(uniform));

/**
 * Cuts a bar into `parts` smaller ones that add up to it exactly: the first opens where it opens, the
 * last closes where it closes, highest high, lowest low and the sum of volumes are its own. The inner
 * path is a bridge from `key`; what it does beyond open and close is stretched to reach the extremes.
 */
export function cutBar(
	bar: WholeBar,
	parts: number,
	stepMs: number,
	perUnit: number,
	key: number,
	out: BarColumns,
	at: number,
): void {
	const draws = createDraws(key);
	const [start, end] = [Math.log(bar.open), Math.log(bar.close)];
	const partSigma = (bar.sigma * INNER_VOL) / Math.sqrt(parts);
	const logs = bridge(start, end, parts, partSigma, draws);
	const highs = new Float64Array(parts);
	const lows = new Float64Array(parts);
	let [top, bottom] = [0, 0];
	for (let i = 0; i < parts; i++) {
		const extremes = bridgeExtremes(
			logs[i] as number,
			logs[i + 1] as number,
			partSigma,
			draws.uniform(),
			draws.uniform(),
		);
		highs[i] = extremes.high;
		lows[i] = extremes.low;
		if (extremes.high > (highs[top] as number)) top = i;
		if (extremes.low < (lows[bottom] as number)) bottom = i;
	}
	const [ceiling, floor] = [Math.max(start, end), Math.min(start, end)];
	const up = stretch(Math.log(bar.high) - ceiling, (highs[top] as number) - ceiling);
	const down = stretch(floor - Math.log(bar.low), floor - (lows[bottom] as number));
	const priceOf = (log: number): number => {
		let value = log;
		if (log > ceiling) value = ceiling + (log - ceiling) * up;
		else if (log < floor) value = floor - (floor - log) * down;
		return Math.min(bar.high, Math.max(bar.low, roundToTick(Math.exp(value), perUnit)));
	};
	const weights = volumeWeights(highs, lows, draws);
	let before = bar.open;
	for (let i = 0; i < parts; i++) {
		const close = i === parts - 1 ? bar.close : priceOf(logs[i + 1] as number);
		const high = i === top ? bar.high : Math.max(before, close, priceOf(highs[i] as number));
		const low = i === bottom ? bar.low : Math.min(before, close, priceOf(lows[i] as number));
		writeBar(
			out,
			at + i,
			bar.openTime + i * stepMs,
			[before, high, low, close],
			bar.quoteVolume * (weights[i] as number),
		);
		before = close;
	}
}

/** Log prices at the borders of the parts: a random walk bent to end where the bar closes. */
function bridge(start: number, end: number, parts: number, sigma: number, draws: { normal(): number }): Float64Array {
	const walk = new Float64Array(parts + 1);
	for (let i = 1; i <= parts; i++) walk[i] = (walk[i - 1] as number) + sigma * draws.normal();
	const excess = (walk[parts] as number) - (end - start);
	for (let i = 0; i <= parts; i++) walk[i] = start + (walk[i] as number) - (excess * i) / parts;
	return walk;
}

const stretch = (wanted: number, reached: number): number => (reached > 1e-12 ? Math.max(0, wanted) / reached : 0);

/** Shares of the bar's volume, sum 1: more is traded where more moves. */
function volumeWeights(highs: Float64Array, lows: Float64Array, draws: { uniform(): number }): Float64Array {
	const weights = new Float64Array(highs.length);
	let range = 0;
	for (let i = 0; i < weights.length; i++) range += (highs[i] as number) - (lows[i] as number);
	const mean = range / weights.length || 1;
	let total = 0;
	for (let i = 0; i < weights.length; i++) {
		const weight = (0.4 + draws.uniform()) * (0.5 + ((highs[i] as number) - (lows[i] as number)) / mean);
		weights[i] = weight;
		total += weight;
	}
	for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] as number) / total;
	return weights;
}

/** Prices in the order open, high, low, close. */
export function writeBar(
	out: BarColumns,
	at: number,
	openTime: number,
	prices: readonly [number, number, number, number],
	quoteVolume: number,
): void {
	const [open, high, low, close] = prices;
	out.open_time[at] = openTime;
	out.open[at] = open;
	out.high[at] = high;
	out.low[at] = low;
	out.close[at] = close;
	out.quote_volume[at] = quoteVolume;
	out.volume[at] = (quoteVolume * 4) / (open + high + low + close);
}

export interface CutSource {
	bars: BarColumns;
	/** Log-return sigma of a bar by its index. */
	sigmaOf(index: number): number;
	/** Key of the random path of a bar by its open time. */
	keyOf(openTime: number): number;
}

/** Bars `first` up to but not including `end` of the source, each cut into `parts`. */
export function cutBars(
	source: CutSource,
	first: number,
	end: number,
	parts: number,
	stepMs: number,
	perUnit: number,
): BarColumns {
	const { bars } = source;
	const out = createBarColumns((end - first) * parts);
	for (let i = first; i < end; i++) {
		const openTime = bars.open_time[i] as number;
		const bar: WholeBar = {
			openTime,
			open: bars.open[i] as number,
			high: bars.high[i] as number,
			low: bars.low[i] as number,
			close: bars.close[i] as number,
			quoteVolume: bars.quote_volume[i] as number,
			sigma: source.sigmaOf(i),
		};
		cutBar(bar, parts, stepMs, perUnit, source.keyOf(openTime), out, (i - first) * parts);
	}
	return out;
}
