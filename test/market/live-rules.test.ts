import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { BEGUN_AGO_MS_MAX, begunAt, closedAt, RECHECK_MS, recheckAfter } from "../../src/market/live-rules.ts";
import { fakeFunding, fakeSeries } from "../support/fake-market.ts";

const test = suite("market/live-rules");
const HOUR_MS = 3_600_000;
const CLOSED_MS = Date.UTC(2026, 2, 19, 19);
const bars = [{ close: 1 }, { close: 2 }];
/** An hourly series that lacks so many of the newest bars, so long after the close of the newest. */
const lacking = (count: number, afterMs: number) => ({
	...fakeSeries({ symbol: "A/USDT", bars, asOfMs: CLOSED_MS - count * HOUR_MS, timeframe: "1h" }),
	as_of_ms: CLOSED_MS + afterMs,
});

test("a whole history is not asked for again, a late one after 15 s or a quarter of its lateness, an ended one after a step", () => {
	assert.is(recheckAfter(lacking(0, 1_000)), null);
	assert.is(recheckAfter(lacking(1, 0)), RECHECK_MS);
	assert.is(recheckAfter(lacking(1, 60_000)), RECHECK_MS);
	assert.is(recheckAfter(lacking(1, 40 * 60_000)), 10 * 60_000);
	assert.is(recheckAfter(lacking(3, 0)), HOUR_MS / 2);
	assert.is(recheckAfter(lacking(4, 0)), HOUR_MS);
	const settled = fakeFunding({ symbol: "A/USDT:USDT", rates: [1e-4, 1e-4], intervalHours: 8, asOfMs: CLOSED_MS });
	const last = settled.funding_time.at(-1) as number;
	assert.is(recheckAfter({ ...settled, as_of_ms: last + 8 * HOUR_MS - 1 }), null);
	assert.is(recheckAfter({ ...settled, as_of_ms: last + 8 * HOUR_MS + 20_000 }), RECHECK_MS);
	assert.is(recheckAfter({ ...settled, as_of_ms: last + 9 * HOUR_MS }), HOUR_MS / 4);
});

test("the later a bar is, the more rarely it is asked for, never more often than every 15 s nor less than once a step", () => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(HOUR_MS - 1), fc.nat(HOUR_MS), (count, afterMs, moreMs) => {
			const one = recheckAfter(lacking(count, afterMs)) as number;
			const later = recheckAfter(lacking(count, Math.min(HOUR_MS - 1, afterMs + moreMs))) as number;
			assert.ok(one >= RECHECK_MS && one <= HOUR_MS && later >= one, `${one}, ${later}`);
			// Asked so long after it was published it is there: at the latest when it was late for a quarter longer.
			const lateMs = (count - 1) * HOUR_MS + afterMs;
			assert.ok(count > 4 || one <= Math.max(RECHECK_MS, lateMs / 4 + 1) || one === HOUR_MS);
		}),
	);
	assert.is(closedAt(HOUR_MS, CLOSED_MS + 1), CLOSED_MS);
});

test("nobody begins in the future, or longer ago than any scan takes", () => {
	assert.is(begunAt(10, undefined), 10);
	assert.is(begunAt(10, 20), 10);
	assert.is(begunAt(1e12, 1e12 - 60_000), 1e12 - 60_000);
	assert.is(begunAt(1e12, 5), 1e12 - BEGUN_AGO_MS_MAX);
});

test.run();
