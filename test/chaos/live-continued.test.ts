/** A scan that has too little time for a slow exchange says so, and the next one goes on from what it had read. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startLiveProgram, verdictsOf, writeLiveSet } from "../support/live-program.ts";
import { stopPrograms } from "../support/program.ts";

const test = suite("program: a live scan that is cut");
test.after(stopPrograms);
const FUTURES = "ai_futures_trade";
/** A scan that is cut evaluates what it has, and is seen to end. */
const CUT_BEFORE_END_MS = 1_500;
const symbolOf = (query: string): string | null => new URLSearchParams(query).get("symbol");

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
		const endsMs: number[] = [];
		for (let scans = 0; scans < 6 && !/^ok_/.test(verdicts.at(-1) ?? ""); scans++) {
			verdicts.push(verdictsOf(await live.scan([FUTURES]))[FUTURES] ?? "none");
			endsMs.push(Date.now());
		}
		assert.match(verdicts[0] ?? "", /^(timed_out|degraded timeout|failed fetch_failed)/, verdicts.join(", "));
		assert.match(verdicts.at(-1) ?? "", /^ok_/, verdicts.join(", "));
		const answered = live.exchange
			.stats()
			.log.filter(({ endpoint, status }) => endpoint === "usdm/klines" && status === 200);
		assert.ok(answered.length >= 5, `${answered.length} pages`);
		// Only the one page of a history that was under way at a cut is lost: it is answered as nobody listens any more.
		const lost = answered.filter(({ query }, i) => answered.findIndex((other) => other.query === query) < i);
		for (const { query } of lost) {
			const first = answered.find((page) => page.query === query)?.at_ms ?? 0;
			const cut = endsMs.some((endMs) => Math.abs(endMs - first) < CUT_BEFORE_END_MS);
			assert.ok(cut, `${query} was read again, which no cut explains`);
		}
		const ofHistory = (symbol: string | null) => lost.filter(({ query }) => symbolOf(query) === symbol).length;
		for (const { query } of lost)
			assert.ok(ofHistory(symbolOf(query)) < verdicts.length, `${query} was read too often`);
	} finally {
		await live.close();
		await fixture.remove();
	}
});

test.run();
