import { at } from "../columns.ts";
import { type Measurement, measure } from "../evidence/measure.ts";
import { seriesFingerprint } from "../evidence/memo.ts";
import { type LastReading, lastReadingOf, readLast } from "../last-reading.ts";
import type { Ledger } from "../ledger.ts";
import type { Rule } from "../rule.ts";
import { BAR_RULES, type BarEvidence, type BarSignal, type FlowRecords, SIDES } from "./evidence.ts";
import { bookConfirms, bookImbalance, type Scalpable } from "./gates.ts";
import { flowRule, type ScalpSide } from "./rules.ts";

export type SignalName = "order_flow" | BarSignal;

/** A signal that fires on the newest bar, with its record. */
export interface Fired {
	signal: SignalName;
	side: ScalpSide;
	reading: LastReading;
	measurement: Measurement;
}

/** All signals that fire now: order flow first, then the bar-only ones. */
export function firedSignals(found: Scalpable, flow: FlowRecords | null, bars: BarEvidence, ledger: Ledger): Fired[] {
	const fired: Fired[] = [...flowSignals(found, flow, ledger)];
	const fingerprint = seriesFingerprint(found.series);
	for (const signal of ["ema_cross", "band_reversal"] satisfies BarSignal[]) {
		for (const side of SIDES) {
			const reading = readIfFired(BAR_RULES[signal](side), found, fingerprint, ledger);
			if (reading) fired.push({ signal, side, reading, measurement: bars.of(signal, side) });
		}
	}
	return fired;
}

/** The newest bars follow from the series, so its fingerprint names them. */
function readIfFired(
	rule: Rule,
	{ recent, candidate }: Scalpable,
	fingerprint: string,
	ledger: Ledger,
): LastReading | null {
	const reading = readLast(rule, recent, fingerprint);
	if (reading.gate === null) return reading;
	const { nearMiss: miss } = reading;
	if (miss && Number.isFinite(miss.value)) ledger.nearMiss({ symbol: candidate.symbol, reason: "no_trigger", ...miss });
	return null;
}

/**
 * Recorded flow fires the rule that was measured and the live book must confirm it; books are not
 * recorded, so the confirmation only ever takes signals away. Without a tape the book alone speaks, and
 * nobody knows how often it was right.
 */
function flowSignals(found: Scalpable, records: FlowRecords | null, ledger: Ledger): Fired[] {
	return SIDES.flatMap((side): Fired[] => {
		const record = records?.[side === 1 ? "long" : "short"];
		if (!record) return bookConfirms(found, side) && confirmedByReturn(found, side) ? [unmeasured(found, side)] : [];
		const { reading } = record;
		if (reading.gate === null && bookConfirms(found, side)) {
			return [{ signal: "order_flow", side, reading, measurement: record.measurement }];
		}
		const { nearMiss: miss } = reading;
		if (miss && Number.isFinite(miss.value))
			ledger.nearMiss({ symbol: found.candidate.symbol, reason: "no_trigger", ...miss });
		return [];
	});
}

const confirmedByReturn = ({ series }: Scalpable, side: ScalpSide): boolean =>
	side * (at(series.close, series.length - 1) - at(series.close, series.length - 2)) > 0;

/** The book's imbalance in the place of the flow: same exits, no record. */
function unmeasured(found: Scalpable, side: ScalpSide): Fired {
	const imbalance = bookImbalance(found.book);
	const flow = new Float64Array(found.series.length).fill(imbalance);
	const reading = lastReadingOf(flowRule(side, flow), found.series);
	const measurement = measure({
		rule: "scalping/order_flow/unmeasured",
		method: "not measured: no trades are recorded",
		trades: [],
		placebo: [],
		universeSize: 0,
		hindsight: true,
	});
	return {
		signal: "order_flow",
		side,
		reading: {
			...reading,
			indicators: { book_imbalance: imbalance },
			reasoning: `The ten best levels lean by ${imbalance.toFixed(2)} and the last bar confirms; no flow is recorded.`,
		},
		measurement,
	};
}
