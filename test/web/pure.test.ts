import fc from "fast-check";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { REASON_CODES } from "../../src/api/schemas/reason-codes.ts";
import { type LiveEvent, LiveModel } from "../../web/lib/live-model.ts";
import { REASONS, reasonWords } from "../../web/lib/reasons.ts";
import { arranged, COLUMNS, NO_WISH } from "../../web/lib/row-table.ts";
import { wilson } from "../../web/lib/wilson.ts";
import { sampleRow } from "../support/records.ts";

const pure = suite("Dashboard: words, figures and order");

pure("every reason code has its own plain words, and there are no others", () => {
	assert.equal(Object.keys(REASONS).sort(), [...REASON_CODES].sort());
	const titles = Object.values(REASONS).map(({ title }) => title);
	assert.is(new Set(titles).size, titles.length, "two codes under one title cannot be told apart");
	for (const [code, { title, meaning }] of Object.entries(REASONS)) {
		assert.match(title, /^[A-Z]/, code);
		assert.match(meaning, /^[A-Z].{15,}\.$/, code);
		assert.not.match(`${title} ${meaning}`, /_/, code);
	}
	assert.is(reasonWords("a_code_of_tomorrow").title, "a code of tomorrow");
	assert.is(reasonWords("constructor").title, "constructor");
});

const IDS = ["a", "b", "c", "d"];
const at = "2026-01-02T03:04:05.678Z";
const anyEvent: fc.Arbitrary<LiveEvent> = fc
	.oneof(
		fc.constant({ type: "strategies.resolved", payload: { strategy_ids: IDS, total_strategies: 4, skipped: {} } }),
		fc.record({ id: fc.constantFrom(...IDS), attempt: fc.integer({ min: 1, max: 3 }) }).map(({ id, attempt }) => ({
			type: "strategy.started",
			payload: { strategy_id: id, attempt },
		})),
		fc.constantFrom(...IDS).map((id) => ({ type: "strategy.retried", payload: { strategy_id: id } })),
		fc.record({ id: fc.constantFrom(...IDS), row: fc.integer({ min: 0, max: 5 }) }).map(({ id, row }) => ({
			type: "strategy.row_found",
			payload: { strategy_id: id, opportunity_id: `${row}`, opportunity: { opportunity_id: `${row}` } },
		})),
		fc.record({ id: fc.constantFrom(...IDS), done: fc.integer({ min: 0, max: 4 }) }).map(({ id, done }) => ({
			type: "strategy.settled",
			payload: { strategy_id: id, verdict: "ok_empty", published: 0, progress: { strategies_completed: done } },
		})),
		fc.constant({ type: "scan.completed", payload: { progress: { percentage: 100, strategies_completed: 4 } } }),
	)
	.map((event) => ({ ...event, at, phase: "strategies_scan" }));

pure("progress never falls, whatever comes and however often, and 100 is the end alone", () => {
	fc.assert(
		fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
			const model = new LiveModel();
			let before = [0, 0, 0, 0];
			for (const event of events) {
				model.apply(event);
				const now = [model.percentage, model.completed, model.total, model.found];
				now.forEach((value, i) => {
					assert.ok(value >= (before[i] ?? 0), `${event.type}: ${before} -> ${now}`);
				});
				if (!model.ended) assert.ok(model.percentage < 100);
				before = now;
			}
		}),
	);
});

pure("a row that comes twice counts once, and a strategy's end says how it ended", () => {
	const model = new LiveModel();
	const event = (type: string, payload: object): LiveEvent => ({ type, at, phase: "strategies_scan", payload });
	model.apply(event("strategies.resolved", { strategy_ids: IDS, total_strategies: 4 }));
	model.apply(event("strategy.started", { strategy_id: "b", attempt: 1 }));
	for (let i = 0; i < 2; i++) {
		model.apply(event("strategy.row_found", { strategy_id: "b", opportunity_id: "r", opportunity: { n: 1 } }));
	}
	assert.is(model.found, 1);
	assert.is(model.strategies.get("b")?.state, "running");
	model.apply(event("strategy.settled", { strategy_id: "b", verdict: "ok_found", published: 1, duration_ms: 9 }));
	assert.is(model.strategies.get("b")?.state, "ok_found");
	assert.is(model.percentage, 25);
});

const rows = fc.array(
	fc.record({
		price: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
		symbol: fc.constantFrom("BTC/USDT", "ETH/USDT", "COIN10/USDT", "COIN9/USDT"),
	}),
	{ maxLength: 30 },
);

pure("sorting keeps every row, is stable, and puts what is not known last in both directions", () => {
	fc.assert(
		fc.property(rows, fc.constantFrom(...COLUMNS), fc.boolean(), (given, column, down) => {
			const list = given.map(({ price, symbol }, i) =>
				sampleRow(`row_${i}`, { entry_price: price, stop_price: price, symbol }),
			);
			const sorted = arranged(list, { ...NO_WISH, sort: `${down ? "-" : ""}${column.id}` });
			assert.equal(sorted.map((row) => row.opportunity_id).sort(), list.map((row) => row.opportunity_id).sort());
			const values = sorted.map(column.value);
			const known = values.filter((value) => value !== null);
			assert.ok(values.slice(known.length).every((value) => value === null));
			for (let i = 1; i < sorted.length; i++) {
				if (values[i] !== values[i - 1]) continue;
				const place = (row = sorted[i]) => list.findIndex((one) => one.opportunity_id === row?.opportunity_id);
				assert.ok(place(sorted[i - 1]) < place(sorted[i]), "equals keep their order");
			}
			for (let i = 1; i < known.length; i++) {
				const [a, b] = [known[i - 1], known[i]];
				if (typeof a === "number" && typeof b === "number") assert.ok(down ? a >= b : a <= b);
			}
		}),
	);
});

pure("a search needs all its words, wherever they stand", () => {
	const list = [sampleRow("a", { symbol: "BTC/USDT" }), sampleRow("b", { symbol: "ETH/USDT" })];
	const ids = (text: string) => arranged(list, { ...NO_WISH, text }).map((row) => row["opportunity_id"]);
	assert.equal(ids("momentum eth"), ["b"]);
	assert.equal(ids("binance"), ["a", "b"]);
	assert.equal(ids("btc eth"), []);
	assert.equal(arranged(list, { ...NO_WISH, grade: "A" }), []);
});

pure("Wilson's interval as published", () => {
	// Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81/263 and 15/148.
	const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 5e-5, `${actual}`);
	const [low, high] = wilson(81 / 263, 263);
	near(low, 0.2553);
	near(high, 0.3662);
	const [lower, upper] = wilson(15 / 148, 148);
	near(lower, 0.0624);
	near(upper, 0.1605);
	assert.equal(wilson(0, 20)[0], 0);
	near(wilson(0, 20)[1], 0.1611);
});

pure.run();
