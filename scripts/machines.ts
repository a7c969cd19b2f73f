/** Draws the machines into docs/machines: `npm run machines`. A test fails when the files are out of date. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { machineGraphs } from "../src/views/machine-graph.ts";
import { layoutMachine, mermaidOf, svgOf } from "../src/views/machine-pictures.ts";

const out = join(import.meta.dirname, "..", "docs", "machines");
mkdirSync(out, { recursive: true });
for (const graph of machineGraphs()) {
	const layout = await layoutMachine(graph);
	writeFileSync(join(out, `${graph.machine_id}.svg`), svgOf(graph, layout));
	writeFileSync(join(out, `${graph.machine_id}.mmd`), mermaidOf(graph));
}
