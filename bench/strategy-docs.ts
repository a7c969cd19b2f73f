/**
 * Writes the tables of docs/: `npm run docs:strategies [-- --data <dir>]`.
 *
 * Inputs, gates and thresholds come from the running definitions; with a recorded data set the measured
 * evidence of each strategy and the comparison in docs/calibration.md are written as well. Only what stands between
 * the comments `generated` is touched.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { collect } from "./calibration/collect.ts";
import { compareScores, compareTable, readRecorded } from "./calibration/compare.ts";
import { scoresMarkdown, tableMarkdown } from "./calibration/compare-text.ts";
import { recordsMarkdown } from "./calibration/text.ts";
import { withBlocks } from "./docs/blocks.ts";
import { evidenceBlock, measureAll } from "./docs/measured.ts";
import { indexTable, pageOf, STRATEGY_IDS, staticBlocks } from "./docs/tables.ts";
import { openScene, REFERENCE_AS_OF_MS } from "./scene.ts";

const DOCS = resolve(import.meta.dirname, "../docs");

function rewrite(path: string, blocks: Record<string, string>): void {
	const file = join(DOCS, path);
	const before = readFileSync(file, "utf8");
	const after = withBlocks(before, blocks);
	if (after !== before) writeFileSync(file, after);
	process.stdout.write(`${after === before ? "same   " : "written"} docs/${path}\n`);
}

async function writeMeasured(data: string): Promise<void> {
	const scene = await openScene(`recorded:${data}`, REFERENCE_AS_OF_MS);
	try {
		const asOf = new Date(scene.asOfMs).toISOString();
		for (const measured of await measureAll(scene, STRATEGY_IDS)) {
			rewrite(`strategies/${pageOf(measured.id)}`, { evidence: evidenceBlock(measured, asOf) });
		}
		const set = readRecorded(data);
		rewrite("calibration.md", {
			table: tableMarkdown(compareTable(set)),
			scores: scoresMarkdown(compareScores(set)),
			records: recordsMarkdown(await collect(scene)),
		});
	} finally {
		await scene.market.close();
	}
}

const { values } = parseArgs({ options: { data: { type: "string" } } });
if (values.data !== undefined && !existsSync(join(values.data, "MANIFEST.json"))) {
	process.stderr.write(`${values.data} holds no recorded data set\nusage: npm run docs:strategies [-- --data <dir>]\n`);
	process.exitCode = 2;
} else {
	rewrite("strategies/README.md", { index: indexTable() });
	for (const id of STRATEGY_IDS) rewrite(`strategies/${pageOf(id)}`, staticBlocks(id));
	if (values.data !== undefined) await writeMeasured(values.data);
}
