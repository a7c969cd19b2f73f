import type { Series } from "../market/contract.ts";
import { at } from "./columns.ts";
import { wilsonInterval } from "./evidence/intervals.ts";
import { sampleVariance } from "./indicators/range-volatility.ts";
import { logReturns } from "./indicators/volatility.ts";
import type { SqueezeRule } from "./squeeze-rule.ts";

export const STATEMENT_DAYS = 10;
export const STATEMENT_FACTOR = 1.25;
const CURRENT_DAYS = 20;

/** How often a forecast held; rates 0..1. Days overlap, so n is worth a tenth. */
export interface Frequency {
	n: number;
	n_effective: number;
	rate: number | null;
	low: number | null;
	high: number | null;
}

/**
 * "The volatility of the next 10 days will exceed 1.25 times that of the last 20" (STRATEGIES 6.13): how
 * often it held after squeezed bars, by bandwidth alone, and on all days. A forecast of size, not of direction.
 */
export interface VolatilityStatement {
	squeezed: Frequency;
	by_percentile_alone: Frequency;
	base: Frequency;
}

/** Counts the statement over a universe, on bars whose next ten days had passed by `asOfMs`. */
export function measureStatement(
	rule: SqueezeRule,
	universe: readonly Series[],
	{ barsMin, asOfMs, percentileMax }: { barsMin: number; asOfMs: number; percentileMax: number },
): VolatilityStatement {
	const counts = { squeezed: [0, 0], percentile: [0, 0], base: [0, 0] } satisfies Record<string, [number, number]>;
	const count = (pair: number[], held: boolean) => {
		pair[0] = (pair[0] ?? 0) + 1;
		if (held) pair[1] = (pair[1] ?? 0) + 1;
	};
	for (const series of universe) {
		if (series.length < barsMin) continue;
		const reading = rule.read(series);
		const returns = logReturns(series.close);
		const current = sampleVariance(returns, CURRENT_DAYS);
		const next = sampleVariance(returns, STATEMENT_DAYS);
		for (let t = rule.warmupBars - 1; t + STATEMENT_DAYS < series.length; t++) {
			if (at(series.open_time, t + STATEMENT_DAYS) >= asOfMs) break;
			if (Number.isNaN(reading.percentileAt(t))) continue;
			const held = at(next, t + STATEMENT_DAYS) > STATEMENT_FACTOR ** 2 * at(current, t);
			count(counts.base, held);
			if (reading.percentileAt(t) <= percentileMax) count(counts.percentile, held);
			if (reading.gateAt(t) === null) count(counts.squeezed, held);
		}
	}
	return {
		squeezed: frequencyOf(counts.squeezed),
		by_percentile_alone: frequencyOf(counts.percentile),
		base: frequencyOf(counts.base),
	};
}

function frequencyOf([n = 0, held = 0]: number[]): Frequency {
	const nEffective = n / STATEMENT_DAYS;
	if (n === 0) return { n, n_effective: 0, rate: null, low: null, high: null };
	const [low, high] = wilsonInterval(held / n, nEffective);
	return { n, n_effective: nEffective, rate: held / n, low, high };
}
