import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import type { MarketView } from "./contract.ts";
import { SPOT_REPLAY_COST } from "./costs.ts";
import { byYear, chosenWithHindsight, evidenceReport, type Measurement, measure } from "./evidence/measure.ts";
import { Memo, seriesFingerprint, universeFingerprint } from "./evidence/memo.ts";
import type { PlaceboPool } from "./evidence/placebo.ts";
import { selectionReport } from "./evidence/selection.ts";
import type { ResolvedTrade } from "./evidence/trades.ts";
import {
	baseOf,
	type Formation,
	formationHolds,
	keptFormations,
	type PairPanel,
	pairPanel,
	replayFormation,
} from "./pairs-trading-replay.ts";
import { bucketName, bucketOf, HALF_LIFE_BUCKETS, PAIR_RULE, type PairRule, TABLE_RULE } from "./pairs-trading-rule.ts";

const METHOD = "walk-forward/pooled by half-life, 365 days of formation and 90 of trading, discoveries at 10 %";
/** Series with fewer daily bars take no part (more than 1500). */
export const EVIDENCE_BARS_MIN = 1501;
/** Coins of the walk-forward; its cost grows with their square. */
const EVIDENCE_COINS_MAX = 40;
const DAY_MS = TIMEFRAME_MS["1d"];

export interface PairEvidence {
	/** The record of discoveries with such a half-life, days. */
	measurementOf(halfLife: number): Measurement;
	report: Record<string, unknown>;
}

const memo = new Memo<PairEvidence>(8);

/** The walk-forward of pairs over the evidence universe of a view, kept by content. */
export function pairEvidence(view: MarketView): PairEvidence {
	const hindsight = chosenWithHindsight(view.data_source);
	const universe = longest(view);
	const asOfMs = Math.floor(view.as_of_ms / DAY_MS) * DAY_MS;
	const key = [hindsight, asOfMs, universeFingerprint(universe.map(seriesFingerprint))].join("#");
	return memo.get(key, () => measurePairs(universe, asOfMs, hindsight));
}

/** Long untied series, one a base (two quotes of one coin are no pair), the longest first; ties by symbol. */
function longest({ evidence, markets }: MarketView): Series[] {
	const bases = new Set<string>();
	return evidence.series
		.filter((series) => series.length >= EVIDENCE_BARS_MIN && (markets[series.symbol]?.tags.length ?? 0) === 0)
		.sort((a, b) => b.length - a.length || (a.symbol < b.symbol ? -1 : 1))
		.filter(({ symbol }) => !bases.has(baseOf(symbol)) && bases.add(baseOf(symbol)))
		.slice(0, EVIDENCE_COINS_MAX);
}

function measurePairs(universe: readonly Series[], asOfMs: number, hindsight: boolean): PairEvidence {
	const panel = pairPanel(universe, asOfMs);
	const formations = keptFormations(panel);
	const found = formations.filter(({ discovered }) => discovered);
	const size = universe.length;
	const buckets = HALF_LIFE_BUCKETS.map((_, bucket) => {
		const inside = found.filter(({ fit }) => bucketOf(fit.halfLife) === bucket);
		return replay(panel, inside, PAIR_RULE, `/${bucketName(bucket, PAIR_RULE)}`, { size, hindsight });
	});
	const whole = replay(panel, found, PAIR_RULE, "", { size, hindsight });
	const tabled = formations.filter((formation) => formation.tabled);
	const table = replay(panel, tabled, TABLE_RULE, "", { size, hindsight });
	return {
		measurementOf: (halfLife) => (buckets[bucketOf(halfLife)] ?? whole).measurement,
		report: {
			rule: PAIR_RULE.name,
			evidence: evidenceReport(whole.measurement),
			evidence_cost_bps: SPOT_REPLAY_COST * 10_000,
			universe_chosen_with_hindsight: hindsight,
			by_half_life: Object.fromEntries(
				buckets.map(({ measurement }, bucket) => [bucketName(bucket, PAIR_RULE), evidenceReport(measurement)]),
			),
			by_year: byYear(whole.trades),
			windows: windowTable(panel, formations),
			variants: { uncorrected_directions_without_halves_half_life_2_45: evidenceReport(table.measurement) },
			selection: selectionReport([
				...buckets.map(({ measurement }, bucket) => [bucketName(bucket, PAIR_RULE), measurement] as const),
				["uncorrected_directions_without_halves_half_life_2_45", table.measurement],
			]),
		},
	};
}

function replay(
	panel: PairPanel,
	formations: readonly Formation[],
	rule: PairRule,
	suffix: string,
	{ size, hindsight }: { size: number; hindsight: boolean },
): { measurement: Measurement; trades: ResolvedTrade[] } {
	const trades: ResolvedTrade[] = [];
	const placebo: PlaceboPool[] = [];
	for (const formation of formations) {
		if (!formationHolds(panel, formation, rule)) continue;
		const replayed = replayFormation(panel, formation);
		trades.push(...replayed.trades);
		if (replayed.trades.length > 0) placebo.push(replayed.placebo);
	}
	const measurement = measure({
		rule: rule.name + suffix,
		method: METHOD,
		trades,
		placebo,
		universeSize: size,
		hindsight,
	});
	return { measurement, trades };
}

/** Windows that had discoveries: few, so the effective sample is far smaller than the count of trades. */
function windowTable(panel: PairPanel, formations: readonly Formation[]): Record<string, unknown> {
	const starts = new Map<number, { tested: number; discovered: number }>();
	for (const { start, discovered } of formations) {
		const window = starts.get(start) ?? { tested: 0, discovered: 0 };
		window.tested++;
		if (discovered) window.discovered++;
		starts.set(start, window);
	}
	const rows = [...starts].map(([start, window]) => ({
		trading_from: new Date(panel.startMs + start * DAY_MS).toISOString(),
		...window,
	}));
	return { total: rows.length, with_discoveries: rows.filter(({ discovered }) => discovered > 0) };
}
