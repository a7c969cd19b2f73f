/** One scan of the built program on a live exchange that treats each symbol badly in a way of its own. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startLiveProgram, verdictsOf, writeLiveSet } from "../support/live-program.ts";
import { stopPrograms } from "../support/program.ts";
import type { FaultInput } from "../support/replay-exchange/faults.ts";
import { WAIT_MS } from "../support/wait.ts";

const test = suite("program: faults of a live exchange");
test.after(stopPrograms);

const MOMENTUM = "ai_spot_momentum_strategy";
const of = (symbol: string, fault: FaultInput): FaultInput => ({
	...fault,
	family: "spot",
	endpoint: "klines",
	symbol: `${symbol}USDT`,
});

test("each candidate ends under the reason of its own fault, the others are evaluated, and the scan says so", async () => {
	const fixture = await writeLiveSet();
	const live = await startLiveProgram(fixture.dir, [
		of("BTC", { kind: "server_error", status: 503 }),
		of("ETH", { kind: "truncated" }),
		of("SOL", { kind: "bad_symbol" }),
		of("XRP", { kind: "stale_candle", candles: 5 }),
		of("ADA", { kind: "rate_limited", retry_after_s: 1, times: 1 }),
		of("NEAR", { kind: "open_candle" }),
	]);
	try {
		const results = await live.scan([MOMENTUM]);
		assert.is(results.metadata.outcome, "incomplete");
		assert.equal(verdictsOf(results), { [MOMENTUM]: "degraded fetch_failed" });
		const [{ rejected, evaluated, error }] = results.strategy_results;
		assert.is(evaluated, 6);
		const { fetch_failed, insufficient_history, stale_data, timeout, ...others } = rejected;
		assert.equal([fetch_failed, insufficient_history, stale_data, timeout], [2, 1, 1, undefined]);
		const counts = Object.values(others as Record<string, number>);
		// The one that was told to wait and the one whose running bar was shown are like any other.
		assert.is(
			counts.reduce((sum, count) => sum + count, 0),
			2,
			JSON.stringify(rejected),
		);
		assert.match(error.message, /^2 of 6 candidates could not be read/);

		// What was wrong is over: as soon as the failures are forgotten, scans have it all.
		live.exchange.clearFaults();
		const limit = AbortSignal.timeout(WAIT_MS);
		const failedIn = async () => (await live.scan([MOMENTUM])).strategy_results[0].rejected.fetch_failed;
		while ((await failedIn()) !== undefined) limit.throwIfAborted();
	} finally {
		await live.close();
		await fixture.remove();
	}
});

test.run();
