import { TIMEFRAME_MS, type TradeTape } from "../../market/contract.ts";
import { last } from "../columns.ts";
import type { MarketView, Opportunity, PortfolioSnapshot, RiskLevel, StrategyLimits } from "../contract.ts";
import { tierPriority } from "../costs.ts";
import type { Confidence } from "../evidence/measure.ts";
import { chosenWithHindsight } from "../evidence/measure.ts";
import type { Refusal } from "../quality.ts";
import { riskLevelOf } from "../risk-level.ts";
import { buildRow } from "../row.ts";
import { bpsOfCapital, type MakerRecord, makerRecord, recordOf } from "./evidence.ts";
import type { Makeable } from "./gates.ts";
import { fillRate, type Intensity, intensityOfBook } from "./intensity.ts";
import { onTicks, type Quotes, quotesOf } from "./quotes.ts";
import { EDGE_MIN, INVENTORY_MAX, type MakerPlan, makerPlan, REPRICE_SECONDS, SESSION_MINUTES } from "./replay.ts";

export const MAKER_ID = "ai_market_making";
/** Most of a mean taker's trade that one lot may be, so that it does not change what it was measured on. */
const TAKER_SHARE = 0.25;
/** Capital set aside without proof. */
const UNPROVEN_SHARE_MAX = 0.05;
const DAY_MINUTES = 1440;

export interface MakerSetting {
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
}

/** The tape's record; without a tape an empty one, whose plan rests on the book. */
export function recordFor(made: Makeable, setting: MakerSetting): MakerRecord {
	const { view } = setting;
	const tape: TradeTape | undefined = view.trades?.[made.market.symbol];
	const costs = { makerFee: made.market.maker_fee, closing: made.market.taker_fee + made.touch / 2 };
	return tape
		? makerRecord(tape, view.as_of_ms, costs, chosenWithHindsight(view.data_source))
		: recordOf([], null, Number.NaN, true);
}

/** The row of quotes for one market, or the economic reason against it. */
export function makerRow(made: Makeable, record: MakerRecord, setting: MakerSetting): Opportunity | Refusal {
	const { evidence } = record;
	if (evidence.grade === "D") {
		const mean = evidence.mean_net_bps?.toFixed(1);
		const detail = `${evidence.wins} of ${evidence.n} replayed days gained, mean ${mean} bp of the capital`;
		return { reason: "negative_expectancy", detail };
	}
	const intensity = record.plan?.intensity ?? bookIntensity(made);
	if (!intensity)
		return { reason: "insufficient_history", detail: "neither trades nor depth tell how often quotes fill" };
	const plan = makerPlan(intensity, made.sigmaMinute, made.market.maker_fee);
	const lotUsd = lotOf(made, record, setting);
	const least = made.market.min_notional ?? 0;
	if (!(lotUsd > 0 && lotUsd >= least)) {
		const detail = `a lot of ${Math.max(0, lotUsd).toFixed(2)} USD, the least order is ${least.toFixed(2)} USD`;
		return { reason: "capital_below_min_notional", detail };
	}
	return rowOf(made, record, plan, lotUsd, setting);
}

/** The mean size at the touch stands for a taker's trade where no trade is recorded. */
function bookIntensity({ book, mid, market }: Makeable): Intensity | null {
	return intensityOfBook(book, mid, market.volume_usd_24h ?? 0, touchUsd(book));
}

const touchUsd = (book: Makeable["book"]): number => {
	const [bid, ask] = [book.bids[0], book.asks[0]];
	return bid && ask ? (bid[0] * bid[1] + ask[0] * ask[1]) / 2 : Number.NaN;
};

/** One lot, USD: its share of capital over both sides of all levels, and of what takers trade. */
function lotOf({ book }: Makeable, { evidence, tradeValue }: MakerRecord, { portfolio, limits }: MakerSetting): number {
	const proven = evidence.grade !== "C";
	const share = Math.min(limits.max_position_share, proven ? 1 : UNPROVEN_SHARE_MAX);
	const taker = Number.isFinite(tradeValue) ? tradeValue : touchUsd(book);
	return Math.min((portfolio.capital_usd * share) / (2 * INVENTORY_MAX), TAKER_SHARE * taker);
}

const bps = (fraction: number): number => fraction * 10_000;

/** Quotes in prices: the formula of the plan in absolute units, at no inventory, on ticks. */
function quotesFor({ mid, market }: Makeable, plan: MakerPlan): Quotes {
	const quotes = quotesOf(
		{
			mid,
			q: 0,
			gamma: plan.gamma / mid,
			sigma: mid * plan.sigmaMinute * Math.sqrt(SESSION_MINUTES),
			k: plan.intensity.k / mid,
			tau: 1,
		},
		mid * plan.spread,
	);
	return { ...quotes, ...onTicks(quotes.bid, quotes.ask, market.price_tick) };
}

function rowOf(
	made: Makeable,
	record: MakerRecord,
	plan: MakerPlan,
	lotUsd: number,
	{ view, portfolio }: MakerSetting,
): Opportunity {
	const { market, series, book, mid } = made;
	const { evidence } = record;
	const quotes = quotesFor(made, plan);
	const capitalUsd = portfolio.capital_usd;
	const [fee_bps, impact_bps] = [bps(2 * market.maker_fee), bps(plan.adverse)];
	const proven = evidence.grade !== "C";
	return buildRow({
		strategyId: MAKER_ID,
		type: "market_making",
		symbol: market.symbol,
		exchange: market.venue,
		side: "neutral",
		timeframe: "24h",
		view,
		asOfMs: Math.max(book.at_ms, last(series.open_time) + TIMEFRAME_MS[series.timeframe]),
		capitalUsd,
		notionalUsd: lotUsd,
		requiredCapitalUsd: 2 * lotUsd * INVENTORY_MAX,
		// What the days earned; without days nothing is expected, the model's figure stands beside it.
		profitUsd: record.netPerLot * lotUsd,
		confidence: confidenceOf(record),
		riskLevel: riskOf(made, record, lotUsd, capitalUsd),
		entry: quotes.bid,
		stop: null,
		target: quotes.ask,
		costs: { fee_bps, spread_bps: 0, impact_bps, funding_bps: 0, total_bps: fee_bps + impact_bps },
		evidence,
		strength: bps(plan.spread - 2 * market.maker_fee - plan.adverse),
		reasoning: `Quotes ${bps(quotes.spread / mid).toFixed(2)} bp apart leave ${bps(plan.spread - 2 * market.maker_fee - plan.adverse).toFixed(2)} bp a round trip after fees of ${fee_bps.toFixed(2)} bp and adverse selection of ${impact_bps.toFixed(2)} bp; ${evidence.wins} of ${evidence.n} replayed days gained.`,
		indicators: {
			mid,
			touch_spread_bps: bps(made.touch),
			sigma_1h_bps: bps(made.sigmaMinute * Math.sqrt(60)),
			fills_per_minute_at_mid: plan.intensity.a,
			k_per_bp: plan.intensity.k / 10_000,
		},
		extra: { ...termsOf(plan, record, quotes, lotUsd, made), capital_assumed: portfolio.assumed },
		...(proven ? {} : { unprovenReason: "insufficient_evidence" }),
	});
}

function confidenceOf({ p, interval }: MakerRecord): Omit<Confidence, "p"> | NoConfidence {
	if (p === null) return { confidence_score: null, confidence_low: null, confidence_high: null };
	// At rates of 0 and 1 rounding may put an end of the interval a hair inside the rate.
	const [low, high] = interval;
	return {
		confidence_score: 100 * p,
		confidence_low: 100 * Math.min(low, p),
		confidence_high: 100 * Math.max(high, p),
	};
}

interface NoConfidence {
	confidence_score: null;
	confidence_low: null;
	confidence_high: null;
}

/** Medium at best for the deepest markets, high for all others: inventory. */
function riskOf(made: Makeable, { shortfall }: MakerRecord, lotUsd: number, capitalUsd: number): RiskLevel {
	const tier = tierPriority(made.market.volume_usd_24h ?? 0);
	// Without a replayed day a full inventory may lose a day's three sigmas.
	const unseen = -3 * INVENTORY_MAX * made.sigmaMinute * Math.sqrt(DAY_MINUTES);
	const lossUsd = Math.max(0, -(shortfall ?? unseen)) * lotUsd;
	return riskLevelOf({
		shortfallShare: capitalUsd > 0 ? lossUsd / capitalUsd : 1,
		leverage: 1,
		tierPriority: tier,
		atLeast: tier === 1 ? "medium" : "high",
	});
}

/** Quotes, size, model and measured figures as a reader needs them. */
function termsOf(
	plan: MakerPlan,
	record: MakerRecord,
	quotes: Quotes,
	lotUsd: number,
	{ market, mid, touch }: Makeable,
): Record<string, unknown> {
	const rate = fillRate(plan.intensity, plan.spread / 2);
	const edge = plan.spread - 2 * market.maker_fee - plan.adverse;
	// gamma sigma^2 q^2 an hour at half the greatest inventory.
	const inventoryCharge = (DAY_MINUTES / SESSION_MINUTES) * plan.skewPerLot * (INVENTORY_MAX / 2) ** 2;
	return {
		bid: quotes.bid,
		ask: quotes.ask,
		quoted_spread_bps: bps(quotes.spread / mid),
		outside_touch: plan.spread > touch,
		lot_usd: lotUsd,
		lot_base: lotUsd / mid,
		inventory_max_lots: INVENTORY_MAX,
		reprice_seconds: REPRICE_SECONDS,
		gamma: plan.gamma / mid,
		k: plan.intensity.k / mid,
		a_per_minute: plan.intensity.a,
		intensity_method: plan.intensity.method,
		skew_per_lot_bps: bps(plan.skewPerLot),
		edge_per_round_trip_bps: bps(edge),
		edge_min_bps: bps(EDGE_MIN),
		adverse_selection_bps: bps(plan.adverse),
		adverse_selection_measured_bps: record.adverse === null ? null : bps(record.adverse),
		expected_fills_per_day: record.evidence.n > 0 ? record.fillsPerDay : null,
		model_fills_per_day: 2 * DAY_MINUTES * rate,
		model_profit_usd_per_day: lotUsd * (DAY_MINUTES * rate * edge - inventoryCharge),
		profit_usd_per_day: record.evidence.n > 0 ? record.netPerLot * lotUsd : null,
		// The unit of risk of a row without a stop: the spread of its days.
		risk_distance_bps: record.deviation === null ? null : bpsOfCapital(record.deviation),
		exit_rule: "pull the quotes on a jump of four sigmas within an hour; close the inventory after 24 hours",
	};
}
