/**
 * How far stated probabilities held: `npm run calibrate -- --data <dir> --out <dir> [--as-of <time>]`.
 *
 * Replays every registered strategy's walk-forward over a recorded data set through the real adapter and
 * writes `reliability.txt` and `reliability.svg` into the output folder. Nothing of the future is known to
 * a forecast: each probability rests on trades that had ended when its signal came.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { collect } from "./calibration/collect.ts";
import { reliabilitySvg } from "./calibration/svg.ts";
import { reliabilityText } from "./calibration/text.ts";
import { openScene } from "./scene.ts";

const USAGE = "usage: npm run calibrate -- --data <dir> --out <dir> [--as-of <ISO time>]";

function settings(): { data: string; out: string; asOfMs: number | null } | null {
	const { values } = parseArgs({
		options: { data: { type: "string" }, out: { type: "string" }, "as-of": { type: "string" } },
	});
	const asOfMs = values["as-of"] === undefined ? null : Date.parse(values["as-of"]);
	if (!values.data || !values.out || Number.isNaN(asOfMs)) return null;
	return { data: values.data, out: values.out, asOfMs };
}

const chosen = settings();
if (chosen === null) {
	process.stderr.write(`${USAGE}\n`);
	process.exitCode = 2;
} else {
	const scene = await openScene(`recorded:${chosen.data}`, chosen.asOfMs);
	try {
		const records = await collect(scene);
		const asOf = new Date(scene.asOfMs).toISOString();
		const title = `Stated probabilities against outcomes, ${scene.market.source.name} as of ${asOf}`;
		const text = reliabilityText(title, records);
		await mkdir(chosen.out, { recursive: true });
		await writeFile(join(chosen.out, "reliability.txt"), `${text}\n`);
		await writeFile(join(chosen.out, "reliability.svg"), reliabilitySvg(title, records));
		process.stdout.write(`${text}\n\nwritten to ${chosen.out}: reliability.txt, reliability.svg\n`);
	} finally {
		await scene.market.close();
	}
}
