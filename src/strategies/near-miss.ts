import type { NearMiss } from "../../machines/types.ts";

export const NEAR_MISSES_MAX = 3;

/** The three candidates that came closest, nearest first; equally near: the larger value, then by symbol. */
export function nearest(misses: readonly NearMiss[]): NearMiss[] {
	const distance = (miss: NearMiss) => miss.distance ?? Number.POSITIVE_INFINITY;
	const size = (miss: NearMiss) => Math.abs(miss.value ?? 0);
	return [...misses]
		.sort(
			(a, b) =>
				distance(a) - distance(b) || size(b) - size(a) || (a.symbol < b.symbol ? -1 : a.symbol > b.symbol ? 1 : 0),
		)
		.slice(0, NEAR_MISSES_MAX);
}
