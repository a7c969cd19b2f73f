import { at, type Column } from "../columns.ts";
import { dot } from "./least-squares.ts";

/**
 * Speed at which residuals around 0 return: phi of de = phi * e(-1), least squares without a constant
 * (Chan 2013, chapter 2). Negative where they return.
 */
export function errorCorrectionSpeed(residuals: Column): number {
	const before = residuals.subarray(0, residuals.length - 1);
	const change = before.map((value, t) => at(residuals, t + 1) - value);
	return dot(before, change) / dot(before, before);
}

/** Bars until half a deviation is gone by Chan's -ln 2 / phi; Infinity where it does not return. */
export const chanHalfLife = (phi: number): number => (phi < 0 ? -Math.LN2 / phi : Number.POSITIVE_INFINITY);

/** Discrete half-life ln 0.5 / ln b of an AR(1) with coefficient `b`; Infinity where it does not return. */
export const autoregressiveHalfLife = (b: number): number =>
	b > 0 && b < 1 ? Math.log(0.5) / Math.log(b) : Number.POSITIVE_INFINITY;
