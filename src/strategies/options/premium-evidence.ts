import { type Series, TIMEFRAME_MS, type VolatilityHistory } from "../../market/contract.ts";
import { black76, payoffAt } from "../../pricing/black76.ts";
import { at, type Column } from "../columns.ts";
import type { MarketView } from "../contract.ts";
import { chosenWithHindsight, evidenceReport, type Measurement, measure } from "../evidence/measure.ts";
import { Memo, seriesFingerprint, universeFingerprint, volatilityFingerprint } from "../evidence/memo.ts";
import { selectionReport } from "../evidence/selection.ts";
import type { ResolvedTrade } from "../evidence/trades.ts";
import { deliveryFee, OPTION_FEES, tradeFee } from "./fees.ts";
import {
	fires,
	HORIZON_DAYS,
	PREMIUM_RULES,
	type PremiumName,
	type PremiumRule,
	percentileAt,
} from "./premium-rules.ts";
import { DAYS_PER_YEAR, volatilityForecast } from "./volatility-forecast.ts";

/** The histories that make the evidence, whoever asks: the two option markets of size. */
export const EVIDENCE_MARKETS = [
	{ base: "BTC", symbol: "BTC/USDT" },
	{ base: "ETH", symbol: "ETH/USDT" },
] as const;
/** Half spread charged in the walk-forward, in volatility, more away from the money. */
export const REPLAY_HALF_SPREAD = 0.0075;
const DAY_MS = TIMEFRAME_MS["1d"];
const METHOD = `walk-forward/pooled: Black-76 at the recorded 30-day at-the-money volatility, no smile, ${HORIZON_DAYS} days to expiry`;
const YEARS = HORIZON_DAYS / DAYS_PER_YEAR;

export interface PremiumEvidence {
	measurement: Measurement;
	/** Mean cost charged, basis points of the underlying. */
	costBps: number;
}

export interface PremiumEvidences {
	/** null: no history of implied volatility is known. */
	of(name: PremiumName): PremiumEvidence | null;
	report: Record<string, unknown>;
}

const memo = new Memo<PremiumEvidences>(8);

/**
 * The record of premium rules on the volatility histories that the source keeps, by content. Each day
 * prices the rule's legs at that day's recorded volatility and lets them expire 14 days later on a
 * recorded close. What is not recorded is not invented: without a history there is no evidence.
 */
export function premiumEvidence(names: readonly PremiumName[], view: MarketView): PremiumEvidences {
	const markets = EVIDENCE_MARKETS.flatMap(({ base, symbol }) => {
		const [series, history] = [view.series[symbol], view.volatility?.[base]];
		return series && history && series.length > 0 ? [{ base, series, history }] : [];
	});
	const hindsight = chosenWithHindsight(view.data_source);
	const fingerprints = markets.flatMap(({ series, history }) => [
		seriesFingerprint(series),
		volatilityFingerprint(history),
	]);
	const asOfMs = Math.floor(view.as_of_ms / DAY_MS) * DAY_MS;
	return memo.get([hindsight, asOfMs, ...names, universeFingerprint(fingerprints)].join("#"), () => {
		const days = markets.map(({ base, series, history }) => readDays(base, series, history, asOfMs));
		const records = new Map(
			days.length === 0 ? [] : names.map((name) => [name, measureRule(PREMIUM_RULES[name], days, hindsight)] as const),
		);
		return {
			of: (name) => records.get(name) ?? null,
			report: {
				evidence_half_spread_vol_points: 100 * REPLAY_HALF_SPREAD,
				evidence_bases: markets.map(({ base }) => base),
				rules: Object.fromEntries(
					[...records].map(([name, { measurement, costBps }]) => [
						name,
						{ ...evidenceReport(measurement), evidence_cost_bps: costBps },
					]),
				),
				selection: selectionReport([...records].map(([name, { measurement }]) => [name, measurement])),
			},
		};
	});
}

/** Days up to the pinned instant on which a close and a volatility were recorded for the same instant. */
interface Days {
	base: string;
	/** Closes and opens of the bars that end on those instants. */
	close: Column;
	openTime: Column;
	volatility: Column;
	forecast: Column;
	percentile: (number | null)[];
}

function readDays(base: string, series: Series, history: VolatilityHistory, asOfMs: number): Days {
	const step = TIMEFRAME_MS[series.timeframe];
	const openTime = series.open_time.filter((time) => time + step <= asOfMs);
	const close = series.close.subarray(0, openTime.length);
	const forecast = volatilityForecast(close, HORIZON_DAYS);
	const indexAt = new Map(Array.from(history.time, (time, i) => [time, i]));
	const volatility = openTime.map((time) => at(history.atm_iv, indexAt.get(time + step) ?? -1));
	const percentile = Array.from(openTime, (time, t) => {
		const index = indexAt.get(time + step);
		return index === undefined ? null : percentileAt(history.atm_iv, index, at(volatility, t) - REPLAY_HALF_SPREAD);
	});
	return { base, close, openTime, volatility, forecast, percentile };
}

const isSignal = (rule: PremiumRule, { volatility, forecast, percentile }: Days, t: number): boolean =>
	fires(rule, {
		bid: at(volatility, t) - REPLAY_HALF_SPREAD,
		ask: at(volatility, t) + REPLAY_HALF_SPREAD,
		forecast: at(forecast, t),
		percentile: percentile[t] ?? null,
	});

function measureRule(rule: PremiumRule, all: readonly Days[], hindsight: boolean): PremiumEvidence {
	const trades: ResolvedTrade[] = [];
	let cost = 0;
	const placebo = all.map((days) => {
		const outcomes: number[] = [];
		let [entries, freeAt] = [0, 0];
		for (let t = 0; t + HORIZON_DAYS < days.close.length; t++) {
			// A forecast must exist on a placebo's day too, so that both draw from the same times.
			if (!(at(days.volatility, t) > 0) || !(at(days.forecast, t) > 0)) continue;
			const result = settle(rule, days, t);
			outcomes.push(result.net);
			if (t < freeAt || !isSignal(rule, days, t)) continue;
			freeAt = t + HORIZON_DAYS;
			entries++;
			cost += result.cost;
			trades.push({
				symbol: days.base,
				signalTime: at(days.openTime, t),
				exitTime: at(days.openTime, freeAt),
				net: result.net,
				r: result.net / result.risk,
				holdBars: HORIZON_DAYS,
			});
		}
		return { outcomes: Float64Array.from(outcomes), entries };
	});
	const measurement = measure({
		rule: `options/${rule.name}/${HORIZON_DAYS}d`,
		method: METHOD,
		trades,
		placebo,
		universeSize: all.length,
		hindsight,
	});
	return { measurement, costBps: trades.length === 0 ? 0 : (10_000 * cost) / trades.length };
}

/** One entry at the close of bar `t`, as fractions of the underlying then. */
function settle(rule: PremiumRule, days: Days, t: number): { net: number; cost: number; risk: number } {
	const middle = at(days.volatility, t);
	const deviation = middle * Math.sqrt(YEARS);
	const end = at(days.close, t + HORIZON_DAYS) / at(days.close, t);
	let [net, cost, worst] = [0, 0, 0];
	for (const { kind, deviations, units } of rule.legs) {
		const strike = Math.exp(deviations * deviation);
		const terms = { kind, forward: 1, strike, years: YEARS };
		const half = REPLAY_HALF_SPREAD * (1 + 0.3 * deviations * deviations);
		const fair = black76(terms, middle);
		const price = black76(terms, Math.max(0.01, middle + Math.sign(units) * half));
		const payoff = payoffAt(kind, strike, end);
		const delivery = Math.min(deliveryFee(end), OPTION_FEES.premiumCap * payoff);
		const fees = Math.abs(units) * (tradeFee(price, 1) + delivery);
		net += units * (payoff - price) - fees;
		cost += Math.abs(price - fair) * Math.abs(units) + fees;
		worst += units * price;
	}
	return { net, cost, risk: riskOf(rule, deviation, worst) };
}

/** Money at risk of the combination: what was paid, or the wider wing less the credit; a coin's move for calls on it. */
function riskOf(rule: PremiumRule, deviation: number, debit: number): number {
	if (rule.trade === "buy") return debit;
	if (rule.overlay) return deviation;
	const strikes = rule.legs.map(({ deviations }) => Math.exp(deviations * deviation));
	const [low = 1, innerLow = 1, innerHigh = 1, high = 1] = strikes;
	return Math.max(innerLow - low, high - innerHigh) + debit;
}
