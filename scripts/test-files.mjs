/**
 * Runs several test files in one process, one after another: `node --import tsx scripts/test-files.mjs <file>...`.
 * What they load and compile is shared, which is most of the time of a small file.
 *
 * Around the output of each file stand the lines of test-marks.mjs; in between is what the file alone would have
 * printed.
 */
import { pathToFileURL } from "node:url";
import { MARK } from "./test-marks.mjs";

globalThis.UVU_DEFER = 1;
const { exec } = await import("uvu");

let failed = false;

for (const file of process.argv.slice(2)) {
	const beganAt = performance.now();
	process.stdout.write(`\n${MARK}begin ${file}\n`);
	// A queue of its own, so that every file gets a summary of its own.
	globalThis.UVU_QUEUE.length = 0;
	globalThis.UVU_QUEUE.push([null]);
	await import(pathToFileURL(file).href);
	process.exitCode = 0;
	await exec();
	const code = process.exitCode ?? 0;
	failed ||= code !== 0;
	process.stdout.write(`\n${MARK}end ${JSON.stringify({ code, took_ms: performance.now() - beganAt })}\n`);
}
process.exitCode = failed ? 1 : 0;
