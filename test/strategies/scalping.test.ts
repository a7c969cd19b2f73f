import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Series, TIMEFRAME_MS, type TradeTape } from "../../src/market/contract.ts";
import { createTradeColumns } from "../../src/market/trade-columns.ts";
import type { Evaluation } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { breakEvenFee } from "../../src/strategies/scalping/evidence.ts";
import { bookImbalance, microPrice } from "../../src/strategies/scalping/gates.ts";
import { bandRule, crossRule, flowRule } from "../../src/strategies/scalping/rules.ts";
import { flowOf } from "../../src/strategies/tape.ts";
import { checked } from "../support/checked-evaluation.ts";
import { bookOf, martingaleBars, scaledRequest, withView } from "../support/micro.ts";
import { openSimulated, simulatedRequest } from "../support/simulated-scan.ts";
import { candidateOf, marketOf, requestOf } from "../support/synthetic-market.ts";

const test = suite("scalping");
const ID = "ai_scalping_strategy";
const STEP = TIMEFRAME_MS["5m"];
/** An instant of seed 8 at which informed takers press in a market that moves enough. */
const AS_OF = Date.UTC(2026, 2, 16, 11, 5);

const reasonsOf = (evaluation: Evaluation): string[] => evaluation.rejected.map(({ reason }) => reason);

const SYMBOL = "1000PEPE/USDT:USDT";
const live = await simulatedRequest(
	{ strategyId: ID, seed: 8, asOfMs: AS_OF, symbolsMax: 8, symbols: [SYMBOL, "SOL/USDT:USDT", "BNB/USDT:USDT"] },
	openSimulated(8, AS_OF),
);
const answer = checked(evaluate(live));

test("publishes where recorded flow led the price for a month and flow and book press now", () => {
	const row = answer.published.find(({ symbol }) => symbol === SYMBOL);
	assert.ok(row, JSON.stringify(answer.rejected));
	assert.equal([row.side, row.estimated_timeframe, row.metadata.signal], ["long", "5m", "order_flow"]);
	assert.ok(row.evidence.grade === "B" && row.evidence.n_effective >= 30 && (row.evidence.p_placebo ?? 1) < 0.1);
	assert.ok((row.evidence.bootstrap_90?.[0] ?? -1) > 0);
	assert.is(row.entry_price, live.view.books[SYMBOL]?.bids[0]?.[0], "a limit at the touch");
	assert.ok((row.stop_price ?? 0) < (row.entry_price ?? 0) && (row.entry_price ?? 0) < (row.target_price ?? 0));
	assert.equal([row.metadata.executable, row.metadata.entry_ttl_bars, row.metadata.time_stop_bars], [true, 1, 12]);
	assert.is(row.costs.fee_bps, 7, "maker in, taker out");
	const touch = live.view.books[SYMBOL]?.bids[0] ?? [0, 0];
	assert.ok((row.metadata.notional_usd as number) <= (touch[0] * touch[1]) / 5 + 1e-9);
	assert.ok(row.profit_potential_usd > 0);
});

test("the report shows that the bar-only signals lose, and the fee at which they would not", () => {
	for (const signal of ["ema_cross", "band_reversal"]) {
		const sides = answer.report[signal] as Record<string, Record<string, number | string>>;
		for (const side of ["long", "short"]) {
			const record = sides[side] ?? {};
			assert.ok(record.grade === "D" || record.grade === "C", `${signal} ${side}`);
			assert.ok((record.n as number) > 100);
			assert.is(record.break_even_fee_bps_per_side, ((record.mean_net_bps as number) + 14) / 2);
		}
	}
	assert.is(answer.report.evidence_cost_bps, 14);
});

test("answers alike whatever the order of candidates and universe", () => {
	const { view } = live;
	const turned = { ...view, evidence: { ...view.evidence, series: [...view.evidence.series].reverse() } };
	assert.equal(evaluate({ ...live, candidates: [...live.candidates].reverse(), view: turned }), answer);
});

test("does not change with the unit of prices", () => {
	const [one, many] = [evaluate(scaledRequest(live, 1)), evaluate(scaledRequest(live, 1024))];
	const view = (evaluation: Evaluation) =>
		evaluation.published.map((row) => [
			row.symbol,
			row.confidence_score,
			row.evidence,
			row.profit_potential_usd.toFixed(9),
		]);
	assert.equal(view(many), view(one));
	assert.equal(reasonsOf(many), reasonsOf(one));
});

test("no side of the past changes when the future is known", async () => {
	const later = await simulatedRequest(
		{ strategyId: ID, seed: 8, asOfMs: AS_OF, symbolsMax: 8, symbols: [SYMBOL] },
		openSimulated(8, AS_OF + 86_400_000),
	);
	assert.equal(
		evaluate(later).published,
		answer.published.filter(({ symbol }) => symbol === SYMBOL),
	);
});

const cutSeries = (series: Series, length: number): Series => ({
	...series,
	length,
	open_time: series.open_time.slice(0, length),
	open: series.open.slice(0, length),
	high: series.high.slice(0, length),
	low: series.low.slice(0, length),
	close: series.close.slice(0, length),
	volume: series.volume.slice(0, length),
	quote_volume: series.quote_volume.slice(0, length),
});

test("signal, levels and flow of bar t are the same on data cut at t", () => {
	const series = live.view.series[SYMBOL];
	const tape = live.view.trades?.[SYMBOL];
	if (!series || !tape) throw new Error("incomplete request");
	const flow = flowOf(series, STEP, tape, 3);
	for (const t of [600, 1234, 4321, 8000, series.length - 1]) {
		const short = cutSeries(series, t + 1);
		const until = (short.open_time[t] ?? 0) + STEP;
		const count = tape.time.findIndex((time) => time >= until);
		const length = count < 0 ? tape.length : count;
		const past = flowOf(short, STEP, { ...tape, length, as_of_ms: until }, 3);
		assert.is(past[t], flow[t]);
		for (const side of [1, -1] as const) {
			for (const [rule, cut] of [
				[crossRule(side), crossRule(side)],
				[bandRule(side), bandRule(side)],
				[flowRule(side, flow), flowRule(side, past)],
			] as const) {
				const [whole, known] = [rule.read(series), cut.read(short)];
				assert.is(known.gateAt(t), whole.gateAt(t), rule.name);
				assert.equal([known.plan.stop[t], known.plan.target?.[t]], [whole.plan.stop[t], whole.plan.target?.[t]]);
				assert.equal(known.indicatorsAt(t), whole.indicatorsAt(t));
			}
		}
	}
});

test("flow is bought less sold over three bars, unknown where the tape begins later", () => {
	const series = martingaleBars("X", 10, 1, 0.003, AS_OF);
	const start = series.open_time[0] ?? 0;
	const columns = createTradeColumns(20);
	for (let i = 0; i < 20; i++) {
		columns.time[i] = start + (i * STEP) / 2;
		columns.price[i] = 100;
		columns.quantity[i] = i === 9 ? 5 : 1;
		columns.taker_side[i] = i % 2 === 0 ? 1 : -1;
	}
	const tape: TradeTape = { symbol: "X", venue: "fake", ...columns, since_ms: start + STEP, as_of_ms: AS_OF };
	const flow = flowOf(series, STEP, tape, 3);
	assert.ok([0, 1, 2].every((t) => Number.isNaN(flow[t])));
	assert.is(flow[3], 0);
	assert.is(flow[4], (3 - 7) / 10);
	assert.is(flow[7], 0);
});

test("every missing or hopeless thing has its reason", () => {
	const one = { ...live, candidates: live.candidates.filter(({ symbol }) => symbol === SYMBOL) };
	const [candidate] = one.candidates;
	const [book, series] = [live.view.books[SYMBOL], live.view.series[SYMBOL]];
	if (!candidate?.market || !book || !series) throw new Error("incomplete request");
	const { market } = candidate;
	const asked = (change: Parameters<typeof withView>[1]) => reasonsOf(checked(evaluate(withView(one, change))))[0];
	const withMarket = (changed: object) =>
		reasonsOf(checked(evaluate({ ...one, candidates: [{ ...candidate, market: { ...market, ...changed } }] })))[0];
	const close = series.close[series.length - 1] ?? 0;
	const withBook = (spread: number, lean: number, usd = 50_000) =>
		asked({ books: { [SYMBOL]: bookOf(SYMBOL, close, spread, AS_OF, lean, usd) } });
	assert.is(asked({ errors: { [SYMBOL]: "timeout" } }), "fetch_failed");
	assert.is(asked({ series: {} }), "insufficient_history");
	assert.is(asked({ series: { [SYMBOL]: cutSeries(series, 499) } }), "stale_data");
	const late = (series.open_time[498] ?? 0) + STEP;
	assert.is(asked({ as_of_ms: late, series: { [SYMBOL]: cutSeries(series, 499) } }), "insufficient_history");
	assert.is(asked({ books: {} }), "missing_orderbook");
	assert.is(asked({ books: { [SYMBOL]: { ...book, bids: book.bids.slice(0, 4) } } }), "missing_orderbook");
	assert.is(asked({ books: { [SYMBOL]: { ...book, at_ms: AS_OF - 3_600_000 } } }), "stale_data");
	assert.is(withMarket({ taker_fee: 0.003 }), "cost_exceeds_edge");
	assert.is(withBook(0.002, 0.6), "spread_too_wide");
	assert.is(withBook(0.0002, 0), "negative_expectancy", "unconfirmed flow leaves a bar signal that loses");
	assert.is(withBook(0.0002, 0.6, 5), "illiquid", "nothing stands at the best level");
	assert.is(withBook(0.0002, 0.6), undefined, "it fires with such a book");
	assert.is(withMarket({ min_notional: 1e7 }), "capital_below_min_notional");
	assert.is(withMarket({ tags: ["wrapped"] }), "pegged_or_wrapped");
});

test("without recorded trades the book's signal has no probability: unproven", () => {
	const silent = checked(evaluate(withView(live, { trades: {} })));
	const row = silent.unproven.find(({ symbol }) => symbol === SYMBOL);
	assert.ok(row, JSON.stringify(silent.rejected));
	assert.equal([row.confidence_score, row.unproven_reason, row.evidence.n], [null, "insufficient_evidence", 0]);
	assert.is(row.metadata.signal, "order_flow");
	assert.ok((row.metadata.notional_usd as number) <= 500, "positions without proof stay small");
	assert.is(row.profit_potential_usd, 0);
});

test("a bar-only signal that fires on a losing record is negative_expectancy with the break-even fee", () => {
	const universe = Array.from({ length: 6 }, (_, i) => martingaleBars(`R${i}/USDT:USDT`, 3000, 50 + i, 0.004, AS_OF));
	const rule = bandRule(1);
	const fires = universe.flatMap((series) => {
		const reading = rule.read(series);
		const t = Array.from(reading.plan.signal).lastIndexOf(1);
		return t >= 600 && t < series.length - 20 ? [cutSeries(series, t + 1)] : [];
	});
	assert.ok(fires.length > 0);
	const [series] = fires;
	if (!series) throw new Error("no signal");
	const asOfMs = (series.open_time[series.length - 1] ?? 0) + STEP;
	const mid = series.close[series.length - 1] ?? 0;
	const request = requestOf({
		strategyId: ID,
		series: [series],
		evidence: universe,
		asOfMs,
		candidates: [candidateOf(marketOf(series.symbol))],
	});
	const evaluation = checked(
		evaluate(withView(request, { books: { [series.symbol]: bookOf(series.symbol, mid, 0.0002, asOfMs) } })),
	);
	assert.equal(reasonsOf(evaluation), ["negative_expectancy"]);
	assert.match(
		evaluation.rejected[0]?.detail ?? "",
		/band_reversal long: mean net -.* break-even fee = -?\d+\.\d bp per side/,
	);
});

test("quiet bars: nothing pays for a round trip", () => {
	const series = Array.from({ length: 4 }, (_, i) => martingaleBars(`Q${i}/USDT:USDT`, 800, i, 0.0005, AS_OF));
	const request = requestOf({ strategyId: ID, series, asOfMs: AS_OF });
	const books = Object.fromEntries(
		series.map((one) => [one.symbol, bookOf(one.symbol, one.close[799] ?? 1, 0.0001, AS_OF)]),
	);
	const evaluation = checked(evaluate(withView(request, { books })));
	assert.equal(reasonsOf(evaluation), Array(4).fill("cost_exceeds_edge"));
	assert.is(evaluation.near_misses.length, 3);
	assert.is(evaluation.near_misses[0]?.threshold, 28);
});

test("the measured cost and its break-even: gross 2.0 bp is a fee of 1.0 bp per side", () => {
	const evidence = answer.published[0]?.evidence;
	if (!evidence) throw new Error("no row");
	assert.ok(Math.abs((breakEvenFee({ evidence: { ...evidence, mean_net_bps: -12 } }) ?? 0) - 1) < 1e-12);
	assert.is(breakEvenFee({ evidence: { ...evidence, mean_net_bps: null } }), null);
});

test("imbalance and micro-price of a book", () => {
	const book = bookOf("X", 100, 0.001, AS_OF, 0.5);
	assert.ok(Math.abs(bookImbalance(book) - 0.5) < 0.01);
	assert.ok(microPrice(book) > 100);
	assert.ok(Math.abs(microPrice(bookOf("X", 100, 0.001, AS_OF)) - 100) < 1e-4);
});

test("moving bars without a signal: no_trigger", () => {
	const series = Array.from({ length: 6 }, (_, i) => martingaleBars(`M${i}/USDT:USDT`, 800, 20 + i, 0.004, AS_OF));
	const request = requestOf({ strategyId: ID, series, asOfMs: AS_OF });
	const books = Object.fromEntries(
		series.map((one) => [one.symbol, bookOf(one.symbol, one.close[799] ?? 1, 0.0001, AS_OF)]),
	);
	const evaluation = checked(evaluate(withView(request, { books })));
	assert.is(evaluation.published.length, 0);
	assert.ok(reasonsOf(evaluation).includes("no_trigger"), reasonsOf(evaluation).join());
});

test.run();
