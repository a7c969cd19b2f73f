import type { Market, Series } from "../../src/market/contract.ts";
import type { Candidate } from "../../src/strategies/contract.ts";
import { cut } from "./cut-series.ts";
import { seriesOf } from "./recorded-bars.ts";
import { barsFrom, candidateOf, DAY_MS, gaussian, marketOf } from "./synthetic-market.ts";

/** A coin with a spot market and a perp that can be sold short. */
export function coinOf(base: string, extra: Partial<Market> = {}): Candidate {
	return candidateOf(marketOf(`${base}/USDT`, extra), [marketOf(`${base}/USDT:USDT`)]);
}

/** A daily series as it was known when its bar `length - 1` closed. */
export const cutAtClose = (series: Series, length: number): Series => ({
	...cut(series, length),
	as_of_ms: (series.open_time[length - 1] ?? 0) + DAY_MS,
});

export interface PlantedPair {
	phi?: number;
	slope?: number;
	/** Standard deviation of the spread's shocks. */
	shock?: number;
	/** What the spread is set to on the last bar, in its own standard deviations; null: left as it came. */
	endZ?: number | null;
	volatility?: number;
}

/** Two cointegrated series: ln y = 1 + slope ln x + e, e an AR(1) with coefficient phi. */
export function plantedPair(
	names: readonly [y: string, x: string],
	bars: number,
	seed: number,
	{ phi = 0.9, slope = 0.8, shock = 0.04, endZ = null, volatility = 0.035 }: PlantedPair = {},
): [Series, Series] {
	const normal = gaussian(seed);
	const deviation = shock / Math.sqrt(1 - phi * phi);
	const x: number[] = [Math.log(50)];
	const y: number[] = [];
	let e = 0;
	for (let t = 0; t < bars; t++) {
		if (t > 0) x.push((x[t - 1] ?? 0) + volatility * normal());
		e = t === bars - 1 && endZ !== null ? endZ * deviation : phi * e + shock * normal();
		y.push(1 + slope * (x[t] ?? 0) + e);
	}
	return [
		seriesOf(barsFrom(y, { seed, sigma: 0.02 }), { symbol: `${names[0]}/USDT` }),
		seriesOf(barsFrom(x, { seed: seed + 1, sigma: 0.02 }), { symbol: `${names[1]}/USDT` }),
	];
}

/** Coins that share one factor; each one's residual is an AR(1), so a far residual comes back. */
export function factorMarket(
	bases: readonly string[],
	bars: number,
	seed: number,
	{ phi = 0.8, shock = 0.02, factor = 0.03, ends = {} as Record<string, number> } = {},
): Series[] {
	const normal = gaussian(seed);
	const common = Array.from({ length: bars }, () => factor * normal());
	return bases.map((base, i) => {
		const own = gaussian(seed * 1000 + i);
		const beta = 0.7 + (0.6 * i) / bases.length;
		let [level, residual] = [Math.log(20 + i), 0];
		const logs = common.map((move, t) => {
			const before = residual;
			const end = ends[base];
			residual =
				t === bars - 1 && end !== undefined ? end * (shock / Math.sqrt(1 - phi * phi)) : phi * before + shock * own();
			level += beta * move + residual - before;
			return level;
		});
		return seriesOf(barsFrom(logs, { seed: seed + i, sigma: 0.02 }), { symbol: `${base}/USDT` });
	});
}
