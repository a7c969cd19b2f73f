import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type BracketPlan, resolveBracket } from "../../src/strategies/bracket.ts";
import { fundingLedger, fundingPaid } from "../../src/strategies/funding-charge.ts";
import { type Resolution, simulate, type TradePlan } from "../../src/strategies/simulator.ts";
import { type BarRow, fundingOf, seriesOf } from "../support/recorded-bars.ts";

/** Orders that wait, and funding that is charged to trades: worked by hand. */
const test = suite("order pairs and funding charges");
const DAY = 86_400_000;
const HOUR = 3_600_000;
const near = (actual: number | null | undefined, expected: number) =>
	assert.ok(Math.abs((actual ?? Number.NaN) - expected) < 1e-12, `${actual} is not ${expected}`);

type Ohlc = [open: number, high: number, low: number, close: number];
const quiet: Ohlc = [100, 104, 96, 100];
const seriesFrom = (bars: Ohlc[]) =>
	seriesOf(
		bars.map(([o, h, l, c], i): BarRow => [i * DAY, o, h, l, c, 1]),
		{ symbol: "X/USDT:USDT" },
	);

/** Triggers 105 and 95, N = 2: stops 4 away, targets 8 away. */
function pair(bars: Ohlc[], extra: Partial<BracketPlan> = {}) {
	const series = seriesFrom(bars);
	const all = (value: number) => new Float64Array(bars.length).fill(value);
	const signal = new Uint8Array(bars.length);
	signal[0] = 1;
	const plan: BracketPlan = {
		signal,
		upper: all(105),
		lower: all(95),
		n: all(2),
		stopN: 2,
		targetN: 4,
		validBars: 3,
		holdBars: 2,
		...extra,
	};
	return { series, plan, outcome: resolveBracket(series, plan, 0) };
}
const ended = (bars: Ohlc[], extra: Partial<BracketPlan> = {}): Resolution => {
	const { outcome } = pair(bars, extra);
	if (outcome.kind !== "resolved") throw new Error(`the trade is ${outcome.kind}`);
	return outcome;
};

test("the upper order buys at its trigger and runs to the target", () => {
	const trade = ended([quiet, quiet, [104, 106, 103, 105], [106, 114, 105, 112], quiet]);
	assert.equal([trade.side, trade.entryIndex, trade.entryPrice], [1, 2, 105]);
	assert.equal([trade.exitReason, trade.exitIndex, trade.exitPrice, trade.stopPrice], ["target", 3, 113, 101]);
	assert.is(trade.resumeIndex, 4);
});

test("the lower order sells short; a gap fills at the worse open, and levels count from the fill", () => {
	const trade = ended([quiet, [92, 93, 90, 91], [91, 97, 90, 96], quiet, quiet]);
	assert.equal([trade.side, trade.entryPrice, trade.stopPrice], [-1, 92, 96]);
	assert.equal([trade.exitReason, trade.exitPrice], ["stop", 96]);
});

test("a bar that touches both triggers is a full stop loss", () => {
	const trade = ended([quiet, [100, 106, 94, 100], quiet, quiet]);
	assert.equal([trade.exitReason, trade.entryPrice, trade.exitPrice], ["stop", 105, 101]);
});

test("the bar of the fill hits the stop only in the pessimist's reading", () => {
	const bars: Ohlc[] = [quiet, [100, 106, 100, 105], [105, 108, 104, 107], [107, 109, 106, 108], quiet];
	assert.equal([ended(bars).exitReason, ended(bars).exitPrice], ["timeout", 108]);
	const wary = ended(bars, { stopOnEntryBar: true });
	assert.equal([wary.exitReason, wary.exitPrice, wary.exitIndex], ["stop", 101, 1]);
});

test("orders lapse after their days; an incomplete trade is unresolved", () => {
	assert.equal(pair([quiet, quiet, quiet, quiet, quiet]).outcome, { kind: "unfilled", resumeIndex: 3 });
	assert.equal(pair([quiet, quiet, quiet]).outcome, { kind: "unresolved" });
	assert.equal(pair([quiet, [104, 106, 104, 105]]).outcome, { kind: "unresolved" });
});

test("the replay goes on after orders that lapsed, and nothing is counted for them", () => {
	const bars: Ohlc[] = [quiet, quiet, quiet, quiet, [104, 106, 103, 105], [106, 114, 105, 112], quiet];
	const { series, plan } = pair(bars);
	plan.signal.fill(1);
	const { trades } = simulate(series, plan, 0.003);
	assert.is(trades.length, 1);
	near(trades[0]?.net, 113 / 105 - 1 - 0.003);
	near(trades[0]?.r, (113 / 105 - 1 - 0.003) / (4 / 105));
	assert.equal([trades[0]?.signalIndex, trades[0]?.holdBars], [3, 2]);
});

/** 1 bp every 8 hours from the first bar on, but 10 bp on the third day. */
const funding = (days: number) =>
	fundingOf(
		Array.from({ length: days * 3 }, (_, i) => [(i + 1) * 8 * HOUR, i >= 6 && i < 9 ? 0.001 : 0.0001] as const),
		"X/USDT:USDT",
		days * DAY,
	);
const resolution = (side: 1 | -1, entryIndex: number, exitIndex: number, exitReason: Resolution["exitReason"]) =>
	({ side, entryIndex, exitIndex, exitReason }) as Resolution;

test("longs pay what settles after their entry up to the exit; shorts receive it", () => {
	const ledger = fundingLedger(seriesFrom([quiet, quiet, quiet, quiet, quiet]), funding(5));
	assert.equal([ledger.from, ledger.to], [0, 4]);
	near(fundingPaid(ledger, resolution(1, 0, 1, "timeout")), 6 * 0.0001);
	near(fundingPaid(ledger, resolution(-1, 0, 1, "timeout")), -6 * 0.0001);
	near(fundingPaid(ledger, resolution(1, 2, 3, "timeout")), 3 * 0.001 + 3 * 0.0001);
});

test("the hour of an exit within the bar is unknown: its settlements count only where they cost", () => {
	const ledger = fundingLedger(seriesFrom([quiet, quiet, quiet, quiet, quiet]), funding(5));
	near(fundingPaid(ledger, resolution(1, 1, 2, "stop")), 3 * 0.0001 + 3 * 0.001);
	near(fundingPaid(ledger, resolution(-1, 1, 2, "stop")), -3 * 0.0001);
});

test("a trade outside the history is not charged", () => {
	const bars = seriesFrom(Array.from({ length: 8 }, () => quiet));
	const ledger = fundingLedger(bars, funding(5));
	assert.is(fundingPaid(ledger, resolution(1, 3, 6, "timeout")), null);
	assert.ok((fundingPaid(ledger, resolution(1, 2, 4, "timeout")) ?? 0) > 0);
	const none = fundingLedger(bars, fundingOf([], "X/USDT:USDT", DAY));
	assert.is(fundingPaid(none, resolution(1, 1, 2, "timeout")), null);
});

test("the simulator takes funding out of the net", () => {
	const bars: Ohlc[] = [quiet, quiet, quiet, quiet, quiet, quiet];
	const series = seriesFrom(bars);
	const signal = Uint8Array.from([1, 0, 0, 0, 0, 0]);
	const plan: TradePlan = { signal, stop: new Float64Array(6).fill(80), target: null, side: 1, horizonBars: 3 };
	const [plain] = simulate(series, plan, 0.002).trades;
	const [charged] = simulate(series, plan, 0.002, fundingLedger(series, funding(6))).trades;
	assert.is(plain?.funding, null);
	near(charged?.funding, 3 * 0.0001 + 3 * 0.001 + 3 * 0.0001);
	near((plain?.net ?? 0) - (charged?.net ?? 0), charged?.funding ?? Number.NaN);
});

test.run();
