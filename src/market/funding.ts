import type { FundingColumns } from "./series.ts";
import { countUpTo, createFundingColumns } from "./series.ts";

const HOUR_MS = 3_600_000;

/** One settlement as a source gives it: time in epoch ms, rate as a fraction of notional. */
export interface RawSettlement {
	time: number;
	rate: number;
}

/**
 * Settlements of one contract: times rounded to the hour (venues stamp some milliseconds late), sorted,
 * one per hour, the first given wins. Rates become integer counts of 1e-8, because the default rate of
 * exactly 1 bp is a threshold and sums of doubles miss it.
 */
export function buildFundingColumns(settlements: readonly RawSettlement[]): FundingColumns {
	const rateByHour = new Map<number, number>();
	for (const { time, rate } of settlements) {
		const hour = Math.round(time / HOUR_MS) * HOUR_MS;
		if (!rateByHour.has(hour)) rateByHour.set(hour, Math.round(rate * 1e8));
	}
	const hours = Float64Array.from(rateByHour.keys()).sort();
	const columns = createFundingColumns(hours.length);
	columns.funding_time.set(hours);
	for (const [i, hour] of hours.entries()) columns.rate_e8[i] = rateByHour.get(hour) ?? 0;
	return columns;
}

/** Union by settlement time; where both have one, `preferred` gives it. */
export function mergeFunding(preferred: FundingColumns, other: FundingColumns): FundingColumns {
	const merged = createFundingColumns(preferred.length + other.length);
	let [p, o, n] = [0, 0, 0];
	while (p < preferred.length || o < other.length) {
		const timeP = p < preferred.length ? (preferred.funding_time[p] as number) : Number.POSITIVE_INFINITY;
		const timeO = o < other.length ? (other.funding_time[o] as number) : Number.POSITIVE_INFINITY;
		merged.funding_time[n] = Math.min(timeP, timeO);
		merged.rate_e8[n++] = (timeP <= timeO ? preferred.rate_e8[p] : other.rate_e8[o]) as number;
		if (timeP <= timeO) p++;
		if (timeO <= timeP) o++;
	}
	return { length: n, funding_time: merged.funding_time.subarray(0, n), rate_e8: merged.rate_e8.subarray(0, n) };
}

/** Newest settlements that decide the interval; a venue may change it, and the old spacing is history. */
export const INTERVAL_SETTLEMENTS = 200;

/**
 * Most frequent spacing of the newest settlements up to `asOfMs`, hours; of equally frequent ones the
 * shorter. Null with fewer than two settlements: an interval is observed, never assumed.
 */
export function fundingIntervalHours(columns: FundingColumns, asOfMs: number): number | null {
	const end = countUpTo(columns.funding_time, columns.length, asOfMs);
	const counts = new Map<number, number>();
	for (let i = Math.max(1, end - INTERVAL_SETTLEMENTS + 1); i < end; i++) {
		const spacing = ((columns.funding_time[i] as number) - (columns.funding_time[i - 1] as number)) / HOUR_MS;
		counts.set(spacing, (counts.get(spacing) ?? 0) + 1);
	}
	let best: number | null = null;
	for (const [spacing, count] of counts) {
		const bestCount = best === null ? 0 : (counts.get(best) ?? 0);
		if (best === null || count > bestCount || (count === bestCount && spacing < best)) best = spacing;
	}
	return best;
}
