import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { last } from "./columns.ts";
import type {
	BarHistory,
	Candidate,
	Grade,
	MarketView,
	PortfolioSnapshot,
	RiskLevel,
	Strategy,
	StrategyLimits,
} from "./contract.ts";
import { tierPriority } from "./costs.ts";
import { type DirectionalEvidence, directionalEvidence, type Setup } from "./directional-evidence.ts";
import type { MarketProfile } from "./directional-market.ts";
import { type ContractTerms, directionalRow } from "./directional-row.ts";
import { fingerprints } from "./evidence/memo.ts";
import { selectionReport } from "./evidence/selection.ts";
import { type LastReading, readLast } from "./last-reading.ts";
import { Ledger } from "./ledger.ts";
import { checkSeries } from "./quality.ts";
import { readOnce } from "./rule.ts";

export { PERP_DAILY, SPOT_DAILY } from "./directional-market.ts";

export interface DirectionalSpec {
	id: string;
	type: string;
	market: MarketProfile;
	/**
	 * In order of precedence. A candidate is one trade at most: where several fire, the best grade wins, among
	 * equals the first.
	 */
	setups: readonly Setup[];
	/** Lowest volume tier that is traded, as its priority. */
	tierPriorityMax?: number;
	/** Rows of one scan; the rest is `cluster_limit`. */
	rowsPerCluster?: number;
	riskAtLeast?: RiskLevel;
	/** Funding, leverage and margin of contracts; absent: paid in full, like spot. */
	terms?: (view: MarketView) => ContractTerms;
	thresholds: Record<string, number>;
}

/** One candidate one of whose setups fires on the last closed bar. */
export interface Signal {
	candidate: Candidate;
	series: Series;
	setup: Setup;
	evidence: DirectionalEvidence;
	reading: LastReading;
	advUsd: number;
	/** Names of the setups that fire as well and were not chosen. */
	alsoFiring: string[];
}

/** What surrounds one candidate. */
export interface Setting {
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
	ledger: Ledger;
	terms: ContractTerms | null;
}

/** Trades on daily bars, long or short: gates, trigger, evidence per setup, sizing, row; one shape for all rules. */
export function directionalStrategy(spec: DirectionalSpec): Strategy {
	return {
		id: spec.id,
		needs: { ...spec.market.needs, history: historyOf(spec.setups) },
		evaluate(candidates, view, portfolio, limits) {
			const ledger = new Ledger();
			const fingerprintOf = fingerprints();
			const setups = spec.setups.map((setup) => ({ ...setup, rule: readOnce(setup.rule) }));
			const evidence = directionalEvidence(setups, spec.market, view, fingerprintOf);
			const source = { setups, evidence, view, ledger, fingerprintOf };
			const signals = candidates.flatMap((candidate) => readSignal(spec, candidate, source));
			const setting = { view, portfolio, limits, ledger, terms: spec.terms?.(view) ?? null };
			for (const signal of clusterLimited(spec, signals, ledger)) settle(spec, signal, setting);
			return ledger.close("symbol", limits, spec.thresholds, reportOf(spec, evidence));
		},
	};
}

/** What the most demanding of the setups looks back on. */
const historyOf = (setups: readonly Setup[]): BarHistory => ({
	bars_min: Math.max(...setups.map(({ rule }) => rule.warmupBars)),
	bars_settled: Math.max(...setups.map(({ rule }) => rule.settledBars)),
});

/** One setup: its report; several: theirs by the rule's name, and what the choice of the best is worth. */
function reportOf({ setups }: DirectionalSpec, evidence: readonly DirectionalEvidence[]): Record<string, unknown> {
	const [only] = evidence;
	if (only && evidence.length === 1) return only.report;
	const names = setups.map(({ rule }) => rule.name.split("/")[1] ?? rule.name);
	return {
		setups: Object.fromEntries(names.map((name, i) => [name, evidence[i]?.report])),
		selection: selectionReport(evidence.map(({ measurement }, i) => [names[i] ?? "", measurement])),
	};
}

/** What all candidates of one evaluation are read with. */
interface Source {
	setups: readonly Setup[];
	evidence: readonly DirectionalEvidence[];
	view: MarketView;
	ledger: Ledger;
	fingerprintOf: (series: Series) => string;
}

function readSignal(
	spec: DirectionalSpec,
	candidate: Candidate,
	{ setups, evidence, view, ledger, fingerprintOf }: Source,
): Signal[] {
	const { symbol } = candidate;
	const check = checkSeries(candidate, view, historyOf(setups).bars_min);
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
	const fingerprint = fingerprintOf(series);
	const readings = setups.flatMap((setup, i) => {
		const own = evidence[i];
		return own ? [{ setup, evidence: own, reading: readLast(setup.rule, series, fingerprint) }] : [];
	});
	const [chosen, ...others] = readings
		.filter(({ reading }) => reading.gate === null)
		.sort((a, b) => gradeOrder(a.evidence) - gradeOrder(b.evidence));
	if (chosen) {
		return [{ candidate, series, advUsd, ...chosen, alsoFiring: others.map(({ setup }) => setup.rule.name) }];
	}
	rejectUnfired(
		symbol,
		readings.map(({ reading }) => reading),
		ledger,
	);
	return [];
}

const GRADES: readonly Grade[] = ["A", "B", "C", "D"];
const gradeOrder = ({ measurement }: DirectionalEvidence): number => GRADES.indexOf(measurement.grade);

/** The reason of the setup that came past its trigger, else `no_trigger`; the nearest miss of all setups. */
function rejectUnfired(symbol: string, readings: readonly LastReading[], ledger: Ledger): void {
	const triggered = readings.find(({ gate }) => gate !== "no_trigger");
	ledger.reject(symbol, triggered?.gate ?? "no_trigger");
	const [nearest] = readings
		.flatMap(({ gate, nearMiss }) =>
			gate !== null && nearMiss && Number.isFinite(nearMiss.value) ? [{ reason: gate, ...nearMiss }] : [],
		)
		.sort((a, b) => a.distance - b.distance);
	if (nearest) ledger.nearMiss({ symbol, ...nearest });
}

/** The strongest signals up to the cluster's limit; ties by symbol, so the order of input is no matter. */
function clusterLimited(spec: DirectionalSpec, signals: Signal[], ledger: Ledger): Signal[] {
	const max = spec.rowsPerCluster;
	if (max === undefined || signals.length <= max) return signals;
	const ordered = [...signals].sort(
		(a, b) => b.reading.strength - a.reading.strength || (a.candidate.symbol < b.candidate.symbol ? -1 : 1),
	);
	for (const { candidate } of ordered.slice(max))
		ledger.reject(candidate.symbol, "cluster_limit", `at most ${max} signals of one crash`);
	return ordered.slice(0, max);
}

function settle(spec: DirectionalSpec, signal: Signal, setting: Setting): void {
	const { ledger } = setting;
	const { symbol } = signal.candidate;
	const { grade, evidence: figures } = signal.evidence.measurement;
	if (grade === "D") {
		const detail = `mean net ${figures.mean_net_bps?.toFixed(1)} bp over ${figures.n} trades`;
		ledger.reject(symbol, "negative_expectancy", detail);
		return;
	}
	const outcome = directionalRow(spec, signal, setting);
	if ("reason" in outcome) ledger.reject(symbol, outcome.reason, outcome.detail);
	else ledger.add(outcome);
}
