import type { FundingSeries } from "../market/contract.ts";
import type { MarketView } from "./contract.ts";
import { chosenWithHindsight, type Measurement, measure } from "./evidence/measure.ts";
import { fundingFingerprint, Memo, universeFingerprint } from "./evidence/memo.ts";
import { quantileOf, type ResolvedTrade } from "./evidence/trades.ts";
import { differenceSamples } from "./funding-difference.ts";
import { HOUR_MS, newestSettlement } from "./funding-rates.ts";
import {
	BUCKETS_BPS,
	bucketOf,
	type FundingSample,
	HORIZON_DAYS,
	HORIZON_UNITS,
	samplesOf,
} from "./funding-samples.ts";

const DAY_MS = 24 * HOUR_MS;
const RECENT_DAYS = 365;

export interface Forecast {
	n: number;
	/** forward = a + b * past, per 8 hours. */
	a: number;
	b: number;
	correlation: number;
	/** Lower quartile of the residual per bucket of |past|; null where nothing was seen. */
	residualQuartile: (number | null)[];
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
		return residuals.length === 0 ? null : quantileOf(Float64Array.from(residuals).sort(), 0.25);
	});
	return { n, a, b, correlation: xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : 0, residualQuartile };
}

export interface FundingEvidence {
	forecast: Forecast | null;
	/** The record of the live rule in one bucket after a round trip of `cost` (fraction). */
	bucket(index: number, cost: number): Measurement;
	report: Record<string, unknown>;
}

const memo = new Memo<FundingEvidence>(16);

/** The walk-forward of positive funding over the evidence universe, kept by content. */
export function fundingEvidence(view: MarketView): FundingEvidence {
	const { funding } = view.evidence;
	return evidenceOf(view, "perp against spot", funding, (asOfMs) =>
		[...funding].sort(byName).flatMap((one) => samplesOf(one, asOfMs)),
	);
}

/** The walk-forward of what one venue paid more than another, over all bases of several venues, kept by content. */
export function venueEvidence(view: MarketView): FundingEvidence {
	const venues = view.evidence.venue_funding ?? [];
	const funding = venues.map((one) => one.funding);
	return evidenceOf(view, "perp against perp", funding, (asOfMs) => differenceSamples(venues, asOfMs));
}

const byName = (x: FundingSeries, y: FundingSeries): number =>
	x.symbol < y.symbol ? -1 : x.symbol > y.symbol ? 1 : x.venue < y.venue ? -1 : 1;

function evidenceOf(
	view: MarketView,
	trade: string,
	universe: readonly FundingSeries[],
	read: (asOfMs: number) => FundingSample[],
): FundingEvidence {
	const hindsight = chosenWithHindsight(view.data_source);
	// Settlements fall on whole hours: what is known changes with them only.
	const asOfMs = Math.floor(view.as_of_ms / HOUR_MS) * HOUR_MS;
	const key = [trade, hindsight, asOfMs, universeFingerprint(universe.map(fundingFingerprint))].join("#");
	return memo.get(key, () => {
		const newest = Math.max(0, ...universe.map((one) => newestSettlement(one, asOfMs) ?? 0));
		return measureSamples(read(asOfMs), { trade, newest, universeSize: universe.length, hindsight });
	});
}

interface Measured {
	trade: string;
	/** Newest settlement that was known, epoch ms. */
	newest: number;
	universeSize: number;
	hindsight: boolean;
}

function measureSamples(samples: readonly FundingSample[], given: Measured): FundingEvidence {
	const measured = new Memo<Measurement>(64);
	const forecast = fitForecast(samples);
	return {
		forecast,
		bucket: (index, cost) =>
			measured.get(`${index}#${cost.toFixed(6)}`, () => measureBucket(samples, index, cost, given)),
		report: {
			forecast: forecast && {
				n: forecast.n,
				slope: forecast.b,
				intercept_bps_per_8h: forecast.a * 10_000,
				correlation: forecast.correlation,
			},
			buckets: bucketTable(samples),
			buckets_last_365_days: bucketTable(samples.filter(({ timeMs }) => timeMs > given.newest - RECENT_DAYS * DAY_MS)),
			universe_size: given.universeSize,
			universe_chosen_with_hindsight: given.hindsight,
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
	{ trade, universeSize, hindsight }: Measured,
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
			// The unit of risk is the basis of a trade's own legs, which no record of rates knows.
			r: net,
			holdBars: HORIZON_DAYS,
		});
	}
	return measure({
		rule: `funding_arbitrage/${trade}/7d/bucket${bucket}/cost${cost.toFixed(6)}`,
		method: "walk-forward/pooled by |3-day mean|, windows of 7 days that do not overlap",
		trades,
		placebo: [...pools.values()].map((pool) => ({ outcomes: Float64Array.from(pool.outcomes), entries: pool.entries })),
		universeSize,
		hindsight,
	});
}
