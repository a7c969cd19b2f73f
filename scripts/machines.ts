/**
 * Draws the machines into docs/machines and the scan's into the README: `npm run machines`.
 * Tests fail when they are out of date.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machineGraphs } from "../src/views/machine-graph.ts";
import { layoutMachine, mermaidOf, svgOf } from "../src/views/machine-pictures.ts";

const root = join(import.meta.dirname, "..");
const out = join(root, "docs", "machines");
const readme = join(root, "README.md");
mkdirSync(out, { recursive: true });
for (const graph of machineGraphs()) {
	const layout = await layoutMachine(graph);
	const mermaid = mermaidOf(graph);
	writeFileSync(join(out, `${graph.machine_id}.svg`), svgOf(graph, layout));
	writeFileSync(join(out, `${graph.machine_id}.mmd`), mermaid);
	if (graph.machine_id !== "scan") continue;
	const text = readFileSync(readme, "utf8");
	writeFileSync(
		readme,
		text.replace(/```mermaid\n[\s\S]*?```/, () => `\`\`\`mermaid\n${mermaid}\`\`\``),
	);
}
