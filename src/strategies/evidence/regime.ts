import type { Series } from "../../market/contract.ts";
import { at } from "../columns.ts";
import { simpleMean } from "../indicators/averages.ts";
import { designEffectOf, effectiveTrades } from "./clusters.ts";
import { meanOf, type ResolvedTrade } from "./trades.ts";

const TREND_BARS = 200;

interface RegimeCell {
	n: number;
	n_effective: number;
	hit_rate: number | null;
	mean_net_bps: number | null;
}

/** The benchmark of regimes in a universe: the longest BTC series. Unified symbols start with the base. */
export function benchmarkOf(universe: readonly Series[]): Series | null {
	const found = universe.filter((series) => series.symbol.startsWith("BTC/"));
	return found.sort((a, b) => b.length - a.length || (a.symbol < b.symbol ? -1 : 1))[0] ?? null;
}

/**
 * Trades by whether BTC closed above or below its 200-day mean on the signal bar. Shown beside the pooled rate, which alone makes the grade. null without BTC.
 */
export function regimeSplit(
	trades: readonly ResolvedTrade[],
	universe: readonly Series[],
): Record<"btc_above_sma200" | "btc_below_sma200", RegimeCell> | null {
	const benchmark = benchmarkOf(universe);
	if (!benchmark) return null;
	const mean = simpleMean(benchmark.close, TREND_BARS);
	const above = new Map<number, boolean>();
	for (let t = TREND_BARS - 1; t < benchmark.length; t++) {
		above.set(at(benchmark.open_time, t), at(benchmark.close, t) > at(mean, t));
	}
	return {
		btc_above_sma200: cellOf(trades.filter((trade) => above.get(trade.signalTime) === true)),
		btc_below_sma200: cellOf(trades.filter((trade) => above.get(trade.signalTime) === false)),
	};
}

function cellOf(trades: readonly ResolvedTrade[]): RegimeCell {
	const n = trades.length;
	if (n === 0) return { n, n_effective: 0, hit_rate: null, mean_net_bps: null };
	return {
		n,
		n_effective: effectiveTrades(n, designEffectOf(trades)),
		hit_rate: trades.filter((trade) => trade.net > 0).length / n,
		mean_net_bps: 10_000 * meanOf(Float64Array.from(trades, (trade) => trade.net)),
	};
}
