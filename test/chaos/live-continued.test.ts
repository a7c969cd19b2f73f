/** A scan that has too little time for a slow exchange says so, and the next one goes on from what it had read. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startLiveProgram, verdictsOf, writeLiveSet } from "../support/live-program.ts";
import { stopPrograms } from "../support/program.ts";

const test = suite("program: a live scan that is cut");
test.after(stopPrograms);
const FUTURES = "ai_futures_trade";

test("what was read in time is never read again", async () => {
	const fixture = await writeLiveSet();
	// A contract's history is two pages one after the other: more than the strategy's time holds.
	const live = await startLiveProgram(
		fixture.dir,
		[{ kind: "slow", delay_ms: 1500, family: "usdm", endpoint: "klines" }],
		{ STRATEGY_TIMEOUT_MS: "2500" },
	);
	try {
		const pages = () => live.exchange.stats().log.filter(({ endpoint }) => endpoint === "usdm/klines");
		const verdicts: string[] = [];
		for (let scans = 0; scans < 6 && !/^ok_/.test(verdicts.at(-1) ?? ""); scans++) {
			verdicts.push(verdictsOf(await live.scan([FUTURES]))[FUTURES] ?? "none");
		}
		assert.match(verdicts[0] ?? "", /^(timed_out|degraded timeout|failed fetch_failed)/, verdicts.join(", "));
		assert.match(verdicts.at(-1) ?? "", /^ok_/, verdicts.join(", "));
		assert.ok(verdicts.length > 1);
		const answered = pages().filter(({ status }) => status === 200);
		const windows = new Set(answered.map(({ query }) => query));
		assert.is(answered.length, windows.size, "a page was read twice");
	} finally {
		await live.close();
		await fixture.remove();
	}
});

test.run();
