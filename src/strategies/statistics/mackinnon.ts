import { normalDistribution } from "./normal.ts";

/** Deterministic terms of a unit-root regression: none, constant, constant and trend. */
export type Trend = "n" | "c" | "ct";

/** A response surface of the tau statistic for N series: p-value polynomials and critical values. */
interface Surface {
	/** Below `star` the small-p polynomial holds, above it the large-p one; outside [min, max] p is 0 or 1. */
	star: number;
	min: number;
	max: number;
	/** Ascending coefficients of the probit of p. */
	small: readonly number[];
	large: readonly number[];
	/** 1, 5 and 10 %: b0 + b1/T + b2/T^2 + b3/T^3. */
	critical: readonly (readonly number[])[];
}

/**
 * P-value polynomials: J. G. MacKinnon (1994), Approximate asymptotic distribution functions for
 * unit-root and cointegration tests, JBES 12. Critical values: MacKinnon (2010), Critical values for
 * cointegration tests, Queen's Economics Department WP 1227. By trend, then by N - 1.
 */
const SURFACES: Record<Trend, readonly Surface[]> = {
	n: [
		{
			star: -1.04,
			min: -19.04,
			max: Number.POSITIVE_INFINITY,
			small: [0.6344, 1.2378, 0.032496],
			large: [0.4797, 0.93557, -0.06999, 0.033066],
			critical: [
				[-2.56574, -2.2358, -3.627, 0],
				[-1.941, -0.2686, -3.365, 31.223],
				[-1.61682, 0.2656, -2.714, 25.364],
			],
		},
	],
	c: [
		{
			star: -1.61,
			min: -18.83,
			max: 2.74,
			small: [2.1659, 1.4412, 0.038269],
			large: [1.7339, 0.93202, -0.12745, -0.010368],
			critical: [
				[-3.43035, -6.5393, -16.786, -79.433],
				[-2.86154, -2.8903, -4.234, -40.04],
				[-2.56677, -1.5384, -2.809, 0],
			],
		},
		{
			star: -2.62,
			min: -18.86,
			max: 0.92,
			small: [2.92, 1.5012, 0.039796],
			large: [2.1945, 0.64695, -0.29198, -0.042377],
			critical: [
				[-3.89644, -10.9519, -33.527, 0],
				[-3.33613, -6.1101, -6.823, 0],
				[-3.04445, -4.2412, -2.72, 0],
			],
		},
	],
	ct: [
		{
			star: -2.89,
			min: -16.18,
			max: 0.7,
			small: [3.2512, 1.6047, 0.049588],
			large: [2.5261, 0.61654, -0.37956, -0.060285],
			critical: [
				[-3.95877, -9.0531, -28.428, -134.155],
				[-3.41049, -4.3904, -9.036, -45.374],
				[-3.12705, -2.5856, -3.925, -22.38],
			],
		},
		{
			star: -3.19,
			min: -21.15,
			max: 0.63,
			small: [3.6646, 1.5419, 0.036448],
			large: [2.85, 0.5272, -0.36622, -0.051695],
			critical: [
				[-4.32762, -15.4387, -35.679, 0],
				[-3.78057, -9.5106, -12.074, 0],
				[-3.49631, -7.0815, -7.538, 21.892],
			],
		},
	],
};

function surfaceOf(trend: Trend, series: number): Surface {
	const surface = SURFACES[trend][series - 1];
	if (!surface) throw new RangeError(`no response surface for ${series} series with trend '${trend}'`);
	return surface;
}

const polynomial = (ascending: readonly number[], x: number): number =>
	ascending.reduceRight((sum, coefficient) => sum * x + coefficient, 0);

/**
 * Approximate p-value of a Dickey-Fuller tau (`series` = 1) or of an Engle-Granger residual test
 * (`series` = number of series with the dependent one). Throws RangeError outside the tables.
 */
export function mackinnonP(tau: number, trend: Trend, series: number): number {
	const surface = surfaceOf(trend, series);
	if (tau > surface.max) return 1;
	if (tau < surface.min) return 0;
	return normalDistribution(polynomial(tau <= surface.star ? surface.small : surface.large, tau));
}

/** Critical values at 1, 5 and 10 % for `observations` (Infinity: asymptotic). */
export function mackinnonCritical(trend: Trend, series: number, observations: number): [number, number, number] {
	const [one, five, ten] = surfaceOf(trend, series).critical.map((row) => polynomial(row, 1 / observations));
	return [one ?? Number.NaN, five ?? Number.NaN, ten ?? Number.NaN];
}
