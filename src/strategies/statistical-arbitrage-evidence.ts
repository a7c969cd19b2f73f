import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import type { MarketView } from "./contract.ts";
import { byYear, chosenWithHindsight, evidenceReport, type Measurement, measure } from "./evidence/measure.ts";
import { Memo, seriesFingerprint, universeFingerprint } from "./evidence/memo.ts";
import { selectionReport } from "./evidence/selection.ts";
import {
	ASSETS_MIN,
	type AssetPanel,
	assetPanel,
	commonTimes,
	extendsPanel,
	FACTOR_BARS,
	FactorWalk,
	valuesAt,
} from "./statistical-arbitrage-model.ts";
import {
	type AssetReplay,
	FACTOR_REPLAY_COST,
	type FactorReplay,
	HOLD_BARS,
	type ReplayOptions,
	replayOn,
	type StepHistory,
	walkOn,
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

/** What a walk along a panel has come to: enough to go on when bars are added. */
interface Walked {
	panel: AssetPanel;
	asOfMs: number;
	walk: FactorWalk;
	/** The newest steps: those that trades still open have entered on, and all later ones. */
	history: StepHistory;
	/** What is settled of the rule, and of the rule with the shorter time stop. */
	settled: readonly [AssetReplay[], AssetReplay[]];
}

/** Universes whose walks are kept: the state of one is a matrix and the steps of some forty bars. */
const WALKS_MAX = 4;
const walks = new Memo<Walked>(WALKS_MAX);

/** The rule as it is measured, and with a shorter time stop. */
export function factorRules(asOfMs: number): [ReplayOptions, ReplayOptions] {
	const rule: ReplayOptions = {
		holdBars: () => HOLD_BARS,
		embargoMs: asOfMs - (HOLD_BARS + 1) * DAY_MS,
		placebo: true,
	};
	return [rule, { ...rule, holdBars: ({ halfLife }) => Math.min(HOLD_BARS, 2 * halfLife), placebo: false }];
}

/** Trades of both, walking only the bars that this thread has not walked before. */
export function replaysOf(panel: AssetPanel, asOfMs: number): [FactorReplay, FactorReplay] {
	const [rule, shorter] = factorRules(asOfMs);
	const walked = walkedTo(panel, asOfMs);
	const [known, knownShorter] = walked?.settled ?? [[], []];
	const history = walked?.history ?? { first: 0, steps: [] };
	const [all, allShorter] = [replayOn(panel, history, rule, known), replayOn(panel, history, shorter, knownShorter)];
	if (walked) {
		const settled = [all.settled, allShorter.settled] as const;
		const needed = Math.min(...settled.flat().map(({ next }) => next));
		const kept = { first: needed, steps: history.steps.slice(needed - history.first) };
		walks.set(panel.symbols.join(), { ...walked, history: kept, settled });
	}
	return [all.replay, allShorter.replay];
}

/** The walk at the panel's end, gone on with or begun; null for a panel too short to walk. */
function walkedTo(panel: AssetPanel, asOfMs: number): Walked | null {
	const bars = panel.times.length;
	if (bars <= FACTOR_BARS || panel.symbols.length === 0) return null;
	const known = walks.peek(panel.symbols.join());
	// A walk whose evaluation failed midway stands elsewhere and is begun anew.
	const stands = known && known.walk.bar === known.panel.times.length - 1;
	if (stands && known.asOfMs <= asOfMs && extendsPanel(panel, known.panel)) {
		const { walk, history, settled } = known;
		walk.extend(panel);
		return { panel, asOfMs, walk, settled, history: { ...history, steps: [...history.steps, ...walkOn(walk, bars)] } };
	}
	const walk = new FactorWalk(panel, FACTOR_BARS);
	const steps = [walk.step(), ...walkOn(walk, bars)];
	return { panel, asOfMs, walk, history: { first: 0, steps }, settled: [[], []] };
}

function measureFactors(panel: AssetPanel, asOfMs: number, hindsight: boolean): FactorEvidence {
	const [replay, shorter] = replaysOf(panel, asOfMs);
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
