/**
 * Counts at the reference moment against those expected: `npm run bench:snapshot -- --data <dir>`.
 *
 * Every strategy looks at the whole recorded universe, symbol limits lifted, without a portfolio. Expectations are
 * orders of magnitude that were measured independently; a line says what was found and why it differs.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureAll } from "./docs/measured.ts";
import { STRATEGY_IDS } from "./docs/tables.ts";
import { openScene, REFERENCE_AS_OF_MS } from "./scene.ts";
import { EXPECTATIONS } from "./snapshot/expectations.ts";

const { values } = parseArgs({ options: { data: { type: "string" } } });
const { data } = values;
if (data === undefined || !existsSync(join(data, "MANIFEST.json"))) {
	process.stderr.write(`no recorded data set in ${data}\nusage: npm run bench:snapshot -- --data <dir>\n`);
	process.exitCode = 2;
} else {
	const scene = await openScene(`recorded:${data}`, REFERENCE_AS_OF_MS);
	try {
		let wrong = 0;
		for (const { id, evaluation } of await measureAll(scene, STRATEGY_IDS)) {
			process.stdout.write(`\n${id}\n`);
			for (const { what, expected, found, why } of EXPECTATIONS[id] ?? []) {
				const value = found(evaluation);
				const agrees = value === expected;
				const near = expected === 0 ? value === 0 : value / expected <= 2 && value / expected >= 0.5;
				if (!near) wrong++;
				const word = agrees ? "same" : near ? "near" : "FAR";
				process.stdout.write(`  ${word.padEnd(5)} ${what}: ${value}, expected ${expected}${why ? ` (${why})` : ""}\n`);
			}
		}
		process.stdout.write(`\n${wrong} outside the order of magnitude\n`);
		process.exitCode = wrong > 0 ? 1 : 0;
	} finally {
		await scene.market.close();
	}
}
