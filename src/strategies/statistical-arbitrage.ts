import { TIMEFRAME_MS } from "../market/contract.ts";
import { at, last } from "./columns.ts";
import type { Candidate, MarketView, Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import { checkSeries, type Refusal } from "./quality.ts";
import { EVIDENCE_BARS_MIN, factorEvidence } from "./statistical-arbitrage-evidence.ts";
import {
	ASSETS_MIN,
	type AssetFit,
	FACTORS_MAX,
	type FactorStep,
	VARIANCE_SHARE,
} from "./statistical-arbitrage-model.ts";
import { BARS_MIN, FACTOR_ASSETS_MAX, presentModel } from "./statistical-arbitrage-present.ts";
import {
	B_MAX,
	HOLD_BARS,
	R2_MIN,
	returns,
	S_ENTRY,
	S_EXIT_LONG,
	S_EXIT_SHORT,
	S_STOP,
	sideOf,
} from "./statistical-arbitrage-replay.ts";
import {
	type FactorSignal,
	factorRow,
	hedgeToolsOf,
	type ModelAsset,
	STATISTICAL_ID,
} from "./statistical-arbitrage-row.ts";

const DAY_MS = TIMEFRAME_MS["1d"];

const THRESHOLDS = {
	assets_min: ASSETS_MIN,
	bars_min: BARS_MIN,
	factors_max: FACTORS_MAX,
	factor_assets_max: FACTOR_ASSETS_MAX,
	variance_share: VARIANCE_SHARE,
	ar1_coefficient_max: B_MAX,
	r2_min: R2_MIN,
	s_entry_min: S_ENTRY,
	s_stop: S_STOP,
	s_exit_long: S_EXIT_LONG,
	s_exit_short: S_EXIT_SHORT,
	hold_bars_max: HOLD_BARS,
};

/** Residuals of coins against the common factors of the largest (after Avellaneda and Lee 2010). */
export const statisticalArbitrage: Strategy = {
	id: STATISTICAL_ID,
	needs: {
		candidates: "spot",
		timeframe: "1d",
		candles: true,
		funding: false,
		orderBook: false,
		evidence: { market: "spot", timeframe: "1d", bars_min: EVIDENCE_BARS_MIN, funding: false },
		benchmarks: [],
		history: { bars_min: BARS_MIN, bars_settled: BARS_MIN },
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const evidence = factorEvidence(view);
		const model = fitModel(readAssets(candidates, view, ledger), ledger);
		for (const signal of model?.signals ?? []) {
			const { symbol } = signal.asset.candidate;
			const gate = gateOf(signal.fit);
			if (gate) {
				noteMiss(symbol, signal.fit, gate.reason, ledger);
				ledger.reject(symbol, gate.reason, gate.detail);
				continue;
			}
			const measurement = evidence.measurementOf(sideOf(signal.fit) === 1 ? "long" : "short");
			const outcome = factorRow(signal, { view, portfolio, limits, measurement });
			if ("reason" in outcome) ledger.reject(symbol, outcome.reason, outcome.detail);
			else ledger.add(outcome);
		}
		return ledger.close("symbol", limits, THRESHOLDS, { ...modelReport(model), ...evidence.report });
	},
};

type ReadAsset = Pick<ModelAsset, "candidate" | "series">;

/** Candidates that have every bar of the model's window, by symbol; the others are rejected. */
function readAssets(candidates: readonly Candidate[], view: MarketView, ledger: Ledger): ReadAsset[] {
	const read: ReadAsset[] = [];
	for (const candidate of candidates) {
		const check = checkSeries(candidate, view, BARS_MIN);
		if (check.ok) read.push({ candidate, series: check.series });
		else ledger.reject(candidate.symbol, check.reason, check.detail);
	}
	const newest = Math.max(...read.map(({ series }) => last(series.open_time)));
	const fit = read.filter(({ candidate, series }) => {
		const steps = (last(series.open_time) - at(series.open_time, series.length - BARS_MIN)) / DAY_MS;
		if (last(series.open_time) < newest)
			ledger.reject(candidate.symbol, "stale_data", "its newest bar is older than the others'");
		else if (steps !== BARS_MIN - 1)
			ledger.reject(candidate.symbol, "gaps", "the factors need every bar of the window");
		else return true;
		return false;
	});
	if (fit.length >= ASSETS_MIN) {
		ledger.sawDatumAt(newest + DAY_MS);
		return fit.sort((a, b) => (a.candidate.symbol < b.candidate.symbol ? -1 : 1));
	}
	for (const { candidate } of fit)
		ledger.reject(candidate.symbol, "insufficient_history", `${fit.length} of ${ASSETS_MIN} assets have the history`);
	return [];
}

interface Model {
	step: FactorStep;
	signals: FactorSignal[];
}

/** The model on the newest bar; null without enough assets. */
function fitModel(read: readonly ReadAsset[], ledger: Ledger): Model | null {
	if (read.length === 0) return null;
	const model = presentModel(read.map(({ series }) => series));
	const { step, fits } = model;
	const assets = read.map(({ candidate, series }, i) => ({
		candidate,
		series,
		window: model.windows[i] ?? new Float64Array(),
	}));
	const [tools, basket] = [hedgeToolsOf(assets), model.members.flatMap((i) => assets[i] ?? [])];
	const centre = fits.reduce((sum, fit) => sum + fit.centre, 0) / fits.length;
	const signals = assets.flatMap((asset, i): FactorSignal[] => {
		const fit = fits[i];
		if (!fit) {
			ledger.reject(asset.candidate.symbol, "insufficient_history", "no fit");
			return [];
		}
		const newestMs = last(asset.series.open_time);
		return [
			{
				asset,
				fit,
				step,
				basket,
				tools,
				hedge: () => model.hedgeOf(i),
				adjustedScore: adjusted(fit, centre),
				newestMs,
			},
		];
	});
	return { step, signals };
}

/** Paper's s: centres about their cross-sectional mean, less alpha/(kappa deviation) for the drift. */
const adjusted = (fit: AssetFit, centre: number): number =>
	-(fit.centre - centre) / fit.deviation - fit.alpha / (-Math.log(fit.b) * fit.deviation);

/** The first gate an asset fails, in the order in which they are counted; null when all hold. */
function gateOf(fit: AssetFit): Refusal | null {
	const refuse = (reason: string, detail: string): Refusal => ({ reason, detail });
	if (!returns(fit)) return refuse("half_life_out_of_range", `AR(1) coefficient ${fit.b.toFixed(3)}`);
	if (!(Math.abs(fit.s) > S_ENTRY)) return refuse("below_threshold", `s = ${fit.s.toFixed(2)}`);
	if (!(Math.abs(fit.s) < S_STOP)) return refuse("z_beyond_stop", `s = ${fit.s.toFixed(2)}`);
	return fit.r2 > R2_MIN ? null : refuse("r2_too_low", `R2 = ${fit.r2.toFixed(2)}`);
}

function noteMiss(symbol: string, fit: AssetFit, reason: string, ledger: Ledger): void {
	if (reason !== "below_threshold") return;
	const size = Math.abs(fit.s);
	ledger.nearMiss({ symbol, reason, value: size, threshold: S_ENTRY, distance: S_ENTRY - size });
}

function modelReport(model: Model | null): Record<string, unknown> {
	if (!model) return {};
	return {
		model: {
			assets: model.signals.length,
			assets_in_factors: model.step.fits.length,
			factors: model.step.portfolios.length,
			variance_explained: model.step.explained,
			s_scores: Object.fromEntries(
				model.signals
					.filter(({ fit }) => Number.isFinite(fit.s))
					.map(({ asset, fit }) => [asset.candidate.symbol, fit.s]),
			),
		},
	};
}
