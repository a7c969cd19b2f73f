import { type FundingSeries, type Series, TIMEFRAME_MS } from "../market/contract.ts";
import type { MarketView } from "./contract.ts";
import type { MarketProfile } from "./directional-market.ts";
import { byYear, chosenWithHindsight, evidenceReport, type Measurement, measure } from "./evidence/measure.ts";
import { fundingFingerprint, Memo, universeFingerprint } from "./evidence/memo.ts";
import { regimeSplit } from "./evidence/regime.ts";
import { drifted } from "./evidence/reliability.ts";
import { selectionReport } from "./evidence/selection.ts";
import { type WalkForward, type WalkForwardOptions, walkForward } from "./evidence/walk-forward.ts";
import type { ReplayRule, Rule } from "./rule.ts";

const METHOD = "walk-forward/pooled";
/** Records kept warm in this thread: a handful of rules over a handful of sources. */
const ENTRIES_MAX = 32;

/** A rule whose record is wanted. */
export interface Measured {
	rule: ReplayRule;
	/** Other exits of the same signal, measured for the report only. */
	variants?: Record<string, ReplayRule>;
}

/** One rule and how its trades are spoken of; a strategy has one or several, each with its own record. */
export interface Setup extends Measured {
	rule: Rule;
	/** Holding time as rows state it. */
	timeframeLabel: string;
}

export interface DirectionalEvidence {
	measurement: Measurement;
	/** Funding that the mean trade of the record paid, fraction of notional; 0 where none is charged. */
	meanFunding: number;
	report: Record<string, unknown>;
	/** What rows repeat from the report. */
	extra: Record<string, unknown>;
}

const memo = new Memo<DirectionalEvidence>(ENTRIES_MAX);

/**
 * The measured record of each setup over the evidence universe of a view, kept by content. It knows neither
 * the candidates nor the portfolio, so a row's confidence does not depend on who asks.
 */
export function directionalEvidence(
	setups: readonly Measured[],
	market: MarketProfile,
	view: MarketView,
	fingerprintOf: (series: Series) => string,
): DirectionalEvidence[] {
	const universe = view.evidence.series.filter((series) => (view.markets[series.symbol]?.tags.length ?? 0) === 0);
	const hindsight = chosenWithHindsight(view.data_source);
	const stepMs = universe[0] ? TIMEFRAME_MS[universe[0].timeframe] : 1;
	const asOfMs = Math.floor(view.as_of_ms / stepMs) * stepMs;
	const funding = market.needs.evidence?.funding ? view.evidence.funding : [];
	const content = [
		hindsight,
		asOfMs,
		universeFingerprint(universe.map(fingerprintOf)),
		universeFingerprint(funding.map(fundingFingerprint)),
	].join("#");
	const options = {
		cost: market.replayCost,
		barsMin: market.evidenceBarsMin,
		asOfMs,
		kept: true,
		...(funding.length > 0 ? { funding: bySymbol(funding) } : {}),
	};
	return setups.map((setup) =>
		memo.get(`${setup.rule.name}#${content}`, () => measureSetup(setup, universe, options, hindsight)),
	);
}

const bySymbol = (funding: readonly FundingSeries[]): Map<string, FundingSeries> =>
	new Map(funding.map((one) => [one.symbol, one]));

function measureSetup(
	{ rule, variants = {} }: Measured,
	universe: readonly Series[],
	options: WalkForwardOptions,
	hindsight: boolean,
): DirectionalEvidence {
	const replay = walkForward(rule, universe, options);
	const measurement = measure({ rule: rule.name, method: METHOD, hindsight, ...replay });
	const regime = regimeSplit(replay.trades, universe);
	const measuredVariants = Object.entries(variants).map(([name, variant]): [string, Measurement] => {
		const other = walkForward(variant, universe, options);
		return [name, measure({ rule: variant.name, method: METHOD, hindsight, ...other })];
	});
	return {
		measurement,
		meanFunding: replay.trades.length > 0 ? replay.funding.paid / replay.trades.length : 0,
		report: {
			rule: rule.name,
			evidence: evidenceReport(measurement),
			evidence_cost_bps: options.cost * 10_000,
			universe_chosen_with_hindsight: hindsight,
			gap_through_stop: replay.gapsThroughStop,
			by_year: byYear(replay.trades),
			regime,
			...(measuredVariants.length > 0
				? {
						variants: Object.fromEntries(measuredVariants.map(([name, other]) => [name, evidenceReport(other)])),
						selection: selectionReport([["default", measurement], ...measuredVariants]),
					}
				: {}),
			...(options.funding ? { funding: fundingReport(replay) } : {}),
		},
		extra: {
			regime_evidence: regime,
			drift_ece: measurement.reliability.eceRecent,
			drift_alert: drifted(measurement.reliability),
		},
	};
}

/** How much of a record settled funding was charged to: histories are shorter than prices. */
function fundingReport({ funding, trades }: WalkForward): Record<string, unknown> {
	return {
		trades_charged: funding.trades,
		trades_without_history: trades.length - funding.trades,
		mean_paid_bps: funding.trades > 0 ? (funding.paid / funding.trades) * 10_000 : null,
	};
}
