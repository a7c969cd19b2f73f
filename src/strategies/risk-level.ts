import type { RiskLevel } from "./contract.ts";

const LEVELS: readonly RiskLevel[] = ["low", "medium", "high", "very_high"];

export interface RiskInput {
	/** 95 % expected shortfall of the position over its horizon as a share of capital, >= 0. */
	shortfallShare: number;
	leverage: number;
	/** Priority of the volume tier, 1..7. */
	tierPriority: number;
	/** Legs on two venues, or a leg that may fail alone. */
	legRisk?: boolean;
	/** Floor of the kind of trade, e.g. high for falling knives. */
	atLeast?: RiskLevel;
}

/** The worst of loss share, leverage and liquidity: a function of risk, not of the signal. */
export function riskLevelOf(input: RiskInput): RiskLevel {
	const { shortfallShare, leverage, tierPriority } = input;
	const byLoss = shortfallShare < 0.01 ? 0 : shortfallShare < 0.03 ? 1 : shortfallShare < 0.06 ? 2 : 3;
	const byLeverage = leverage <= 1 ? 0 : leverage <= 2 ? 1 : leverage <= 3 ? 2 : 3;
	const byLiquidity = tierPriority <= 2 ? 0 : tierPriority === 3 ? 1 : tierPriority === 4 ? 2 : 3;
	const worst = Math.max(byLoss, byLeverage, byLiquidity, LEVELS.indexOf(input.atLeast ?? "low"));
	return LEVELS[Math.min(LEVELS.length - 1, worst + (input.legRisk ? 1 : 0))] ?? "very_high";
}
