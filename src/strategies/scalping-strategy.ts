import type { Candidate, Grade, Opportunity, Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import type { Refusal } from "./quality.ts";
import {
	type BarEvidence,
	barEvidence,
	FLOW_BARS,
	type FlowRecords,
	flowRecord,
	recordReport,
} from "./scalping/evidence.ts";
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
 * Trades of minutes on 5-minute bars of perpetual contracts. Feasibility comes first: at
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
		history: { bars_min: BARS_MIN, bars_settled: BARS_MIN },
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const bars = barEvidence(view);
		const setting = { view, portfolio, limits };
		const flows: [string, FlowRecords][] = [];
		for (const candidate of candidates) {
			const outcome = examine(candidate, bars, setting, { ledger, flows });
			if ("reason" in outcome) ledger.reject(candidate.symbol, outcome.reason, outcome.detail);
			else ledger.add(outcome);
		}
		return ledger.close("symbol", limits, THRESHOLDS, {
			evidence_cost_bps: SCALP_COST * 10_000,
			time_stop_bars: HORIZON_BARS,
			...bars.report,
			order_flow: flowReport(flows),
		});
	},
};

const GRADES: readonly Grade[] = ["A", "B", "C", "D"];

/** The best-graded of the signals that fire; ties go to order flow, which comes first. */
function examine(
	candidate: Candidate,
	bars: BarEvidence,
	setting: ScalpSetting,
	account: { ledger: Ledger; flows: [symbol: string, records: FlowRecords][] },
): Opportunity | Refusal {
	const { view } = setting;
	const { ledger, flows } = account;
	const found = readScalpable(candidate, view, ledger);
	if ("reason" in found) return found;
	const tape = view.trades?.[candidate.symbol];
	const flow = tape ? flowRecord(found.series, tape, view) : null;
	if (flow) flows.push([candidate.symbol, flow]);
	const rank = (grade: Grade) => GRADES.indexOf(grade);
	const best = firedSignals(found, flow, bars, ledger).sort(
		(a, b) => rank(a.measurement.grade) - rank(b.measurement.grade),
	)[0];
	if (!best) return { reason: "no_trigger", detail: "no signal fires on the newest bar" };
	if (best.measurement.grade === "D") return { reason: "negative_expectancy", detail: losingDetail(best) };
	return scalpRow(found, best, setting);
}

/** The record of the flow signal on each feasible market that has a tape, by symbol. */
function flowReport(flows: [string, FlowRecords][]): Record<string, unknown> {
	const ordered = flows.sort(([a], [b]) => (a < b ? -1 : 1));
	const shown = ordered.map(([symbol, { long, short }]) => [
		symbol,
		{ long: recordReport(long.measurement), short: recordReport(short.measurement) },
	]);
	return { window_bars: FLOW_BARS, by_symbol: Object.fromEntries(shown) };
}
