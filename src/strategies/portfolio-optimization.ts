import type { MarketView, PortfolioSnapshot, Strategy } from "./contract.ts";
import { chosenWithHindsight } from "./evidence/measure.ts";
import { Ledger } from "./ledger.ts";
import { METHODS } from "./portfolio/methods.ts";
import { chosenPlan, type MethodPlans, planAll } from "./portfolio/plan.ts";
import { REBALANCE } from "./portfolio/rebalance.ts";
import { analysisRow, PORTFOLIO_ID, shortfallShare, tradeRows, weightsBySymbol } from "./portfolio/rows.ts";
import { type AssetUniverse, assetUniverse, MAJORS, RETURNS_PER_COIN_MIN } from "./portfolio/universe.ts";
import type { Refusal } from "./quality.ts";
import { RETURNS_MIN } from "./risk/book.ts";

const PORTFOLIO = "PORTFOLIO";
/** Below it no trade is worth its fees. */
const EQUITY_USD_MIN = 100;
const THRESHOLDS = {
	...REBALANCE,
	equity_usd_min: EQUITY_USD_MIN,
	returns_min: RETURNS_MIN,
	returns_per_coin_min: RETURNS_PER_COIN_MIN,
};

/**
 * Weighs the largest spot holdings and the two majors by six methods and proposes the trades of
 * the one with the best record, if their benefit pays for them. Candidates are proposals: one analysis per
 * method, one trade per coin; a position that takes no part counts with its reason. Cash stays cash.
 */
export const portfolioOptimization: Strategy = {
	id: PORTFOLIO_ID,
	needs: {
		candidates: "positions",
		timeframe: "1d",
		candles: true,
		funding: false,
		orderBook: false,
		evidence: null,
		benchmarks: [...MAJORS],
		benchmark_markets: true,
		history: { bars_min: RETURNS_MIN + 1, bars_settled: RETURNS_MIN + 1 },
	},
	evaluate(candidates, view, portfolio, limits) {
		const ledger = new Ledger();
		const close = (report: Record<string, unknown>) => ledger.close("proposal", limits, { ...THRESHOLDS }, report);
		const tooSmall = smallness(portfolio);
		if (tooSmall) {
			ledger.reject(PORTFOLIO, tooSmall.reason, tooSmall.detail);
			return close({ status: tooSmall.reason, methods: [] });
		}
		const universe = assetUniverse(candidates, view, portfolio);
		for (const { symbol, reason, detail } of universe.left) ledger.reject(symbol, reason, detail);
		const unweighed = unweighable(universe);
		if (unweighed) {
			for (const { symbol } of universe.assets) ledger.reject(symbol, unweighed.reason, unweighed.detail);
			for (const { title } of METHODS) ledger.reject(PORTFOLIO, unweighed.reason, `${title}: ${unweighed.detail}`);
			return close({ status: unweighed.reason, methods: [], left_out: universe.left });
		}
		ledger.sawDatumAt(universe.asOfMs ?? view.as_of_ms);
		const plans = planAll(universe, chosenWithHindsight(view.data_source));
		settle(universe, plans, view, portfolio, ledger);
		return close(reportOf(universe, plans));
	},
};

function smallness({ positions, capital_usd }: PortfolioSnapshot): Refusal | null {
	if (positions.length === 0) return { reason: "portfolio_too_small", detail: "the portfolio holds no position" };
	if (capital_usd >= EQUITY_USD_MIN) return null;
	return { reason: "portfolio_too_small", detail: `${capital_usd.toFixed(2)} of ${EQUITY_USD_MIN} USD` };
}

/** Why nothing can be weighed at all; null when it can. */
function unweighable({ assets, investedUsd, simple, left }: AssetUniverse): Refusal | null {
	const returns = simple[0]?.length ?? 0;
	if (!(investedUsd > 0)) {
		const [first] = left;
		return { reason: first?.reason ?? "portfolio_too_small", detail: "no spot holding could be measured" };
	}
	if (assets.length < 2) return { reason: "portfolio_too_small", detail: "one coin alone cannot be weighed" };
	if (returns >= RETURNS_MIN) return null;
	return { reason: "insufficient_history", detail: `${returns} common daily returns of ${RETURNS_MIN}` };
}

function settle(
	universe: AssetUniverse,
	all: MethodPlans,
	view: MarketView,
	portfolio: PortfolioSnapshot,
	ledger: Ledger,
): void {
	const { plans, silent } = all;
	const setting = { universe, view, assumed: portfolio.assumed };
	for (const { refusal } of silent) ledger.reject(PORTFOLIO, refusal.reason, refusal.detail);
	for (const plan of plans) {
		if (plan.refusal === null) ledger.add(analysisRow(plan, setting));
		else ledger.reject(PORTFOLIO, plan.refusal.reason, plan.refusal.detail);
	}
	const chosen = chosenPlan(all);
	const trades = new Map(chosen?.rebalance.trades.map((trade) => [trade.asset.symbol, trade]));
	const rowOf = chosen && tradeRows(chosen, setting);
	const refusal = chosen ? null : nearestRefusal(plans, ledger);
	for (const { symbol } of universe.assets) {
		const trade = trades.get(symbol);
		if (rowOf && trade) ledger.add(rowOf(trade));
		else if (refusal) ledger.reject(symbol, refusal.reason, refusal.detail);
		else ledger.reject(symbol, "already_at_target", "within the no-trade band of the chosen method");
	}
}

/** Without a passing method the coins share the reason of the one that would have lowered volatility most. */
function nearestRefusal(plans: MethodPlans["plans"], ledger: Ledger): Refusal {
	const ordered = plans.filter(({ method }) => !method.forecastsReturns).sort((a, b) => b.reduction - a.reduction);
	for (const { reduction, rebalance, refusal } of ordered) {
		if (refusal === null) continue;
		const byCost = refusal.reason === "cost_exceeds_edge";
		const value = byCost ? rebalance.utilityGainUsd : reduction;
		const threshold = byCost ? rebalance.costUsd : REBALANCE.volatility_reduction_min;
		const distance = threshold > 0 ? Math.max(0, 1 - value / threshold) : null;
		ledger.nearMiss({ symbol: PORTFOLIO, reason: refusal.reason, value, threshold, distance });
	}
	const refused = ordered.find(({ refusal }) => refusal !== null)?.refusal;
	return refused ?? { reason: "already_at_target", detail: "every passing method would break more limits" };
}

/** Every method with its figures, whatever became of it. */
function reportOf(universe: AssetUniverse, { plans, silent, breaches }: MethodPlans): Record<string, unknown> {
	return {
		status: plans.some((plan) => plan.refusal === null) ? "rebalance" : "at_target",
		equity_usd: universe.equityUsd,
		invested_usd: universe.investedUsd,
		history_days: universe.simple[0]?.length ?? 0,
		weights: weightsBySymbol(universe, universe.current),
		cvar95_1d: shortfallShare(universe, universe.current),
		limits_breached: breaches,
		left_out: universe.left,
		methods: plans.map(({ method, target, rebalance, reduction, record, refusal, evidence, breachesAfter }) => ({
			method: method.key,
			forecasts_returns: method.forecastsReturns,
			target_weights: weightsBySymbol(universe, target),
			weights_after: weightsBySymbol(universe, rebalance.weights),
			volatility_annual_before: rebalance.volatilityBefore,
			volatility_annual_after: rebalance.volatilityAfter,
			volatility_reduction: reduction,
			cvar95_1d_after: shortfallShare(universe, rebalance.weights),
			turnover: rebalance.trades.reduce((sum, trade) => sum + trade.amountUsd, 0) / 2 / universe.investedUsd,
			cost_usd: rebalance.costUsd,
			utility_gain_usd: rebalance.utilityGainUsd,
			months: record.n,
			months_calmer: record.wins,
			grade: evidence.grade,
			limits_breached_after: breachesAfter,
			refused: refusal,
		})),
		methods_without_answer: silent.map(({ method }) => method.key),
	};
}
