import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanEvent } from "../../machines/events.ts";
import { restorer, shortener, shortIds, wholeIds } from "../../src/store/journal-ids.ts";
import { tally } from "../support/scan-input.ts";

const test = suite("ids of rows in the journal");
const id = fc.stringMatching(/^opp_[0-9a-f]{3}$/);
const ids = fc.uniqueArray(id, { maxLength: 30 });

const report = fc
	.record({
		strategy_id: fc.constantFrom("a", "b"),
		attempt: fc.integer({ min: 1, max: 2 }),
		kind: fc.constantFrom("progressed" as const, "finished" as const),
		row_ids: ids,
		unproven_ids: ids,
	})
	.map(({ row_ids, unproven_ids, ...rest }) => ({
		...rest,
		degraded: null,
		tally: tally({ row_ids, unproven_ids }),
	}));
const failed = fc.constant({
	strategy_id: "a",
	attempt: 1,
	kind: "failed" as const,
	reason: null,
	tally: null,
	error: { code: "fetch_failed", message: "no answer", retryable: true },
});
const event: fc.Arbitrary<ScanEvent> = fc.oneof(
	fc
		.array(fc.oneof(report, failed), { minLength: 1, maxLength: 4 })
		.map((reports) => ({ type: "strategies.reported" as const, at_ms: 1, reports }) as ScanEvent),
	fc.constant<ScanEvent>({ type: "strategies.wake", at_ms: 2 }),
);

test("what was written in short is whole again, whatever order the ids come in and whoever goes on writing", () => {
	fc.assert(
		fc.property(fc.array(fc.array(event, { maxLength: 8 }), { maxLength: 3 }), (holders) => {
			// Each holder of the scan begins anew; the reader goes through the journal of all.
			const written = holders.flatMap((events) => events.map(shortener()));
			const read = restorer();
			const whole = (JSON.parse(JSON.stringify(written)) as ScanEvent[]).map(read);
			assert.equal(whole, holders.flat());
		}),
	);
});

test("lists of older programs, which are written out each time, are read as they are", () => {
	fc.assert(
		fc.property(fc.array(event, { maxLength: 8 }), (events) => {
			assert.equal(events.map(restorer()), events);
		}),
	);
});

test("a list that grows costs what is new in it, at its end or in its middle", () => {
	const first = Array.from({ length: 100 }, (_, n) => `opp_${n}`);
	assert.equal(shortIds([], first), first);
	assert.equal(shortIds(first, first), [[0, 100]]);
	assert.equal(shortIds(first, [...first, "opp_new"]), [[0, 100], "opp_new"]);
	assert.equal(shortIds(first, ["opp_new", ...first.slice(0, 40), "opp_other", ...first.slice(60)]), [
		"opp_new",
		[0, 40],
		"opp_other",
		[60, 40],
	]);
	assert.equal(shortIds(["a", "b"], ["b", "a"]), [1, 0]);
	assert.equal(wholeIds(["a"], [[0, 5], 7, "x"]), ["a", "x"], "what refers to nothing is left out");
});

test("a journal of reports is linear in its rows, not in reports times rows", () => {
	const bytesOf = (reports: number): number => {
		const write = shortener();
		return Array.from({ length: reports }, (_, n) => {
			const row_ids = Array.from({ length: 10 * (n + 1) }, (_, row) => `opp_${String(row).padStart(32, "0")}`);
			const told = { strategy_id: "a", attempt: 1, kind: "progressed" as const, tally: tally({ row_ids }) };
			return JSON.stringify(write({ type: "strategies.reported", at_ms: n, reports: [told] })).length;
		}).reduce((sum, bytes) => sum + bytes, 0);
	};
	assert.ok(bytesOf(64) < 4.4 * bytesOf(16), `${bytesOf(16)} bytes of 16 reports, ${bytesOf(64)} of 64`);
});

test.run();
