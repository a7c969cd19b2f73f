import { createRequire } from "node:module";

/** The part of jstat that is used here; the package brings no types. */
interface Distributions {
	normal: {
		cdf(x: number, mean: number, deviation: number): number;
		inv(p: number, mean: number, deviation: number): number;
	};
}

const distributions = createRequire(import.meta.url)("jstat") as Distributions;

/** Distribution function of the standard normal. */
export const normalDistribution = (x: number): number => distributions.normal.cdf(x, 0, 1);

/** Its inverse, 0 < p < 1. */
export const normalQuantile = (p: number): number => distributions.normal.inv(p, 0, 1);
