import type { Series } from "../market/contract.ts";
import type { Column } from "./columns.ts";
import { Memo, orderedFingerprint } from "./evidence/memo.ts";
import {
	assetPanel,
	FACTOR_BARS,
	type FactorStep,
	FactorWalk,
	hedgeWeights,
	portfolioReturns,
	REGRESSION_BARS,
} from "./statistical-arbitrage-model.ts";

/** Closes of FACTOR_BARS returns with the regression's window before them warm. */
export const BARS_MIN = FACTOR_BARS + REGRESSION_BARS;

/** What is sold against one unit of an asset. */
export interface FactorHedge {
	/** By asset of the model. */
	weights: Float64Array;
	/** Returns of these weights over the regression window. */
	returns: Column;
}

/** The model on the newest bar. Nothing of it depends on more than closed bars; it is read, never written to. */
export interface PresentModel {
	step: FactorStep;
	/** Returns of each asset over the regression window. */
	windows: readonly Column[];
	/** Full hedge of the asset number `index`. */
	hedgeOf(index: number): FactorHedge;
}

/** Universes whose present model is kept: fits and 60 returns an asset, some 200 kB for 200 of them. */
const MODELS_MAX = 8;
const models = new Memo<PresentModel>(MODELS_MAX);

/**
 * The factors of series that share their newest BARS_MIN bars, once per closed bar: a decomposition costs the
 * cube of the assets, and nothing that changes between bars takes part in it.
 */
export const presentModel = (series: readonly Series[]): PresentModel =>
	models.get(orderedFingerprint(series), () => modelOf(series));

function modelOf(series: readonly Series[]): PresentModel {
	const recent = (column: Column) => column.subarray(column.length - BARS_MIN);
	const panel = assetPanel(
		series.map(({ symbol }) => symbol),
		recent(series[0]?.open_time ?? new Float64Array()),
		series.map(({ close }) => recent(close)),
	);
	const step = new FactorWalk(panel, BARS_MIN - 1).step();
	// Copies: a view would keep the whole panel.
	const windows = panel.returns.map((column) => column.slice(BARS_MIN - REGRESSION_BARS));
	const hedges: FactorHedge[] = [];
	const hedge = (index: number): FactorHedge => {
		const fit = step.fits[index];
		const weights = fit ? hedgeWeights(step, fit) : new Float64Array(windows.length);
		return { weights, returns: portfolioReturns(windows, weights) };
	};
	return {
		step,
		windows,
		hedgeOf(index) {
			// Only for assets whose rows ask for it: each costs a pass over all windows.
			const known = hedges[index] ?? hedge(index);
			hedges[index] = known;
			return known;
		},
	};
}
