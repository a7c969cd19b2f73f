import { at } from "../columns.ts";

/** A finished trade of a walk-forward, as far as statistics need it. */
export interface ResolvedTrade {
	symbol: string;
	/** Opens of the signal and exit bars, epoch ms. */
	signalTime: number;
	exitTime: number;
	/** Net of costs, fraction of notional. */
	net: number;
	/** net over the distance to the stop. */
	r: number;
	holdBars: number;
}

const WEEK_MS = 7 * 86_400_000;
export const weekOf = (signalTime: number): number => Math.floor(signalTime / WEEK_MS);

/** Time, then symbol: an order that does not depend on how the universe was listed. */
export function byTime(a: ResolvedTrade, b: ResolvedTrade): number {
	return a.signalTime - b.signalTime || (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0);
}

export const meanOf = (values: Float64Array): number => {
	let sum = 0;
	for (const value of values) sum += value;
	return sum / values.length;
};

/** Linear interpolation between order statistics; `sorted` ascending, 0 <= q <= 1. NaN when empty. */
export function quantileOf(sorted: Float64Array, q: number): number {
	const position = q * (sorted.length - 1);
	const below = Math.floor(position);
	const low = at(sorted, below);
	return position === below ? low : low + (position - below) * (at(sorted, below + 1) - low);
}

/** Mean after clamping to the 1st and 99th percentile. */
export function winsorisedMean(sorted: Float64Array): number {
	const low = quantileOf(sorted, 0.01);
	const high = quantileOf(sorted, 0.99);
	return meanOf(sorted.map((value) => Math.min(high, Math.max(low, value))));
}

/** Sum of gains over sum of losses; null without a loss. */
export function profitFactorOf(nets: Float64Array): number | null {
	let gains = 0;
	let losses = 0;
	for (const net of nets) {
		if (net > 0) gains += net;
		else losses -= net;
	}
	return losses > 0 ? gains / losses : null;
}

/** Expected shortfall of a sample, sign kept: mean of the values at or below the `share` quantile. */
export function shortfallOf(sorted: Float64Array, share = 0.05): number {
	const threshold = quantileOf(sorted, share);
	return meanOf(sorted.filter((value) => value <= threshold));
}
