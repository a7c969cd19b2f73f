import { at, type Column } from "../columns.ts";
import { regress, regressorsOf, standardError } from "./least-squares.ts";
import { mackinnonCritical, mackinnonP, type Trend } from "./mackinnon.ts";

export interface UnitRootTest {
	/** t statistic of the lagged level; the more negative, the less a unit root. */
	tau: number;
	p: number;
	observations: number;
	/** At 1, 5 and 10 %. */
	critical: [number, number, number];
}

/**
 * Augmented Dickey-Fuller regression (Said and Dickey 1984): dy on y(-1), `lags` lagged differences and
 * the deterministic terms. NaN for a constant series.
 */
export function dickeyFullerTau(values: Column, trend: Trend, lags: number): { tau: number; observations: number } {
	const n = values.length - 1 - lags;
	if (n <= lags + 3) throw new RangeError(`${values.length} values are too few for ${lags} lags`);
	const change = (lag: number) => {
		const column = new Float64Array(n);
		for (let t = 0; t < n; t++) {
			const now = t + 1 + lags - lag;
			column[t] = at(values, now) - at(values, now - 1);
		}
		return column;
	};
	const regressors: Column[] = [values.slice(lags, values.length - 1)];
	for (let lag = 1; lag <= lags; lag++) regressors.push(change(lag));
	if (trend === "ct") regressors.push(Float64Array.from({ length: n }, (_, t) => t + 1));
	const prepared = regressorsOf(regressors, trend !== "n", n);
	const regression = regress(change(0), prepared);
	return { tau: at(regression.slopes, 0) / standardError(regression, prepared, 0), observations: n };
}

/** Augmented Dickey-Fuller test of one series. */
export function dickeyFuller(values: Column, trend: Trend, lags: number): UnitRootTest {
	const { tau, observations } = dickeyFullerTau(values, trend, lags);
	return { tau, p: mackinnonP(tau, trend, 1), observations, critical: mackinnonCritical(trend, 1, observations) };
}
