/** A short run of what `npm run chaos` does for as long as it is told to. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasRedisServer } from "../support/redis-process.ts";
import { BOUNDS } from "./history.ts";
import { runChaos } from "./run.ts";
import { describeFault, makeSchedule } from "./schedule.ts";

const test = suite("chaos");
const SIZES = { apis: 2, workers: 3 };
/** The same faults at each run, of which most kinds occur. */
const SEED = 5;
const SECONDS = 10;
/** Other test files share the machine: late answers are allowed for, wrong ones are not. */
const SLACK = 4;

test("a schedule is a function of its seed, and every kind of fault comes round", () => {
	assert.equal(makeSchedule(7, 60, SIZES), makeSchedule(7, 60, SIZES));
	assert.is.not(
		makeSchedule(7, 60, SIZES).map(describeFault).join(),
		makeSchedule(8, 60, SIZES).map(describeFault).join(),
	);
	assert.is(new Set(makeSchedule(1, 60, SIZES).map(({ kind }) => kind)).size, 13);
	for (const { at_ms, kind, target } of makeSchedule(2, 600, SIZES)) {
		assert.ok(at_ms >= 0 && at_ms < 600_000);
		assert.ok(target < (kind.startsWith("link") ? 5 : kind.startsWith("api") ? 2 : kind.startsWith("worker") ? 3 : 1));
	}
});

const withServer = hasRedisServer() ? test : test.skip;
if (!hasRedisServer()) process.stdout.write("  skipped: chaos among real processes, no redis-server on PATH\n");

withServer("whatever is killed, frozen, cut off or delayed: no scan is lost, none lies, each ends once", async () => {
	const lines: string[] = [];
	const report = await runChaos({
		seconds: SECONDS,
		seed: SEED,
		gapMs: 900,
		users: 2,
		env: { MARKET_LATENCY_MS: "60" },
		bounds: { ...BOUNDS, end_grace_ms: SLACK * BOUNDS.end_grace_ms, answer_ms: SLACK * BOUNDS.answer_ms },
		say: (line) => void lines.push(line),
	});
	const facts = `seed ${SEED}\n${lines.join("\n")}\n${JSON.stringify(report, null, 1)}`;
	assert.is(report.violations.length, 0, facts);
	assert.ok(report.scans >= 3, facts);
	assert.ok(Object.keys(report.struck).length >= 4, facts);
	const whole = Object.values(report.ends).reduce((sum, count) => sum + count, 0);
	assert.ok(whole >= report.scans, facts);
});

test.run();
