import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import type { MarketView } from "./contract.ts";
import { SPOT_REPLAY_COST } from "./costs.ts";
import { byYear, chosenWithHindsight, evidenceReport, type Measurement, measure } from "./evidence/measure.ts";
import { Memo, seriesFingerprint, universeFingerprint } from "./evidence/memo.ts";
import { regimeSplit } from "./evidence/regime.ts";
import { drifted } from "./evidence/reliability.ts";
import { walkForward } from "./evidence/walk-forward.ts";
import type { Rule } from "./rule.ts";

const METHOD = "walk-forward/pooled";
/** Universes kept warm in this thread: three rules over a handful of sources. */
const ENTRIES_MAX = 16;

export interface DirectionalEvidence {
	measurement: Measurement;
	report: Record<string, unknown>;
	/** What rows repeat from the report. */
	extra: Record<string, unknown>;
}

const memo = new Memo<DirectionalEvidence>(ENTRIES_MAX);

/**
 * The measured record of a rule over the evidence universe of a view, kept by content. It knows neither
 * the candidates nor the portfolio, so a row's confidence does not depend on who asks.
 */
export function directionalEvidence(
	rule: Rule,
	variants: Record<string, Rule>,
	view: MarketView,
	barsMin: number,
): DirectionalEvidence {
	const universe = view.evidence.series.filter((series) => (view.markets[series.symbol]?.tags.length ?? 0) === 0);
	const hindsight = chosenWithHindsight(view.data_source);
	const stepMs = universe[0] ? TIMEFRAME_MS[universe[0].timeframe] : 1;
	const asOfMs = Math.floor(view.as_of_ms / stepMs) * stepMs;
	const key = [rule.name, hindsight, asOfMs, universeFingerprint(universe.map(seriesFingerprint))].join("#");
	return memo.get(key, () => measureRule(rule, variants, universe, { hindsight, asOfMs, barsMin }));
}

function measureRule(
	rule: Rule,
	variants: Record<string, Rule>,
	universe: readonly Series[],
	{ hindsight, asOfMs, barsMin }: { hindsight: boolean; asOfMs: number; barsMin: number },
): DirectionalEvidence {
	const options = { cost: SPOT_REPLAY_COST, barsMin, asOfMs };
	const replay = walkForward(rule, universe, options);
	const measurement = measure({ rule: rule.name, method: METHOD, hindsight, ...replay });
	const regime = regimeSplit(replay.trades, universe);
	const measuredVariants = Object.entries(variants).map(([name, variant]) => {
		const other = walkForward(variant, universe, options);
		return [name, evidenceReport(measure({ rule: variant.name, method: METHOD, hindsight, ...other }))];
	});
	return {
		measurement,
		report: {
			rule: rule.name,
			evidence: evidenceReport(measurement),
			evidence_cost_bps: SPOT_REPLAY_COST * 10_000,
			universe_chosen_with_hindsight: hindsight,
			gap_through_stop: replay.gapsThroughStop,
			by_year: byYear(replay.trades),
			regime,
			...(measuredVariants.length > 0 ? { variants: Object.fromEntries(measuredVariants) } : {}),
		},
		extra: {
			regime_evidence: regime,
			drift_ece: measurement.reliability.eceRecent,
			drift_alert: drifted(measurement.reliability),
		},
	};
}
