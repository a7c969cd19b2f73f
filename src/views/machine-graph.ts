import { toDirectedGraph } from "xstate/graph";
import { scanMachine } from "../../machines/scan.ts";
import { STEPS } from "../../machines/scan-table.ts";
import { strategyMachine } from "../../machines/strategy.ts";

/** A state of a machine as pictures show it. */
export interface GraphNode {
	id: string;
	/** Word of the state; the machine's own id for the whole. */
	name: string;
	parent: string | null;
	type: "atomic" | "compound" | "final" | "parallel" | "history";
	tags: string[];
	description: string | null;
}

/** A transition: what brings it about, under which guard, and everything that is done when it is taken. */
export interface GraphEdge {
	id: string;
	source: string;
	target: string;
	/** An event's type, `after <delay>`, `always`, or `start`. */
	event: string;
	guard: string | null;
	/** Named actions in order; a step is followed by the journal entries and effects that it may cause. */
	actions: string[];
}

export interface MachineGraph {
	machine_id: string;
	version: number;
	description: string;
	initial: string;
	nodes: GraphNode[];
	edges: GraphEdge[];
}

type Directed = ReturnType<typeof toDirectedGraph>;
type StateNode = Directed["stateNode"];

const MACHINES = [scanMachine, strategyMachine] as const;

/** The machines of this program, drawn from the definitions that run. */
export const machineGraphs = (): MachineGraph[] => MACHINES.map((machine) => graphOf(toDirectedGraph(machine)));

/** `scan.v1` -> scan and 1. */
function identityOf(id: string): { machine_id: string; version: number } {
	const [, machine_id = id, version = "1"] = /^(.+)\.v(\d+)$/.exec(id) ?? [];
	return { machine_id, version: Number(version) };
}

function graphOf(root: Directed): MachineGraph {
	const all = flatten(root);
	const { stateNode } = root;
	const initial = stateNode.initial.target?.[0];
	const first: GraphEdge[] = initial
		? [
				{
					id: `${root.id}:start`,
					source: root.id,
					target: initial.id,
					event: "start",
					guard: null,
					actions: entryOf(initial),
				},
			]
		: [];
	return {
		...identityOf(root.id),
		description: stateNode.description ?? "",
		initial: initial?.id ?? root.id,
		nodes: all.map(({ id, stateNode: node }) => ({
			id,
			name: node.key.replace(/^\(machine\)$/, root.id),
			parent: node.parent?.id ?? null,
			type: node.type,
			tags: [...node.tags],
			description: node.description ?? null,
		})),
		edges: [...first, ...all.flatMap((node) => [...node.edges.map(edgeOf), ...eventless(node)])],
	};
}

const flatten = (node: Directed): Directed[] => [node, ...node.children.flatMap(flatten)];

function edgeOf({ id, source, target, transition }: Directed["edges"][number]): GraphEdge {
	const moves = (transition.target?.length ?? 0) > 0;
	return {
		id,
		source: source.id,
		target: target.id,
		event: eventOf(transition.eventType),
		guard: nameOf(transition.guard),
		actions: [...transition.actions.flatMap(namesOf), ...(moves ? entryOf(target) : [])],
	};
}

/** Transitions that wait for no event; the library's graph leaves them out. */
function eventless({ id, stateNode }: Directed): GraphEdge[] {
	return (stateNode.always ?? []).map((transition, i) => {
		const target = transition.target?.[0] ?? stateNode;
		const actions = [...transition.actions.flatMap(namesOf), ...entryOf(target)];
		return {
			id: `${id}:always:${i}`,
			source: id,
			target: target.id,
			event: "always",
			guard: nameOf(transition.guard),
			actions,
		};
	});
}

const eventOf = (type: string): string => {
	if (type === "") return "always";
	const delay = /^xstate\.after\.([^.]+)\./.exec(type)?.[1];
	return delay ? `after ${delay}` : type;
};

const entryOf = (node: StateNode): string[] => node.entry.flatMap(namesOf);

function nameOf(named: unknown): string | null {
	if (typeof named === "string") return named;
	const { type, params } = (named ?? {}) as { type?: unknown; params?: unknown };
	if (typeof type !== "string") return null;
	const fixed = typeof params === "object" && params !== null ? Object.values(params).join(", ") : "";
	return fixed === "" ? type : `${type} ${fixed}`;
}

/** Raised and cancelled deadlines of XState itself are no actions of ours. */
function namesOf(action: unknown): string[] {
	const type =
		typeof action === "string" ? action : ((action as { type?: unknown } | null)?.type as string | undefined);
	if (type === undefined || type.startsWith("xstate.")) return [];
	const step = Object.hasOwn(STEPS, type) ? STEPS[type as keyof typeof STEPS] : null;
	return [type, ...(step?.writes ?? [])];
}
