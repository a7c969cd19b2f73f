import { suite } from "uvu";
import * as assert from "uvu/assert";
// @ts-expect-error a plain script without types
import { tallyOf } from "../../scripts/uvu-summary.mjs";

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

test.run();
