import type { Series } from "../market/contract.ts";
import type { Column } from "./columns.ts";
import { Memo, orderedFingerprint } from "./evidence/memo.ts";
import {
	type AssetFit,
	type AssetPanel,
	assetPanel,
	FACTOR_BARS,
	type FactorStep,
	FactorWalk,
	factorsOf,
	fitOf,
	hedgeWeights,
	portfolioReturns,
	REGRESSION_BARS,
} from "./statistical-arbitrage-model.ts";
import { dot } from "./statistics/least-squares.ts";

/** Closes of FACTOR_BARS returns with the regression's window before them warm. */
export const BARS_MIN = FACTOR_BARS + REGRESSION_BARS;

/**
 * Assets that factors are made of: a decomposition costs the cube of them. It is as many as 252 returns bear at five
 * an asset, where the correlations of independent assets have a largest eigenvalue near (1 + sqrt(1/5))^2 = 2.1
 * (Marchenko and Pastur 1967), and as many as a scan looks at by default.
 */
export const FACTOR_ASSETS_MAX = Math.floor(FACTOR_BARS / 5);

/** What is sold against one unit of an asset. */
export interface FactorHedge {
	/** By asset of the factors. */
	weights: Float64Array;
	/** Returns of these weights over the regression window. */
	returns: Column;
}

/** The model on the newest bar. Nothing of it depends on more than closed bars; it is read, never written to. */
export interface PresentModel {
	step: FactorStep;
	/** Numbers of the assets that the factors are made of. */
	members: readonly number[];
	/** Of every asset, in the factors or not: its fit, and its returns over the regression window. */
	fits: readonly AssetFit[];
	windows: readonly Column[];
	/** Full hedge of the asset number `index`. */
	hedgeOf(index: number): FactorHedge;
}

/** Universes whose present model is kept: fits and 60 returns an asset, some 200 kB for 200 of them. */
const MODELS_MAX = 8;
const models = new Memo<PresentModel>(MODELS_MAX);

/**
 * The factors of series that share their newest BARS_MIN bars, once per closed bar: nothing that changes between bars
 * takes part in it. Assets that the factors are not made of are held against them like the others.
 */
export const presentModel = (series: readonly Series[]): PresentModel =>
	models.get(orderedFingerprint(series), () => modelOf(series));

const recent = (column: Column): Column => column.subarray(column.length - BARS_MIN);

/**
 * The series of the highest value traded over the regression window, in their order; ties by symbol. Closes and
 * volumes are among what names a series, its quote volume is not.
 */
function mostTraded(series: readonly Series[]): number[] {
	const traded = series.map(({ close, volume }) =>
		dot(close.subarray(-REGRESSION_BARS), volume.subarray(-REGRESSION_BARS)),
	);
	const symbolOf = (i: number) => series[i]?.symbol ?? "";
	const ranked = [...series.keys()].sort(
		(a, b) => (traded[b] ?? 0) - (traded[a] ?? 0) || (symbolOf(a) < symbolOf(b) ? -1 : 1),
	);
	return ranked.slice(0, FACTOR_ASSETS_MAX).sort((a, b) => a - b);
}

function panelOf(series: readonly Series[]): AssetPanel {
	return assetPanel(
		series.map(({ symbol }) => symbol),
		recent(series[0]?.open_time ?? new Float64Array()),
		series.map(({ close }) => recent(close)),
	);
}

function modelOf(series: readonly Series[]): PresentModel {
	const members = mostTraded(series);
	const inFactors = <T>(values: readonly T[]): T[] => members.map((i) => values[i] as T);
	const step = new FactorWalk(panelOf(inFactors(series)), BARS_MIN - 1).step();
	// Copies: a view would keep the whole panel.
	const windows = panelOf(series).returns.map((column) => column.slice(BARS_MIN - REGRESSION_BARS));
	const factorWindows = inFactors(windows);
	const factors = factorsOf(factorWindows, step.portfolios);
	const known = new Map(members.map((i, member) => [i, step.fits[member]]));
	const fits = windows.map((window, i) => known.get(i) ?? fitOf(window, factors));
	const hedges: FactorHedge[] = [];
	const hedge = (index: number): FactorHedge => {
		const fit = fits[index];
		const weights = fit ? hedgeWeights(step, fit) : new Float64Array(factorWindows.length);
		return { weights, returns: portfolioReturns(factorWindows, weights) };
	};
	return {
		step,
		members,
		fits,
		windows,
		hedgeOf(index) {
			// Only for assets whose rows ask for it: each costs a pass over the windows of the factors.
			const made = hedges[index] ?? hedge(index);
			hedges[index] = made;
			return made;
		},
	};
}
