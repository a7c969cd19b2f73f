/**
 * Prints a machine as a Mermaid state diagram, from the running definition:
 * `node --import tsx scripts/machine.mjs scan` (or strategy).
 */
import { fileURLToPath } from "node:url";

/** Event as shown: the machine's own timers and completions get a plain word. */
const labelOf = (eventType, guard) => {
	const event = eventType.startsWith("xstate.after") ? "deadline" : eventType === "" ? "" : eventType;
	const condition = guard ? ` [${typeof guard === "string" ? guard : (guard.type ?? "guard")}]` : "";
	return `${event}${condition}`.trim();
};

const nameOf = (node) => node.path.join("_");

function linesOf(node, depth) {
	const indent = "\t".repeat(depth);
	const children = Object.values(node.states);
	const lines = [];
	for (const child of children) {
		if (Object.keys(child.states).length > 0) {
			lines.push(`${indent}state ${nameOf(child)} {`, ...linesOf(child, depth + 1), `${indent}}`);
		}
	}
	for (const target of node.initial?.target ?? []) lines.push(`${indent}[*] --> ${nameOf(target)}`);
	for (const child of children) {
		for (const transition of [...child.transitions.values()].flat().concat(child.always ?? [])) {
			for (const target of transition.target ?? []) {
				const label = labelOf(transition.eventType, transition.guard);
				lines.push(`${indent}${nameOf(child)} --> ${nameOf(target)}${label === "" ? "" : `: ${label}`}`);
			}
		}
		if (child.type === "final") lines.push(`${indent}${nameOf(child)} --> [*]`);
	}
	return lines;
}

/** Transitions that stand at the root lead from every state that is not final. */
function rootLines(root) {
	const edges = [...root.transitions.values()]
		.flat()
		.flatMap((transition) =>
			(transition.target ?? []).map(
				(target) => `\topen --> ${nameOf(target)}: ${labelOf(transition.eventType, transition.guard)}`,
			),
		);
	return edges.length > 0 ? ["\topen: any state that is not final", ...edges] : [];
}

/** Mermaid text without a final newline; the same edge is told once. */
export const mermaidOf = (machine) =>
	["stateDiagram-v2", ...new Set([...linesOf(machine.root, 1), ...rootLines(machine.root)])].join("\n");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const name = process.argv[2] ?? "scan";
	const { scanMachine } = await import("../machines/scan.ts");
	const { strategyMachine } = await import("../machines/strategy.ts");
	const machine = { scan: scanMachine, strategy: strategyMachine }[name];
	if (!machine) {
		console.error(`no machine '${name}'; there are scan and strategy`);
		process.exit(1);
	}
	console.log(mermaidOf(machine));
}
