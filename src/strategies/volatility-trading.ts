import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Candidate, MarketView, Strategy } from "./contract.ts";
import { directionalEvidence } from "./directional-evidence.ts";
import { type MarketProfile, SPOT_DAILY } from "./directional-market.ts";
import { fingerprints, Memo, universeFingerprint } from "./evidence/memo.ts";
import { Ledger } from "./ledger.ts";
import { checkSeries } from "./quality.ts";
import { readOnce } from "./rule.ts";
import {
	type LastSqueeze,
	lastSqueeze,
	PERCENTILE_MAX,
	SQUEEZE_BARS_MIN,
	squeezeRule,
	withEntryStop,
} from "./squeeze-rule.ts";
import { bracketRow, type Squeezed, VOLATILITY_ID } from "./volatility-row.ts";
import {
	measureStatement,
	STATEMENT_DAYS,
	STATEMENT_FACTOR,
	type VolatilityStatement,
} from "./volatility-statement.ts";

/** Every column has a finite window but ATR10, ATR20, EMA20 and the forecast, which have forgotten what lies before. */
const HISTORY = { bars_min: SQUEEZE_BARS_MIN, bars_settled: SQUEEZE_BARS_MIN };

/**
 * Contracts are traded, because the lower order sells short; the record is that of spot closes, which reach
 * back years before the contracts do.
 */
const MARKET: MarketProfile = { ...SPOT_DAILY, needs: { ...SPOT_DAILY.needs, candidates: "perp", history: HISTORY } };

const THRESHOLDS = {
	bandwidth_percentile_max: PERCENTILE_MAX,
	bars_min: SQUEEZE_BARS_MIN,
	statement_days: STATEMENT_DAYS,
	statement_factor: STATEMENT_FACTOR,
};

/**
 * Squeezes of volatility and the pair of orders around them. It forecasts size, not
 * direction: the row's confidence is that of the order pair, the forecast stands beside it.
 */
export const volatilityTrading: Strategy = {
	id: VOLATILITY_ID,
	needs: MARKET.needs,
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const fingerprintOf = fingerprints();
		const { evidence, statement } = recordOf(view, fingerprintOf);
		const looked = candidates.flatMap((candidate) => look(candidate, view, ledger, fingerprintOf));
		const byPercentile = looked.filter(({ reading }) => reading.percentile <= PERCENTILE_MAX).length;
		const squeezed = looked.filter(({ reading }) => reading.gate === null);
		const { grade, evidence: figures } = evidence.measurement;
		for (const one of squeezed) {
			const outcome =
				grade === "D"
					? {
							reason: "negative_expectancy",
							detail: `mean net ${figures.mean_net_bps?.toFixed(1)} bp over ${figures.n} trades`,
						}
					: bracketRow(one, { evidence, statement, view, portfolio, limits });
			if ("reason" in outcome) ledger.reject(one.candidate.symbol, outcome.reason, outcome.detail);
			else ledger.add(outcome);
		}
		return ledger.close("symbol", limits, THRESHOLDS, {
			...evidence.report,
			statement,
			squeezed_by_percentile: byPercentile,
			squeezed: squeezed.length,
		});
	},
};

/** Data gates and the squeeze of one candidate; what is not squeezed is rejected here. */
function look(
	candidate: Candidate,
	view: MarketView,
	ledger: Ledger,
	fingerprintOf: (series: Series) => string,
): Squeezed[] {
	const { symbol } = candidate;
	const check = checkSeries(candidate, view, SQUEEZE_BARS_MIN);
	if (!check.ok) {
		ledger.reject(symbol, check.reason, check.detail);
		return [];
	}
	const { series } = check;
	ledger.sawDatumAt(last(series.open_time) + TIMEFRAME_MS[series.timeframe]);
	const reading: LastSqueeze = lastSqueeze(series, fingerprintOf(series));
	if (reading.gate !== null) {
		ledger.reject(symbol, reading.gate);
		if (Number.isFinite(reading.nearMiss.value)) ledger.nearMiss({ symbol, reason: reading.gate, ...reading.nearMiss });
	}
	return [{ candidate, series, reading, advUsd: candidate.market?.volume_usd_24h ?? last(series.quote_volume) }];
}

const DAY_MS = TIMEFRAME_MS["1d"];
const statements = new Memo<VolatilityStatement>(8);

/** The record of the order pair and of the forecast, both kept by the content of the universe. */
function recordOf(view: MarketView, fingerprintOf: (series: Series) => string) {
	const rule = readOnce(squeezeRule);
	const setup = { rule, variants: { entry_bar_stop: withEntryStop(rule) } };
	const [evidence] = directionalEvidence([setup], MARKET, view, fingerprintOf);
	if (!evidence) throw new Error("one setup has one record");
	const universe = view.evidence.series.filter((series) => (view.markets[series.symbol]?.tags.length ?? 0) === 0);
	const barsMin = MARKET.evidenceBarsMin;
	// Bars open on whole days, so that within a day every instant asks the same.
	const asOfMs = Math.ceil(view.as_of_ms / DAY_MS) * DAY_MS;
	const key = `${asOfMs}#${universeFingerprint(universe.map(fingerprintOf))}`;
	const statement = statements.get(key, () =>
		measureStatement(rule, universe, { barsMin, asOfMs, percentileMax: PERCENTILE_MAX }),
	);
	return { evidence, statement };
}
