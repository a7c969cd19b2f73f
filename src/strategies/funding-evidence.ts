import type { FundingSeries } from "../market/contract.ts";
import { at } from "./columns.ts";
import type { MarketView } from "./contract.ts";
import { chosenWithHindsight, type Measurement, measure } from "./evidence/measure.ts";
import { fundingFingerprint, Memo, universeFingerprint } from "./evidence/memo.ts";
import { quantileOf, type ResolvedTrade } from "./evidence/trades.ts";
import {
	E8,
	exceedsThreshold,
	firstAfter,
	HOUR_MS,
	isPersistent,
	PAST_UNITS,
	pastWindow,
	settledBetween,
} from "./funding-rates.ts";

const DAY_MS = 24 * HOUR_MS;
export const HORIZON_DAYS = 7;
/** 8-hour units of the horizon. */
export const HORIZON_UNITS = HORIZON_DAYS * 3;
const PAST_DAYS = 3;
const RECENT_DAYS = 365;

/** One day of one perp: the 3-day mean before it and what the next 7 days paid. Fractions per 8 h. */
export interface FundingSample {
	symbol: string;
	timeMs: number;
	past: number;
	forward: number;
	/** The live signal held on that day (positive side). */
	signal: boolean;
}

/** Lower bounds of |past| in basis points per 8 hours (STRATEGIES 6.1). */
export const BUCKETS_BPS = [0, 1, 2, 3, 5] as const;
export const bucketOf = (past: number): number => {
	const bps = Math.abs(past) * 10_000;
	return BUCKETS_BPS.reduce<number>((found, from, i) => (bps > from ? i : found), 0);
};

/** Newest settlement up to `asOfMs`, epoch ms; null without one. */
function newestSettlement({ funding_time }: FundingSeries, asOfMs: number): number | null {
	const known = firstAfter(funding_time, asOfMs);
	return known === 0 ? null : at(funding_time, known - 1);
}

/** One sample a day at 00:00 UTC with three full days before and seven after, all settled by `asOfMs`. */
export function samplesOf(funding: FundingSeries, asOfMs = Number.POSITIVE_INFINITY): FundingSample[] {
	const samples: FundingSample[] = [];
	const newestMs = newestSettlement(funding, asOfMs);
	if (newestMs === null) return samples;
	const first = Math.ceil(at(funding.funding_time, 0) / DAY_MS) * DAY_MS + PAST_DAYS * DAY_MS;
	for (let timeMs = first; ; timeMs += DAY_MS) {
		const endMs = timeMs + HORIZON_DAYS * DAY_MS;
		const forward = endMs > newestMs ? null : settledBetween(funding, timeMs, endMs);
		if (forward === null) return samples;
		const window = pastWindow(funding, timeMs);
		// Holes in a record are not days without funding.
		const complete =
			window.newestMs > timeMs - 8 * HOUR_MS &&
			window.settlements >= PAST_UNITS &&
			forward.settlements >= HORIZON_UNITS;
		if (!complete) continue;
		samples.push({
			symbol: funding.symbol,
			timeMs,
			past: window.sumE8 / PAST_UNITS / E8,
			forward: forward.sumE8 / HORIZON_UNITS / E8,
			signal: window.sumE8 > 0 && exceedsThreshold(window.sumE8) && isPersistent(window),
		});
	}
}

export interface Forecast {
	n: number;
	/** forward = a + b * past, per 8 hours. */
	a: number;
	b: number;
	correlation: number;
	/** Lower quartile of the residual per bucket of |past|; 0 where nothing was seen. */
	residualQuartile: number[];
}

/** Least squares of the next 7 days on the last 3, pooled over all samples. null below 30 samples. */
export function fitForecast(samples: readonly FundingSample[]): Forecast | null {
	const n = samples.length;
	if (n < 30) return null;
	const meanX = samples.reduce((sum, s) => sum + s.past, 0) / n;
	const meanY = samples.reduce((sum, s) => sum + s.forward, 0) / n;
	let xx = 0;
	let xy = 0;
	let yy = 0;
	for (const { past, forward } of samples) {
		xx += (past - meanX) ** 2;
		xy += (past - meanX) * (forward - meanY);
		yy += (forward - meanY) ** 2;
	}
	// Constant funding has no slope to learn: what was paid goes on being paid.
	const b = xx > 0 ? xy / xx : 0;
	const a = meanY - b * meanX;
	const residualQuartile = BUCKETS_BPS.map((_, bucket) => {
		const residuals = samples.filter((s) => bucketOf(s.past) === bucket).map((s) => s.forward - a - b * s.past);
		return residuals.length === 0 ? 0 : quantileOf(Float64Array.from(residuals).sort(), 0.25);
	});
	return { n, a, b, correlation: xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0, residualQuartile };
}

export interface FundingEvidence {
	forecast: Forecast | null;
	/** The record of the live rule in one bucket after a round trip of `cost` (fraction). */
	bucket(index: number, cost: number): Measurement;
	report: Record<string, unknown>;
}

const memo = new Memo<FundingEvidence>(8);

/** The walk-forward of positive funding over the evidence universe, kept by content. */
export function fundingEvidence(view: MarketView): FundingEvidence {
	const hindsight = chosenWithHindsight(view.data_source);
	// Settlements fall on whole hours: what is known changes with them only.
	const asOfMs = Math.floor(view.as_of_ms / HOUR_MS) * HOUR_MS;
	const key = `${hindsight}#${asOfMs}#${universeFingerprint(view.evidence.funding.map(fundingFingerprint))}`;
	return memo.get(key, () => measureFunding(view.evidence.funding, asOfMs, hindsight));
}

function measureFunding(universe: readonly FundingSeries[], asOfMs: number, hindsight: boolean): FundingEvidence {
	const series = [...universe].sort((x, y) =>
		x.symbol < y.symbol ? -1 : x.symbol > y.symbol ? 1 : x.venue < y.venue ? -1 : 1,
	);
	const samples = series.flatMap((one) => samplesOf(one, asOfMs));
	const measured = new Memo<Measurement>(64);
	const bucket = (index: number, cost: number) =>
		measured.get(`${index}#${cost.toFixed(6)}`, () => measureBucket(samples, index, cost, series.length, hindsight));
	const newest = Math.max(0, ...series.map((one) => newestSettlement(one, asOfMs) ?? 0));
	const forecast = fitForecast(samples);
	return {
		forecast,
		bucket,
		report: {
			forecast: forecast && {
				n: forecast.n,
				slope: forecast.b,
				intercept_bps_per_8h: forecast.a * 10_000,
				correlation: forecast.correlation,
			},
			buckets: bucketTable(samples),
			buckets_last_365_days: bucketTable(samples.filter((sample) => sample.timeMs > newest - RECENT_DAYS * DAY_MS)),
			universe_size: series.length,
			universe_chosen_with_hindsight: hindsight,
		},
	};
}

/** P(7-day funding above 30 and 14 bp) by bucket of the positive 3-day mean. */
export function bucketTable(samples: readonly FundingSample[]): Record<string, unknown>[] {
	return BUCKETS_BPS.map((from, index) => {
		const inside = samples.filter((sample) => sample.past > 0 && bucketOf(sample.past) === index);
		const above = (bps: number) =>
			inside.length === 0
				? null
				: inside.filter((s) => s.forward * HORIZON_UNITS * 10_000 > bps).length / inside.length;
		return { from_bps: from, n: inside.length, p_above_30_bps: above(30), p_above_14_bps: above(14) };
	});
}

/** Trades of the live rule that do not overlap within a symbol; every day is a placebo's entry. */
function measureBucket(
	samples: readonly FundingSample[],
	bucket: number,
	cost: number,
	universeSize: number,
	hindsight: boolean,
): Measurement {
	const trades: ResolvedTrade[] = [];
	const pools = new Map<string, { outcomes: number[]; entries: number; freeAtMs: number }>();
	for (const sample of samples) {
		const pool = pools.get(sample.symbol) ?? { outcomes: [], entries: 0, freeAtMs: Number.NEGATIVE_INFINITY };
		pools.set(sample.symbol, pool);
		const net = sample.forward * HORIZON_UNITS - cost;
		pool.outcomes.push(net);
		if (!sample.signal || bucketOf(sample.past) !== bucket || sample.timeMs < pool.freeAtMs) continue;
		pool.entries++;
		pool.freeAtMs = sample.timeMs + HORIZON_DAYS * DAY_MS;
		trades.push({
			symbol: sample.symbol,
			signalTime: sample.timeMs,
			exitTime: pool.freeAtMs,
			net,
			r: net / BASIS_STOP,
			holdBars: HORIZON_DAYS,
		});
	}
	return measure({
		rule: `funding_arbitrage/7d/bucket${bucket}/cost${cost.toFixed(6)}`,
		method: "walk-forward/pooled by |3-day mean|, windows of 7 days that do not overlap",
		trades,
		placebo: [...pools.values()].map((pool) => ({ outcomes: Float64Array.from(pool.outcomes), entries: pool.entries })),
		universeSize,
		hindsight,
	});
}

/** Standard deviation of the 7-day change of the basis on 15 majors, measured (STRATEGIES 6.1). */
export const BASIS_DEVIATION = 0.00064;
/** The trade ends when the basis widens by three of them: its unit of risk. */
export const BASIS_STOP = 3 * BASIS_DEVIATION;
