/** The fixed input of a scan reads back as it was, in whatever form it was written. */
import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { newEntry } from "../../machines/strategy-rules.ts";
import type { PlannedStrategy, ScanInput } from "../../machines/types.ts";
import { encodeInput, wholeInput } from "../../src/store/input-codec.ts";
import { pack } from "../../src/store/packing.ts";
import { scanInput } from "../support/scan-input.ts";

const test = suite("store: the input of a scan");

const id = fc.string({ unit: "grapheme", maxLength: 12 });
const plan: fc.Arbitrary<PlannedStrategy> = fc
	.record({
		strategy_id: id,
		index: fc.nat(14),
		priority: fc.nat(200),
		symbols_max: fc.option(fc.nat(50)),
		chunk_size: fc.option(fc.nat(50)),
		skip: fc.constantFrom(null, "not_entitled" as const),
		carried: fc.boolean(),
	})
	.map(({ carried, ...fresh }) => (carried ? { ...fresh, carried: newEntry(fresh) } : fresh));

const inputs: fc.Arbitrary<ScanInput> = fc
	.record({ strategies: fc.array(plan, { maxLength: 15 }), others: fc.array(id, { maxLength: 15 }), own: fc.boolean() })
	.map(({ strategies, others, own }) => {
		const input = scanInput({ strategies });
		const strategy_ids = own ? strategies.map(({ strategy_id }) => strategy_id) : others;
		return { ...input, profile: { ...input.profile, strategy_ids } };
	});

test("an input reads back as it was written", () => {
	fc.assert(fc.property(inputs, (input) => assert.equal(wholeInput(encodeInput(input)), input)));
});

test("inputs of older programs are read: as JSON, and packed", () => {
	const input = scanInput();
	assert.equal(wholeInput(JSON.stringify(input)), input);
	assert.equal(wholeInput(pack(JSON.stringify(input))), input);
});

test("what all plans have in common is written once", () => {
	const input = scanInput();
	const text = encodeInput(input);
	assert.ok(text.length < 0.55 * JSON.stringify(input).length, `${text.length} characters`);
	assert.is(text.split("ai_pairs_trading").length - 1, 1);
});

test("what was not written as an input is refused", () => {
	for (const text of ["", "{", "null", '{"strategies":null}', "bm90IGRlZmxhdGVk"])
		assert.throws(() => wholeInput(text));
});

test.run();
