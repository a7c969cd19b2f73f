import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { last } from "./columns.ts";
import type {
	Candidate,
	DataNeeds,
	MarketView,
	Opportunity,
	PortfolioSnapshot,
	RiskLevel,
	Strategy,
	StrategyLimits,
} from "./contract.ts";
import { roundTripCosts, SPOT_REPLAY_COST, tierHalfSpread, tierPriority } from "./costs.ts";
import { type DirectionalEvidence, directionalEvidence } from "./directional-evidence.ts";
import { symbolConfidence } from "./evidence/measure.ts";
import { recentVolatility } from "./indicators/volatility.ts";
import { Ledger } from "./ledger.ts";
import { checkSeries } from "./quality.ts";
import { riskLevelOf } from "./risk-level.ts";
import { buildRow } from "./row.ts";
import type { Reading, Rule } from "./rule.ts";
import { sizePosition } from "./sizing.ts";

/** Days whose returns make the daily sigma of the impact term. */
const SIGMA_DAYS = 60;
/** Fewer daily bars make no evidence (STRATEGIES 7.2). */
const EVIDENCE_BARS_MIN = 300;

export interface DirectionalSpec {
	id: string;
	type: string;
	timeframeLabel: string;
	rule: Rule;
	/** Lowest volume tier that is traded, as its priority. */
	tierPriorityMax?: number;
	/** Rows of one scan; the rest is `cluster_limit`. */
	rowsPerCluster?: number;
	riskAtLeast?: RiskLevel;
	/** Other exits of the same signal, measured for the report only. */
	variants?: Record<string, Rule>;
	thresholds: Record<string, number>;
}

/** One candidate whose rule fires on the last closed bar. */
interface Signal {
	candidate: Candidate;
	series: Series;
	reading: Reading;
	advUsd: number;
}

const NEEDS: DataNeeds = {
	candidates: "spot",
	timeframe: "1d",
	candles: true,
	funding: false,
	orderBook: false,
	evidence: { market: "spot", timeframe: "1d", bars_min: EVIDENCE_BARS_MIN, funding: false },
	benchmarks: [],
};

/** Long trades on daily spot bars: gates, trigger, evidence, sizing, row; one shape for three rules. */
export function directionalStrategy(spec: DirectionalSpec): Strategy {
	return {
		id: spec.id,
		needs: NEEDS,
		evaluate(candidates, view, portfolio, limits) {
			const ledger = new Ledger();
			const evidence = directionalEvidence(spec.rule, spec.variants ?? {}, view, EVIDENCE_BARS_MIN);
			const signals = candidates.flatMap((candidate) => readSignal(spec, candidate, view, ledger));
			for (const signal of clusterLimited(spec, signals, ledger)) {
				settle(spec, signal, evidence, { view, portfolio, limits, ledger });
			}
			return ledger.close("symbol", limits, spec.thresholds, evidence.report);
		},
	};
}

function readSignal(spec: DirectionalSpec, candidate: Candidate, view: MarketView, ledger: Ledger): Signal[] {
	const { symbol } = candidate;
	const check = checkSeries(candidate, view, spec.rule.warmupBars);
	if (!check.ok) {
		ledger.reject(symbol, check.reason, check.detail);
		return [];
	}
	const { series } = check;
	ledger.sawDatumAt(last(series.open_time) + TIMEFRAME_MS[series.timeframe]);
	const advUsd = candidate.market?.volume_usd_24h ?? last(series.quote_volume);
	const tierVolume = candidate.asset?.volume_usd_24h ?? advUsd;
	if (spec.tierPriorityMax !== undefined && tierPriority(tierVolume) > spec.tierPriorityMax) {
		ledger.reject(symbol, "illiquid", `${Math.round(tierVolume)} USD traded in 24 h`);
		return [];
	}
	const reading = spec.rule.read(series);
	const t = series.length - 1;
	const gate = reading.gateAt(t);
	if (gate === null) return [{ candidate, series, reading, advUsd }];
	ledger.reject(symbol, gate);
	const miss = reading.nearMissAt(t);
	if (miss && Number.isFinite(miss.value)) ledger.nearMiss({ symbol, reason: gate, ...miss });
	return [];
}

/** The strongest signals up to the cluster's limit; ties by symbol, so the order of input is no matter. */
function clusterLimited(spec: DirectionalSpec, signals: Signal[], ledger: Ledger): Signal[] {
	const max = spec.rowsPerCluster;
	if (max === undefined || signals.length <= max) return signals;
	const strength = (signal: Signal) => signal.reading.strengthAt(signal.series.length - 1);
	const ordered = [...signals].sort(
		(a, b) => strength(b) - strength(a) || (a.candidate.symbol < b.candidate.symbol ? -1 : 1),
	);
	for (const { candidate } of ordered.slice(max))
		ledger.reject(candidate.symbol, "cluster_limit", `at most ${max} signals of one crash`);
	return ordered.slice(0, max);
}

interface Setting {
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
	ledger: Ledger;
}

function settle(spec: DirectionalSpec, signal: Signal, evidence: DirectionalEvidence, setting: Setting): void {
	const { ledger } = setting;
	const { symbol } = signal.candidate;
	const { grade, evidence: figures } = evidence.measurement;
	if (grade === "D") {
		const detail = `mean net ${figures.mean_net_bps?.toFixed(1)} bp over ${figures.n} trades`;
		ledger.reject(symbol, "negative_expectancy", detail);
		return;
	}
	const outcome = rowOf(spec, signal, evidence, setting);
	if ("reason" in outcome) ledger.reject(symbol, outcome.reason, outcome.detail);
	else ledger.add(outcome);
}

function rowOf(
	spec: DirectionalSpec,
	{ candidate, series, reading, advUsd }: Signal,
	{ measurement, extra }: DirectionalEvidence,
	{ view, portfolio, limits }: Setting,
): Opportunity | { reason: string; detail: string } {
	const t = series.length - 1;
	const entry = last(series.close);
	const stop = last(reading.plan.stop);
	const target = reading.plan.target ? last(reading.plan.target) : null;
	if (!(stop > 0)) return { reason: "stop_too_wide", detail: "the stop would lie below zero" };
	const stopDistance = (entry - stop) / entry;
	const { p, ...confidence } = symbolConfidence(measurement, candidate.symbol);
	const { grade, payoff, evidence, shortfallR } = measurement;
	const { market } = candidate;
	const capitalUsd = portfolio.capital_usd;
	const sizing = sizePosition({ capitalUsd, stopDistance, advUsd, grade, p, payoff, limits, market, price: entry });
	if (!sizing.ok) return sizing;
	const { notionalUsd } = sizing;
	const leg = {
		market: market ?? DEFAULT_FEES,
		halfSpread: tierHalfSpread(advUsd),
		sigmaDay: recentVolatility(series.close, SIGMA_DAYS),
		notionalUsd,
		advUsd,
	};
	const costs = roundTripCosts({ legs: [leg] });
	const expectedNet = ((evidence.mean_net_bps ?? 0) + SPOT_REPLAY_COST * 10_000 - costs.total_bps) / 10_000;
	if (grade !== "C" && expectedNet <= 0) {
		return { reason: "cost_exceeds_edge", detail: `costs of ${costs.total_bps.toFixed(1)} bp leave no expected gain` };
	}
	return buildRow({
		strategyId: spec.id,
		type: spec.type,
		symbol: candidate.symbol,
		exchange: market?.venue ?? series.venue,
		side: "long",
		timeframe: spec.timeframeLabel,
		view,
		asOfMs: last(series.open_time) + TIMEFRAME_MS[series.timeframe],
		capitalUsd,
		notionalUsd,
		requiredCapitalUsd: notionalUsd,
		profitUsd: notionalUsd * expectedNet,
		confidence,
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? (Math.max(0, -(shortfallR ?? -1)) * stopDistance * notionalUsd) / capitalUsd : 1,
			leverage: 1,
			tierPriority: tierPriority(advUsd),
			...(spec.riskAtLeast ? { atLeast: spec.riskAtLeast } : {}),
		}),
		entry,
		stop,
		target,
		costs,
		evidence,
		strength: reading.strengthAt(t),
		reasoning: reading.reasoningAt(t),
		indicators: reading.indicatorsAt(t),
		extra: {
			...extra,
			time_stop_bars: spec.rule.horizonBars,
			expected_net_bps: expectedNet * 10_000,
			evidence_cost_bps: SPOT_REPLAY_COST * 10_000,
			capital_assumed: portfolio.assumed,
		},
		...(grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

/** Fees where no market description was read: Binance spot, base tier. */
const DEFAULT_FEES = { taker_fee: 0.001 };
