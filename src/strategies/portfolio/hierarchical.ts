import { quadratic } from "../risk/covariance.ts";

interface Cluster {
	/** Assets in the order of the tree's leaves. */
	leaves: number[];
	id: number;
}

/**
 * Hierarchical risk parity (Lopez de Prado 2016): assets ordered by single linkage of the distances
 * sqrt((1 - correlation)/2), then the weight is split between halves of that order in inverse proportion
 * to their variances. Weights positive, sum one. Ties are settled by position, so give assets in a
 * fixed order.
 */
export function hierarchicalRiskParity(covariance: readonly number[][], correlation = correlationOf(covariance)) {
	const weights = covariance.map(() => 1);
	let parts = [leafOrder(correlation)];
	while (parts.length > 0) {
		const next: number[][] = [];
		for (const part of parts) {
			if (part.length < 2) continue;
			const half = Math.floor(part.length / 2);
			const [left, right] = [part.slice(0, half), part.slice(half)];
			const [ofLeft, ofRight] = [clusterVariance(covariance, left), clusterVariance(covariance, right)];
			const share = ofLeft + ofRight > 0 ? 1 - ofLeft / (ofLeft + ofRight) : 0.5;
			for (const i of left) weights[i] = (weights[i] ?? 0) * share;
			for (const i of right) weights[i] = (weights[i] ?? 0) * (1 - share);
			next.push(left, right);
		}
		parts = next;
	}
	return weights;
}

export const correlationOf = (covariance: readonly number[][]): number[][] =>
	covariance.map((row, i) =>
		row.map((value, j) => {
			const scale = Math.sqrt((covariance[i]?.[i] ?? 0) * (covariance[j]?.[j] ?? 0));
			return i === j ? 1 : scale > 0 ? value / scale : 0;
		}),
	);

/** Leaves of the single-linkage tree, the older cluster on the left. */
export function leafOrder(correlation: readonly number[][]): number[] {
	let clusters: Cluster[] = correlation.map((_, i) => ({ leaves: [i], id: i }));
	const distance = (i: number, j: number): number => Math.sqrt(Math.max(0, (1 - (correlation[i]?.[j] ?? 0)) / 2));
	const pairs = correlation
		.flatMap((_, i) => correlation.slice(i + 1).map((__, k) => ({ i, j: i + 1 + k })))
		.map(({ i, j }) => ({ i, j, d: distance(i, j) }))
		.sort((a, b) => a.d - b.d || a.i - b.i || a.j - b.j);
	let nextId = correlation.length;
	// Single linkage joins clusters along the shortest edges that do not close a circle.
	for (const { i, j } of pairs) {
		const a = clusters.find(({ leaves }) => leaves.includes(i));
		const b = clusters.find(({ leaves }) => leaves.includes(j));
		if (!a || !b || a === b) continue;
		const [left, right] = a.id < b.id ? [a, b] : [b, a];
		const joined = { leaves: [...left.leaves, ...right.leaves], id: nextId++ };
		clusters = [...clusters.filter((cluster) => cluster !== a && cluster !== b), joined];
	}
	return clusters.flatMap(({ leaves }) => leaves);
}

/** Variance of a group held in inverse proportion to its variances. */
function clusterVariance(covariance: readonly number[][], members: readonly number[]): number {
	const inverse = members.map((i) => {
		const variance = covariance[i]?.[i] ?? 0;
		return variance > 0 ? 1 / variance : 0;
	});
	const total = inverse.reduce((sum, value) => sum + value, 0);
	const block = members.map((i) => members.map((j) => covariance[i]?.[j] ?? 0));
	return total > 0
		? quadratic(
				block,
				inverse.map((value) => value / total),
			)
		: 0;
}
