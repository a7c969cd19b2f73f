import { get } from "../../lib/api.ts";
import type { Step } from "./fold.ts";

/** A machine's definition as the server draws it. */
export interface Machine {
	machine_id: string;
	version: number;
	initial: string;
	graph: { nodes: GraphNode[]; edges: GraphEdge[] };
	layout: {
		width: number;
		height: number;
		nodes: Record<string, { x: number; y: number; width: number; height: number }>;
		edges: Record<string, { points: { x: number; y: number }[]; label: { x: number; y: number } | null }>;
	};
}

export interface GraphNode {
	id: string;
	parent: string | null;
	type: string;
	tags: string[];
}

export interface GraphEdge {
	id: string;
	source: string;
	target: string;
	event: string;
	guard: string | null;
	actions: string[];
}

const read = new Map<string, Promise<Machine>>();

/** Read once: a definition never changes while the server runs. Throws ApiProblem. */
export function readMachine(id: string): Promise<Machine> {
	const held = read.get(id);
	if (held) return held;
	const fresh = get(`/machines/${encodeURIComponent(id)}`).then(({ body }) => body as unknown as Machine);
	fresh.catch(() => read.delete(id));
	read.set(id, fresh);
	return fresh;
}

/** The state's own name: ids may carry the machine's and the parent's in front. */
export const stateName = (nodeId: string): string => nodeId.slice(nodeId.lastIndexOf(".") + 1);

/** A delayed transition carries its state's id in its event's name; people look for the delay's. */
export const eventName = ({ event }: GraphEdge): string =>
	event.replace(/^xstate\.after\.([^.]+)\..*$/, "after $1") || "always";

/** Transitions that led through these states. Of several between the same two, those whose event was journalled. */
export function takenEdges({ graph }: Machine, steps: readonly Omit<Step, "types">[] | readonly Step[]): Set<string> {
	const roots = new Set(graph.nodes.filter(({ parent }) => parent === null).map(({ id }) => id));
	const taken = new Set<string>();
	for (const step of steps) {
		const into = graph.edges.filter(({ target }) => stateName(target) === step.to);
		const direct = into.filter(({ source }) => stateName(source) === step.from);
		const fromRoot = into.filter(({ source }) => roots.has(source) && stateName(source) !== step.from);
		const types = "types" in step ? step.types : new Set<string>();
		const named = [...direct, ...fromRoot].filter(({ event }) => types.has(event));
		const fitting = named.length > 0 ? named : direct.length > 0 ? direct : fromRoot;
		for (const { id } of fitting) taken.add(id);
	}
	return taken;
}

/** States in their order as steps from one to the next. */
export const stepsOf = (path: readonly string[]): { from: string; to: string }[] =>
	path.slice(1).map((to, i) => ({ from: path[i] ?? "", to }));
