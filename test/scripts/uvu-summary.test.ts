import { suite } from "uvu";
import * as assert from "uvu/assert";
// @ts-expect-error a plain script without types
import { MARK } from "../../scripts/test-marks.mjs";
// @ts-expect-error a plain script without types
import { resultsOf, tallyOf } from "../../scripts/uvu-summary.mjs";

const test = suite("test summary");
const summary = (total: number, passed: number, skipped = 0) =>
	`\u001b[47m x \u001b[49m  (${passed} / ${total})\n\n  Total:     ${total}\u001b[32m\n  Passed:    ${passed}\u001b[39m\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n\n`;

test("a passed file", () => {
	assert.equal(tallyOf(summary(3, 3, 1), 0, null), { passed: 3, failed: 0, skipped: 1, problem: null });
});

test("a file of skipped tests only passes, and they are counted", () => {
	assert.equal(tallyOf(summary(0, 0, 2), 0, null), { passed: 0, failed: 0, skipped: 2, problem: null });
});

test("a file that says aloud why it runs nothing counts as skipped", () => {
	for (const output of [`  skipped: want of data\n${summary(0, 0)}`, "  skipped: want of data\n"]) {
		assert.equal(tallyOf(output, 0, null), { passed: 0, failed: 0, skipped: 1, problem: null });
	}
});

test("failed tests are counted", () => {
	const tally = tallyOf(summary(5, 3), 1, null);
	assert.equal([tally.passed, tally.failed], [3, 2]);
});

test("what ends without a result counts as failed", () => {
	for (const [output, code, limit, pattern] of [
		["", 0, null, /ran no test/],
		[summary(0, 0), 0, null, /ran no test/],
		["Error: boom", 1, null, /ended with 1 before/],
		[summary(2, 2), 1, null, /passed, then it ended with 1/],
		[summary(2, 2), null, 1000, /stopped after 1 s/],
	] as const) {
		const tally = tallyOf(output, code, limit);
		assert.is(tally.failed, 1);
		assert.match(tally.problem, pattern);
	}
});

test("what a test prints before the summary does not count", () => {
	assert.is(tallyOf(`  Total:     9\n${summary(1, 1)}`, 0, null).passed, 1);
});

const part = (file: string, output: string, code: number) =>
	`\n${MARK}begin ${file}\n${output}\n${MARK}end {"code":${code},"took_ms":7}\n`;
const problems = (files: string[], output: string, code: number | null, limitMs: number | null): string[] =>
	resultsOf(files, output, code, limitMs).map(
		(result: { output: string; code: number; limitMs: number | null }) =>
			tallyOf(result.output, result.code, result.limitMs).problem ?? "none",
	);

test("files of one process are told apart", () => {
	const output = part("a", summary(2, 2), 0) + part("b", summary(3, 2), 1) + part("c", summary(1, 1), 0);
	assert.equal(problems(["a", "b", "c"], output, 1, null), ["none", "1 of 3 tests failed", "none"]);
	assert.equal(
		resultsOf(["a", "b", "c"], output, 1, null).map(({ tookMs }: { tookMs: number }) => tookMs),
		[7, 7, 7],
	);
});

test("the file that a process dies in fails, and so do those that it never began", () => {
	const [a = "", b = "", c = ""] = problems(
		["a", "b", "c"],
		`${part("a", summary(2, 2), 0)}${MARK}begin b\nboom`,
		134,
		null,
	);
	assert.is(a, "none");
	assert.match(b, /ended with 134 before/);
	assert.match(c, /ended with 134 before/);
	assert.match(problems(["a"], "SyntaxError", 1, null)[0] ?? "", /ended with 1 before/);
});

test("what hangs or breaks after its tests is the last file's doing", () => {
	const whole = part("a", summary(2, 2), 0) + part("b", summary(1, 1), 0);
	assert.equal(problems(["a", "b"], whole, null, 9_000), ["none", "stopped after 9 s"]);
	assert.equal(problems(["a", "b"], whole, 7, null), ["none", "its tests passed, then it ended with 7"]);
});

test("a process that says it is well although it never began a file is not believed", () => {
	assert.match(problems(["a", "b"], part("a", summary(2, 2), 0), 0, null)[1] ?? "", /ended with 1 before/);
});

test.run();
