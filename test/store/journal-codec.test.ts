import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { JOURNAL_TYPES } from "../../machines/events.ts";
import { newEntry } from "../../machines/strategy-rules.ts";
import type { PlannedStrategy, StrategyEntry } from "../../machines/types.ts";
import { columnOf, type Lists, valuesOf } from "../../src/store/columns.ts";
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

test("columns give their values back, to the order of their members", () => {
	const number = fc.constantFrom(0, 1, 2);
	const same = fc.record({ a: number, b: fc.array(number, { maxLength: 2 }), c: fc.record({ 7: number, d: word }) });
	const fewRecords = fc.array(fc.oneof(same, jsonObject, word, fc.constant(null)), { minLength: 1, maxLength: 6 });
	const alike = fc.array(same, { minLength: 1, maxLength: 6 });
	fc.assert(
		fc.property(fc.array(fc.oneof(alike, fewRecords), { maxLength: 4 }), (tables) => {
			const written: Lists = [];
			const columns = tables.map((values) => columnOf(values, written));
			const read: Lists = [];
			const told = (JSON.parse(JSON.stringify(columns)) as typeof columns).map((column, i) =>
				valuesOf(column, tables[i]?.length ?? 0, read),
			);
			assert.is(JSON.stringify(told), JSON.stringify(tables));
		}),
		{ numRuns: 300 },
	);
});

test("what all strategies report in one turn is written once where it is the same, and is whole again", () => {
	const ids = Array.from({ length: 14 }, (_, i) => `strategy_${i}`);
	const rejected = { no_trigger: 9 };
	const entries = ids.flatMap((strategy_id, i): NewEntry[] => {
		const about = { phase: "strategies_scan" as const, at_ms: 1_000 + (i % 2), strategy_id, attempt: 1 };
		const found = { strategy_id, attempt: 1, opportunity_id: `row-${i}` };
		const settled = { strategy_id, attempt: 1, verdict: "ok_found", rejected, near_misses: [], progress: { done: i } };
		return [
			{ type: "strategy.row_found", ...about, payload: found },
			{ type: "strategy.settled", ...about, payload: settled },
		];
	});
	const reports = ids.map((strategy_id, i) => ({
		...{ strategy_id, attempt: 1, kind: "finished" },
		tally: { evaluated: 10, rejected, row_ids: [`row-${i}`], unproven_ids: [] },
	}));
	const events = [
		{ type: "strategies.reported", at_ms: 1_001, reports },
		{ type: "strategies.reported", at_ms: 1_002, reports: reports.slice(0, 1) },
	];
	const text = encodeBatch(entries, events);
	const element: [string, string[]] = ["28-0", [BATCH_FIELD, text]];
	assert.equal(
		entriesOf(element),
		entries.map((one, i) => ({ ...one, seq: i + 1, revision: 28 })),
	);
	assert.equal(eventsOf(element).events, events);
	const written = unpack(text);
	assert.ok(written.length < JSON.stringify([entries, events]).length / 4, `${written.length} characters`);
	assert.is(written.split("strategy_13").length, 2, "once, in the list of ids");
});

test("batches of older programs are read", () => {
	const line = ["strategy.settled", "strategies_scan", 5, { strategy_id: "a", attempt: 2 }];
	const events = [{ type: "strategies.reported", at_ms: 5, reports: [] }];
	for (const text of [JSON.stringify([[line], events]), pack(JSON.stringify([[line], events]), 0)]) {
		const element: [string, string[]] = ["7-0", [BATCH_FIELD, text]];
		const payload = { strategy_id: "a", attempt: 2 };
		const about = { type: "strategy.settled", phase: "strategies_scan", at_ms: 5, payload, ...payload } as const;
		assert.equal(entriesOf(element), [{ seq: 7, revision: 7, ...about }]);
		assert.equal(eventsOf(element), { seq: 7, events });
	}
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
