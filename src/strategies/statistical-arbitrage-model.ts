import { at, type Column, unknownColumn } from "./columns.ts";
import { beginsWith } from "./history.ts";
import { type Regressors, regress, regressorsOf } from "./statistics/least-squares.ts";
import { principalFactors } from "./statistics/principal-factors.ts";
import { type ResidualScore, residualScore } from "./statistics/residual-score.ts";
import { RollingCovariance } from "./statistics/rolling-covariance.ts";

/** Bars of the correlation matrix and of the factor regression. */
export const FACTOR_BARS = 252;
export const REGRESSION_BARS = 60;
export const VARIANCE_SHARE = 0.55;
export const FACTORS_MAX = 3;
export const ASSETS_MIN = 12;

/** Assets on common bars without holes. */
export interface AssetPanel {
	symbols: string[];
	/** Opens of the bars, epoch ms. */
	times: Column;
	closes: Column[];
	/** Simple returns; NaN for the first bar. */
	returns: Column[];
	/** Their running sums, 0 at the first bar. */
	cumulated: Column[];
}

export function assetPanel(symbols: string[], times: Column, closes: Column[]): AssetPanel {
	const returns = closes.map((column) => column.map((close, t) => close / at(column, t - 1) - 1));
	return { symbols, times, closes, returns, cumulated: returns.map(cumulate) };
}

/** Whether `later` is `earlier` with, at most, bars added at its end. */
export const extendsPanel = (later: AssetPanel, earlier: AssetPanel): boolean =>
	later.symbols.join() === earlier.symbols.join() &&
	beginsWith(later.times, earlier.times) &&
	later.closes.every((column, i) => beginsWith(column, earlier.closes[i] as Column));

function cumulate(returns: Column): Column {
	const sums = new Float64Array(returns.length);
	for (let t = 1; t < sums.length; t++) sums[t] = (sums[t - 1] as number) + (returns[t] as number);
	return sums;
}

/** One asset against the factors on one bar. */
export interface AssetFit extends ResidualScore {
	alpha: number;
	betas: Float64Array;
	r2: number;
}

/** The factors of one bar: portfolios of the standardised assets. */
export interface FactorStep {
	/** Variance share of all kept factors. */
	explained: number;
	/** Per factor: weight of each asset, eigenvector over deviation. */
	portfolios: Float64Array[];
	fits: AssetFit[];
}

/** Walks the model along a panel, bar by bar; what it says of a bar depends on no later one. */
export class FactorWalk {
	#panel: AssetPanel;
	readonly #covariance: RollingCovariance;
	readonly #room = new Float64Array(REGRESSION_BARS);
	readonly #window: Column[];

	/** Starts on the bar `t`, at the earliest bar FACTOR_BARS. */
	constructor(panel: AssetPanel, t: number) {
		this.#panel = panel;
		this.#window = panel.returns.map(() => new Float64Array(REGRESSION_BARS));
		this.#covariance = new RollingCovariance(panel.returns, FACTOR_BARS, t - FACTOR_BARS + 1);
	}

	/** The same panel with more bars at its end; see extendsPanel. */
	extend(panel: AssetPanel): void {
		this.#panel = panel;
		this.#covariance.extend(panel.returns);
	}

	get bar(): number {
		return this.#covariance.row;
	}

	advance(): void {
		this.#covariance.advance();
	}

	/** Factors and fits of the current bar. */
	step(): FactorStep {
		const { returns } = this.#panel;
		const n = returns.length;
		const { deviations, correlation } = this.#covariance.standardised();
		const { shares, vectors } = principalFactors(correlation, n, {
			varianceShare: VARIANCE_SHARE,
			factorsMax: FACTORS_MAX,
		});
		const portfolios = vectors.map((vector) => {
			for (let i = 0; i < n; i++) vector[i] = (vector[i] as number) / (deviations[i] as number);
			return vector;
		});
		this.#fillWindow();
		const factors = factorsOf(this.#window, portfolios);
		const fits: AssetFit[] = [];
		for (let i = 0; i < n; i++) fits.push(fitOf(this.#window[i] as Column, factors, this.#room));
		let explained = 0;
		for (const share of shares) explained += share;
		return { explained, portfolios, fits };
	}

	/** Copies the regression's returns into room that stays: views of columns cost more than the values in them. */
	#fillWindow(): void {
		const from = this.bar - REGRESSION_BARS + 1;
		const { returns } = this.#panel;
		for (let i = 0; i < returns.length; i++) {
			const [column, room] = [returns[i] as Column, this.#window[i] as Column];
			for (let t = 0; t < REGRESSION_BARS; t++) room[t] = column[from + t] as number;
		}
	}
}

/** What assets are regressed on: the returns of the factor portfolios over the window of the assets in them. */
export const factorsOf = (window: readonly Column[], portfolios: readonly Float64Array[]): Regressors =>
	regressorsOf(
		portfolios.map((weights) => portfolioReturns(window, weights)),
		true,
		REGRESSION_BARS,
	);

/** One asset's returns over the regression window against the factors; `room` takes the residuals. */
export function fitOf(returns: Column, factors: Regressors, room?: Float64Array): AssetFit {
	const { intercept, slopes, residuals, r2 } = regress(returns, factors, room);
	const { b, halfLife, centre, deviation, s } = residualScore(residuals);
	// Named one by one: this runs a hundred thousand times, and copying an object whole is far dearer.
	return { b, halfLife, centre, deviation, s, alpha: intercept ?? 0, betas: slopes, r2 };
}

/** Returns of fixed weights over the rows of a window. */
export function portfolioReturns(window: readonly Column[], weights: Float64Array): Column {
	const result = new Float64Array(window[0]?.length ?? 0);
	window.forEach((column, i) => {
		const weight = weights[i] as number;
		for (let t = 0; t < result.length; t++) result[t] = (result[t] as number) + weight * (column[t] as number);
	});
	return result;
}

/** What is sold against one unit of the asset: the factor portfolios times its betas, by asset. */
export function hedgeWeights(step: FactorStep, fit: AssetFit): Float64Array {
	const weights = new Float64Array(step.portfolios[0]?.length ?? 0);
	step.portfolios.forEach((portfolio, k) => {
		for (let i = 0; i < weights.length; i++) weights[i] = at(weights, i) + at(fit.betas, k) * at(portfolio, i);
	});
	return weights;
}

/** Bars of all series that every one of them has; empty where there are none. */
export function commonTimes(columns: readonly Column[]): Column {
	const counts = new Map<number, number>();
	for (const column of columns) for (const time of column) counts.set(time, (counts.get(time) ?? 0) + 1);
	const common = [...counts].filter(([, count]) => count === columns.length).map(([time]) => time);
	return Float64Array.from(common).sort();
}

/** `values` at the given times, which must all occur in `times`; NaN where one does not. */
export function valuesAt(times: Column, values: Column, wanted: Column): Column {
	const result = unknownColumn(wanted.length);
	let i = 0;
	wanted.forEach((time, t) => {
		while (i < times.length && at(times, i) < time) i++;
		if (at(times, i) === time) result[t] = at(values, i);
	});
	return result;
}
