/** A scan compared with several before it: those that are gone are left out, nothing is compared with nothing. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ScanBodies } from "../../src/queries/bodies.ts";
import { createLookup } from "../../src/queries/lookup.ts";
import { createScanDiff } from "../../src/queries/scan-diff.ts";
import { createFakeStore } from "../support/fake-reader.ts";
import { sampleContext, sampleEntry, sampleRecord, sampleRow, USER_ID } from "../support/records.ts";

const test = suite("queries: comparison of scans");
const viewer = { user_id: USER_ID, role: "trader" as const };
const TREND = "ai_spot_momentum_strategy";
const idOf = (letter: string) => `scan_${letter.repeat(32)}`;

function diffOf(rows: Record<string, string[]>) {
	const store = createFakeStore();
	for (const letter of Object.keys(rows)) {
		const context = sampleContext({ strategies: [sampleEntry(0, TREND, { verdict: "ok_found" })] });
		store.commit(sampleRecord({ scan_id: idOf(letter), position: "completed", terminal: true, context }));
	}
	const bodies = {
		async allRows({ scan_id }: { scan_id: string }) {
			const ids = rows[scan_id.at(-1) ?? ""] ?? [];
			return { rows: ids.map((id) => JSON.stringify(sampleRow(id, { strategy_id: TREND }))), unproven: [] };
		},
	} as unknown as ScanBodies;
	return createScanDiff(createLookup(store.reader), bodies);
}

const base = (letter: string, ...strategy_ids: string[]) => ({ scan_id: idOf(letter), strategy_ids });

test("bases that are gone are left out; with none left the comparison fails", async () => {
	const diff = diffOf({ a: ["x", "y"], c: ["x", "z"] });
	const { added, removed, unknown } = await diff.since(viewer, [base("b"), base("a", TREND)], idOf("c"));
	assert.equal(
		[added, removed].map((list) => list.map((row) => row.opportunity_id)),
		[["z"], ["y"]],
	);
	assert.equal(unknown, { added: [], removed: [] });
	const without = await diff.since(viewer, [base("a"), base("b", TREND)], idOf("c"));
	assert.equal(without.added, [], "nobody knows whether it was there");
	assert.is(without.unknown.added.length, 1);
	const failure = (work: Promise<unknown>) => work.catch(({ code }: { code: string }) => code);
	assert.is(await failure(diff.since(viewer, [base("b", TREND)], idOf("c"))), "scan_not_found");
	assert.is(await failure(diff.since({ ...viewer, user_id: "somebody" }, [base("a")], idOf("c"))), "scan_not_found");
});

test.run();
