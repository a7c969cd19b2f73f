import { createHash } from "node:crypto";
import { strategyById } from "../catalogue.ts";
import type { Costs, Evidence, MarketView, Opportunity, RiskLevel, Side } from "./contract.ts";
import type { Reliability } from "./evidence/reliability.ts";

/** 12 hex characters of SHA-256 over what names a row, stable across scans and machines. */
export function opportunityId(
	strategyId: string,
	type: string,
	symbol: string,
	exchange: string,
	side: Side,
	variant?: string,
): string {
	const names = [strategyId, type, symbol, exchange, side, ...(variant === undefined ? [] : [variant])];
	return createHash("sha256").update(names.join("|")).digest("hex").slice(0, 12);
}

const ACTIONS: Record<Side, string> = { long: "BUY", short: "SELL", neutral: "NEUTRAL" };

export interface RowInput {
	strategyId: string;
	type: string;
	symbol: string;
	exchange: string;
	side: Side;
	timeframe: string;
	view: MarketView;
	/** Newest datum used, epoch ms. */
	asOfMs: number;
	capitalUsd: number;
	/** Value of the position (one leg), USD; 0 = no position is opened. */
	notionalUsd: number;
	requiredCapitalUsd: number;
	profitUsd: number;
	/** Percent; null only for unproven rows. */
	confidence: { confidence_score: number | null; confidence_low: number | null; confidence_high: number | null };
	riskLevel: RiskLevel;
	entry: number | null;
	stop: number | null;
	target: number | null;
	costs: Costs;
	evidence: Evidence;
	strength: number;
	reasoning: string;
	indicators: Record<string, number>;
	/** How the record's stated probabilities held; absent where nothing was forecast. */
	reliability?: Reliability | undefined;
	/** The strategy's own keys; null members are left out. */
	extra?: Record<string, unknown>;
	unprovenReason?: string;
	/** Tells rows apart that agree in type, symbol, exchange and side, e.g. two methods on one portfolio. */
	variant?: string;
}

const idOf = ({ strategyId, type, symbol, exchange, side, variant }: RowInput): string =>
	opportunityId(strategyId, type, symbol, exchange, side, variant);

/** Puts a row into its public shape: every key present, metadata without null. */
export function buildRow(input: RowInput): Opportunity {
	const { entry, stop, target, notionalUsd, capitalUsd } = input;
	const stopDistance = entry !== null && stop !== null ? Math.abs(entry - stop) / entry : null;
	const targetDistance = entry !== null && target !== null ? Math.abs(target - entry) / entry : null;
	const ratio = stopDistance && targetDistance !== null ? targetDistance / stopDistance : null;
	const costShare = input.costs.total_bps / 10_000;
	const maxRisk = stopDistance === null ? null : notionalUsd * (stopDistance + costShare);
	const sharePercent = capitalUsd > 0 ? (100 * notionalUsd) / capitalUsd : null;
	const executable =
		input.side !== "neutral" && entry !== null && stop !== null && target !== null && (sharePercent ?? 0) > 0;
	const row: Opportunity = {
		opportunity_id: idOf(input),
		strategy_id: input.strategyId,
		strategy_name: strategyById(input.strategyId).name,
		opportunity_type: input.type,
		symbol: input.symbol,
		exchange: input.exchange,
		side: input.side,
		profit_potential_usd: input.profitUsd,
		...input.confidence,
		risk_level: input.riskLevel,
		required_capital_usd: input.requiredCapitalUsd,
		estimated_timeframe: input.timeframe,
		entry_price: entry,
		exit_price: target,
		stop_price: stop,
		target_price: target,
		risk_reward_ratio: ratio,
		costs: input.costs,
		evidence: input.evidence,
		as_of: new Date(input.asOfMs).toISOString(),
		data_source: input.view.data_source,
		discovered_at: new Date(input.asOfMs).toISOString(),
		metadata: withoutNull({
			side: input.side,
			signal_action: ACTIONS[input.side],
			signal_strength: input.strength,
			stop_loss: stop,
			take_profit: target,
			risk_reward_ratio: ratio,
			max_risk_usd: maxRisk,
			max_risk_percent: maxRisk !== null && capitalUsd > 0 ? (100 * maxRisk) / capitalUsd : null,
			potential_gain_percent: targetDistance === null ? null : 100 * targetDistance,
			position_size_percent: sharePercent,
			reasoning: input.reasoning,
			indicators: withoutNull(input.indicators),
			executable,
			strategy_used: input.strategyId,
			notional_usd: notionalUsd,
			profit_at_target_usd: targetDistance === null ? null : notionalUsd * (targetDistance - costShare),
			loss_at_stop_usd: maxRisk === null ? null : -maxRisk,
			breakeven_move_bps: input.costs.total_bps,
			reliability_bins: reliabilityBinsOf(input.reliability),
			...input.extra,
		}),
	};
	return input.unprovenReason === undefined ? row : { ...row, unproven_reason: input.unprovenReason };
}

/** Bins of ten points that hold forecasts: stated and observed share, 0..1; null without forecasts. */
function reliabilityBinsOf(reliability: Reliability | undefined): Reliability["bins"] | null {
	if (!reliability || reliability.bins.length === 0) return null;
	const short = (share: number) => Number(share.toFixed(4));
	return reliability.bins.map(({ from, n, predicted, observed }) => ({
		from,
		n,
		predicted: short(predicted),
		observed: short(observed),
	}));
}

/** Drops null, undefined and non-finite members, also in nested plain objects. */
export function withoutNull(members: Record<string, unknown>): Record<string, unknown> {
	const kept: Record<string, unknown> = {};
	for (const [key, value] of Object.entries(members)) {
		if (value === null || value === undefined) continue;
		if (typeof value === "number" && !Number.isFinite(value)) continue;
		kept[key] = isPlain(value) ? withoutNull(value) : value;
	}
	return kept;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);
