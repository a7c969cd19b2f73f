import { createRandom } from "../random.ts";
import { quantileOf, type ResolvedTrade, weekOf } from "./trades.ts";

/** Fewer weeks than this say too little about clustering. */
const CLUSTERS_MIN = 30;
/** Used below CLUSTERS_MIN; the measured range is 3.5 to 5.7. */
const ASSUMED_DESIGN_EFFECT = 4;

interface Cluster {
	trades: number;
	wins: number;
	sum: number;
}

/** Trades of one signal week, in week order: crypto signals fire together. */
export function clustersOf(trades: readonly ResolvedTrade[]): Cluster[] {
	const weeks = new Map<number, Cluster>();
	for (const trade of trades) {
		const week = weekOf(trade.signalTime);
		const cluster = weeks.get(week) ?? { trades: 0, wins: 0, sum: 0 };
		cluster.trades++;
		if (trade.net > 0) cluster.wins++;
		cluster.sum += trade.net;
		weeks.set(week, cluster);
	}
	return [...weeks].sort(([a], [b]) => a - b).map(([, cluster]) => cluster);
}

/**
 * Variance of the week-clustered win rate over its binomial variance:
 * [sum (s_w - m_w p)^2 / n^2] / [p(1-p)/n]. 1 where every trade ended alike.
 */
export function designEffectOf(trades: readonly ResolvedTrade[]): number {
	const clusters = clustersOf(trades);
	if (clusters.length < CLUSTERS_MIN) return ASSUMED_DESIGN_EFFECT;
	const n = trades.length;
	const p = clusters.reduce((sum, cluster) => sum + cluster.wins, 0) / n;
	if (p === 0 || p === 1) return 1;
	const squares = clusters.reduce((sum, cluster) => sum + (cluster.wins - cluster.trades * p) ** 2, 0);
	return squares / (n * p * (1 - p));
}

/** n / max(1, design effect): how many independent trades the sample is worth. */
export const effectiveTrades = (n: number, designEffect: number): number => n / Math.max(1, designEffect);

/** 90 % interval of the mean net return: weeks drawn with replacement, seeded. null without trades. */
export function bootstrapMean(
	trades: readonly ResolvedTrade[],
	seed: number,
	draws: number,
): [low: number, high: number] | null {
	const clusters = clustersOf(trades);
	if (clusters.length === 0) return null;
	const random = createRandom(seed);
	const means = new Float64Array(draws);
	for (let draw = 0; draw < draws; draw++) {
		let sum = 0;
		let count = 0;
		for (let i = 0; i < clusters.length; i++) {
			const cluster = clusters[Math.floor(random() * clusters.length)];
			if (!cluster) continue;
			sum += cluster.sum;
			count += cluster.trades;
		}
		means[draw] = sum / count;
	}
	means.sort();
	return [quantileOf(means, 0.05), quantileOf(means, 0.95)];
}
