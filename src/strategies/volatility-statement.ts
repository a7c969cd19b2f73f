import type { Series } from "../market/contract.ts";
import { at } from "./columns.ts";
import { wilsonInterval } from "./evidence/intervals.ts";
import { Memo } from "./evidence/memo.ts";
import { extendsSeries } from "./history.ts";
import { sampleVariance } from "./indicators/range-volatility.ts";
import { logReturns } from "./indicators/volatility.ts";
import { type NewestReading, readNewest, seriesKey } from "./newest-reading.ts";
import type { SqueezeReading, SqueezeRule } from "./squeeze-rule.ts";

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
 * "The volatility of the next 10 days will exceed 1.25 times that of the last 20": how
 * often it held after squeezed bars, by bandwidth alone, and on all days. A forecast of size, not of direction.
 */
export interface VolatilityStatement {
	squeezed: Frequency;
	by_percentile_alone: Frequency;
	base: Frequency;
}

/** Days counted and days on which the statement held, by what was asked of the day. */
interface Counts {
	squeezed: readonly [n: number, held: number];
	percentile: readonly [n: number, held: number];
	base: readonly [n: number, held: number];
}

const NOTHING: Counts = { squeezed: [0, 0], percentile: [0, 0], base: [0, 0] };

/** What is counted of one series; days from `next` on had no ten days after them yet. */
interface Counted {
	series: Series;
	counts: Counts;
	next: number;
}

/** Series of a few universes. */
const ENTRIES_MAX = 512;
const counted = new Memo<Counted>(ENTRIES_MAX);

/**
 * Counts the statement over a universe, on bars whose next ten days had passed by `asOfMs`. Days that this thread
 * has counted are not counted again.
 */
export function measureStatement(
	rule: SqueezeRule,
	universe: readonly Series[],
	{ barsMin, asOfMs, percentileMax }: { barsMin: number; asOfMs: number; percentileMax: number },
): VolatilityStatement {
	let sum = NOTHING;
	for (const series of universe) {
		if (series.length < barsMin) continue;
		const key = `${rule.name}#${percentileMax}#${seriesKey(series)}`;
		const known = counted.peek(key);
		const newest = readNewest(rule, series);
		// What was counted must have been known by now, and the reading must reach back to where counting stopped.
		const goesOn =
			known &&
			extendsSeries(series, known.series) &&
			newest.from <= known.next &&
			!(at(series.open_time, known.next - 1 + STATEMENT_DAYS) >= asOfMs);
		const whole = () => (newest.from === 0 ? newest : { reading: rule.read(series), tail: series, offset: 0 });
		const found = goesOn
			? countFrom(newest, known.next, known.counts, asOfMs, percentileMax)
			: countFrom(whole(), rule.warmupBars - 1, NOTHING, asOfMs, percentileMax);
		counted.set(key, { series, ...found });
		sum = {
			squeezed: added(sum.squeezed, found.counts.squeezed),
			percentile: added(sum.percentile, found.counts.percentile),
			base: added(sum.base, found.counts.base),
		};
	}
	return {
		squeezed: frequencyOf(sum.squeezed),
		by_percentile_alone: frequencyOf(sum.percentile),
		base: frequencyOf(sum.base),
	};
}

const added = ([a, b]: readonly [number, number], [c, d]: readonly [number, number]): [number, number] => [
	a + c,
	b + d,
];

/** Counts the days of a reading from a bar of the whole series on, on top of what was counted before. */
function countFrom(
	{ reading, tail, offset }: Pick<NewestReading<SqueezeReading>, "reading" | "tail" | "offset">,
	from: number,
	before: Counts,
	asOfMs: number,
	percentileMax: number,
): { counts: Counts; next: number } {
	let { squeezed, percentile, base } = before;
	const returns = logReturns(tail.close);
	const current = sampleVariance(returns, CURRENT_DAYS);
	const next = sampleVariance(returns, STATEMENT_DAYS);
	let t = from - offset;
	for (; t + STATEMENT_DAYS < tail.length; t++) {
		if (at(tail.open_time, t + STATEMENT_DAYS) >= asOfMs) break;
		if (Number.isNaN(reading.percentileAt(t))) continue;
		const one: [number, number] = [1, at(next, t + STATEMENT_DAYS) > STATEMENT_FACTOR ** 2 * at(current, t) ? 1 : 0];
		base = added(base, one);
		if (reading.percentileAt(t) <= percentileMax) percentile = added(percentile, one);
		if (reading.gateAt(t) === null) squeezed = added(squeezed, one);
	}
	return { counts: { squeezed, percentile, base }, next: t + offset };
}

function frequencyOf([n, held]: readonly [number, number]): Frequency {
	const nEffective = n / STATEMENT_DAYS;
	if (n === 0) return { n, n_effective: 0, rate: null, low: null, high: null };
	const [low, high] = wilsonInterval(held / n, nEffective);
	return { n, n_effective: nEffective, rate: held / n, low, high };
}
