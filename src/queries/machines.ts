import { ApiError } from "../errors.ts";
import { type MachineGraph, machineGraphs } from "../views/machine-graph.ts";
import type { MachineLayout } from "../views/machine-pictures.ts";

export interface MachineQueries {
	list(): object;
	/** `scan` or `strategy`. Throws machine_not_found. */
	one(machineId: string): Promise<object>;
}

/** The definitions do not change while the program runs: each is drawn once, at its first request. */
export function createMachineQueries(): MachineQueries {
	let graphs: MachineGraph[] | null = null;
	const drawn = new Map<string, Promise<object>>();
	const all = () => {
		graphs ??= machineGraphs();
		return graphs;
	};

	async function draw(graph: MachineGraph): Promise<object> {
		// Loaded when somebody looks: the layout engine is larger than the rest of the program.
		const { layoutMachine, mermaidOf } = await import("../views/machine-pictures.ts");
		const layout: MachineLayout = await layoutMachine(graph);
		const { machine_id, version, description, initial, nodes, edges } = graph;
		const mermaid = mermaidOf(graph);
		return { success: true, machine_id, version, description, initial, graph: { nodes, edges }, mermaid, layout };
	}

	return {
		list: () => ({
			success: true,
			machines: all().map(({ machine_id, version, description, nodes, edges }) => ({
				machine_id,
				version,
				description,
				states: nodes.filter(({ parent }) => parent !== null).map(({ name }) => name),
				events: [...new Set(edges.map(({ event }) => event))].filter((event) => event !== "start").sort(),
			})),
		}),
		one(machineId) {
			const graph = all().find(({ machine_id }) => machine_id === machineId);
			if (!graph) return Promise.reject(new ApiError("machine_not_found"));
			const held = drawn.get(machineId) ?? draw(graph);
			drawn.set(machineId, held);
			held.catch(() => drawn.delete(machineId));
			return held;
		},
	};
}
