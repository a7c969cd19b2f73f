import { at, type Column } from "../columns.ts";
import { leastSquares } from "./least-squares.ts";
import { mackinnonCritical, mackinnonP } from "./mackinnon.ts";
import { dickeyFullerTau, type UnitRootTest } from "./unit-root.ts";

export interface Cointegration extends UnitRootTest {
	/** y = intercept + slope * x + residual. */
	intercept: number;
	slope: number;
	residuals: Column;
}

export interface CointegrationOptions {
	trend: "c" | "ct";
	lags: number;
}

/**
 * Engle and Granger (1987) in two steps: `y` on `x`, then Dickey-Fuller WITHOUT deterministic terms on
 * the residuals, judged by MacKinnon's tables for two series with the trend of the first step
 * (ordinary Dickey-Fuller tables would make p too small). Critical values for length - 1 observations.
 */
export function engleGranger(y: Column, x: Column, options: CointegrationOptions): Cointegration {
	const { trend, lags } = options;
	const regressors = trend === "ct" ? [x, Float64Array.from({ length: y.length }, (_, t) => t + 1)] : [x];
	const { intercept, slopes, residuals } = leastSquares(y, regressors, true);
	const { tau, observations } = dickeyFullerTau(residuals, "n", lags);
	return {
		tau,
		p: mackinnonP(tau, trend, 2),
		observations,
		critical: mackinnonCritical(trend, 2, y.length - 1),
		intercept: intercept ?? 0,
		slope: at(slopes, 0),
		residuals,
	};
}
