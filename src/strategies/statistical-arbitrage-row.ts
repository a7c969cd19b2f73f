import { type Series, TIMEFRAME_MS } from "../market/contract.ts";
import { at, type Column, last } from "./columns.ts";
import type { Candidate, MarketView, Opportunity, PortfolioSnapshot, StrategyLimits } from "./contract.ts";
import { tierPriority } from "./costs.ts";
import { type Measurement, recordOf } from "./evidence/measure.ts";
import { exchangeOf, legTerms, perpOf, type TradedLeg, tradedLeg } from "./legs.ts";
import type { Refusal } from "./quality.ts";
import { riskLevelOf } from "./risk-level.ts";
import { buildRow } from "./row.ts";
import { type LegsTrade, sizeLegs } from "./sized-legs.ts";
import type { AssetFit, FactorStep } from "./statistical-arbitrage-model.ts";
import type { FactorHedge } from "./statistical-arbitrage-present.ts";
import {
	FACTOR_REPLAY_COST,
	HOLD_BARS,
	S_EXIT_LONG,
	S_EXIT_SHORT,
	S_STOP,
	sideOf,
} from "./statistical-arbitrage-replay.ts";
import { leastSquares } from "./statistics/least-squares.ts";

export const STATISTICAL_ID = "ai_statistical_arbitrage";
const DAY_MS = TIMEFRAME_MS["1d"];
/** The factors are hedged with these, the deepest perps. */
const HEDGE_BASES = ["BTC", "ETH"];
/** Hedge legs below this share of the position are left out. */
const HEDGE_SHARE_MIN = 0.02;

/** One asset of the model with its returns over the regression window. */
export interface ModelAsset {
	candidate: Candidate;
	series: Series;
	window: Column;
}

export interface FactorSignal {
	asset: ModelAsset;
	fit: AssetFit;
	step: FactorStep;
	/** The assets that the factors are made of. */
	basket: readonly ModelAsset[];
	/** See hedgeToolsOf. */
	tools: readonly ModelAsset[];
	/** The asset's full hedge with the factors. */
	hedge(): FactorHedge;
	/** s with the centre taken about the cross-sectional mean and the drift deducted; shown only. */
	adjustedScore: number;
	/** Open of the newest bar, epoch ms. */
	newestMs: number;
}

export interface FactorSetting {
	view: MarketView;
	portfolio: PortfolioSnapshot;
	limits: StrategyLimits;
	measurement: Measurement;
}

/** Assets of the model whose perps stand for the factors; the same for all signals of a model. */
export const hedgeToolsOf = (assets: readonly ModelAsset[]): ModelAsset[] =>
	assets.filter(({ candidate }) => HEDGE_BASES.includes(candidate.market?.base ?? "") && perpOf(candidate) !== null);

/** The factor portfolios' returns carried over to BTC and ETH by least squares; empty without their perps. */
function hedgeLegs({ asset, fit, tools: all, hedge }: FactorSignal): TradedLeg[] {
	const tools = all.filter(({ candidate }) => candidate.symbol !== asset.candidate.symbol);
	if (tools.length === 0) return [];
	const { slopes } = leastSquares(
		hedge().returns,
		tools.map(({ window }) => window),
		true,
	);
	return tools.flatMap(({ candidate, series }, i) => {
		const market = perpOf(candidate);
		const amount = -sideOf(fit) * at(slopes, i);
		if (!market || !(Math.abs(amount) >= HEDGE_SHARE_MIN)) return [];
		const leg = tradedLeg({ ...candidate, market }, series, amount > 0 ? "long" : "short", Math.abs(amount));
		return leg ? [leg] : [];
	});
}

/** The row of an asset whose gates hold, or the reason against it. */
export function factorRow(signal: FactorSignal, setting: FactorSetting): Opportunity | Refusal {
	const { asset, fit } = signal;
	const { measurement, portfolio, limits } = setting;
	const { evidence, grade } = measurement;
	if (grade === "D") {
		const detail = `mean net ${evidence.mean_net_bps?.toFixed(1)} bp over ${evidence.n} trades of this side, ${evidence.wins} of them gained`;
		return { reason: "negative_expectancy", detail };
	}
	const side = sideOf(fit) === 1 ? "long" : "short";
	const own = tradedLeg(asset.candidate, asset.series, side, 1);
	const hedge = hedgeLegs(signal);
	if (!own) return { reason: "no_derivative_market", detail: "the source lists no perp to sell short" };
	if (hedge.length === 0) return { reason: "no_derivative_market", detail: "no BTC or ETH perp to hedge the factors" };
	const legs = [own, ...hedge];
	const trade = sizeLegs({
		// The asset comes first; shares refer to its value, so the hedge takes its part of the capital.
		legs,
		capitalUsd: portfolio.capital_usd / legs.reduce((sum, leg) => sum + leg.share, 0),
		stopDistance: (S_STOP - Math.abs(fit.s)) * fit.deviation,
		name: asset.candidate.symbol,
		measurement,
		replayCost: FACTOR_REPLAY_COST,
		limits,
	});
	return "reason" in trade ? trade : rowOf(signal, setting, trade);
}

function rowOf(signal: FactorSignal, { view, portfolio, measurement }: FactorSetting, trade: LegsTrade): Opportunity {
	const { asset, fit, step } = signal;
	const { legs, notionalUsd, expectedNet } = trade;
	const side = sideOf(fit);
	const entry = last(asset.series.close);
	/** Price at which s would stand there, factors and everything else frozen. */
	const priceAt = (s: number) => entry * (1 + (s - fit.s) * fit.deviation);
	const stopDistance = (S_STOP - Math.abs(fit.s)) * fit.deviation;
	const capitalUsd = portfolio.capital_usd;
	const gross = notionalUsd * legs.reduce((sum, leg) => sum + leg.share, 0);
	const shortfall = Math.max(1, -(measurement.shortfallR ?? -1)) * stopDistance * notionalUsd;
	return buildRow({
		strategyId: STATISTICAL_ID,
		type: "statistical_arbitrage",
		symbol: asset.candidate.symbol,
		exchange: exchangeOf(legs),
		side: side === 1 ? "long" : "short",
		timeframe: `1-${HOLD_BARS}d`,
		view,
		asOfMs: signal.newestMs + DAY_MS,
		capitalUsd,
		notionalUsd,
		requiredCapitalUsd: gross,
		profitUsd: notionalUsd * expectedNet,
		confidence: trade.confidence,
		riskLevel: riskLevelOf({
			shortfallShare: capitalUsd > 0 ? shortfall / capitalUsd : 1,
			leverage: 1,
			tierPriority: Math.max(...legs.map(({ advUsd }) => tierPriority(advUsd))),
			atLeast: "high",
		}),
		entry,
		stop: priceAt(-side * S_STOP),
		target: priceAt(side === 1 ? S_EXIT_LONG : S_EXIT_SHORT),
		costs: trade.costs,
		...recordOf(measurement),
		strength: Math.abs(fit.s),
		reasoning: `The residual of ${asset.candidate.symbol} against ${step.portfolios.length} common factors stands ${Math.abs(fit.s).toFixed(2)} deviations ${side === 1 ? "below" : "above"} its centre; the factors explain ${(100 * fit.r2).toFixed(0)} % of its returns.`,
		indicators: indicatorsOf(signal),
		extra: {
			legs: legs.map((leg) => legTerms(leg, notionalUsd)),
			factor_basket: basketOf(signal),
			expected_net_bps: expectedNet * 10_000,
			evidence_cost_bps: FACTOR_REPLAY_COST * 10_000,
			time_stop_bars: HOLD_BARS,
			exit_rule: `s above ${S_EXIT_LONG} (long) or below ${S_EXIT_SHORT} (short), estimated anew each day`,
			stop_rule: `|s| above ${S_STOP}, an invalid fit, or ${HOLD_BARS} days`,
			risks: "the record is measured on full factor hedges; two perps follow them less closely",
			capital_assumed: portfolio.assumed,
		},
		...(measurement.grade === "C" ? { unprovenReason: "insufficient_evidence" } : {}),
	});
}

function indicatorsOf({ fit, step, adjustedScore }: FactorSignal): Record<string, number> {
	const betas = Object.fromEntries([...fit.betas].map((beta, k) => [`beta_${k + 1}`, beta]));
	return {
		s_score: fit.s,
		s_score_centred_without_drift: adjustedScore,
		r2: fit.r2,
		ar1_coefficient: fit.b,
		half_life_bars: fit.halfLife,
		deviation: fit.deviation,
		factors: step.portfolios.length,
		variance_explained: step.explained,
		...betas,
	};
}

/** Weights of the frozen factor portfolios against one unit of the asset, by symbol. */
function basketOf({ basket, hedge, fit }: FactorSignal): Record<string, number> {
	const { weights } = hedge();
	return Object.fromEntries(basket.map(({ candidate }, i) => [candidate.symbol, -sideOf(fit) * at(weights, i)]));
}
