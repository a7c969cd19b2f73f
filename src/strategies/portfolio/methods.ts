import type { Column } from "../columns.ts";
import { maximumSharpe, minimumVariance } from "./bounded-quadratic.ts";
import { hierarchicalRiskParity } from "./hierarchical.ts";
import { shrunkMeans } from "./means.ts";
import { equalRisk, inverseVolatility } from "./risk-parity.ts";
import { shrunkCovariance } from "./shrinkage.ts";

export type MethodKey =
	| "equal_weight"
	| "inverse_volatility"
	| "equal_risk"
	| "minimum_variance"
	| "hierarchical_risk_parity"
	| "maximum_sharpe";

/** Largest weight of the methods that would otherwise pile up in one asset. */
const WEIGHT_CAP = 0.35;

/** The cap, loosened where it could not be met. */
export const capOf = (assets: number): number => Math.max(WEIGHT_CAP, 1 / assets);

export interface Method {
	key: MethodKey;
	title: string;
	capped: boolean;
	/** Needs a forecast of returns: shown with a flag, never the base of trades. */
	forecastsReturns: boolean;
	/** Weights of sum one; `logs` are daily log returns, `covariance` theirs, shrunk. null: no answer. */
	weigh(covariance: readonly number[][], logs: readonly Column[]): number[] | null;
}

/** The ways to weigh a portfolio, the benchmark first. */
export const METHODS: readonly Method[] = [
	{
		key: "equal_weight",
		title: "equal weight",
		capped: false,
		forecastsReturns: false,
		weigh: (covariance) => covariance.map(() => 1 / covariance.length),
	},
	{
		key: "inverse_volatility",
		title: "inverse volatility",
		capped: false,
		forecastsReturns: false,
		weigh: inverseVolatility,
	},
	{ key: "equal_risk", title: "equal risk contributions", capped: false, forecastsReturns: false, weigh: equalRisk },
	{
		key: "minimum_variance",
		title: "minimum variance",
		capped: true,
		forecastsReturns: false,
		weigh: (covariance) => minimumVariance(covariance, capOf(covariance.length)),
	},
	{
		key: "hierarchical_risk_parity",
		title: "hierarchical risk parity",
		capped: false,
		forecastsReturns: false,
		weigh: (covariance) => hierarchicalRiskParity(covariance),
	},
	{
		key: "maximum_sharpe",
		title: "maximum Sharpe ratio with shrunk means",
		capped: true,
		forecastsReturns: true,
		weigh: (covariance, logs) => {
			const shrunk = shrunkMeans(logs, covariance);
			return shrunk && maximumSharpe(covariance, shrunk.means, capOf(covariance.length));
		},
	},
];

/** Every method's weights from one window of daily log returns, and the covariance they rest on. */
export function weighAll(logs: readonly Column[]): {
	covariance: number[][];
	weights: Record<MethodKey, number[] | null>;
} {
	const { matrix: covariance } = shrunkCovariance(logs);
	const weights = Object.fromEntries(METHODS.map((method) => [method.key, method.weigh(covariance, logs)]));
	return { covariance, weights: weights as Record<MethodKey, number[] | null> };
}
