import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Series } from "../../src/market/contract.ts";
import type { Evaluation, Opportunity } from "../../src/strategies/contract.ts";
import { evaluate } from "../../src/strategies/evaluate.ts";
import { checked, reasonCounts } from "../support/checked-evaluation.ts";
import {
	breakingSeries,
	candidateOf,
	DAY_MS,
	marketOf,
	portfolioOf,
	RECORDED,
	randomWalk,
	trendingSeries,
} from "../support/synthetic-market.ts";
import { flatSeries, inverted, perpRequest, scaled, steadyFunding } from "../support/synthetic-perps.ts";

const test = suite("futures trade");
const SYMBOLS = Array.from({ length: 12 }, (_, i) => `C${String(i).padStart(2, "0")}/USDT:USDT`);
const BARS = 1400;

const detailOf = (evaluation: Evaluation, symbol: string): string =>
	evaluation.rejected.find((one) => one.symbol === symbol)?.detail ?? "";

const rising = SYMBOLS.map((symbol, i) => trendingSeries(symbol, BARS, 100 + i));
const falling = rising.map(inverted);
const breaking = SYMBOLS.map((symbol, i) => breakingSeries(symbol, BARS, 100 + i));
const collapsing = breaking.map(inverted);
const MARKETS: [name: string, side: "long" | "short", setup: string, series: Series[]][] = [
	["rising trends", "long", "momentum_long", rising],
	["falling trends", "short", "momentum_short", falling],
	["breakouts", "long", "breakout_long", breaking],
	["breakdowns", "short", "breakdown_short", collapsing],
];

function checkLevels(row: Opportunity, side: "long" | "short"): void {
	const { entry_price: entry, stop_price: stop, target_price: target, metadata } = row;
	assert.ok(entry !== null && stop !== null && target !== null);
	const sign = side === "long" ? 1 : -1;
	assert.ok(sign * (entry - stop) > 0 && sign * (target - entry) > 0);
	assert.is(metadata.executable, true);
	assert.is(metadata.signal_action, side === "long" ? "BUY" : "SELL");
	const {
		leverage,
		liquidation_price: liquidation = 0,
		required_margin_usd: margin,
		notional_usd: notional,
	} = metadata;
	assert.ok(leverage === 1 || leverage === 2);
	assert.ok(Math.abs(Number(liquidation) - entry) >= 3 * Math.abs(entry - stop), "three stops to liquidation");
	assert.ok(Math.abs(Number(margin) * Number(leverage) - Number(notional)) < 1e-6);
	assert.ok(row.required_capital_usd >= Number(margin));
}

for (const [name, side, setup, series] of MARKETS) {
	test(`${name} are traded ${side} on the record of that side`, () => {
		const evaluation = checked(evaluate(perpRequest(series)));
		const rows = evaluation.published.filter((row) => String(row.metadata.setup).includes(setup));
		assert.ok(rows.length > 0, JSON.stringify(reasonCounts(evaluation)));
		const setups = evaluation.report.setups as Record<string, { evidence: { hit_rate: number; n: number } }>;
		for (const row of rows) {
			assert.is(row.side, side);
			checkLevels(row, side);
			assert.is(row.evidence.hit_rate, setups[setup]?.evidence.hit_rate);
			assert.ok(Math.abs((row.confidence_score ?? 0) / 100 - (row.evidence.hit_rate ?? 0)) < 0.15);
		}
	});

	test(`${name}: order, unit of prices, capital and hindsight`, () => {
		const straight = evaluate(perpRequest(series));
		assert.equal(evaluate(perpRequest([...series].reverse())), straight);
		const larger = evaluate(perpRequest(series.map((one) => scaled(one, 1024))));
		const judged = (row: Opportunity) => [
			row.symbol,
			row.side,
			row.confidence_score,
			row.evidence,
			row.metadata.leverage,
		];
		assert.equal(larger.published.map(judged), straight.published.map(judged));
		assert.equal(larger.rejected, straight.rejected);
		const rich = evaluate(perpRequest(series, { portfolio: portfolioOf(640_000) }));
		assert.equal(
			rich.published.map((row) => row.opportunity_id),
			straight.published.map((row) => row.opportunity_id),
		);
		for (const row of evaluate(perpRequest(series, { source: RECORDED })).published) assert.is(row.evidence.grade, "B");
	});
}

test("flat prices trigger nothing, with near misses", () => {
	const evaluation = checked(evaluate(perpRequest(SYMBOLS.map((symbol) => flatSeries(symbol)))));
	assert.equal(reasonCounts(evaluation), { no_trigger: SYMBOLS.length });
});

/** The last bar of a trend also closes just above the channel, on loud volume. */
function breakingOut(series: Series): Series {
	const t = series.length - 1;
	const close = Math.max(...series.high.slice(t - 20, t)) * 1.001;
	const ending = (column: Float64Array, value: number) => column.map((own, i) => (i === t ? value : own));
	return {
		...series,
		close: ending(series.close, close),
		high: ending(series.high, close * 1.002),
		volume: ending(series.volume, 3_000_000),
	};
}

test("a contract is one candidate and one row, also where two setups fire", () => {
	const evaluation = checked(evaluate(perpRequest(rising.map(breakingOut), { evidence: rising })));
	const rows = [...evaluation.published, ...evaluation.unproven];
	const both = rows.filter((row) => (row.metadata.also_firing as string[]).length > 0);
	assert.ok(both.length > 0, "no series fires twice");
	assert.is(new Set(rows.map((row) => row.symbol)).size, rows.length);
	const grades = Object.fromEntries(
		Object.entries(evaluation.report.setups as Record<string, { evidence: { grade: string } }>).map(
			([name, { evidence }]) => [name, evidence.grade],
		),
	);
	for (const row of both) {
		for (const other of row.metadata.also_firing as string[]) {
			assert.ok(row.evidence.grade <= String(grades[other.split("/")[1] ?? ""]), "a better grade was left aside");
		}
	}
});

test("funding that eats more than a quarter of the expected gain forbids the paying side only", () => {
	const long = checked(evaluate(perpRequest(rising, { rate: 0.01, evidenceFunding: [] })));
	assert.is(long.published.length, 0);
	assert.ok((reasonCounts(long).funding_against ?? 0) > 0, JSON.stringify(reasonCounts(long)));
	const against = long.rejected.find(({ reason }) => reason === "funding_against");
	assert.match(against?.detail ?? "", /bp of funding against an expected gross gain of/);
	const short = checked(evaluate(perpRequest(falling, { rate: 0.01, evidenceFunding: [] })));
	const received = short.published.filter((row) => row.side === "short");
	assert.ok(received.length > 0);
	for (const row of received) {
		assert.ok(row.costs.funding_bps < 0);
		assert.ok(Math.abs(row.costs.funding_bps + 10_000 * 0.01 * 3 * Number(row.metadata.funding_days)) < 1e-6);
		assert.ok(Number(row.metadata.funding_days) <= 7, "income is counted for the horizon of the forecast");
	}
});

test("settled funding lowers the record of the side that pays it", () => {
	const asOfMs = Math.max(...rising.map((one) => one.as_of_ms));
	const charged = (rate: number) => rising.map((one) => steadyFunding(one.symbol, rate, asOfMs, BARS + 10));
	interface LongRecord {
		evidence: { mean_net_bps: number; avg_hold_bars: number };
		funding: Record<string, number>;
	}
	const meanOf = (rate: number) => {
		const { report } = evaluate(perpRequest(rising, { evidenceFunding: charged(rate) }));
		return (report.setups as { momentum_long: LongRecord }).momentum_long;
	};
	const [free, dear] = [meanOf(0), meanOf(0.0002)];
	assert.is(dear.funding.trades_without_history, 0);
	assert.ok(
		Math.abs(free.evidence.mean_net_bps - dear.evidence.mean_net_bps - (dear.funding.mean_paid_bps ?? 0)) < 1e-6,
	);
	// Six basis points a day for about the days that a trade lasts.
	const perDay = (dear.funding.mean_paid_bps ?? 0) / dear.evidence.avg_hold_bars;
	assert.ok(perDay > 5 && perDay <= 6, `${perDay} bp a day`);
});

test("missing or old funding is a reason; a contract without bars has too little history", () => {
	const asOfMs = Math.max(...rising.map((one) => one.as_of_ms));
	const [first, second, third] = evaluate(perpRequest(rising)).published.map((row) => row.symbol);
	assert.ok(first && second && third);
	const request = perpRequest(
		rising.filter(({ symbol }) => [first, second, third].includes(symbol)),
		{
			candidates: [first, second, third, "ERR/USDT:USDT", "NONE/USDT:USDT"].map((symbol) =>
				candidateOf(marketOf(symbol)),
			),
			funding: [steadyFunding(first, 0.000001, asOfMs), steadyFunding(second, 0.000001, asOfMs - 2 * DAY_MS)],
			evidence: rising,
			errors: { "ERR/USDT:USDT": "connection reset" },
		},
	);
	const evaluation = checked(evaluate(request));
	const reasonOf = (symbol: string) => evaluation.rejected.find((one) => one.symbol === symbol)?.reason;
	assert.equal([second, third, "ERR/USDT:USDT", "NONE/USDT:USDT"].map(reasonOf), [
		"stale_data",
		"insufficient_history",
		"fetch_failed",
		"insufficient_history",
	]);
	assert.match(detailOf(evaluation, third), /no funding/);
	assert.is(evaluation.published.length, 1);
});

test("a stop too far for three of them to fit before liquidation is leverage_limit", () => {
	const wild = SYMBOLS.slice(0, 4).map((symbol, i) => {
		const calm = trendingSeries(symbol, BARS, 100 + i);
		const wide = (column: Float64Array, factor: number) =>
			column.map((value, t) => (t > BARS - 40 ? value * factor : value));
		return { ...calm, high: wide(calm.high, 1.1), low: wide(calm.low, 0.9) };
	});
	const evaluation = checked(evaluate(perpRequest(wild, { evidence: rising })));
	assert.ok((reasonCounts(evaluation).leverage_limit ?? 0) > 0, JSON.stringify(reasonCounts(evaluation)));
});

test("open interest stands beside the trade and decides nothing", () => {
	const asOfMs = Math.max(...rising.map((one) => one.as_of_ms));
	const interest = (symbol: string, before: number, now: number, ageDays = 3) => ({
		now: { symbol, value_usd: 2e6, quantity_base: now, at_ms: asOfMs },
		before: { symbol, value_usd: 1e6, quantity_base: before, at_ms: asOfMs - ageDays * DAY_MS },
	});
	const without = checked(evaluate(perpRequest(rising)));
	const priceRose = ({ symbol }: Opportunity) => {
		const closes = rising.find((one) => one.symbol === symbol)?.close ?? new Float64Array(0);
		return (closes.at(-1) ?? 0) > (closes.at(-4) ?? 0);
	};
	const [first, second] = without.published.filter(priceRose).map((row) => row.symbol);
	assert.ok(first && second);
	const openInterest = { [first]: interest(first, 100, 150), [second]: interest(second, 100, 80) };
	const beside = checked(evaluate(perpRequest(rising, { openInterest })));
	const factOf = (symbol: string) => beside.published.find((row) => row.symbol === symbol)?.metadata;
	assert.is(factOf(first)?.open_interest_confirms, true);
	assert.ok(Math.abs(Number(factOf(first)?.open_interest_change_percent) - 50) < 1e-9);
	assert.is(factOf(second)?.open_interest_confirms, false);
	assert.equal(
		beside.published.map((row) => [row.opportunity_id, row.confidence_score, row.profit_potential_usd]),
		without.published.map((row) => [row.opportunity_id, row.confidence_score, row.profit_potential_usd]),
	);
	assert.is(without.published[0]?.metadata.open_interest_usd, undefined);
});

test("a side that loses on its universe is rejected with its numbers, the other side is not", () => {
	// Short-lived falls within rising prices: shorts are stopped out.
	const evidence = SYMBOLS.map((symbol, i) => drifting(`E${symbol}`, 900, 40 + i));
	const evaluation = checked(evaluate(perpRequest(falling, { evidence, evidenceFunding: [] })));
	const losing = evaluation.rejected.filter(({ reason }) => reason === "negative_expectancy");
	assert.ok(losing.length > 0, JSON.stringify(reasonCounts(evaluation)));
	assert.match(losing[0]?.detail ?? "", /mean net -/);
	assert.is([...evaluation.published, ...evaluation.unproven].filter((row) => row.side === "short").length, 0);
});

function drifting(symbol: string, bars: number, seed: number): Series {
	const walked = randomWalk(symbol, bars, seed, 0.03);
	const risen = (column: Float64Array) => column.map((value, t) => value * Math.exp(0.004 * t));
	const { open, high, low, close } = walked;
	return { ...walked, open: risen(open), high: risen(high), low: risen(low), close: risen(close) };
}

test("as_of is the newest datum of bars and funding", () => {
	const evaluation = evaluate(perpRequest(rising));
	const asOfMs = Math.max(...rising.map((one) => one.as_of_ms));
	for (const row of evaluation.published) assert.is(Date.parse(row.as_of), asOfMs);
	assert.is(Date.parse(evaluation.data_as_of ?? ""), asOfMs);
});

test.run();
