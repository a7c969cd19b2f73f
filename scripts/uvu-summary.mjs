/** Reads what test files printed and how they ended. */
import { MARK } from "./test-marks.mjs";

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
const COLOUR = /\u001b\[[0-9;]*m/g;

const figureOf = (text, word) => {
	const found = [...text.matchAll(new RegExp(`^\\s*${word}:\\s+(\\d+)\\s*$`, "gm"))].at(-1);
	return found ? Number(found[1]) : null;
};

/**
 * @param output everything the file printed.
 * @param code its exit code, null after a signal.
 * @param limitMs the time limit that ended it, null when it ended by itself.
 * @returns counts, and `problem`: one line that says why the file failed, null when it passed. A file that
 *   fails without a failed test (crash, time limit, nothing run) counts as one failed test.
 */
export function tallyOf(output, code, limitMs) {
	const text = output.replace(COLOUR, "");
	const total = figureOf(text, "Total");
	const passed = figureOf(text, "Passed") ?? 0;
	const skipped = figureOf(text, "Skipped") ?? 0;
	const failed = total === null ? 0 : total - passed;
	const fail = (problem) => ({ passed, failed: Math.max(1, failed), skipped, problem });

	// A file whose every test wants something that is not there says so aloud instead of passing in silence.
	const saidWhy = /^\s*skipped: \S/m.test(text);
	if (code === 0 && (total === null || total === 0) && skipped === 0 && saidWhy) {
		return { passed: 0, failed: 0, skipped: 1, problem: null };
	}
	if (limitMs !== null) return fail(`stopped after ${Math.round(limitMs / 1000)} s`);
	if (total === null)
		return fail(code === 0 ? "it ran no test (no .run()?)" : `it ended with ${code} before its tests did`);
	if (failed > 0) return fail(`${failed} of ${total} tests failed`);
	if (code !== 0) return fail(`its tests passed, then it ended with ${code}`);
	if (total === 0 && skipped === 0) return fail("it ran no test (no .run()?)");
	return { passed, failed: 0, skipped, problem: null };
}

/**
 * What each file of one process came to, in their order.
 *
 * @param files the files that the process was given.
 * @param output everything the process printed, with the lines of test-marks.mjs in it.
 * @param code its exit code, null after a signal.
 * @param limitMs the time limit that ended it, null when it ended by itself.
 * @returns one `{file, output, code, limitMs, tookMs}` a file. How the process ended is the end of the last file
 *   that it began: of those before it only their own exit codes count, and those after it never ran.
 */
export function resultsOf(files, output, code, limitMs) {
	const parts = output.split(`${MARK}begin `).slice(1);
	const spilled = output.slice(0, Math.max(0, output.indexOf(`${MARK}begin `)));
	return files.map((file, index) => {
		const part = parts[index];
		if (part === undefined) {
			// Nothing began: what the process printed is all there is to go by.
			const why = parts.length === 0 ? output : "";
			return { file, output: why, code: code === 0 ? 1 : code, limitMs, tookMs: limitMs ?? 0 };
		}
		const [text, end] = part.slice(part.indexOf("\n") + 1).split(`${MARK}end `);
		const said = (index === 0 ? spilled : "") + text;
		if (end === undefined) return { file, output: said, code, limitMs, tookMs: limitMs ?? 0 };
		const [line, ...after] = end.split("\n");
		const own = JSON.parse(line);
		const last = index === parts.length - 1;
		// A process whose tests failed ends with 1, whichever of its files they were in.
		const endedWell = !last || code === 0 || (code === 1 && parts.some((one) => one.includes(`${MARK}end {"code":1`)));
		return {
			file,
			output: said + after.join("\n"),
			code: endedWell ? own.code : code,
			limitMs: last ? limitMs : null,
			tookMs: own.took_ms,
		};
	});
}
