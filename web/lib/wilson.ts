const Z_95 = 1.959964;

/** Wilson score interval of a share at 95 %, for a number of independent trials. */
export function wilson(rate: number, n: number): [low: number, high: number] {
	const z2 = Z_95 * Z_95;
	const centre = (rate + z2 / (2 * n)) / (1 + z2 / n);
	const half = (Z_95 * Math.sqrt((rate * (1 - rate)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
	return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
