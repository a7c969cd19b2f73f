import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { PHASES, SCAN_MACHINE_ID, type ScanContext } from "../../machines/types.ts";
import { newScan } from "../../src/commands/plan.ts";
import { decodeContext, decodeRecord, encodeContext } from "../../src/store/scan-codec.ts";
import { encodeDeadlines, encodeSnapshot, wholeDeadlines, wholeSnapshot } from "../../src/store/snapshot-codec.ts";
import { projections } from "../../src/views/projections.ts";
import { scanInput } from "../support/scan-input.ts";

/** The short forms of snapshot and deadlines say what was put into them, and those of before are read too. */
const codec = suite("store: snapshot and deadlines");

const RUNS = { numRuns: 200 };
const moment = fc.integer({ min: 0, max: 2_000_000_000_000 });
const span = fc.record(
	{
		started_at_ms: moment,
		ended_at_ms: fc.option(moment),
		attempt: fc.integer({ min: 1, max: 9 }),
		retry_at_ms: fc.option(moment),
		idle_ms: fc.nat(),
	},
	{ requiredKeys: ["started_at_ms", "ended_at_ms"] },
);
const changes = fc.record({
	now_ms: moment,
	phases: fc.dictionary(fc.constantFrom(...PHASES), span),
	worker_id: fc.option(fc.string()),
	claimed_at_ms: fc.option(moment),
	attempt: fc.nat(3),
	resumes: fc.nat(3),
	opportunities_found: fc.nat(50),
	wake_at_ms: fc.option(moment),
	outcome: fc.option(fc.constantFrom("found", "empty")),
});

const SAMPLE: ScanContext = newScan(scanInput(), projections).state.context;
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

codec("a context is read as it was written", () => {
	fc.assert(
		fc.property(changes, (changed) => {
			const context = { ...SAMPLE, ...changed } as ScanContext;
			const fields = { ...encodeContext(null, context), machine: SCAN_MACHINE_ID };
			assert.equal(plain(decodeContext(context.input.scan_id, fields)), plain(context));
		}),
		RUNS,
	);
});

codec("a snapshot with all its members, spans as objects, is read as it was", () => {
	fc.assert(
		fc.property(changes, (changed) => {
			const context = { ...SAMPLE, ...changed } as ScanContext;
			const { input: _, strategies: __, portfolio: ___, assets: ____, ranking: _____, ...older } = context;
			assert.equal(wholeSnapshot(JSON.parse(JSON.stringify(older))), plain(older));
		}),
		RUNS,
	);
});

codec("what another version's snapshot does not say comes from the envelope, if its scan has ended too", () => {
	const { scan } = newScan(scanInput(), projections);
	const ended = { owner: "user", worker: "worker", position: "failed", end: "1", ended_at: "1774000000000" };
	const fields = {
		...scan,
		...ended,
		machine: "scan.v9",
		progress_at: "1774000000000",
		snapshot: '{"now_ms":1,"phases":{}}',
	};
	const { context } = decodeRecord("scan_x", fields);
	assert.equal([context.worker_id, context.claimed_at_ms], ["worker", 1_774_000_000_000]);
	assert.is(context.end?.at_ms, 1_774_000_000_000);
});

codec("a span that says no moments is damage", () => {
	const { scan } = newScan(scanInput(), projections);
	for (const span of ["[]", '["x"]', "[null]", "{}", '[0,"x"]', '{"started_at_ms":1}']) {
		const snapshot = `{"now_ms":1774000000000,"phases":{"portfolio_fetch":${span}}}`;
		assert.equal(decodeRecord("scan_x", { owner: "user", ...scan, snapshot }).damaged, ["snapshot"], span);
	}
});

codec("what is no snapshot stays what it is", () => {
	for (const held of [{}, { phases: 1 }, { phases: [1] }, { now_ms: 1, phases: null }])
		assert.equal(wholeSnapshot(held), held);
});

codec("deadlines are read as they were written, short where the event says no more than the id", () => {
	const armed = fc.dictionary(
		fc.string({ minLength: 1 }).filter((id) => !(id in {})),
		fc.record({ at_ms: moment, extra: fc.option(fc.nat()), same: fc.boolean() }),
	);
	fc.assert(
		fc.property(armed, (given) => {
			const deadlines = Object.fromEntries(
				Object.entries(given).map(([id, { at_ms, extra, same }]) => {
					const event = { type: same ? id : "strategies.wake", ...(extra === null ? {} : { extra }) };
					return [id, { at_ms, event }];
				}),
			);
			const text = encodeDeadlines(deadlines);
			assert.equal(wholeDeadlines(JSON.parse(text)), deadlines);
			assert.equal(wholeDeadlines(JSON.parse(JSON.stringify(deadlines))), deadlines, "those of before");
		}),
		RUNS,
	);
	assert.is(encodeDeadlines({ a: { at_ms: 5, event: { type: "a" } } }), '{"a":5}');
});

codec("a new scan's snapshot holds its moment alone", () => {
	assert.equal(JSON.parse(encodeSnapshot(SAMPLE)), { now_ms: SAMPLE.now_ms, phases: {} });
});

codec.run();
