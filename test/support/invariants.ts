import * as assert from "uvu/assert";
import { outstandingEffects, verdictCounts } from "../../machines/scan-rules.ts";
import { decided } from "../../machines/strategy-rules.ts";
import type { ScanContext } from "../../machines/types.ts";
import type { HostState } from "../../src/runtime/scan-host.ts";

const sum = (counts: Record<string, number>): number =>
	Object.values(counts).reduce((total, count) => total + count, 0);

/** What must hold in every state of a scan (I5, I7, I8). */
export function checkState(state: HostState): void {
	const { context, position, ended } = state;
	assert.is(sum(verdictCounts(context.strategies)), context.strategies.length, "the nine counts sum to the total");
	for (const entry of context.strategies) {
		assert.is(entry.state === "settled", entry.verdict !== null, `${entry.strategy_id}: settled means a verdict`);
		if (entry.verdict)
			assert.is(decided(entry.tally), entry.tally.evaluated, `${entry.strategy_id}: every candidate is counted once`);
	}
	if (ended) {
		assert.ok(["completed", "failed", "cancelled"].includes(position), "an end is one of three");
		assert.ok(
			context.strategies.every((entry) => entry.verdict),
			"an ended scan has no open strategy",
		);
		assert.ok(context.end, "an ended scan says how");
		assert.equal(outstandingEffects(position, context), [], "an ended scan wants nothing");
	} else {
		const waits = Object.keys(state.deadlines).length > 0 || outstandingEffects(position, context).length > 0;
		assert.ok(waits, `no dead state: ${position} waits for a deadline or an effect`);
		assert.ok(
			Object.values(state.deadlines).some(({ at_ms }) => at_ms <= context.input.deadline_at_ms),
			`${position} is bounded by the scan's deadline`,
		);
	}
	assert.equal(JSON.parse(JSON.stringify(context)), context, "the context survives JSON");
}

/** I4: what may never fall from one state to the next. */
export function checkMonotone(before: ScanContext, after: ScanContext): void {
	assert.ok(after.now_ms >= before.now_ms, "time does not go back");
	assert.ok(after.opportunities_found >= before.opportunities_found, "rows found never fall");
	const completed = (context: ScanContext) => context.strategies.filter((entry) => entry.verdict).length;
	assert.ok(completed(after) >= completed(before), "completed strategies never fall");
	if (before.strategies.length > 0)
		assert.is(after.strategies.length, before.strategies.length, "the total is fixed once known");
	before.strategies.forEach((entry, i) => {
		if (entry.verdict) assert.is(after.strategies[i]?.verdict, entry.verdict, "a verdict is final");
	});
}
