import type { DataSource } from "../../../machines/types.ts";
import type { Evidence, Grade } from "../contract.ts";
import { hashText } from "../random.ts";
import type { SharpeSample } from "../statistics/sharpe.ts";
import { bootstrapMean, designEffectOf, effectiveTrades } from "./clusters.ts";
import { gradeOf } from "./grade.ts";
import { pooledRate, symbolRate, wilsonInterval } from "./intervals.ts";
import { type PlaceboPool, placeboShare } from "./placebo.ts";
import { drifted, type Reliability, reliabilityOf } from "./reliability.ts";
import { sharpeReport, weeklySharpe } from "./selection.ts";
import {
	byTime,
	meanOf,
	profitFactorOf,
	quantileOf,
	type ResolvedTrade,
	shortfallOf,
	winsorisedMean,
} from "./trades.ts";

export const BOOTSTRAP_DRAWS = 1000;
export const PLACEBO_DRAWS = 2000;

/** Everything a walk-forward says about one rule over its universe. */
export interface Measurement {
	evidence: Evidence;
	grade: Grade;
	pool: number;
	designEffect: number;
	bySymbol: ReadonlyMap<string, { wins: number; n: number }>;
	winsorisedMeanNet: number | null;
	/** Mean gain over mean loss, both net; null without one of them. */
	payoff: number | null;
	/** Expected shortfall (5 %) of r: worst trades in units of their stop distance, negative. */
	shortfallR: number | null;
	reliability: Reliability;
	/** Of weekly mean nets; null with fewer than two signal weeks. */
	sharpe: SharpeSample | null;
}

export interface MeasureInput {
	/** Names the rule; with the trades it makes the seed. */
	rule: string;
	method: string;
	trades: readonly ResolvedTrade[];
	placebo: readonly PlaceboPool[];
	universeSize: number;
	hindsight: boolean;
}

/** Recorded and live universes are chosen with knowledge of who survived; a simulated one is not. */
export const chosenWithHindsight = (source: DataSource): boolean => source.kind !== "simulated";

const bps = (fraction: number): number => fraction * 10_000;

/** Pools the trades of a walk-forward. Order of `trades` does not matter. */
export function measure(input: MeasureInput): Measurement {
	const trades = [...input.trades].sort(byTime);
	const nets = Float64Array.from(trades, (trade) => trade.net).sort();
	const n = trades.length;
	const wins = nets.filter((net) => net > 0).length;
	const final = trades.at(-1)?.signalTime ?? 0;
	const seed = hashText(
		`${input.rule}|${n}|${wins}|${final}|${[...new Set(trades.map((t) => t.symbol))].sort().join()}`,
	);
	const designEffect = designEffectOf(trades);
	const nEff = effectiveTrades(n, designEffect);
	const meanNet = n === 0 ? null : meanOf(nets);
	const bootstrap = bootstrapMean(trades, seed, BOOTSTRAP_DRAWS);
	const pPlacebo = meanNet === null ? null : placeboShare(input.placebo, meanNet, seed ^ 0x5bd1e995, PLACEBO_DRAWS);
	const reliability = reliabilityOf(trades);
	const grade = gradeOf({
		trades: n,
		meanNet,
		effectiveTrades: nEff,
		bootstrapLow: bootstrap?.[0] ?? null,
		pPlacebo,
		hindsight: input.hindsight,
		drifted: drifted(reliability),
	});
	return {
		evidence: {
			method: input.method,
			n,
			n_effective: nEff,
			wins,
			hit_rate: n === 0 ? null : wins / n,
			mean_net_bps: meanNet === null ? null : bps(meanNet),
			median_net_bps: n === 0 ? null : bps(quantileOf(nets, 0.5)),
			bootstrap_90: bootstrap && [bps(bootstrap[0]), bps(bootstrap[1])],
			profit_factor: profitFactorOf(nets),
			avg_hold_bars: n === 0 ? null : trades.reduce((sum, trade) => sum + trade.holdBars, 0) / n,
			first_trade: isoOrNull(trades[0]?.signalTime),
			last_trade: isoOrNull(trades.at(-1)?.signalTime),
			universe_size: input.universeSize,
			grade,
			p_placebo: pPlacebo,
			brier: reliability.brier,
			ece: reliability.ece,
		},
		grade,
		pool: pooledRate(wins, n),
		designEffect,
		bySymbol: countBySymbol(trades),
		winsorisedMeanNet: n === 0 ? null : winsorisedMean(nets),
		payoff: payoffOf(nets),
		shortfallR: n === 0 ? null : shortfallOf(Float64Array.from(trades, (trade) => trade.r).sort()),
		reliability,
		sharpe: weeklySharpe(trades),
	};
}

const isoOrNull = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString());

function countBySymbol(trades: readonly ResolvedTrade[]): Map<string, { wins: number; n: number }> {
	const counts = new Map<string, { wins: number; n: number }>();
	for (const trade of trades) {
		const own = counts.get(trade.symbol) ?? { wins: 0, n: 0 };
		own.n++;
		if (trade.net > 0) own.wins++;
		counts.set(trade.symbol, own);
	}
	return counts;
}

function payoffOf(nets: Float64Array): number | null {
	const gains = nets.filter((net) => net > 0);
	const losses = nets.filter((net) => net <= 0);
	if (gains.length === 0 || losses.length === 0) return null;
	const loss = -meanOf(losses);
	return loss > 0 ? meanOf(gains) / loss : null;
}

/** 100 x the calibrated probability of a net gain, with its 95 % interval (percent). */
export interface Confidence {
	/** Probability, 0..1. */
	p: number;
	confidence_score: number;
	confidence_low: number;
	confidence_high: number;
}

export function confidenceOf(p: number, nEff: number): Confidence {
	const [low, high] = wilsonInterval(p, nEff);
	// At rates of 0 and 1 rounding may put an end of the interval a hair inside the rate.
	return {
		p,
		confidence_score: 100 * p,
		confidence_low: 100 * Math.min(low, p),
		confidence_high: 100 * Math.max(high, p),
	};
}

/** A symbol's own record, shrunk to the pool. */
export function symbolConfidence(measurement: Measurement, symbol: string): Confidence {
	const own = measurement.bySymbol.get(symbol) ?? { wins: 0, n: 0 };
	return confidenceOf(symbolRate(own.wins, own.n, measurement.pool), measurement.evidence.n_effective);
}

/** Mean net by calendar year of the signal, for the report. */
export function byYear(
	trades: readonly ResolvedTrade[],
): Record<string, { n: number; hit_rate: number; mean_net_bps: number }> {
	const years = new Map<string, number[]>();
	for (const trade of trades) {
		const year = String(new Date(trade.signalTime).getUTCFullYear());
		const nets = years.get(year);
		if (nets) nets.push(trade.net);
		else years.set(year, [trade.net]);
	}
	return Object.fromEntries(
		[...years].sort().map(([year, nets]) => {
			const column = Float64Array.from(nets);
			return [
				year,
				{
					n: nets.length,
					hit_rate: nets.filter((net) => net > 0).length / nets.length,
					mean_net_bps: bps(meanOf(column)),
				},
			];
		}),
	);
}

/** What a row says of the record behind it. */
export const recordOf = ({ evidence, reliability }: Measurement) => ({ evidence, reliability });

/** The measured figures as they stand in a strategy's report. */
export function evidenceReport(measurement: Measurement): Record<string, unknown> {
	const { evidence, reliability } = measurement;
	return {
		...evidence,
		design_effect: measurement.designEffect,
		pooled_probability: measurement.pool,
		winsorised_mean_net_bps: measurement.winsorisedMeanNet === null ? null : bps(measurement.winsorisedMeanNet),
		calibration: {
			scored: reliability.scored,
			brier: reliability.brier,
			brier_skill: reliability.skill,
			ece: reliability.ece,
			ece_last_200: reliability.eceRecent,
			drift_alert: drifted(reliability),
			bins: reliability.bins,
			years: reliability.years,
			recalibration: reliability.recalibration,
		},
		sharpe_weekly: sharpeReport(measurement.sharpe),
	};
}
