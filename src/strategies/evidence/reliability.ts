import { pooledRate, symbolRate } from "./intervals.ts";
import { type Recalibration, recalibrationOf } from "./recalibration.ts";
import { byTime, type ResolvedTrade } from "./trades.ts";

/** Trades that must have ended before a forecast is scored. */
const UNSCORED = 50;
const BINS = 10;
const RECENT = 200;
/** Above it over the newest 200 forecasts, stated probabilities no longer hold. */
const DRIFT_ECE = 0.1;

export interface Forecast {
	/** Probability of a net gain stated before the trade, 0..1. */
	p: number;
	/** The pooled rate at the same moment. */
	pool: number;
	/** 1: the trade gained. */
	won: 0 | 1;
	/** Open of the signal bar, epoch ms. */
	atMs: number;
}

/** Forecasts of one calendar year (UTC). */
export interface YearReliability {
	year: number;
	n: number;
	/** Mean probability stated, and the share that came true. */
	predicted: number;
	observed: number;
	brier: number;
	ece: number;
}

export interface Reliability {
	scored: number;
	brier: number | null;
	/** 1 - Brier / Brier of the pooled rate; above 0 the refinement helps. */
	skill: number | null;
	ece: number | null;
	/** ECE of the newest 200 forecasts: drift. */
	eceRecent: number | null;
	bins: { from: number; n: number; predicted: number; observed: number }[];
	years: YearReliability[];
	/** null without forecasts. */
	recalibration: Recalibration | null;
}

/** Mean squared distance of probability and outcome. */
export const brierScore = (p: readonly number[], y: readonly number[]): number =>
	p.reduce((sum, value, i) => sum + (value - (y[i] ?? Number.NaN)) ** 2, 0) / p.length;

/**
 * What the rule would have said before each trade: pool and symbol rates from trades that had ended
 * by its signal. The first 50 ended trades are only learned from.
 */
export function expandingForecasts(trades: readonly ResolvedTrade[]): Forecast[] {
	const bySignal = [...trades].sort(byTime);
	const byExit = [...trades].sort((a, b) => a.exitTime - b.exitTime || byTime(a, b));
	const symbols = new Map<string, { wins: number; n: number }>();
	const forecasts: Forecast[] = [];
	let wins = 0;
	let ended = 0;
	for (const trade of bySignal) {
		for (let past = byExit[ended]; past && past.exitTime <= trade.signalTime; past = byExit[ended]) {
			const own = symbols.get(past.symbol) ?? { wins: 0, n: 0 };
			own.n++;
			if (past.net > 0) {
				own.wins++;
				wins++;
			}
			symbols.set(past.symbol, own);
			ended++;
		}
		if (ended < UNSCORED) continue;
		const pool = pooledRate(wins, ended);
		const own = symbols.get(trade.symbol) ?? { wins: 0, n: 0 };
		forecasts.push({ p: symbolRate(own.wins, own.n, pool), pool, won: trade.net > 0 ? 1 : 0, atMs: trade.signalTime });
	}
	return forecasts;
}

/** Ten equal bins of stated probability against observed rates. */
export function reliabilityBins(forecasts: readonly Forecast[]): Reliability["bins"] {
	const bins = Array.from({ length: BINS }, () => ({ n: 0, p: 0, won: 0 }));
	for (const forecast of forecasts) {
		const bin = bins[Math.min(BINS - 1, Math.floor(forecast.p * BINS))];
		if (!bin) continue;
		bin.n++;
		bin.p += forecast.p;
		bin.won += forecast.won;
	}
	return bins.flatMap((bin, i) =>
		bin.n === 0 ? [] : [{ from: i / BINS, n: bin.n, predicted: bin.p / bin.n, observed: bin.won / bin.n }],
	);
}

/** Expected calibration error: bin distances weighted by their forecasts. null without forecasts. */
export function calibrationError(forecasts: readonly Forecast[]): number | null {
	if (forecasts.length === 0) return null;
	return reliabilityBins(forecasts).reduce(
		(sum, bin) => sum + (bin.n / forecasts.length) * Math.abs(bin.predicted - bin.observed),
		0,
	);
}

/** How well the stated probabilities held, out of sample. */
export function reliabilityOf(trades: readonly ResolvedTrade[]): Reliability {
	const forecasts = expandingForecasts(trades);
	const won = forecasts.map((forecast) => forecast.won);
	const brier =
		forecasts.length === 0
			? null
			: brierScore(
					forecasts.map((f) => f.p),
					won,
				);
	const poolBrier =
		forecasts.length === 0
			? null
			: brierScore(
					forecasts.map((f) => f.pool),
					won,
				);
	const recent = forecasts.slice(-RECENT);
	return {
		scored: forecasts.length,
		brier,
		skill: brier === null || !poolBrier ? null : 1 - brier / poolBrier,
		ece: calibrationError(forecasts),
		eceRecent: recent.length < RECENT ? null : calibrationError(recent),
		bins: reliabilityBins(forecasts),
		years: reliabilityByYear(forecasts),
		recalibration: recalibrationOf(forecasts),
	};
}

/** The same figures year by year: a record that holds on the whole may have failed in each part. */
export function reliabilityByYear(forecasts: readonly Forecast[]): YearReliability[] {
	const byYear = new Map<number, Forecast[]>();
	for (const forecast of forecasts) {
		const year = new Date(forecast.atMs).getUTCFullYear();
		const own = byYear.get(year);
		if (own) own.push(forecast);
		else byYear.set(year, [forecast]);
	}
	return [...byYear]
		.sort(([a], [b]) => a - b)
		.map(([year, own]) => {
			const won = own.map((forecast) => forecast.won);
			return {
				year,
				n: own.length,
				predicted: own.reduce((sum, forecast) => sum + forecast.p, 0) / own.length,
				observed: won.reduce<number>((sum, value) => sum + value, 0) / own.length,
				brier: brierScore(
					own.map((forecast) => forecast.p),
					won,
				),
				ece: calibrationError(own) ?? 0,
			};
		});
}

/** Drift: the newest 200 forecasts missed by more than ten points. */
export const drifted = (reliability: Reliability): boolean =>
	reliability.eceRecent !== null && reliability.eceRecent > DRIFT_ECE;
