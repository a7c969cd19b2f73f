/** Reads what one test file printed and how it ended. */

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
