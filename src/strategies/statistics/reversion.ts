/** Bars until half a deviation is gone by Chan's -ln 2 / phi; Infinity where it does not return. */
export const chanHalfLife = (phi: number): number => (phi < 0 ? -Math.LN2 / phi : Number.POSITIVE_INFINITY);

/** Discrete half-life ln 0.5 / ln b of an AR(1) with coefficient `b`; Infinity where it does not return. */
export const autoregressiveHalfLife = (b: number): number =>
	b > 0 && b < 1 ? Math.log(0.5) / Math.log(b) : Number.POSITIVE_INFINITY;
