import { normalDistribution, normalQuantile } from "./normal.ts";

/** Moments of a sample of returns; the ratio is per observation, not per year. */
export interface SharpeSample {
	observations: number;
	/** Mean over sample deviation (n - 1). */
	ratio: number;
	/** Third and fourth standardised moments; a normal sample has 0 and 3. */
	skewness: number;
	kurtosis: number;
}

const EULER_MASCHERONI = 0.5772156649015329;

/** null for fewer than two returns or returns that do not vary. */
export function sharpeSample(returns: readonly number[]): SharpeSample | null {
	const n = returns.length;
	if (n < 2) return null;
	const mean = returns.reduce((sum, value) => sum + value, 0) / n;
	const moment = (power: number) => returns.reduce((sum, value) => sum + (value - mean) ** power, 0) / n;
	const variance = moment(2);
	// Equal returns differ from their mean by rounding alone.
	if (!(Math.sqrt(variance) > 1e-12 * Math.max(...returns.map(Math.abs)))) return null;
	return {
		observations: n,
		ratio: mean / Math.sqrt((variance * n) / (n - 1)),
		skewness: moment(3) / variance ** 1.5,
		kurtosis: moment(4) / variance ** 2,
	};
}

/**
 * Probability that the true ratio exceeds `benchmark`, given length, skewness and tails of the sample
 * (Bailey and Lopez de Prado 2012): Phi((SR - SR*) sqrt(n-1) / sqrt(1 - g3 SR + (g4-1)/4 SR^2)).
 */
export function probabilisticSharpe(sample: SharpeSample, benchmark: number): number {
	const { observations, ratio, skewness, kurtosis } = sample;
	const spread = 1 - skewness * ratio + ((kurtosis - 1) / 4) * ratio * ratio;
	return normalDistribution(((ratio - benchmark) * Math.sqrt(observations - 1)) / Math.sqrt(spread));
}

/**
 * Largest ratio to be expected of `trials` unskilled ones whose ratios vary by `variance` (Bailey and Lopez de
 * Prado 2014): sqrt(V) ((1-g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e))). 0 for a single trial: nothing was chosen.
 */
export function expectedMaximumSharpe(trials: number, variance: number): number {
	if (!Number.isInteger(trials) || trials < 1) throw new RangeError(`trials must be a positive integer, got ${trials}`);
	if (trials === 1) return 0;
	const [first, second] = [normalQuantile(1 - 1 / trials), normalQuantile(1 - 1 / (trials * Math.E))];
	return Math.sqrt(variance) * ((1 - EULER_MASCHERONI) * first + EULER_MASCHERONI * second);
}

/**
 * Deflated Sharpe ratio (Bailey and Lopez de Prado 2014): the probability that a ratio is real although it was
 * seen among `trials` others. `variance` is that of the ratios of all trials, per observation.
 */
export const deflatedSharpe = (sample: SharpeSample, trials: number, variance: number): number =>
	probabilisticSharpe(sample, expectedMaximumSharpe(trials, variance));
