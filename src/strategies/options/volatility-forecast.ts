import { at, type Column, unknownColumn } from "../columns.ts";
import { logReturns } from "../indicators/volatility.ts";
import { WindowExtremes } from "./window-extremes.ts";

export const DAYS_PER_YEAR = 365;
const DECAY = 0.94;
/** Windows of the HAR regression: a day, a trading week and a trading month (Corsi 2009). */
const WEEK = 5;
const MONTH = 22;
const TERMS = 4;
/** Windows that must have ended before the regression is believed. */
const SAMPLES_MIN = 120;
/** Returns before the exponential mean has forgotten its first value. */
const EWMA_WARMUP = 60;

/** Windows the regression looks back on: with about four years of days it follows a market that changes. */
const SAMPLES_MAX = 1000;

/** Bars from which on still older ones move no forecast. */
export const forecastBarsSettled = (horizonDays: number): number => MONTH + horizonDays + SAMPLES_MAX;

/** Bars from which on a forecast exists. */
export const forecastBarsMin = (horizonDays: number): number => MONTH + horizonDays + SAMPLES_MIN;

/**
 * Forecast of the realised volatility over the next `horizonDays` at each daily close, fraction a year:
 * the root of 0.5 EWMA94 + 0.5 HAR, both as daily variances (RiskMetrics 1996; Corsi 2009). The variance
 * of a day is its squared log return. The forecast at t knows closes up to t only: the regression takes
 * windows that have ended. NaN until both parts are known.
 */
export function volatilityForecast(close: Column, horizonDays: number): Column {
	const squares = logReturns(close).map((value) => value * value);
	const ewma = ewmaVariance(squares);
	const har = harVariance(squares, horizonDays);
	const result = unknownColumn(close.length);
	for (let t = 0; t < close.length; t++) {
		result[t] = Math.sqrt(DAYS_PER_YEAR * (0.5 * at(ewma, t) + 0.5 * at(har, t)));
	}
	return result;
}

/** Exponential mean of squared returns with decay 0.94, weights normalised; NaN during its warm-up. */
export function ewmaVariance(squares: Column): Column {
	const result = unknownColumn(squares.length);
	let [sum, weight] = [0, 0];
	for (let t = 1; t < squares.length; t++) {
		sum = DECAY * sum + at(squares, t);
		weight = DECAY * weight + 1;
		if (t >= EWMA_WARMUP) result[t] = sum / weight;
	}
	return result;
}

/**
 * Heterogeneous autoregression: the mean variance of the next `horizonDays` on that of the last day, week
 * and month, least squares over the newest 1,000 windows that have ended. A forecast outside what those windows
 * have shown is their mean instead (the sanity filter of Bollerslev, Patton and Quaedvlieg 2016).
 */
export function harVariance(squares: Column, horizonDays: number): Column {
	const sums = cumulated(squares);
	const mean = (from: number, until: number) => (at(sums, until) - at(sums, from)) / (until - from);
	const features = (t: number): number[] => [1, at(squares, t), mean(t + 1 - WEEK, t + 1), mean(t + 1 - MONTH, t + 1)];
	const result = unknownColumn(squares.length);
	const normal = Array.from({ length: TERMS }, () => new Float64Array(TERMS + 1));
	const targets = new WindowExtremes(SAMPLES_MAX);
	for (let t = MONTH; t < squares.length; t++) {
		const begun = t - horizonDays;
		if (begun >= MONTH) {
			const target = mean(begun + 1, t + 1);
			accumulate(normal, features(begun), target, 1);
			const left = targets.push(target);
			if (left !== null) accumulate(normal, features(begun - SAMPLES_MAX), left, -1);
		}
		if (targets.length < SAMPLES_MIN) continue;
		const weights = solve(normal);
		const forecast = weights ? features(t).reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0) : Number.NaN;
		const shown = forecast >= targets.least && forecast <= targets.most;
		result[t] = shown ? forecast : targets.sum() / targets.length;
	}
	return result;
}

/** sums[i] = values 1 .. i-1 added up: the first return of a series does not exist. */
function cumulated(values: Column): Column {
	const sums = new Float64Array(values.length + 1);
	for (let i = 1; i < values.length; i++) sums[i + 1] = at(sums, i) + at(values, i);
	return sums;
}

/** Adds a sample to the normal equations, or takes it out again (`sign` -1). */
function accumulate(normal: readonly Float64Array[], x: readonly number[], y: number, sign: 1 | -1): void {
	normal.forEach((row, i) => {
		const xi = sign * (x[i] ?? 0);
		x.forEach((xj, j) => {
			row[j] = at(row, j) + xi * xj;
		});
		row[TERMS] = at(row, TERMS) + xi * y;
	});
}

/** Gauss with pivots on the augmented normal equations; null when they have no single solution. */
function solve(normal: readonly Float64Array[]): number[] | null {
	const rows = normal.map((row) => Float64Array.from(row));
	for (let column = 0; column < TERMS; column++) {
		const pivots = rows.slice(column).sort((a, b) => Math.abs(at(b, column)) - Math.abs(at(a, column)));
		rows.splice(column, pivots.length, ...pivots);
		const pivot = rows[column];
		if (!pivot || !(Math.abs(at(pivot, column)) > 1e-300)) return null;
		for (const row of rows) {
			if (row === pivot) continue;
			const factor = at(row, column) / at(pivot, column);
			for (let j = column; j <= TERMS; j++) row[j] = at(row, j) - factor * at(pivot, j);
		}
	}
	return rows.map((row, i) => at(row, TERMS) / at(row, i));
}
