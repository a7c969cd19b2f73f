import { suite } from "uvu";
import * as assert from "uvu/assert";
import { chooseRerun, redrivePlan } from "../../src/commands/redrive-plan.ts";
import type { ScanRecord } from "../../src/store/contract.ts";
import { scanInput } from "../support/scan-input.ts";

const test = suite("commands: the plan of a redrive");

/** A scan that was ended before any of its strategies was reached, with this reason for its second one. */
function endedEarly(skip: "not_available" | null): ScanRecord {
	const input = scanInput();
	const strategies = input.strategies.map((plan, i) => (i === 1 ? { ...plan, skip } : plan));
	return {
		scan_id: input.scan_id,
		context: { input: { ...input, strategies }, strategies: [] },
	} as unknown as ScanRecord;
}

test("a strategy that the old scan left out is left out for the same reason", () => {
	const old = endedEarly("not_available");
	const rerun = chooseRerun(old, null);
	const { strategies } = old.context.input;
	assert.is(rerun.size, strategies.length - 1);
	const today = strategies.filter(({ strategy_id }) => rerun.has(strategy_id));
	const plan = redrivePlan(old, rerun, today);
	assert.equal(
		plan.map(({ skip, carried }) => [skip, carried]),
		strategies.map((_, i) => [i === 1 ? "not_available" : null, undefined]),
	);
});

test("what is to run again and nobody is entitled to any more says so", () => {
	const old = endedEarly(null);
	const rerun = chooseRerun(old, null);
	const [first] = redrivePlan(old, rerun, []);
	assert.is(first?.skip, "not_entitled");
});

test("what the old scan did not reach and nobody names ended with it, whoever is entitled to it", () => {
	const old = endedEarly(null);
	const { strategies } = old.context.input;
	const [, named] = strategies;
	assert.ok(named);
	const plan = redrivePlan(old, new Set([named.strategy_id]), [named]);
	assert.equal(
		plan.map(({ skip, carried }) => [
			skip,
			carried?.state,
			carried?.verdict,
			carried?.reason,
			carried?.carried_over_from,
		]),
		strategies.map((_, i) =>
			i === 1
				? [null, undefined, undefined, undefined, undefined]
				: [null, "settled", "cancelled", "cancelled", old.scan_id],
		),
	);
});

test.run();
