import { type Series, TIMEFRAME_MS, type TradeTape } from "../../market/contract.ts";
import type { MarketView } from "../contract.ts";
import { chosenWithHindsight, evidenceReport, type Measurement, measure } from "../evidence/measure.ts";
import { Memo, seriesFingerprint, tapeFingerprint, universeFingerprint } from "../evidence/memo.ts";
import { selectionReport } from "../evidence/selection.ts";
import { walkForward } from "../evidence/walk-forward.ts";
import { type LastReading, lastReadingOf } from "../last-reading.ts";
import type { Rule } from "../rule.ts";
import { flowOf } from "../tape.ts";
import { BARS_MIN, bandRule, crossRule, flowRule, SCALP_COST, type ScalpSide } from "./rules.ts";

const METHOD = "walk-forward/pooled";
const FLOW_METHOD = "walk-forward over the market's own recorded trades";
/** Bars of the flow window: 15 minutes. */
export const FLOW_BARS = 3;
export const SIDES: readonly ScalpSide[] = [1, -1];

export type BarSignal = "ema_cross" | "band_reversal";
export const BAR_RULES: Record<BarSignal, (side: ScalpSide) => Rule> = {
	ema_cross: crossRule,
	band_reversal: bandRule,
};

/** The records of the bar-only signals over the evidence universe, by signal and side. */
export interface BarEvidence {
	of(signal: BarSignal, side: ScalpSide): Measurement;
	report: Record<string, unknown>;
}

/** What the flow rule of one market and side says of the newest bar, with its own record. */
export interface FlowRecord {
	reading: LastReading;
	measurement: Measurement;
}

export type FlowRecords = Record<"long" | "short", FlowRecord>;

const barMemo = new Memo<BarEvidence>(8);
/** As many markets as a universe has contracts: in turn, one more than are kept would be as many as none. */
const flowMemo = new Memo<FlowRecords>(1024);

/** Kept by content; it knows neither the candidates nor the portfolio. */
export function barEvidence(view: MarketView): BarEvidence {
	const universe = view.evidence.series.filter((series) => (view.markets[series.symbol]?.tags.length ?? 0) === 0);
	const hindsight = chosenWithHindsight(view.data_source);
	const asOfMs = closedBar(view.as_of_ms);
	const key = [hindsight, asOfMs, universeFingerprint(universe.map(seriesFingerprint))].join("#");
	return barMemo.get(key, () => {
		const measured = new Map<string, Measurement>();
		for (const [signal, ruleOf] of Object.entries(BAR_RULES))
			for (const side of SIDES)
				measured.set(`${signal}/${side}`, measureRule(ruleOf(side), universe, { asOfMs, hindsight, method: METHOD }));
		const of = (signal: BarSignal, side: ScalpSide): Measurement => {
			const found = measured.get(`${signal}/${side}`);
			if (!found) throw new RangeError(`no record of ${signal}/${side}`);
			return found;
		};
		return { of, report: barReport(of) };
	});
}

/** Bars and trades of one market; the record of its flow signal on both sides. */
export function flowRecord(series: Series, tape: TradeTape, view: MarketView): FlowRecords {
	const hindsight = chosenWithHindsight(view.data_source);
	const asOfMs = closedBar(view.as_of_ms);
	const key = [hindsight, asOfMs, seriesFingerprint(series), tapeFingerprint(tape)].join("#");
	return flowMemo.get(key, () => {
		const flow = flowOf(series, TIMEFRAME_MS[series.timeframe], tape, FLOW_BARS);
		const recordOf = (side: ScalpSide): FlowRecord => {
			const rule = flowRule(side, flow);
			return {
				reading: lastReadingOf(rule, series),
				measurement: measureRule(rule, [series], { asOfMs, hindsight, method: FLOW_METHOD }),
			};
		};
		return { long: recordOf(1), short: recordOf(-1) };
	});
}

const closedBar = (asOfMs: number): number => Math.floor(asOfMs / TIMEFRAME_MS["5m"]) * TIMEFRAME_MS["5m"];

/** A placebo is only worth drawing for a rule that earns something: a losing one is grade D without it. */
function measureRule(
	rule: Rule,
	universe: readonly Series[],
	{ asOfMs, hindsight, method }: { asOfMs: number; hindsight: boolean; method: string },
): Measurement {
	const options = { cost: SCALP_COST, barsMin: BARS_MIN, asOfMs, kept: true };
	const quick = walkForward(rule, universe, { ...options, placebo: false });
	const gains = quick.trades.reduce((sum, trade) => sum + trade.net, 0) > 0;
	const replay = gains ? walkForward(rule, universe, options) : quick;
	return measure({ rule: rule.name, method, hindsight, ...replay });
}

/** Fee of each side at which the mean would be nothing, bp: half of what a trade earned before costs. */
export const breakEvenFee = ({ evidence }: Pick<Measurement, "evidence">): number | null =>
	evidence.mean_net_bps === null ? null : (evidence.mean_net_bps + SCALP_COST * 10_000) / 2;

/** A record as the report shows it. */
export const recordReport = (measurement: Measurement): Record<string, unknown> => ({
	...evidenceReport(measurement),
	break_even_fee_bps_per_side: breakEvenFee(measurement),
});

function barReport(of: BarEvidence["of"]): Record<string, unknown> {
	const signals: BarSignal[] = ["ema_cross", "band_reversal"];
	const records = signals.flatMap((signal) =>
		SIDES.map((side): [string, Measurement] => [`${signal}_${side === 1 ? "long" : "short"}`, of(signal, side)]),
	);
	return {
		...Object.fromEntries(
			signals.map((signal) => [signal, { long: recordReport(of(signal, 1)), short: recordReport(of(signal, -1)) }]),
		),
		selection: selectionReport(records),
	};
}
