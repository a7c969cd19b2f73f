/** A scan that has too little time for a slow exchange says so, and the next one goes on from what it had read. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startLiveProgram, verdictsOf, writeLiveSet } from "../support/live-program.ts";
import { stopPrograms } from "../support/program.ts";

const test = suite("program: a live scan that is cut");
test.after(stopPrograms);
const FUTURES = "ai_futures_trade";

test("the next scans go on from the pages that it had read, until one has them all", async () => {
	const fixture = await writeLiveSet();
	// A contract's history is two pages and the question for its first bar, one after the other: no scan
	// has the time for all three (2250 ms, then it evaluates), so only one that goes on from another can be whole.
	const live = await startLiveProgram(
		fixture.dir,
		[{ kind: "slow", delay_ms: 900, family: "usdm", endpoint: "klines" }],
		{ STRATEGY_TIMEOUT_MS: "3000" },
	);
	try {
		const verdicts: string[] = [];
		for (let scans = 0; scans < 6 && !/^ok_/.test(verdicts.at(-1) ?? ""); scans++) {
			verdicts.push(verdictsOf(await live.scan([FUTURES]))[FUTURES] ?? "none");
		}
		assert.match(verdicts[0] ?? "", /^(timed_out|degraded timeout|failed fetch_failed)/, verdicts.join(", "));
		assert.match(verdicts.at(-1) ?? "", /^ok_/, verdicts.join(", "));
	} finally {
		await live.close();
		await fixture.remove();
	}
});

test.run();
