import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import type { MarketView } from "./contract.ts";
import { byYear, chosenWithHindsight, evidenceReport, type Measurement, measure } from "./evidence/measure.ts";
import { Memo, seriesFingerprint, universeFingerprint } from "./evidence/memo.ts";
import { selectionReport } from "./evidence/selection.ts";
import { ASSETS_MIN, type AssetPanel, assetPanel, commonTimes, valuesAt } from "./statistical-arbitrage-model.ts";
import {
	FACTOR_REPLAY_COST,
	type FactorReplay,
	HOLD_BARS,
	type ReplayOptions,
	replayPanel,
	stepsOf,
} from "./statistical-arbitrage-replay.ts";

export const FACTOR_RULE = "statistical_arbitrage/1d,pca252<=3,regression60,s1.25,exit.5/.75,stop3,30d";
const METHOD = "walk-forward/pooled by side, factor-hedged returns";
/** Series with fewer bars would shorten the common history of all. */
export const EVIDENCE_BARS_MIN = 1800;
/** Assets of the walk-forward: the components of a matrix cost the cube of its size. */
const EVIDENCE_ASSETS_MAX = 24;
const DAY_MS = TIMEFRAME_MS["1d"];

export interface FactorEvidence {
	measurementOf(side: "long" | "short"): Measurement;
	report: Record<string, unknown>;
}

const memo = new Memo<FactorEvidence>(8);

/** The walk-forward of the factor model over the evidence universe of a view, kept by content. */
export function factorEvidence(view: MarketView): FactorEvidence {
	const hindsight = chosenWithHindsight(view.data_source);
	const universe = chosen(view);
	const asOfMs = Math.floor(view.as_of_ms / DAY_MS) * DAY_MS;
	const key = [hindsight, asOfMs, universeFingerprint(universe.map(seriesFingerprint))].join("#");
	return memo.get(key, () => measureFactors(evidencePanel(universe, asOfMs), asOfMs, hindsight));
}

/** Long untied series of the highest volume; ties by symbol. */
function chosen({ evidence, markets }: MarketView): Series[] {
	const volume = ({ symbol }: Series) => markets[symbol]?.volume_usd_24h ?? 0;
	return evidence.series
		.filter((series) => series.length >= EVIDENCE_BARS_MIN && (markets[series.symbol]?.tags.length ?? 0) === 0)
		.sort((a, b) => volume(b) - volume(a) || (a.symbol < b.symbol ? -1 : 1))
		.slice(0, EVIDENCE_ASSETS_MAX);
}

/** The common bars of a universe that closed by `asOfMs`, by symbol; without bars below 12 assets. */
export function evidencePanel(universe: readonly Series[], asOfMs: number): AssetPanel {
	const ordered = [...universe].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
	if (ordered.length < ASSETS_MIN) return assetPanel([], new Float64Array(), []);
	const times = commonTimes(ordered.map((series) => series.open_time)).filter((time) => time + DAY_MS <= asOfMs);
	return assetPanel(
		ordered.map((series) => series.symbol),
		times,
		ordered.map((series) => valuesAt(series.open_time, series.close, times)),
	);
}

function measureFactors(panel: AssetPanel, asOfMs: number, hindsight: boolean): FactorEvidence {
	const steps = stepsOf(panel);
	const embargoMs = asOfMs - (HOLD_BARS + 1) * DAY_MS;
	const options: ReplayOptions = { holdBars: () => HOLD_BARS, embargoMs, placebo: true };
	const replay = replayPanel(panel, steps, options);
	const shorter = replayPanel(panel, steps, {
		...options,
		holdBars: ({ halfLife }) => Math.min(HOLD_BARS, 2 * halfLife),
		placebo: false,
	});
	const measured = (of: FactorReplay, sides: ("long" | "short")[], name: string) =>
		measure({
			rule: `${FACTOR_RULE}/${name}`,
			method: METHOD,
			trades: sides.flatMap((side) => of.trades[side]),
			placebo: sides.flatMap((side) => of.placebo[side]),
			universeSize: panel.symbols.length,
			hindsight,
		});
	const timeStop = measured(shorter, ["long", "short"], "2halflives");
	const bySide = { long: measured(replay, ["long"], "long"), short: measured(replay, ["short"], "short") };
	return {
		measurementOf: (side) => bySide[side],
		report: {
			rule: FACTOR_RULE,
			evidence: evidenceReport(measured(replay, ["long", "short"], "both")),
			evidence_cost_bps: FACTOR_REPLAY_COST * 10_000,
			universe_chosen_with_hindsight: hindsight,
			by_side: { long: evidenceReport(bySide.long), short: evidenceReport(bySide.short) },
			by_year: byYear([...replay.trades.long, ...replay.trades.short]),
			variants: { time_stop_2_half_lives: evidenceReport(timeStop) },
			selection: selectionReport([
				["long", bySide.long],
				["short", bySide.short],
				["time_stop_2_half_lives", timeStop],
			]),
		},
	};
}
