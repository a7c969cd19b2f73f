import ElkConstructor from "elkjs/lib/elk.bundled.js";
import type { GraphEdge, MachineGraph } from "./machine-graph.ts";

/** Places for the states and transitions of one machine, in pixels of an SVG of `width` x `height`. */
export interface MachineLayout {
	width: number;
	height: number;
	nodes: Record<string, { x: number; y: number; width: number; height: number }>;
	edges: Record<string, { points: { x: number; y: number }[]; label: { x: number; y: number } | null }>;
}

const CHARACTER_PX = 7;
const LINE_PX = 16;

/** The short text at a transition: event and guard; actions are told elsewhere. */
export const edgeText = ({ event, guard }: Pick<GraphEdge, "event" | "guard">): string =>
	guard === null ? event : `${event} [${guard}]`;

/** States of the machine itself, without the frame around them. */
const innerNodes = ({ nodes }: MachineGraph) => nodes.filter(({ parent }) => parent !== null);
const rootOf = ({ nodes }: MachineGraph): string => nodes.find(({ parent }) => parent === null)?.id ?? "";

/**
 * Layered layout from top to bottom. Transitions that lead away from any state start at the frame, which
 * stands as a box of its own above the others.
 */
export async function layoutMachine(graph: MachineGraph): Promise<MachineLayout> {
	const root = rootOf(graph);
	const boxes = [{ id: root, name: "any state" }, ...innerNodes(graph).map(({ id, name }) => ({ id, name }))];
	const loops = graph.edges.filter(({ source, target }) => source === target);
	const moves = graph.edges.filter(({ source, target }) => source !== target && target !== root);
	const elk = new (ElkConstructor as unknown as new () => Elk)();
	const laid = await elk.layout({
		id: "machine",
		layoutOptions: {
			"elk.algorithm": "layered",
			"elk.direction": "DOWN",
			"elk.edgeRouting": "ORTHOGONAL",
			"elk.layered.spacing.nodeNodeBetweenLayers": "56",
			"elk.spacing.nodeNode": "48",
			"elk.spacing.edgeLabel": "6",
			"elk.padding": "[top=16,left=16,bottom=16,right=16]",
		},
		children: boxes.map(({ id, name }) => {
			const own = loops.filter(({ source }) => source === id);
			const texts = own.map((edge) => edgeText(edge).length * CHARACTER_PX + 12);
			return { id, width: Math.max(96, name.length * 9 + 28, ...texts), height: 36 + own.length * LINE_PX };
		}),
		edges: moves.map((edge) => ({
			id: edge.id,
			sources: [edge.source],
			targets: [edge.target],
			labels: [{ text: edgeText(edge), width: edgeText(edge).length * CHARACTER_PX, height: LINE_PX }],
		})),
	});
	return {
		width: Math.ceil(laid.width ?? 0),
		height: Math.ceil(laid.height ?? 0),
		nodes: Object.fromEntries(
			(laid.children ?? []).map(({ id, x = 0, y = 0, width = 0, height = 0 }) => [id, { x, y, width, height }]),
		),
		edges: Object.fromEntries((laid.edges ?? []).map((edge) => [edge.id, placesOf(edge)])),
	};
}

interface Point {
	x: number;
	y: number;
}
interface ElkEdge {
	id: string;
	sections?: { startPoint: Point; bendPoints?: Point[]; endPoint: Point }[];
	labels?: { x?: number; y?: number }[];
}
interface ElkGraph {
	width?: number;
	height?: number;
	children?: { id: string; x?: number; y?: number; width?: number; height?: number }[];
	edges?: ElkEdge[];
}
interface Elk {
	layout(graph: object): Promise<ElkGraph>;
}

function placesOf({ sections = [], labels = [] }: ElkEdge): MachineLayout["edges"][string] {
	const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
	const [label] = labels;
	return { points, label: label ? { x: label.x ?? 0, y: (label.y ?? 0) + LINE_PX - 4 } : null };
}

/** The machine as a Mermaid state diagram. */
export function mermaidOf(graph: MachineGraph): string {
	const root = rootOf(graph);
	const names = new Map(graph.nodes.map(({ id, name }) => [id, name]));
	const nameOf = (id: string) => (id === root ? "any_state" : (names.get(id) ?? id));
	const lines = ["stateDiagram-v2"];
	if (graph.edges.some(({ source, event }) => source === root && event !== "start"))
		lines.push("  any_state: any state");
	for (const edge of graph.edges) {
		if (edge.event === "start") lines.push(`  [*] --> ${nameOf(edge.target)}`);
		else if (edge.target !== root) lines.push(`  ${nameOf(edge.source)} --> ${nameOf(edge.target)}: ${edgeText(edge)}`);
	}
	for (const { id, type } of graph.nodes) if (type === "final") lines.push(`  ${nameOf(id)} --> [*]`);
	return `${lines.join("\n")}\n`;
}

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** The machine as an SVG document that stands for itself: readable in light and dark. */
export function svgOf(graph: MachineGraph, layout: MachineLayout): string {
	const root = rootOf(graph);
	const edges = graph.edges.flatMap((edge) => {
		const place = layout.edges[edge.id];
		if (!place) return [];
		const path = place.points.map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${round(x)} ${round(y)}`).join(" ");
		const title = `<title>${escaped([edgeText(edge), ...edge.actions].join("\n"))}</title>`;
		const label = place.label
			? `<text x="${round(place.label.x)}" y="${round(place.label.y)}">${escaped(edgeText(edge))}</text>`
			: "";
		return [`<g class="edge">${title}<path d="${path}" marker-end="url(#tip)"/>${label}</g>`];
	});
	const nodes = graph.nodes.flatMap(({ id, name, type, description, parent }) => {
		const box = layout.nodes[id];
		if (!box) return [];
		const loops = graph.edges.filter(({ source, target }) => source === id && target === id);
		const title = description ? `<title>${escaped(description)}</title>` : "";
		const lines = [parent === null ? "any state" : name, ...loops.map(edgeText)].map(
			(text, i) =>
				`<text x="${round(box.x + box.width / 2)}" y="${round(box.y + 22 + i * LINE_PX)}" text-anchor="middle"${i === 0 ? ' font-weight="bold"' : ""}>${escaped(text)}</text>`,
		);
		const kind = id === root ? "frame" : type;
		return [
			`<g class="${kind}">${title}<rect x="${round(box.x)}" y="${round(box.y)}" width="${round(box.width)}" height="${round(box.height)}" rx="6"/>${lines.join("")}</g>`,
		];
	});
	const style =
		"text{font:12px sans-serif;fill:#17202c}rect{fill:#fff;stroke:#556274}.final rect{stroke-width:3}.frame rect{stroke-dasharray:4}path{fill:none;stroke:#556274}.ground{fill:#f6f7f9;stroke:none}";
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${layout.width} ${layout.height}" width="${layout.width}" height="${layout.height}" role="img"><title>${escaped(graph.description)}</title><style>${style}</style><defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:#556274;stroke:none"/></marker></defs><rect class="ground" width="${layout.width}" height="${layout.height}"/>${edges.join("")}${nodes.join("")}</svg>\n`;
}

const round = (value: number): string => String(Math.round(value * 10) / 10);
