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
	const edges = spanningTree(correlation).sort((a, b) => a.distance - b.distance || a.i - b.i || a.j - b.j);
	const clusterOf: Cluster[] = correlation.map((_, id) => ({ leaves: [id], id }));
	let nextId = correlation.length;
	// Single linkage joins clusters along the edges of the shortest tree, shortest first.
	for (const { i, j } of edges) {
		const [a, b] = [clusterOf[i], clusterOf[j]];
		if (!a || !b) continue;
		const [left, right] = a.id < b.id ? [a, b] : [b, a];
		const joined = { leaves: [...left.leaves, ...right.leaves], id: nextId++ };
		for (const leaf of joined.leaves) clusterOf[leaf] = joined;
	}
	return clusterOf[0]?.leaves ?? [];
}

interface Edge {
	i: number;
	j: number;
	distance: number;
}

/** Prim's shortest tree over the distances sqrt((1 - correlation)/2). */
function spanningTree(correlation: readonly number[][]): Edge[] {
	const distance = (i: number, j: number): number => Math.sqrt(Math.max(0, (1 - (correlation[i]?.[j] ?? 0)) / 2));
	const nearest = correlation.map((_, j): Edge => ({ i: 0, j, distance: distance(0, j) }));
	const outside = new Set(nearest.keys());
	outside.delete(0);
	const edges: Edge[] = [];
	while (outside.size > 0) {
		let best: Edge | null = null;
		for (const j of outside) {
			const edge = nearest[j];
			if (edge && (best === null || edge.distance < best.distance)) best = edge;
		}
		if (best === null) break;
		edges.push({ i: Math.min(best.i, best.j), j: Math.max(best.i, best.j), distance: best.distance });
		outside.delete(best.j);
		for (const j of outside) {
			const shorter = distance(best.j, j);
			if (shorter < (nearest[j]?.distance ?? Number.POSITIVE_INFINITY))
				nearest[j] = { i: best.j, j, distance: shorter };
		}
	}
	return edges;
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
