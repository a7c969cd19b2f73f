import type { OrderBook } from "../../market/contract.ts";

/** Fills of one side by distance d from the mid: lambda(d) = a * exp(-k d). */
export interface Intensity {
	/** Fills per minute and side at distance 0. */
	a: number;
	/** Per fraction of price: divide by the price for absolute units. */
	k: number;
	/** What it was fitted on. */
	method: "trade_through" | "book_slope";
}

const DISTANCES = 12;
/** Distance between two points of the fit, in mean excursions of the steps that reached anywhere. */
const STEP = 0.25;
const HITS_MIN = 5;
const POINTS_MIN = 3;

/**
 * Fits a and k on trade-through counts: for each distance, in how many steps a taker traded beyond it, as
 * a Poisson rate -ln(1 - share). Least squares of the log rate, weighted by the counts. `excursions`:
 * how far trades went beyond the mid of each step's start, both sides, fractions; 0 where none did, NaN
 * where the mid is not known. null where too little was traded.
 */
export function fitIntensity(excursions: Float64Array, stepsPerMinute: number): Intensity | null {
	let [sum, n, reached] = [0, 0, 0];
	for (const reach of excursions) {
		if (Number.isNaN(reach)) continue;
		n++;
		if (!(reach > 0)) continue;
		sum += reach;
		reached++;
	}
	const step = (STEP * sum) / reached;
	if (!(step > 0)) return null;
	const hits = countBeyond(excursions, step);
	const points: { d: number; logRate: number; weight: number }[] = [];
	for (let j = 0; j < DISTANCES; j++) {
		const count = hits[j] as number;
		if (count < HITS_MIN || count >= n) continue;
		points.push({ d: (j + 1) * step, logRate: Math.log(-Math.log(1 - count / n) * stepsPerMinute), weight: count });
	}
	const line = weightedLine(points.map(({ d, logRate, weight }) => ({ x: d, y: logRate, weight })));
	if (!line || points.length < POINTS_MIN || !(line.slope < 0)) return null;
	return { a: Math.exp(line.intercept), k: -line.slope, method: "trade_through" };
}

/** Steps that traded strictly beyond 1, 2, ... steps. */
function countBeyond(excursions: Float64Array, step: number): Float64Array {
	const hits = new Float64Array(DISTANCES);
	for (const reach of excursions) {
		for (let j = 0; j < DISTANCES && reach > (j + 1) * step; j++) hits[j] = (hits[j] as number) + 1;
	}
	return hits;
}

/**
 * Without trades (flagged `book_slope`): a is the day's takers by volume over the usual size of one,
 * both sides alike; k is the slope at which the depth up to a distance grows, because a taker must eat
 * it: ln(cumulative depth) against distance. null when the book is too short.
 */
export function intensityOfBook(book: OrderBook, mid: number, volumeUsd: number, tradeUsd: number): Intensity | null {
	const side = (levels: OrderBook["bids"], sign: 1 | -1) => {
		let depth = 0;
		return levels.map(([price, quantity]) => {
			depth += price * quantity;
			return { x: sign * (price / mid - 1), y: Math.log(depth), weight: 1 };
		});
	};
	const line = weightedLine([...side(book.asks, 1), ...side(book.bids, -1)]);
	const a = volumeUsd / tradeUsd / 1440 / 2;
	if (!line || !(line.slope > 0) || !(a > 0) || !Number.isFinite(a)) return null;
	return { a, k: line.slope, method: "book_slope" };
}

/** Weighted least squares; null below two distinct x. */
function weightedLine(
	points: readonly { x: number; y: number; weight: number }[],
): { slope: number; intercept: number } | null {
	let [w, wx, wy, wxx, wxy] = [0, 0, 0, 0, 0];
	for (const { x, y, weight } of points) {
		w += weight;
		wx += weight * x;
		wy += weight * y;
		wxx += weight * x * x;
		wxy += weight * x * y;
	}
	const determinant = w * wxx - wx * wx;
	if (!(determinant > 0)) return null;
	const slope = (w * wxy - wx * wy) / determinant;
	return { slope, intercept: (wy - slope * wx) / w };
}

/** Expected fills per minute and side at a distance (fraction of price). */
export const fillRate = ({ a, k }: Intensity, distance: number): number => a * Math.exp(-k * distance);
