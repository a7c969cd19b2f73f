import { words } from "../../lib/format.ts";
import { html } from "../../lib/html.ts";
import { eventName, type GraphEdge, type GraphNode, type Machine, stateName } from "./machine.ts";

const TEXT_MAX = 48;
/** The server leaves so much room in a state for each transition that stays in it. */
const LOOP_PX = 16;
const cut = (text: string): string => (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text);

const edgeText = (edge: GraphEdge): string => `${eventName(edge)}${edge.guard ? ` [${edge.guard}]` : ""}`;

interface ChartProps {
	machine: Machine;
	current: string;
	visited: ReadonlySet<string>;
	taken: ReadonlySet<string>;
}

/** A machine drawn where the server laid it out; the present state is lit, the path to it is marked. */
export function Chart({ machine, current, visited, taken }: ChartProps) {
	const { graph, layout, machine_id } = machine;
	const parents = new Set(graph.nodes.map(({ parent }) => parent));
	const tip = `tip-${machine_id}`;
	// What was taken lies above the rest.
	const edges = [...graph.edges].sort((a, b) => Number(taken.has(a.id)) - Number(taken.has(b.id)));
	return html`<div class="scroll" tabindex="0" role="region" aria-label=${`Statechart ${machine_id}, scrolls`}>
		<svg
			class="statechart"
			width=${layout.width}
			height=${layout.height}
			viewBox=${`0 0 ${layout.width} ${layout.height}`}
			role="img"
			aria-label=${`Statechart of the ${machine_id} machine, now in ${words(current)}; the transitions are listed below`}
		>
			<defs>
				${["", "-taken"].map(
					(kind) =>
						html`<marker id=${tip + kind} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse">
							<path d="M0 0 L8 4 L0 8 z" class=${`tip${kind}`} />
						</marker>`,
				)}
			</defs>
			${graph.nodes.map(
				(node) =>
					html`<${NodeShape} key=${node.id} node=${node} machine=${machine} frame=${parents.has(node.id)}
						lit=${stateName(node.id) === current} visited=${visited.has(stateName(node.id))} />`,
			)}
			${edges.map((edge) => html`<${EdgeShape} key=${edge.id} edge=${edge} machine=${machine} taken=${taken.has(edge.id)} tip=${tip} />`)}
		</svg>
	</div>`;
}

interface NodeProps {
	node: GraphNode;
	machine: Machine;
	frame: boolean;
	lit: boolean;
	visited: boolean;
}

function NodeShape({ node, machine, frame, lit, visited }: NodeProps) {
	const box = machine.layout.nodes[node.id];
	if (!box) return null;
	const { x, y, width, height } = box;
	// Transitions at the root lead away from any state that is not final.
	const name = node.parent === null ? "any state" : stateName(node.id);
	const kind = [frame ? "frame" : "node", node.type, lit ? "lit" : "", visited ? "visited" : ""]
		.filter(Boolean)
		.join(" ");
	const loops = machine.graph.edges.filter(({ source, target }) => source === node.id && target === node.id);
	return html`<g class=${kind} data-state=${name}>
		<title>${`${name}${node.type === "final" ? ", final" : ""}${lit ? ", now" : ""}`}</title>
		<rect x=${x} y=${y} width=${width} height=${height} rx="8" />
		${node.type === "final" && !frame && html`<rect x=${x + 3} y=${y + 3} width=${width - 6} height=${height - 6} rx="6" />`}
		${loops.map(
			(
				edge,
				i,
			) => html`<text class="small" key=${edge.id} x=${x + width / 2} y=${y + 22 + (i + 1) * LOOP_PX} text-anchor="middle">
				${cut(edgeText(edge))}<title>${`stays: ${edgeText(edge)}${edge.actions.length > 0 ? ` / ${edge.actions.join(", ")}` : ""}`}</title>
			</text>`,
		)}
		<text x=${frame ? x + 10 : x + width / 2} y=${frame ? y + 16 : loops.length > 0 ? y + 22 : y + height / 2 + 5} text-anchor=${frame ? "start" : "middle"}>${name}</text>
	</g>`;
}

function EdgeShape({ edge, machine, taken, tip }: { edge: GraphEdge; machine: Machine; taken: boolean; tip: string }) {
	const drawn = machine.layout.edges[edge.id];
	if (!drawn || drawn.points.length < 2) return null;
	const { points, label } = drawn;
	const text = edgeText(edge);
	return html`<g class=${taken ? "edge taken" : "edge"} data-edge=${edge.id}>
		<title>${`${stateName(edge.source)} to ${stateName(edge.target)}: ${text}${edge.actions.length > 0 ? ` / ${edge.actions.join(", ")}` : ""}`}</title>
		<polyline points=${points.map(({ x, y }) => `${x},${y}`).join(" ")} marker-end=${`url(#${tip}${taken ? "-taken" : ""})`} />
		${label && html`<text class="small" x=${label.x} y=${label.y + 11}>${cut(text)}</text>`}
	</g>`;
}

/** The same for readers who do not see the picture, and for those who look for a guard or an action. */
export function Transitions({ machine, taken }: { machine: Machine; taken: ReadonlySet<string> }) {
	return html`<details>
		<summary>Transitions of the ${machine.machine_id} machine as a table</summary>
		<div class="scroll" tabindex="0" role="region" aria-label=${`Transitions of ${machine.machine_id}`}>
			<table>
				<thead><tr><th>From</th><th>Event</th><th>Guard</th><th>To</th><th>Actions</th><th>Path</th></tr></thead>
				<tbody>
					${machine.graph.edges.map(
						(edge) =>
							html`<tr key=${edge.id}>
								<td>${stateName(edge.source)}</td><td class="mono">${eventName(edge)}</td>
								<td class="mono">${edge.guard ?? "–"}</td><td>${stateName(edge.target)}</td>
								<td class="mono">${edge.actions.join(", ") || "–"}</td><td>${taken.has(edge.id) ? "taken" : ""}</td>
							</tr>`,
					)}
				</tbody>
			</table>
		</div>
	</details>`;
}
