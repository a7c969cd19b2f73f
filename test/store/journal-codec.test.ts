import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { JOURNAL_TYPES } from "../../machines/events.ts";
import { newEntry } from "../../machines/strategy-rules.ts";
import type { PlannedStrategy, StrategyEntry } from "../../machines/types.ts";
import { BATCH_FIELD, encodeBatch, entriesOf, eventsOf } from "../../src/store/journal-codec.ts";
import { pack, unpack } from "../../src/store/packing.ts";
import { decodeEntry, encodeEntry } from "../../src/store/strategy-codec.ts";
import type { NewEntry } from "../../src/store/write-contract.ts";

const test = suite("texts in the store");
const word = fc.string({ maxLength: 12, unit: "binary" });
const jsonObject = fc.dictionary(word, fc.jsonValue({ maxDepth: 2 })).map((value) => JSON.parse(JSON.stringify(value)));

test("what is packed is unpacked, whatever characters it has", () => {
	fc.assert(
		fc.property(fc.array(jsonObject, { maxLength: 40 }), (values) => {
			const json = JSON.stringify(values);
			assert.is(unpack(pack(json)), json);
		}),
	);
	const repeated = JSON.stringify(Array(200).fill("the same"));
	assert.ok(pack(repeated).length < repeated.length / 10);
	assert.throws(() => unpack("bm8gZGVmbGF0ZQ=="));
});

test("a batch gives its entries back with their seqs, and its events at the first of them", () => {
	const subject = fc.record({ strategy_id: word, attempt: fc.nat(9) }, { requiredKeys: [] });
	const entry = fc
		.tuple(fc.constantFrom(...JOURNAL_TYPES), fc.nat(), jsonObject, subject)
		.map(([type, at_ms, facts, about]): NewEntry => {
			const { strategy_id: _id, attempt: _attempt, ...others } = facts;
			const strategy_id = about.strategy_id ?? null;
			const attempt = strategy_id === null ? null : (about.attempt ?? null);
			return { type, phase: "strategies_scan", at_ms, payload: { ...others, ...about }, strategy_id, attempt };
		});
	fc.assert(
		fc.property(
			fc.array(entry, { minLength: 1, maxLength: 30 }),
			fc.nat(1e6),
			fc.array(word),
			(entries, base, words) => {
				const events = words.map((type) => ({ type }));
				const revision = base + entries.length;
				const text = encodeBatch(entries, events);
				const element: [string, string[]] = [`${revision}-0`, [BATCH_FIELD, text]];
				assert.equal(
					entriesOf(element),
					entries.map((one, i) => ({ ...one, seq: base + i + 1, revision })),
				);
				assert.equal(eventsOf(element), { seq: base + 1, events });
			},
		),
	);
});

test("an entry of a strategy is whole again from what differs from its plan", () => {
	const plan: PlannedStrategy = {
		strategy_id: "a",
		index: 3,
		priority: 100,
		symbols_max: null,
		chunk_size: null,
		skip: null,
	};
	const begun = newEntry(plan);
	const changed = fc.record(
		{
			state: fc.constantFrom("queued" as const, "evaluating" as const, "retrying" as const, "settled" as const),
			attempt: fc.nat(3),
			started_at_ms: fc.option(fc.nat()),
			deadline_at_ms: fc.option(fc.nat()),
			verdict: fc.constantFrom(null, "ok_found" as const, "failed" as const),
			reason: fc.option(word),
			error: fc.option(fc.record({ code: word, message: word, retryable: fc.boolean() })),
			carried_over_from: fc.option(word),
			tally: fc
				.record(
					{ evaluated: fc.nat(), row_ids: fc.array(word), rejected: fc.dictionary(word, fc.nat()) },
					{
						requiredKeys: [],
					},
				)
				.map((counts) => ({ ...begun.tally, ...counts })),
		},
		{ requiredKeys: [] },
	);
	const carried = { ...begun, state: "settled" as const, verdict: "ok_found" as const, attempt: 2 };
	for (const from of [plan, { ...plan, carried: { ...carried, tally: { ...begun.tally, row_ids: ["x"] } } }]) {
		fc.assert(
			fc.property(changed, (facts) => {
				const entry = { ...newEntry(from), ...facts } as StrategyEntry;
				const text = encodeEntry(entry, from, 0);
				assert.equal(decodeEntry(JSON.parse(text), from, 0), JSON.parse(JSON.stringify(entry)));
			}),
		);
	}
	assert.is(encodeEntry(begun, plan, 0), '{"strategy_id":"a"}');
	assert.is(decodeEntry({ strategy_id: "b" }, undefined, 4).index, 4);
});

test.run();
