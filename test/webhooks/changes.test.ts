/** What is told of scans that follow one another: an outage takes nothing away, and its end brings nothing new. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Verdict } from "../../machines/words.ts";
import { withBase } from "../../src/schedules/bases.ts";
import type { ScheduleBase } from "../../src/schedules/contract.ts";
import { changedRows, movedRows } from "../../src/views/row-changes.ts";
import { scanDiffView } from "../../src/views/scan-diff.ts";
import { changeNews } from "../../src/webhooks/payload.ts";
import { sampleContext, sampleEntry, sampleRecord, sampleRow } from "../support/records.ts";

const test = suite("webhooks: what changed");
const [TREND, PAIRS] = ["ai_spot_momentum_strategy", "ai_pairs_trading"];
const START_MS = Date.UTC(2026, 5, 1);

/** Verdict and rows of each strategy of a scan; a strategy that is not named is not in it. */
type Told = Record<string, [Verdict, ...string[]]>;

function scanOf(at: number, told: Told) {
	const strategies = Object.entries(told).map(([id, [verdict]], index) => sampleEntry(index, id, { verdict }));
	const context = { ...sampleContext(), strategies, outcome: "found_with_gaps" as const };
	const record = sampleRecord({ scan_id: `scan_${String(at).padStart(32, "0")}`, position: "completed", context });
	const rows = Object.entries(told).flatMap(([strategy_id, [, ...ids]]) =>
		ids.map((id) => sampleRow(id, { strategy_id }) as unknown as Record<string, unknown>),
	);
	return { record, rows, unproven: rows };
}

const idsOf = (rows: unknown): string[] => (rows as { opportunity_id: string }[]).map((row) => row.opportunity_id);

/** What a schedule tells after each of its scans; null: nothing. */
function story(...scans: Told[]) {
	let bases: ScheduleBase[] = [];
	const past = new Map<string, ReturnType<typeof scanOf>>();
	return scans.map((told, at) => {
		const scan = scanOf(at, told);
		const { scan_id, context } = scan.record;
		const before = bases.flatMap((base) => {
			const found = past.get(base.scan_id);
			return found ? { ...found, isBaseOf: (id: string) => base.strategy_ids.includes(id) } : [];
		});
		const comparison = { ...movedRows(before, scan), changed: changedRows(before, scan) };
		const news = before.length > 0 ? changeNews(scan.record, "s", bases[0]?.scan_id ?? "", comparison) : null;
		bases = withBase(bases, { scan_id, ended_at_ms: START_MS + at, strategies: context.strategies }) ?? bases;
		past.set(scan_id, scan);
		const { opportunities, counts, unknown, outcome } = (news?.data ?? {}) as Record<string, unknown>;
		if (news === null) return null;
		assert.is(outcome, "found_with_gaps");
		const { added, removed } = opportunities as { added: unknown; removed: unknown };
		return { added: idsOf(added), removed: idsOf(removed), counts, unknown };
	});
}

test("a strategy without an answer takes no rows away, and gives none back as new", () => {
	for (const verdict of ["failed", "timed_out", "skipped", "cancelled", "degraded"] as const) {
		const whole: Told = { [TREND]: ["ok_found", "a", "b"] };
		assert.equal(
			story(whole, { [TREND]: [verdict] }, { [TREND]: [verdict] }, whole),
			[null, null, null, null],
			verdict,
		);
	}
});

test("what is gone after an outage is told then, and beside the news of others the unknown is counted", () => {
	const told = story(
		{ [TREND]: ["ok_found", "a", "b"], [PAIRS]: ["ok_found", "p"] },
		{ [TREND]: ["failed"], [PAIRS]: ["ok_found", "q"] },
		{ [TREND]: ["ok_found", "a", "c"], [PAIRS]: ["ok_found", "q"] },
	);
	const counts = { added: 1, removed: 1, changed: 0 };
	assert.equal(told[1], {
		added: ["q"],
		removed: ["p"],
		counts: { ...counts, unknown: 2 },
		unknown: [{ strategy_id: TREND, verdict: "failed", opportunities: 2 }],
	});
	assert.equal(told[2], { added: ["c"], removed: ["b"], counts: { ...counts, unknown: 0 }, unknown: [] });
});

test("a row of a scan with gaps is told once; a strategy that never ended well is compared all the same", () => {
	const whole: Told = { [TREND]: ["ok_found", "a"] };
	const [, gap, after] = story(whole, { [TREND]: ["degraded", "n"] }, { [TREND]: ["ok_found", "a", "n"] });
	assert.equal(gap?.added, ["n"]);
	assert.is(after, null);
	const weak = story({ [TREND]: ["degraded", "a"] }, { [TREND]: ["degraded", "b"] }, { [TREND]: ["ok_found", "b"] });
	assert.equal([weak[1]?.added, weak[1]?.removed], [["b"], []]);
	assert.equal([weak[2]?.added, weak[2]?.removed], [[], ["a"]]);
	assert.equal(story({ [TREND]: ["failed"] }, whole), [null, null], "its first answer is no change");
});

test("a strategy that a schedule no longer runs is told as gone once, a new one as new", () => {
	const both: Told = { [TREND]: ["ok_found", "a"], [PAIRS]: ["ok_found", "p"] };
	const alone: Told = { [TREND]: ["ok_found", "a"] };
	const told = story(both, alone, alone, both);
	assert.equal(
		told.map((news) => news && [news.added, news.removed]),
		[null, [[], ["p"]], null, [["p"], []]],
	);
});

test("the comparison of two scans says which rows an outage hides on either side", () => {
	const [whole, broken] = [scanOf(1, { [TREND]: ["ok_found", "a"] }), scanOf(2, { [TREND]: ["timed_out", "b"] })];
	for (const [from, to] of [
		[whole, broken],
		[broken, whole],
	] as const) {
		const view = scanDiffView(from, to) as Record<"opportunities" | "unproven", Record<string, unknown>>;
		for (const { added, removed, unknown } of [view.opportunities, view.unproven]) {
			const { added: hidden, removed: missing } = unknown as { added: unknown; removed: unknown };
			// What only the broken one shows is new there and gone after it; what only the other shows may have been there.
			const seen = from === whole ? [["b"], ["a"], [], ["a"]] : [["a"], ["b"], ["a"], []];
			assert.equal([added, removed, hidden, missing].map(idsOf), seen);
		}
	}
});

test.run();
