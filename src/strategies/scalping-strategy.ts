import type { Candidate, Grade, Opportunity, Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";
import { type BarEvidence, barEvidence, FLOW_BARS, flowRecord, recordReport } from "./scalping/evidence.ts";
import { readScalpable, SPREAD_ATR_MAX } from "./scalping/gates.ts";
import { DEPTH_MULTIPLE_MIN, losingDetail, SCALPING_ID, type ScalpSetting, scalpRow } from "./scalping/row.ts";
import { ATR_COSTS_MIN, BARS_MIN, FLOW_MIN, HORIZON_BARS, SCALP_COST, SLIPPAGE } from "./scalping/rules.ts";
import { firedSignals } from "./scalping/signals.ts";
import { TAPE_WINDOW_MS } from "./tape.ts";

const THRESHOLDS = {
	bars_min: BARS_MIN,
	atr_costs_min: ATR_COSTS_MIN,
	spread_atr_max: SPREAD_ATR_MAX,
	depth_multiple_min: DEPTH_MULTIPLE_MIN,
	flow_imbalance_min: FLOW_MIN,
	slippage_bps: SLIPPAGE * 10_000,
};

/**
 * Trades of minutes on 5-minute bars of perpetual contracts (STRATEGIES 6.9). Feasibility comes first: at
 * retail fees most markets do not move enough, and the bar-only signals have lost wherever they were
 * measured. Order flow is only as good as its own recorded tape shows.
 */
export const scalping: Strategy = {
	id: SCALPING_ID,
	needs: {
		candidates: "perp",
		timeframe: "5m",
		candles: true,
		funding: false,
		orderBook: true,
		evidence: { market: "perp", timeframe: "5m", bars_min: BARS_MIN, funding: false },
		benchmarks: [],
		trades_window_ms: TAPE_WINDOW_MS,
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const bars = barEvidence(view);
		const setting = { view, portfolio, limits };
		for (const candidate of candidates) {
			const outcome = examine(candidate, bars, setting, ledger);
			if ("reason" in outcome) ledger.reject(candidate.symbol, outcome.reason, outcome.detail);
			else ledger.add(outcome);
		}
		return ledger.close("symbol", limits, THRESHOLDS, {
			evidence_cost_bps: SCALP_COST * 10_000,
			time_stop_bars: HORIZON_BARS,
			...bars.report,
			order_flow: flowReport(candidates, setting),
		});
	},
};

const GRADES: readonly Grade[] = ["A", "B", "C", "D"];

/** The best-graded of the signals that fire; ties go to order flow, which comes first. */
function examine(
	candidate: Candidate,
	bars: BarEvidence,
	setting: ScalpSetting,
	ledger: Ledger,
): Opportunity | Refusal {
	const found = readScalpable(candidate, setting.view, ledger);
	if ("reason" in found) return found;
	const fired = firedSignals(found, bars, setting.view, ledger);
	const rank = (grade: Grade) => GRADES.indexOf(grade);
	const best = fired.sort((a, b) => rank(a.measurement.grade) - rank(b.measurement.grade))[0];
	if (!best) return { reason: "no_trigger", detail: "no signal fires on the newest bar" };
	if (best.measurement.grade === "D") return { reason: "negative_expectancy", detail: losingDetail(best) };
	return scalpRow(found, best, setting);
}

/** The record of the flow signal on each market that has a tape, by symbol. */
function flowReport(candidates: readonly Candidate[], { view }: ScalpSetting): Record<string, unknown> {
	const symbols = candidates.map((candidate) => candidate.symbol).sort();
	const records = symbols.flatMap((symbol) => {
		const [series, tape] = [view.series[symbol], view.trades?.[symbol]];
		if (!series || !tape || series.length < BARS_MIN) return [];
		const { long, short } = flowRecord(series, tape, view);
		return [[symbol, { long: recordReport(long.measurement), short: recordReport(short.measurement) }] as const];
	});
	return { window_bars: FLOW_BARS, by_symbol: Object.fromEntries(records) };
}
