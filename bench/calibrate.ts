/**
 * How far stated probabilities held: `npm run calibrate -- --data <dir> [--out <dir>] [--as-of <time>]`.
 *
 * Replays every registered strategy's walk-forward over a recorded data set through the real adapter, then the
 * rules of the published table over its files, and writes `reliability.txt`, `reliability.svg` and
 * `comparison.txt` into the output folder (default `data/calibration`). Nothing of the future is known to a
 * forecast: each probability rests on trades that had ended when its signal came.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { collect } from "./calibration/collect.ts";
import { compareScores, compareTable, readRecorded, tableRecords } from "./calibration/compare.ts";
import { compareText } from "./calibration/compare-text.ts";
import { reliabilitySvg } from "./calibration/svg.ts";
import { reliabilityText } from "./calibration/text.ts";
import { openScene } from "./scene.ts";

const USAGE = "usage: npm run calibrate -- --data <dir> [--out <dir>] [--as-of <ISO time>]";
const OUT = "data/calibration";

interface Settings {
	data: string;
	out: string;
	asOfMs: number | null;
}

/** The settings, or what is wrong with the words given. */
function settings(): Settings | string {
	const { values } = parseArgs({
		options: { data: { type: "string" }, out: { type: "string" }, "as-of": { type: "string" } },
	});
	const asOfMs = values["as-of"] === undefined ? null : Date.parse(values["as-of"]);
	if (!values.data) return "--data is missing";
	if (!existsSync(join(values.data, "MANIFEST.json"))) return `${values.data} holds no recorded data set`;
	if (Number.isNaN(asOfMs)) return `--as-of ${values["as-of"]} is no time`;
	return { data: values.data, out: values.out ?? OUT, asOfMs };
}

async function run({ data, out, asOfMs }: Settings): Promise<void> {
	const scene = await openScene(`recorded:${data}`, asOfMs);
	try {
		const set = readRecorded(data);
		const records = [...(await collect(scene)), ...tableRecords(set)];
		const asOf = new Date(scene.asOfMs).toISOString();
		const title = `Stated probabilities against outcomes, ${scene.market.source.name} as of ${asOf}`;
		const text = reliabilityText(title, records);
		const comparison = compareText(compareTable(set), compareScores(set));
		await mkdir(out, { recursive: true });
		await writeFile(join(out, "reliability.txt"), `${text}\n`);
		await writeFile(join(out, "reliability.svg"), reliabilitySvg(title, records));
		await writeFile(join(out, "comparison.txt"), `${comparison}\n`);
		process.stdout.write(`${text}\n\n${comparison}\n\n`);
		process.stdout.write(`written to ${out}: reliability.txt, reliability.svg, comparison.txt\n`);
	} finally {
		await scene.market.close();
	}
}

let chosen: Settings | string;
try {
	chosen = settings();
} catch (error) {
	chosen = error instanceof Error ? error.message : String(error);
}
if (typeof chosen === "string") {
	process.stderr.write(`${chosen}\n${USAGE}\n`);
	process.exitCode = 2;
} else await run(chosen);
