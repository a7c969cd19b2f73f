/** Density of the standard normal distribution. */
export const normalDensity = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/** Horner coefficients of Hart's rational approximation, highest power first. */
const UPPER = [
	0.0352624965998911, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931,
	220.206867912376,
];
const LOWER = [
	0.0883883476483184, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674, 637.333633378831,
	793.826512519948, 440.413735824752,
];
const horner = (coefficients: readonly number[], x: number): number =>
	coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);

/**
 * P(Z <= x) of a standard normal Z to about 1e-15 (J. F. Hart 1968, as in G. West, "Better
 * approximations to cumulative normal functions", 2005). NaN for NaN.
 */
export function normalDistribution(x: number): number {
	const size = Math.abs(x);
	if (size > 37) return x > 0 ? 1 : 0;
	const exponential = Math.exp(-0.5 * size * size);
	const tail =
		size < 7.07106781186547
			? (exponential * horner(UPPER, size)) / horner(LOWER, size)
			: // Continued fraction of Mills' ratio.
				exponential / (size + 1 / (size + 2 / (size + 3 / (size + 4 / (size + 0.65))))) / Math.sqrt(2 * Math.PI);
	return x > 0 ? 1 - tail : tail;
}
