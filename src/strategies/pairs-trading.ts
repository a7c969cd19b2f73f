import { TIMEFRAME_MS } from "../market/contract.ts";
import { last } from "./columns.ts";
import type { Strategy } from "./contract.ts";
import { Ledger } from "./ledger.ts";
import { EVIDENCE_BARS_MIN, type PairEvidence, pairEvidence } from "./pairs-trading-evidence.ts";
import { PAIRS_ID, pairRow } from "./pairs-trading-row.ts";
import {
	CORRELATION_MIN,
	discoveredPairs,
	FALSE_DISCOVERY_RATE,
	FORMATION_DAYS,
	HALVES_P_MAX,
	halfLifeFits,
	halvesHold,
	halvesP,
	P_RAW,
	PAIR_RULE,
	Z_ENTRY,
	Z_ENTRY_MAX,
	Z_EXIT,
	Z_STOP,
} from "./pairs-trading-rule.ts";
import { type PairTest, scanPairs } from "./pairs-trading-scan.ts";
import type { Refusal } from "./quality.ts";
import { betterOfTwo } from "./statistics/false-discovery.ts";

const THRESHOLDS = {
	formation_days: FORMATION_DAYS,
	return_correlation_min: CORRELATION_MIN,
	false_discovery_rate: FALSE_DISCOVERY_RATE,
	p_value_max: P_RAW,
	half_life_days_min: PAIR_RULE.halfLifeMin,
	half_life_days_max: PAIR_RULE.halfLifeMax,
	p_value_of_halves_max: HALVES_P_MAX,
	z_entry_min: Z_ENTRY,
	z_entry_max: Z_ENTRY_MAX,
	z_exit: Z_EXIT,
	z_stop: Z_STOP,
};

/**
 * Cointegrated pairs with a stretched spread. A candidate is a pair, counted once;
 * whether it is a discovery depends on how many pairs the scan tests, as it must.
 */
export const pairsTrading: Strategy = {
	id: PAIRS_ID,
	needs: {
		candidates: "spot",
		unit: "pair",
		timeframe: "1d",
		candles: true,
		funding: false,
		orderBook: false,
		evidence: { market: "spot", timeframe: "1d", bars_min: EVIDENCE_BARS_MIN, funding: false },
		benchmarks: [],
		history: { bars_min: FORMATION_DAYS, bars_settled: FORMATION_DAYS },
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const { tests, refused } = scanPairs(candidates, view);
		for (const { name, reason, detail, cause } of refused) ledger.reject(name, reason, detail, cause);
		const found = discoveredPairs(tests.map(({ fit }) => fit));
		let evidence: PairEvidence | null = null;
		const record = () => {
			evidence ??= pairEvidence(view);
			return evidence;
		};
		tests.forEach((test, i) => {
			ledger.sawDatumAt(test.newestMs + TIMEFRAME_MS["1d"]);
			const gate = gateOf(test, found[i] === true);
			if (gate) {
				noteMiss(test, gate, tests.length, ledger);
				ledger.reject(test.name, gate.reason, gate.detail);
				return;
			}
			const measurement = record().measurementOf(test.fit.halfLife);
			const outcome = pairRow(test, { view, portfolio, limits, measurement });
			if ("reason" in outcome) ledger.reject(test.name, outcome.reason, outcome.detail);
			else ledger.add(outcome);
		});
		return ledger.close("pair", limits, THRESHOLDS, { ...scanReport(tests, found), ...record().report });
	},
};

/** The first gate a tested pair fails, in the order in which they are counted; null when all hold. */
function gateOf({ fit, logY, logX }: PairTest, discovered: boolean): Refusal | null {
	const refuse = (reason: string, detail: string): Refusal => ({ reason, detail });
	if (!(fit.correlation >= CORRELATION_MIN))
		return refuse("correlation_too_low", `returns correlate by ${fit.correlation.toFixed(2)}`);
	if (!(fit.slope > 0)) return refuse("hedge_ratio_invalid", `hedge ratio ${fit.slope.toFixed(3)}`);
	if (!discovered) {
		const detail = `p = ${fit.p.toPrecision(3)}`;
		return fit.p < P_RAW ? refuse("multiple_testing", detail) : refuse("not_cointegrated", detail);
	}
	if (!halfLifeFits(fit.halfLife, PAIR_RULE))
		return refuse("half_life_out_of_range", `half-life ${fit.halfLife.toFixed(1)} days`);
	if (!(Math.abs(fit.z) >= Z_ENTRY)) return refuse("z_not_extreme", `z = ${fit.z.toFixed(2)}`);
	if (!(Math.abs(fit.z) <= Z_ENTRY_MAX)) return refuse("z_beyond_stop", `z = ${fit.z.toFixed(2)}`);
	const halves = halvesP(logY, logX);
	if (halvesHold(halves)) return null;
	return refuse("not_cointegrated", `p of the halves: ${halves.map((p) => p.toFixed(3)).join(" and ")}`);
}

/** Distances are in standard deviations of the spread; pairs that are no discovery lie further off. */
function noteMiss({ name, fit }: PairTest, { reason }: Refusal, pairs: number, ledger: Ledger): void {
	const size = Math.abs(fit.z);
	if (reason === "z_not_extreme")
		ledger.nearMiss({ symbol: name, reason, value: size, threshold: Z_ENTRY, distance: Z_ENTRY - size });
	if (reason === "z_beyond_stop")
		ledger.nearMiss({ symbol: name, reason, value: size, threshold: Z_ENTRY_MAX, distance: size - Z_ENTRY_MAX });
	if (reason === "multiple_testing") {
		const [value, threshold] = [betterOfTwo(fit.p), FALSE_DISCOVERY_RATE / pairs];
		ledger.nearMiss({ symbol: name, reason, value, threshold, distance: value / threshold });
	}
}

/** What was tested, and the pairs that are discoveries with the prices at which they would be entered. */
function scanReport(tests: readonly PairTest[], found: readonly boolean[]): Record<string, unknown> {
	return {
		tests: {
			pairs: tests.length,
			p_below_0_05: tests.filter(({ fit }) => fit.p < P_RAW).length,
			discoveries: found.filter(Boolean).length,
		},
		watch_list: tests
			.filter((_, i) => found[i] === true)
			.sort((a, b) => a.fit.p - b.fit.p || (a.name < b.name ? -1 : 1))
			.map(watched),
	};
}

function watched({ name, y, x, fit, logY, logX }: PairTest): Record<string, unknown> {
	const entryAt = (z: number) => Math.exp(fit.intercept + fit.slope * last(logX) + z * fit.deviation);
	const halves = halvesP(logY, logX);
	return {
		symbol: name,
		y: y.base,
		x: x.base,
		z: fit.z,
		/** Of the direction that was kept; both were tried, so discoveries are made by the other. */
		p_value: fit.p,
		p_value_both_directions: betterOfTwo(fit.p),
		adf_t: fit.tau,
		hedge_ratio: fit.slope,
		intercept: fit.intercept,
		half_life_days: fit.halfLife,
		return_correlation: fit.correlation,
		p_value_of_halves: halves,
		stable_in_halves: halvesHold(halves),
		y_price: Math.exp(last(logY)),
		x_price: Math.exp(last(logX)),
		/** Prices of y at which |z| is 2 while x stays. */
		y_price_at_z_plus_2: entryAt(Z_ENTRY),
		y_price_at_z_minus_2: entryAt(-Z_ENTRY),
	};
}
