import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EFFECT_TYPES, JOURNAL_TYPES } from "../../machines/events.ts";
import { STEPS } from "../../machines/scan-table.ts";
import { PHASES, VERDICTS } from "../../machines/types.ts";
import { createMachineQueries } from "../../src/queries/machines.ts";
import { machineGraphs } from "../../src/views/machine-graph.ts";
import { layoutMachine, mermaidOf, svgOf } from "../../src/views/machine-pictures.ts";

const machines = suite("views: pictures of the machines");

const DOCS = join(import.meta.dirname, "..", "..", "docs", "machines");
const graphs = machineGraphs();
const graphOf = (id: string) => {
	const found = graphs.find(({ machine_id }) => machine_id === id);
	if (!found) throw new Error(`no machine ${id}`);
	return found;
};

machines("every phase and verdict is a state; every journal type and effect stands in the scan's graph", () => {
	const scan = graphOf("scan");
	assert.is(scan.version, 1);
	const states = scan.nodes.map(({ name }) => name);
	for (const phase of ["queued", ...PHASES]) assert.ok(states.includes(phase), phase);
	const words = new Set(scan.edges.flatMap(({ event, actions }) => [event, ...actions]));
	for (const type of [...JOURNAL_TYPES, ...EFFECT_TYPES]) assert.ok(words.has(type), type);
	for (const name of Object.keys(STEPS)) assert.ok(words.has(name), `${name} is a step that no transition takes`);
	const verdicts = graphOf("strategy")
		.nodes.filter(({ type }) => type === "final")
		.map(({ name }) => name);
	assert.equal(verdicts.sort(), [...VERDICTS].sort());
});

machines("ends are where no transition begins, and every state can be reached", () => {
	for (const { nodes, edges, initial } of graphs) {
		const root = nodes.find(({ parent }) => parent === null)?.id;
		const reached = new Set([initial]);
		for (let grown = true; grown; ) {
			const before = reached.size;
			for (const { source, target } of edges) if (source === root || reached.has(source)) reached.add(target);
			grown = reached.size > before;
		}
		for (const { id, type, parent } of nodes) {
			if (parent === null) continue;
			assert.ok(reached.has(id), `${id} can be reached`);
			if (type === "final") assert.not.ok(edges.some(({ source }) => source === id));
		}
	}
});

machines("the committed pictures are those of the definitions that run (npm run machines)", async () => {
	for (const graph of graphs) {
		const layout = await layoutMachine(graph);
		const committed = (name: string) => (existsSync(join(DOCS, name)) ? readFileSync(join(DOCS, name), "utf8") : "");
		assert.is(committed(`${graph.machine_id}.mmd`), mermaidOf(graph));
		assert.is(committed(`${graph.machine_id}.svg`), svgOf(graph, layout));
		for (const { id, parent } of graph.nodes) if (parent !== null) assert.ok(layout.nodes[id], id);
	}
});

machines("a machine is drawn once; an unknown one says so", async () => {
	const queries = createMachineQueries();
	const [a, b] = await Promise.all([queries.one("scan"), queries.one("scan")]);
	assert.is(a, b);
	await queries.one("scan.v1").then(
		() => assert.unreachable(),
		(error: { code: string }) => assert.is(error.code, "machine_not_found"),
	);
});

machines.run();
