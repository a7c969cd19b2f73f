import type { MarketView, Opportunity } from "../contract.ts";
import { blendedCosts, tierPriority } from "../costs.ts";
import { quantileOf } from "../evidence/trades.ts";
import { RETURNS_MIN } from "../risk/book.ts";
import { bookReturns, historicalTail } from "../risk/measures.ts";
import { shownConfidence } from "../risk/mitigation.ts";
import { riskLevelOf } from "../risk-level.ts";
import { buildRow } from "../row.ts";
import type { MethodPlan } from "./plan.ts";
import { dailyVolume, type RebalanceTrade } from "./rebalance.ts";
import type { AssetUniverse } from "./universe.ts";

export const PORTFOLIO_ID = "ai_portfolio_optimization";

export interface RowSetting {
	universe: AssetUniverse;
	view: MarketView;
	/** The capital was not stated by the user. */
	assumed: boolean;
}

/** Daily expected shortfall (95 %) of the newest 180 days, share of equity. */
export function shortfallShare({ simple, investedUsd, equityUsd }: AssetUniverse, weights: readonly number[]): number {
	const newest = simple.map((column) => column.subarray(-RETURNS_MIN));
	return (historicalTail(bookReturns(weights, newest)).cvar95 * investedUsd) / equityUsd;
}

/** Money of the daily expected shortfall that the whole set of trades takes away, USD. */
const reductionUsd = (plan: MethodPlan, universe: AssetUniverse): number =>
	(shortfallShare(universe, universe.current) - shortfallShare(universe, plan.rebalance.weights)) * universe.equityUsd;

/** Weights by symbol as shares of equity. */
export const weightsBySymbol = ({ assets, investedUsd, equityUsd }: AssetUniverse, weights: readonly number[]) =>
	Object.fromEntries(assets.map(({ symbol }, i) => [symbol, ((weights[i] ?? 0) * investedUsd) / equityUsd]));

/** What all rows of a method share: nothing is earned, the promise is a calmer portfolio. */
function common(plan: MethodPlan, { universe, view, assumed }: RowSetting) {
	const { rebalance, method, evidence, confidence } = plan;
	return {
		strategyId: PORTFOLIO_ID,
		timeframe: "1-3 months",
		view,
		asOfMs: universe.asOfMs ?? view.as_of_ms,
		capitalUsd: universe.equityUsd,
		profitUsd: 0,
		confidence: shownConfidence(confidence),
		stop: null,
		target: null,
		evidence,
		strength: plan.reduction,
		indicators: {
			volatility_annual_before: rebalance.volatilityBefore,
			volatility_annual_after: rebalance.volatilityAfter,
			volatility_reduction: plan.reduction,
		},
		extra: {
			method: method.key,
			...(method.forecastsReturns
				? { flag: "rests on estimated mean returns (Bayes-Stein); for information, never traded on" }
				: {}),
			covariance_method: `Ledoit-Wolf to the scaled identity, ${RETURNS_MIN} daily log returns`,
			capital_assumed: assumed,
		},
		...(evidence.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	};
}

const riskOf = (universe: AssetUniverse, shortfall: number, symbols: readonly number[]) =>
	riskLevelOf({
		shortfallShare: Math.max(0, shortfall),
		leverage: 1,
		tierPriority: Math.max(
			1,
			...symbols.map((i) => {
				const asset = universe.assets[i];
				return asset ? tierPriority(dailyVolume(asset)) : 1;
			}),
		),
	});

/** Makes the row of one trade of the chosen method. What all its trades share is worked out once, not for each. */
export function tradeRows(plan: MethodPlan, setting: RowSetting): (trade: RebalanceTrade) => Opportunity {
	const { universe } = setting;
	const shared = common(plan, setting);
	const share = universe.investedUsd / universe.equityUsd;
	const traded = plan.rebalance.trades.reduce((sum, one) => sum + one.amountUsd, 0);
	const shortfall = shortfallShare(universe, plan.rebalance.weights);
	const reduction = reductionUsd(plan, universe);
	const percent = (weight: number) => `${(100 * weight).toFixed(1)} %`;
	return (trade) => {
		const buys = trade.to > trade.from;
		const [from, to] = [trade.from * share, trade.to * share];
		return buildRow({
			...shared,
			type: "portfolio_rebalance",
			symbol: trade.asset.symbol,
			exchange: trade.asset.market?.venue ?? trade.asset.series.venue,
			side: buys ? "long" : "short",
			notionalUsd: buys ? trade.amountUsd : 0,
			requiredCapitalUsd: buys ? trade.amountUsd : 0,
			riskLevel: riskOf(universe, shortfall, [trade.index]),
			entry: trade.asset.price,
			costs: trade.costs,
			reasoning: `${buys ? "Buying" : "Selling"} moves the weight from ${percent(from)} to ${percent(to)} of equity, one of ${plan.rebalance.trades.length} trades of ${plan.method.title} that lower annual volatility from ${percent(plan.rebalance.volatilityBefore)} to ${percent(plan.rebalance.volatilityAfter)}.`,
			extra: {
				...shared.extra,
				reduce_only: !buys,
				amount_usd: trade.amountUsd,
				quantity: trade.amountUsd / trade.asset.price,
				weight_before: from,
				weight_after: to,
				cost_usd: trade.costUsd,
				risk_reduction_usd: (reduction * trade.amountUsd) / traded,
				risk_reduction_method: "the set's reduction of daily CVaR95, shared out by amount traded",
				fees_assumed: trade.asset.market === null,
			},
		});
	};
}

/** What one method says about the whole portfolio. */
export function analysisRow(plan: MethodPlan, setting: RowSetting): Opportunity {
	const { universe } = setting;
	const { rebalance, method, record } = plan;
	const shared = common(plan, setting);
	const venues = [...new Set(universe.assets.map(({ market, series }) => market?.venue ?? series.venue))];
	const traded = rebalance.trades.reduce((sum, trade) => sum + trade.amountUsd, 0);
	const effects = Float64Array.from(record.effects);
	return buildRow({
		...shared,
		type: "optimization_analysis",
		variant: method.key,
		symbol: "PORTFOLIO",
		exchange: venues.length === 1 ? (venues[0] ?? "multiple") : "multiple",
		side: "neutral",
		notionalUsd: 0,
		requiredCapitalUsd: 0,
		riskLevel: riskOf(universe, shortfallShare(universe, rebalance.weights), [...universe.assets.keys()]),
		entry: null,
		costs: blendedCosts(rebalance.trades.map(({ costs, amountUsd: usd }) => ({ costs, usd }))),
		reasoning: `${method.title}: annual volatility ${(100 * rebalance.volatilityBefore).toFixed(1)} % before and ${(100 * rebalance.volatilityAfter).toFixed(1)} % after, costs ${rebalance.costUsd.toFixed(2)} USD; calmer in ${record.wins} of ${record.n} past months.`,
		extra: {
			...shared.extra,
			weights_before: weightsBySymbol(universe, universe.current),
			weights_after: weightsBySymbol(universe, rebalance.weights),
			cvar95_1d_before: shortfallShare(universe, universe.current),
			cvar95_1d_after: shortfallShare(universe, rebalance.weights),
			turnover: traded / 2 / universe.investedUsd,
			cost_usd: rebalance.costUsd,
			utility_gain_usd: rebalance.utilityGainUsd,
			risk_reduction_usd: reductionUsd(plan, universe),
			median_volatility_reduction_past: effects.length > 0 ? quantileOf(effects, 0.5) : null,
		},
	});
}
