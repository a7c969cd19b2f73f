import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { TradeTape } from "../../src/market/contract.ts";
import type { Evaluation } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { tapeFingerprint } from "../../src/strategies/evidence/memo.ts";
import { makerRecord, recordOf } from "../../src/strategies/market-making/evidence.ts";
import { learnPlan, replayDay, STEPS_PER_DAY } from "../../src/strategies/market-making/replay.ts";
import { stepsOf } from "../../src/strategies/tape.ts";
import { checked } from "../support/checked-evaluation.ts";
import { bookOf, martingaleBars, martingaleTape, scaledRequest, withView } from "../support/micro.ts";
import { openSimulated, simulatedRequest } from "../support/simulated-scan.ts";
import { candidateOf, marketOf, RECORDED, requestOf } from "../support/synthetic-market.ts";

const test = suite("market making");
const ID = "ai_market_making";
const AS_OF = Date.UTC(2026, 2, 19, 19, 7, 31, 5);
const DAY = 86_400_000;
const COSTS = { makerFee: 0.0002, closing: 0.0015 };

const reasonOf = (evaluation: Evaluation): string | undefined => evaluation.rejected[0]?.reason;

/** Three wide markets of seed 1: one that days after days pay for, one undecided, one that loses. */
const WIDE = ["MANA/USDT:USDT", "SAND/USDT:USDT", "ALGO/USDT:USDT"];
const source = openSimulated(1, AS_OF);
const wide = await simulatedRequest({ strategyId: ID, seed: 1, asOfMs: AS_OF, symbolsMax: 10, symbols: WIDE }, source);
const answer = checked(evaluate(wide));

test("publishes a market whose replayed days mostly gain, with quotes around the mid", () => {
	const [row] = answer.published;
	assert.ok(row, JSON.stringify(answer.rejected));
	assert.is(row.symbol, "MANA/USDT:USDT");
	assert.equal([row.side, row.estimated_timeframe, row.stop_price], ["neutral", "24h", null]);
	assert.is(row.evidence.grade, "B");
	assert.is(row.evidence.n, 30);
	assert.is(row.confidence_score, (100 * row.evidence.wins) / 30, "the share of replayed days with a gain");
	const { metadata } = row;
	const mid = (metadata.indicators as { mid: number }).mid;
	assert.ok((row.entry_price ?? 0) < mid && mid < (row.exit_price ?? 0));
	assert.is(metadata.executable, false);
	assert.ok(Math.abs(row.required_capital_usd - 2 * 3 * (metadata.lot_usd as number)) < 1e-9);
	assert.ok((metadata.edge_per_round_trip_bps as number) >= 1 - 1e-9);
	assert.is(metadata.intensity_method, "trade_through");
	assert.ok(row.profit_potential_usd > 0);
	assert.is(row.risk_level, "high");
	const expected = (row.evidence.mean_net_bps ?? 0) * row.required_capital_usd * 1e-4;
	assert.ok(Math.abs(row.profit_potential_usd - expected) < 1e-9, "profit is what the days earned");
});

test("too few good days are unproven, more bad than good ones a loss with its numbers", () => {
	assert.is(answer.evaluated, 3);
	const by = new Map([...answer.published, ...answer.unproven].map((row) => [row.symbol, row]));
	assert.is(by.get("SAND/USDT:USDT")?.unproven_reason, "insufficient_evidence");
	const lost = answer.rejected.find(({ symbol }) => symbol === "ALGO/USDT:USDT");
	assert.is(lost?.reason, "negative_expectancy");
	assert.match(lost?.detail ?? "", /of 30 replayed days gained, mean -/);
});

test("answers alike whatever the order of candidates, and whoever else is looked at", async () => {
	assert.equal(evaluate({ ...wide, candidates: [...wide.candidates].reverse() }), answer);
	const alone = evaluate({ ...wide, candidates: wide.candidates.filter(({ symbol }) => symbol === WIDE[0]) });
	assert.equal(alone.published, answer.published);
});

test("does not change with the unit of prices", () => {
	const [one, many] = [evaluate(scaledRequest(wide, 1)), evaluate(scaledRequest(wide, 1024))];
	const view = (evaluation: Evaluation) =>
		[...evaluation.published, ...evaluation.unproven].map((row) => [
			row.symbol,
			row.confidence_score,
			row.evidence.wins,
			row.profit_potential_usd.toFixed(9),
		]);
	assert.equal(view(many), view(one));
	assert.equal(many.rejected, one.rejected);
	const ratio = (many.published[0]?.entry_price ?? 0) / (one.published[0]?.entry_price ?? 1);
	assert.ok(Math.abs(ratio / 1024 - 1) < 1e-12);
});

test("a scan of the past says the same on a source that knows the future", async () => {
	const later = openSimulated(1, AS_OF + 2 * DAY);
	const scan = { strategyId: ID, seed: 1, asOfMs: AS_OF, symbolsMax: 10, symbols: [WIDE[0] ?? ""] };
	const past = evaluate(await simulatedRequest(scan, later));
	assert.equal(past.published, answer.published);
});

test("a plan and a replayed day know nothing of what comes after them", () => {
	const tape = wide.view.trades?.[WIDE[0] ?? ""];
	if (!tape) throw new Error("no tape");
	const steps = stepsOf(tape, AS_OF, 10_000, 1000);
	const plan = learnPlan(steps, 0, STEPS_PER_DAY, 0.0002);
	if (!plan) throw new Error("no plan");
	const day = replayDay(steps, STEPS_PER_DAY, plan, COSTS);
	const spoil = (column: Float64Array) => column.map((value, i) => (i < 2 * STEPS_PER_DAY ? value : value * 3));
	const spoilt = {
		...steps,
		mid: spoil(steps.mid),
		highestBuy: spoil(steps.highestBuy),
		lowestSell: spoil(steps.lowestSell),
	};
	assert.equal(learnPlan(spoilt, 0, STEPS_PER_DAY, 0.0002), plan);
	const { adverse: _, ...same } = replayDay(spoilt, STEPS_PER_DAY, plan, COSTS);
	const { adverse: __, ...known } = day;
	assert.equal(same, known);
	assert.ok(day.fills > 100 && day.leftover <= 3);
	// The mid of a step is made of trades that were a second old when it began.
	const at = steps.startMs + 1000 * steps.stepMs;
	const midAfter = (time: number) => stepsOf(touched(tape, time), AS_OF, 10_000, 1000).mid[1000];
	assert.is.not(midAfter(at - 1001), steps.mid[1000]);
	assert.is(midAfter(at - 999), steps.mid[1000]);
});

/** The tape with one more trade, far off the price. */
function touched(tape: TradeTape, time: number): TradeTape {
	const at = tape.time.findIndex((one) => one > time);
	const insert = (column: Float64Array, value: number) =>
		Float64Array.from([...column.subarray(0, at), value, ...column.subarray(at, at + 50)]);
	return {
		...tape,
		length: at + 51,
		time: insert(tape.time, time),
		price: insert(tape.price, (tape.price[at] ?? 0) * 2),
		quantity: insert(tape.quantity, 1),
		taker_side: Int8Array.from([...tape.taker_side.subarray(0, at), 1, ...tape.taker_side.subarray(at, at + 50)]),
	};
}

test("every missing thing has its reason", () => {
	const symbol = WIDE[0] ?? "";
	const one = { ...wide, candidates: wide.candidates.filter((candidate) => candidate.symbol === symbol) };
	const [candidate] = one.candidates;
	const book = wide.view.books[symbol];
	const series = wide.view.series[symbol];
	if (!candidate?.market || !book || !series) throw new Error("incomplete request");
	const asked = (change: Parameters<typeof withView>[1]) => checked(evaluate(withView(one, change)));
	const withBook = (changed: typeof book) => asked({ books: { [symbol]: changed } });
	const withMarket = (changed: object) =>
		checked(
			evaluate({
				...one,
				candidates: [{ ...candidate, market: { ...candidate.market, ...changed } as typeof candidate.market }],
			}),
		);
	const mid = ((book.bids[0]?.[0] ?? 0) + (book.asks[0]?.[0] ?? 0)) / 2;
	const jumped = { ...series, close: series.close.map((close, t) => (t >= series.length - 3 ? close * 1.2 : close)) };
	assert.is(reasonOf(asked({ errors: { [symbol]: "timeout" } })), "fetch_failed");
	assert.is(reasonOf(asked({ books: {} })), "missing_orderbook");
	assert.is(reasonOf(withBook({ ...book, asks: book.asks.slice(0, 9) })), "missing_orderbook");
	assert.is(reasonOf(withBook({ ...book, bids: [] })), "missing_orderbook");
	assert.is(reasonOf(withBook({ ...book, at_ms: AS_OF - 3_600_000 })), "stale_data");
	assert.is(reasonOf(withMarket({ volume_usd_24h: 999_999 })), "illiquid");
	assert.is(reasonOf(asked({ series: {} })), "insufficient_history");
	assert.is(
		reasonOf(asked({ as_of_ms: AS_OF + 3_600_000, books: { [symbol]: { ...book, at_ms: AS_OF + 3_600_000 } } })),
		"stale_data",
	);
	assert.is(reasonOf(withMarket({ tags: ["wrapped"] })), "pegged_or_wrapped");
	assert.is(reasonOf(asked({ series: { [symbol]: jumped } })), "regime_filter");
	assert.is(reasonOf(withBook(bookOf(symbol, mid, 0.0003, AS_OF))), "spread_too_narrow");
	assert.is(reasonOf(withBook(bookOf(symbol, mid, 0.00045, AS_OF))), "adverse_selection");
	assert.is(
		reasonOf(withBook(bookOf(symbol, mid, 0.001, AS_OF))),
		"adverse_selection",
		"an hour moves too many spreads",
	);
	assert.is(reasonOf(withMarket({ min_notional: 1e6 })), "capital_below_min_notional");
	const poor = { ...one, portfolio: { ...one.portfolio, capital_usd: 10 } };
	assert.is(reasonOf(checked(evaluate(poor))), "capital_below_min_notional");
});

test("without trades there is no probability: unproven, with what the book alone tells", () => {
	const silent = checked(evaluate(withView(wide, { trades: {} })));
	assert.is(silent.published.length, 0);
	assert.is(silent.unproven.length, 3);
	for (const row of silent.unproven) {
		assert.equal([row.confidence_score, row.unproven_reason], [null, "insufficient_evidence"]);
		assert.equal([row.evidence.grade, row.evidence.n], ["C", 0]);
		assert.is(row.metadata.intensity_method, "book_slope");
		assert.is(row.profit_potential_usd, 0);
		assert.ok(Number.isFinite(row.metadata.model_profit_usd_per_day));
	}
});

test("a short tape counts its days and proves nothing; a universe of hindsight stays at B", () => {
	const symbol = WIDE[0] ?? "";
	const tape = wide.view.trades?.[symbol];
	if (!tape) throw new Error("no tape");
	const from = tape.time.findIndex((time) => time >= AS_OF - 8 * DAY - 60_000);
	const cut = (column: Float64Array) => column.subarray(from);
	const short: TradeTape = {
		...tape,
		length: tape.length - from,
		time: cut(tape.time),
		price: cut(tape.price),
		quantity: cut(tape.quantity),
		taker_side: tape.taker_side.subarray(from),
		since_ms: AS_OF - 8 * DAY - 60_000,
	};
	const one = { ...wide, candidates: wide.candidates.filter((candidate) => candidate.symbol === symbol) };
	const evaluation = checked(evaluate(withView(one, { trades: { [symbol]: short } })));
	assert.is(evaluation.unproven[0]?.evidence.n, 7);
	assert.is(evaluation.unproven[0]?.unproven_reason, "insufficient_evidence");
	const day = { startMs: 0, net: 0.01, fills: 10, adverse: 0, leftover: 0 };
	const gradeOf = (count: number, bad: number, hindsight: boolean) =>
		recordOf(
			Array.from({ length: count }, (_, i) => (i < bad ? { ...day, net: -0.01 } : day)),
			null,
			1,
			hindsight,
		).evidence.grade;
	assert.equal(
		[
			gradeOf(30, 9, false),
			gradeOf(30, 12, false),
			gradeOf(30, 15, false),
			gradeOf(29, 0, false),
			gradeOf(0, 0, false),
		],
		["B", "C", "D", "C", "C"],
	);
	assert.equal([gradeOf(120, 10, false), gradeOf(120, 10, true)], ["A", "B"]);
});

test("many small gains and one great loss are no edge", () => {
	const days = Array.from({ length: 30 }, (_, i) => ({
		startMs: i * DAY,
		net: i === 0 ? -1 : 0.01,
		fills: 5,
		adverse: 0,
		leftover: 0,
	}));
	assert.is(recordOf(days, null, 1, false).evidence.grade, "D");
});

test("placebo: on martingales no seed looks like an edge", () => {
	const seeds = Number(process.env.PLACEBO_SEEDS ?? 10);
	const fooled: number[] = [];
	for (let seed = 1; seed <= seeds; seed++) {
		const tape = martingaleTape("X/USDT:USDT", 1000 * seed, { days: 31, stepMs: 20_000, asOfMs: AS_OF, sigma: 0.0007 });
		const { evidence } = makerRecord({ ...tape, since_ms: tape.since_ms - 60_000 }, AS_OF, COSTS, false);
		assert.is(evidence.n, 30);
		if (evidence.grade === "A" || evidence.grade === "B") fooled.push(seed);
	}
	assert.ok(fooled.length <= 0.05 * seeds, `fooled by seeds ${fooled.join(", ")}`);
});

test("a changed trade changes the tape's identity", () => {
	const tape = martingaleTape("X", 3, { days: 1, stepMs: 20_000, asOfMs: AS_OF, sigma: 0.0007 });
	const change = (name: "time" | "price" | "quantity") => {
		const column = tape[name].slice();
		column[77] = (column[77] ?? 0) * 1.0001;
		return tapeFingerprint({ ...tape, [name]: column });
	};
	const sides = tape.taker_side.slice();
	sides[77] = -(sides[77] ?? 0);
	const prints = [
		tapeFingerprint(tape),
		change("time"),
		change("price"),
		change("quantity"),
		tapeFingerprint({ ...tape, taker_side: sides }),
	];
	assert.is(new Set(prints).size, prints.length);
	assert.is(tapeFingerprint({ ...tape, price: tape.price.slice() }), prints[0]);
});

test("a recorded source without books: missing_orderbook for every symbol", () => {
	const series = ["A", "B"].map((base, i) => martingaleBars(`${base}/USDT:USDT`, 400, i, 0.003, AS_OF));
	const candidates = series.map((one) => candidateOf(marketOf(one.symbol)));
	const evaluation = checked(
		evaluate(requestOf({ strategyId: ID, series, candidates, asOfMs: AS_OF, source: RECORDED })),
	);
	assert.equal(
		evaluation.rejected.map(({ reason }) => reason),
		["missing_orderbook", "missing_orderbook"],
	);
});

test.run();
