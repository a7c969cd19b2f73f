import { indexTable, pageOf, STRATEGY_IDS, staticBlocks } from "./docs/tables.ts";

console.log(indexTable());
for (const id of STRATEGY_IDS.slice(0, 15)) {
	console.log(pageOf(id));
	const b = staticBlocks(id);
	console.log(b.inputs, "\n", b.gates, "\n", b.numbers);
}
